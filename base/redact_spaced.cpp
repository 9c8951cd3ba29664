// Names and values with nothing but a blank between: options, prose, netrc, protocols.
#include "base/redact_scan.hpp"
#include "base/redact_text.hpp"

#include <algorithm>
#include <array>

namespace reeve {
namespace {

/// So far away from its name a value is looked for.
constexpr std::size_t near_word = 256;

std::string_view spaced_name(const line_scan& scan, const key_use& key) {
  return scan.line.substr(key.begin, std::min<std::size_t>(key.end - key.begin, 100));
}

/// The word before the key.
std::string_view word_before(const line_scan& scan, std::size_t at) {
  auto before = left_of(scan.line, at, 40);
  while (!before.empty() && is_blank(before.back())) before.remove_suffix(1);
  static constexpr sign_set signs(" \t\"'(");
  return before.substr(signs.behind_last(before));
}

/// "machine h login bob account a" and nothing else stands before the key, as in a netrc file.
bool is_of_netrc(line_scan& scan, const key_use& key) {
  if (!scan.has_machine) return false;
  const auto line = scan.line;
  const auto machine = std::max(scan.machine.before(line, "machine ", key.begin, near_word) + 1,
                                scan.entry.before(line, "default ", key.begin, near_word) + 1);
  if (machine == 0) return false;
  auto rest = line.substr(machine - 1, key.begin - (machine - 1));
  if (begins_with(rest, "default")) rest.remove_prefix(7);
  while (!trimmed(rest).empty()) {
    rest = trimmed(rest);
    const auto word = before_any(rest, " \t"_signs);
    rest = trimmed(rest.substr(word.size()));
    if (word != "machine" && word != "login" && word != "account" && word != "port") return false;
    rest.remove_prefix(before_any(rest, " \t"_signs).size());
  }
  return true;
}

/// "login bob password x", and passwords that are none of a language.
bool is_spaced_password(const line_scan& scan, const key_use& key, std::string_view word) {
  static constexpr sign_set of_language("/\\(){}[]<>,;");
  if (of_language.stand_in(word) || is_place(word)) return false;
  const auto name = spaced_name(scan, key);
  if (equals_lower(name, "requirepass") || equals_lower(name, "masterauth")) return true;
  if (key.kind == name_kind::token) {
    return looks_random(word) && !(word.size() == 36 && word[8] == '-' && word[13] == '-');
  }
  if (word.size() < 8 || word.find('.') != word.npos) return false;
  const auto digits = std::count_if(word.begin(), word.end(), is_digit);
  const auto uppers = std::count_if(word.begin(), word.end(), is_upper);
  const auto lowers = std::count_if(word.begin(), word.end(), is_lower);
  if (lowers == 0 || digits == 0) return false;
  static constexpr sign_set marks("!#$%^&*@");
  if (uppers > 0 || marks.stand_in(word) || is_word_of_key(scan.line, key, "key")) return true;
  return equals_lower(word_before(scan, key.begin), "with");
}

/// "  -p, --password string   Password": a manual, where words are no values.
bool is_manual(line_scan& scan, const key_use& key, std::size_t end) {
  const auto line = scan.line;
  if (scan.usage.before(line, "sage:", key.begin, near_word) != line.npos ||
      scan.usages.before(line, "sage ", key.begin, near_word) != line.npos) {
    return true;
  }
  const auto before = left_of(line, key.begin, near_word);
  static constexpr sign_set blanks_and_dashes(" \t-");
  // Nothing else on the line, which is indented, or an explanation that is set apart.
  if (begins_with(before, "  ") && blanks_and_dashes.hold(before)) return true;
  if (is_blank(scan.at(end)) && is_blank(scan.at(end + 1))) return true;
  const auto rest = trimmed(scan.line.substr(end, near_word));
  // "--password VALUE to log in": words follow that are neither options nor the rest of a command.
  return !rest.empty() && !is_quote(rest[0]) && is_plain_word(before_any(rest, " \t"_signs));
}

/// "PASS x" as FTP and POP3 write it: the client's word.
bool is_of_protocol(const line_scan& scan, const key_use& key, const secret_span& value) {
  const auto name = scan.line.substr(key.begin, key.end - key.begin);
  if (name != "PASS" && name != "AUTH") return false;
  if (!trimmed(scan.line.substr(value.end, near_word)).empty()) return false;
  const auto before = trimmed(left_of(scan.line, key.begin, 16));
  if (before.ends_with('>') || before.ends_with("C:")) return true;
  // Redis has no sign before it.
  return name == "AUTH" && key.begin == 0 && looks_made_up(scan.text(value));
}

/// "password is x", "password from x to y", "secret 5 x".
bool is_between(const line_scan& scan, const key_use& key, std::string_view word) {
  static constexpr word_set words(
      std::to_array<std::string_view>({"from", "is", "is:", "set", "to", "was", "was:"}));
  if (word.size() == 1 && is_digit(word[0])) {
    return is_word_of_key(scan.line, key, "secret") || is_word_of_key(scan.line, key, "password");
  }
  return words.holds(word);
}

/// Something is set so: "setenv PASS x", "npm config set _auth x", "(setq password "x")".
bool is_set(const line_scan& scan, const key_use& key) {
  const auto word = word_before(scan, key.begin);
  if (word == "setenv" || word == "setx" || word == "ENV" || word == "setq") return true;
  if (word != "set" && word != "SET") return false;
  return holds_lower(left_of(scan.line, key.begin, 32), "config") ||
         is_quote(scan.at(scan.skip_blanks(key.end)));
}

/// "from x to y": the second one.
void take_second_of_change(line_scan& scan, std::size_t at) {
  static constexpr std::string_view to = " to ";
  if (!scan.line.substr(at).starts_with(to)) return;
  const auto found = value_at(scan, at + to.size(), false, credential_kind);
  if (looks_made_up(scan.text(found.span))) scan.hide(found.span);
}

/// "The default password for user x is: y" and the like: the value is the line's last word.
void take_told(line_scan& scan, const key_use& key) {
  static constexpr auto tells =
      std::to_array<std::string_view>({"auto-generated", "default", "following", "generated",
                                       "initial", "new", "reset", "temporary"});
  static constexpr auto troubles = std::to_array<std::string_view>(
      {"error", "expired", "fail", "incorrect", "invalid", "mismatch", "wrong", "could not",
       "unable", "must", "denied"});
  if (scan.was_told || !is_word_of_key(scan.line, key, "password")) return;
  scan.was_told = true;
  const auto rest = scan.line.substr(key.end);
  if (rest.size() > near_word) return;
  const auto line = trimmed(scan.line);
  const auto space = line.find_last_of(" \t");
  if (space == line.npos || space == 0 || line[space - 1] != ':') return;
  const auto begin = static_cast<std::size_t>(line.data() - scan.line.data()) + space + 1;
  const secret_span span{begin, begin + (line.size() - space - 1), credential_kind, false};
  const auto word = scan.text(span);
  if (begin < key.end || word.size() < 8 || !looks_made_up(word) || is_place(word)) return;
  const auto text = lower(left_of(scan.line, begin, near_word + 64));
  const auto holds = [&](std::string_view part) { return text.find(part) != text.npos; };
  if (std::none_of(tells.begin(), tells.end(), holds)) return;
  if (std::any_of(troubles.begin(), troubles.end(), holds)) return;
  if (!is_no_secret(word)) scan.hide_ahead(span);
}

void take_quoted(line_scan& scan, const key_use& key, std::size_t at) {
  // PASSWORD 'x' of SQL.
  const auto found = value_at(scan, at, false, credential_kind);
  const bool named = is_word_of_key(scan.line, key, "passw");
  const bool may = scan.line[at] == '\'' || scan.has_login || is_of_netrc(scan, key) ||
                   is_set(scan, key) || is_word_of_key(scan.line, key, "requirepass");
  const bool is_any = named || is_word_of_key(scan.line, key, "requirepass");
  if (is_any && may && is_hidden_value(scan.text(found.span))) scan.hide(found.span);
}

void take_option_value(line_scan& scan, const key_use& key, const secret_span& value) {
  if (key.kind > name_kind::doubtful) {
    if (is_option_value(scan, key, value)) scan.hide(value);
  } else if (looks_random(scan.text(value)) && !is_place(scan.text(value))) {
    scan.hide(value);
  }
}

/// aws ssm put-parameter --name /db/password --value x
bool take_value_option(line_scan& scan, std::size_t at) {
  static constexpr std::string_view option = "--value ";
  if (!scan.line.substr(at).starts_with(option)) return false;
  const auto begin = scan.skip_blanks(at + option.size());
  const auto found = value_at(scan, begin, false, credential_kind);
  if (is_hidden_value(scan.text(found.span))) scan.hide(found.span);
  return true;
}

}  // namespace

bool is_word_of_key(std::string_view line, const key_use& key, std::string_view part) {
  return holds_lower(line.substr(key.begin, std::min<std::size_t>(key.end - key.begin, 100)), part);
}

bool is_option_value(line_scan& scan, const key_use& key, const secret_span& value) {
  static constexpr word_set words(std::to_array<std::string_view>(
      {"can", "file", "flag", "instead", "key", "option", "parameter", "passphrase", "password",
       "path", "secret", "string", "stringarray", "strings", "text", "token", "value"}));
  static constexpr word_set prose(std::to_array<std::string_view>(
      {"argument", "arguments", "command", "options", "respectively", "switch", "wins"}));
  const auto word = scan.text(value);
  if (word.empty() || is_of(word[0], "-<[{|(=.,"_signs)) {
    return false;
  }
  if (is_no_secret(word) || is_status_word(word) || is_place(word)) return false;
  const auto first = before_any(word.substr(0, looked_at), "])}>|"_signs);
  if (word.ends_with(']') && is_plain_word(word)) return false;
  if (words.holds_lower(first)) {
    // "or --token": the option itself is spoken of.
    return !is_manual(scan, key, value.end);
  }
  if (!is_plain_word(word)) return true;
  // "--password options are", "see --password."
  const auto told = scan.line.substr(value.begin, looked_at);
  if (word.ends_with('.') || (word.size() < told.size() && is_sentence(told))) return false;
  if (prose.holds_lower(first)) return false;
  const bool shouts = std::none_of(word.begin(), word.end(), is_lower);
  return !is_small_word(first) && !(shouts && kind_of_name(word) != name_kind::harmless);
}

void take_spaced(line_scan& scan, const key_use& key) {
  if (key.kind == name_kind::harmless || key.kind > name_kind::pwd) return;
  const auto line = scan.line;
  auto at = key.end;
  // "Pass X if" is prose.
  if (key.kind == name_kind::pass && line[key.begin] == 'P' && is_lower(scan.at(key.begin + 1))) {
    return;
  }
  const auto before = key.begin > 0 ? line[key.begin - 1] : '\0';
  const bool may_be_named = before == '=' || (before == ' ' && scan.at(key.begin - 2) == ':');
  if (may_be_named && take_named_values(scan, key)) return;
  if (line[at] == '(') {
    if (!is_quote(scan.at(at + 1))) return;
    ++at;
  }
  at = scan.skip_blanks(at);
  if (at >= line.size()) return;
  if (take_value_option(scan, at)) return;
  const bool is_password = key.kind == name_kind::password || key.kind == name_kind::pass;
  if (is_quote(line[at]) && !key.dashed) return take_quoted(scan, key, at);
  auto found = value_at(scan, at, false, credential_kind);
  if (key.dashed) return take_option_value(scan, key, found.span);
  if (is_of_protocol(scan, key, found.span) || is_set(scan, key)) {
    const auto text = scan.text(found.span);
    if (is_hidden_value(text) && !is_place(text) && text.size() > 3) scan.hide(found.span);
    return;
  }
  if (key.kind == name_kind::doubtful || key.kind == name_kind::session) return;
  const bool is_told = is_between(scan, key, scan.text(found.span).substr(0, 5));
  if (is_told) {
    at = scan.skip_blanks(found.span.end);
    if (at >= line.size() || is_quote(line[at])) return;
    found = value_at(scan, at, false, credential_kind);
  }
  const auto word = scan.text(found.span).substr(0, near_word);
  if (word.starts_with('*') && word.size() > 1 && is_alpha(word[1])) return;  // a pointer
  if (!is_password && key.kind != name_kind::token) {
    // "Your API key is x"
    if (is_told && looks_random(word) && !is_place(word)) scan.hide(found.span);
    return;
  }
  if (is_password && is_of_netrc(scan, key)) {
    // Without a login before it one has to follow, or nothing.
    const auto rest = trimmed(line.substr(found.span.end, near_word));
    const bool has_login = left_of(line, key.begin, near_word).find("login ") != line.npos;
    if (!has_login && !rest.empty() && !begins_with(rest, "login ")) return;
    if (!is_no_secret(word)) scan.hide(found.span);
    return;
  }
  if (is_password && takes_spaced_password(scan) && looks_made_up(word)) {
    return scan.hide(found.span);
  }
  const auto name_size = key.end - key.begin;
  const bool may_be_plain = scan.has_login || name_size == 10 || name_size == 11;
  if (!may_be_plain && !looks_made_up(word)) return take_told(scan, key);
  // A line of netrc by itself.
  const bool begins = scan.begins_at(key.begin);
  if (begins && found.span.end == line.size() && is_password && word.size() >= 6 &&
      looks_made_up(word) && !is_place(word) && is_hidden_value(word)) {
    return scan.hide(found.span);
  }
  if (is_told && is_password && word.size() >= 5 && looks_made_up(word) && !is_place(word)) {
    scan.hide(found.span);
    return take_second_of_change(scan, found.span.end);
  }
  if (is_hidden_value(word) && is_spaced_password(scan, key, word)) scan.hide(found.span);
}

}  // namespace reeve
