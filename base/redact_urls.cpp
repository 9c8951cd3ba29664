// Passwords and tokens before the '@' of a URL, and of addresses that are written like one.
#include "base/redact_scan.hpp"
#include "base/redact_text.hpp"

#include <algorithm>
#include <array>

namespace reeve {
namespace {

constexpr std::string_view kind = "url_password";

/// Schemes in which a name without a password is a user, a system or a container of files.
bool names_no_token(std::string_view scheme) {
  static constexpr word_set schemes(std::to_array<std::string_view>(
      {"abfs", "abfss",  "adl",    "akka",  "akka.ssl.tcp", "akka.tcp", "git+ssh", "imap",
       "ldap", "mailto", "pulsar", "rsync", "s3a",          "scp",      "sftp",    "sip",
       "sips", "smb",    "spark",  "ssh",   "svn+ssh",      "wasb",     "wasbs",   "xmpp"}));
  return schemes.holds_lower(scheme);
}

std::size_t scheme_begin(std::string_view line, std::size_t end) {
  auto begin = end;
  while (begin > 0 && end - begin < 24 &&
         (is_alnum(line[begin - 1]) || line[begin - 1] == '+' || line[begin - 1] == '.' ||
          line[begin - 1] == '-')) {
    --begin;
  }
  return begin;
}

/// The last '@' of the authority behind `from`, npos without one. Ends at the first '/', so that
/// each "://" looks only at what lies before the next one.
std::size_t find_at_sign(std::string_view line, std::size_t from) {
  auto found = line.npos;
  for (auto at = from; at < line.size(); ++at) {
    const char c = line[at];
    if (c == '@') found = at;
    if (c == ' ' || c == '\t' || c == '/' || c == '<' || c == '>' || is_quote(c) || c == '\r')
      break;
  }
  return found;
}

/// A password with '/' in it, as Base64 has: up to the first '@' of the word.
std::size_t find_late_at_sign(std::string_view line, std::size_t from) {
  if (from >= line.size() || line[from] == '/') return line.npos;
  const auto word = before_any(line.substr(from, looked_at), " \t\r\"'<>@?#,"_signs);
  const auto slash = word.find('/');
  if (from + word.size() >= line.size() || line[from + word.size()] != '@') return line.npos;
  if (slash == 0 || slash == word.npos || word.find("//") != word.npos) return line.npos;
  static constexpr sign_set digits("0123456789");
  if (digits.hold(word.substr(0, slash))) return line.npos;
  return looks_made_up(word) ? from + word.size() : line.npos;
}

/// A user's name that is none: a token's characters.
bool is_token_of_user(std::string_view user) {
  if (user.size() < 8) return false;
  if (user.size() >= 32) return looks_made_up(user);
  std::size_t turns = 0;
  for (std::size_t i = 1; i < user.size(); ++i) {
    turns +=
        is_digit(user[i]) != is_digit(user[i - 1]) && is_alnum(user[i]) && is_alnum(user[i - 1]);
  }
  return turns >= 2;
}

}  // namespace

void take_url(line_scan& scan, std::size_t begin, std::size_t end) {
  const auto line = scan.line;
  const auto scheme = line.substr(scheme_begin(line, begin), begin - scheme_begin(line, begin));
  if (scheme.size() < 2) return;
  auto at = end;
  static constexpr sign_set stops(" \t\r\n/:@\"'<>[]");
  at = stops.find(line, at);
  const auto user = line.substr(end, at - end);
  if (scan.at(at) == '@') {
    if (!names_no_token(scheme) && is_token_of_user(user.substr(0, 256)) && !is_no_secret(user)) {
      scan.hide({end, at, kind, false});
    }
    return;
  }
  if (scan.at(at) != ':') return;
  const auto password = at + 1;
  auto sign = find_at_sign(line, password);
  if (sign == line.npos) sign = find_late_at_sign(line, password);
  // An image with its digest has no password.
  const auto behind = sign == line.npos ? std::string_view() : line.substr(sign + 1, 7);
  if (sign == line.npos || behind == "sha256:" || behind == "sha512:") return;
  const auto value = line.substr(password, sign - password);
  if (value.empty() || value == "x-oauth-basic" || value == "x") {
    if (is_token_of_user(user.substr(0, 256))) scan.hide({end, at, kind, false});
    return;
  }
  // Words for nothing are passwords here: only a reference is none.
  if (is_placeholder(value)) return;
  // "https://key:secret@host": the key is one as well.
  const bool both = user.size() >= 32 && is_token_of_user(user.substr(0, 256));
  scan.hide({both ? end : password, sign, kind, false});
}

/// "bob:x@tcp(db:3306)/shop", as Go's driver of MySQL has it.
void take_dsn(line_scan& scan, std::size_t begin) {
  const auto before = left_of(scan.line, begin, looked_at);
  auto first = before.size();
  static constexpr sign_set stops(" \t\"'=`");
  while (first > 0 && !stops.holds(before[first - 1])) --first;
  const auto word = before.substr(first);
  const auto colon = word.find(':');
  if (colon == word.npos || colon == 0 || colon + 1 == word.size()) return;
  if (word.find("[redacted") != word.npos || is_no_secret(word.substr(colon + 1))) return;
  scan.hide({begin - (word.size() - colon - 1), begin, kind, false});
}

}  // namespace reeve
