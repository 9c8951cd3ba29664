#include "base/redact_name_parts.hpp"

#include "base/redact_sets.hpp"

#include <array>

namespace reeve {
namespace {

/// What words that name a secret are made of, by what follows from it. In lower case.
constexpr auto all_parts = std::to_array<std::string_view>(
    {"passw",          "passphrase", "passcode",   "passwd",                     // 0: a password
     "secretsmanager", "secret",     "secretar",   "credential",                 // 4
     "token",          "tokeniz",    "tokenis",    "tokenless",   "tokens",      // 8
     "sessionid",      "sessid",                                                 // 13: a session
     "apikey",         "accesskey",  "privatekey", "accountkey",  "signingkey",  // 15: a key
     "encryptionkey",  "authkey",    "masterkey",  "sharedkey",   "presharedkey",
     "secretkey",      "pwd",        "bindpw",     "rootpw",      "adminpw",
     "userpw",         "dbpw",       "psk",  // 26: ends of a password
     "dbpass",         "userpass",   "rootpass",   "mypass",      "keypass",
     "ftppass",        "storepass",  "sshpass",    "requirepass", "bindpass",
     "mailpass",       "sqlpass",    "smtppass",   "adminpass",   "masterauth"});

static_assert(all_parts.size() <= 64);
consteval part_bits bits_of(std::size_t first, std::size_t end) {
  part_bits bits = 0;
  for (auto i = first; i < end; ++i) bits |= part_bits{1} << i;
  return bits;
}
consteval part_bits bit_of(std::string_view part) {
  std::size_t i = 0;
  while (all_parts.at(i) != part) ++i;
  return part_bits{1} << i;
}
constexpr auto any_password = bits_of(0, 4);
constexpr auto any_session = bits_of(13, 15);
constexpr auto any_key = bits_of(15, 26);
constexpr auto short_ends = bits_of(26, 33);
constexpr auto long_ends = bits_of(33, all_parts.size());

const word_automaton& automaton() {
  static const word_automaton one({all_parts.begin(), all_parts.end()});
  return one;
}

}  // namespace

bool part_finder::next() {
  return automaton().next(name_, here_);
}

bool part_finder::is_key() const {
  for (const auto number : automaton().found(here_)) {
    if ((part_bits{1} << number & any_key) != 0) return true;
  }
  return false;
}

void part_finder::add_to(word_parts& word, std::size_t begin, std::size_t end) const {
  for (const auto number : automaton().found(here_)) {
    if (here_.at > end || here_.at - all_parts[number].size() < begin) continue;
    const auto bit = part_bits{1} << number;
    word.anywhere |= bit;
    if (here_.at == end) word.at_end |= bit;
  }
}

name_kind kind_of_word(std::string_view word, const word_parts& parts) {
  static constexpr word_set alone(std::to_array<std::string_view>(
      {"csrf", "otp", "pass", "pw", "pwd", "sig", "signature", "xsrf"}));
  if (parts.anywhere == 0 && !alone.holds(word)) return name_kind::harmless;
  const auto has = [&](part_bits some) { return (parts.anywhere & some) != 0; };
  if (has(any_password)) {
    return word.starts_with("passwordless") ? name_kind::harmless : name_kind::password;
  }
  if (has(bit_of("secretsmanager"))) return name_kind::harmless;
  if (has(bit_of("secret")) && !has(bit_of("secretar"))) return name_kind::password;
  if (has(bit_of("credential"))) return name_kind::password;
  if (has(bit_of("token"))) {
    if (has(bit_of("tokeniz") | bit_of("tokenis") | bit_of("tokenless"))) {
      return name_kind::harmless;
    }
    return (parts.at_end & bit_of("tokens")) != 0 ? name_kind::vague : name_kind::token;
  }
  if (has(any_key)) return name_kind::password;
  if (word == "pwd") return name_kind::pwd;
  if (word == "pass") return name_kind::pass;
  if ((parts.at_end & short_ends) != 0 && word != "oldpwd") return name_kind::password;
  if ((parts.at_end & long_ends) != 0) return name_kind::password;
  if (word == "pw") return name_kind::password;
  if (word == "signature" || word == "sig" || word == "otp") return name_kind::vague;
  if (has(any_session) || word == "csrf" || word == "xsrf") return name_kind::session;
  return name_kind::harmless;
}

}  // namespace reeve
