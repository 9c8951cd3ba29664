// What stands behind "Authorization" and "Cookie".
#include "base/redact_scan.hpp"
#include "base/redact_text.hpp"

#include <algorithm>
#include <array>

namespace reeve {
namespace {

bool is_scheme(std::string_view word) {
  static constexpr word_set schemes(std::to_array<std::string_view>(
      {"api-key",  "apikey",    "aws",       "basic",  "bearer", "bot",  "digest",    "dpop",
       "geniekey", "hawk",      "hmac",      "jwt",    "key",    "mac",  "negotiate", "ntlm",
       "oauth",    "sharedkey", "signature", "splunk", "ssws",   "token"}));
  static constexpr word_set long_schemes(
      std::to_array<std::string_view>({"aws4-hmac-sha256", "sharedaccesssignature"}));
  return schemes.holds_lower(word) || long_schemes.holds_lower(word);
}

/// "authorization: granted": what became of it.
bool is_verdict(std::string_view word) {
  static constexpr word_set words(
      std::to_array<std::string_view>({"allowed", "approved", "complete", "completed", "granted",
                                       "pending", "permitted", "rbac", "successful", "webhook"}));
  if (is_status_word(word) || words.holds_lower(word)) return true;
  return word.size() < 16 && is_small_word(word);
}

/// What is hidden of a value that begins with no scheme we know: all of it, what stands behind its
/// first word, or nothing of a message. `shaped`: it stands as a header does.
secret_span credential_of(std::string_view value, bool shaped, bool colon) {
  const auto first = before_any(value, " \t,"_signs);
  const auto rest = trimmed(value.substr(first.size()));
  const secret_span all{0, value.size(), {}, false};
  if (is_verdict(first) || is_place(first) || first.ends_with(':')) return {};
  if (rest.empty()) return is_scheme(first) ? secret_span{} : all;
  const auto second = before_any(rest, " \t,"_signs);
  if (!colon && second.find('=') != second.npos) return {0, first.size(), {}, false};
  if (is_sentence(value) && !looks_random(second)) return {};
  if (!is_plain_word(first)) return looks_made_up(first) ? all : secret_span{};
  const bool alone = shaped && second.size() == rest.size() && !is_verdict(second);
  if (second.size() < 6 || is_place(second) || !(alone || looks_made_up(second))) return {};
  return {static_cast<std::size_t>(second.data() - value.data()), value.size(), {}, false};
}

/// Something stands behind a blank within the text's first part.
bool has_gap(std::string_view text) {
  static constexpr sign_set blanks(" \t\r");
  static constexpr sign_set stops(" \t;,");
  const auto gap = stops.find(text, blanks.find_other(text, 0));
  if (gap == text.size() || !is_blank(text[gap])) return false;
  const auto next = blanks.find_other(text, gap);
  return next < text.size() && !stops.holds(text[next]);
}

/// One of several "name=value" has a value, and none is a message.
bool holds_cookie(std::string_view value) {
  static constexpr word_set attributes(std::to_array<std::string_view>(
      {"domain", "expires", "max-age", "path", "priority", "samesite", "version"}));
  if (has_gap(value)) return false;
  while (!value.empty()) {
    const auto whole = before_any(value, ";,"_signs);
    const auto part = trimmed(whole);
    value.remove_prefix(std::min(value.size(), whole.size() + 1));
    const auto sign = part.find('=');
    if (sign == part.npos || sign == 0 || is_no_secret(part.substr(sign + 1))) continue;
    const auto name = part.substr(0, sign);
    if (name.find(' ') == name.npos && !attributes.holds_lower(name)) return true;
  }
  return false;
}

}  // namespace

void take_authorization(line_scan& scan, const key_use& key, std::size_t at, bool colon) {
  static constexpr std::string_view kind = "authorization";
  const auto line = scan.line;
  while (at < line.size() && is_of(line[at], "\\\"'[("_signs) &&
         !begins_with(line.substr(at), "[redacted")) {
    ++at;
  }
  // A scheme's parameters have quotes of their own.
  const bool quoted = at > 0 && is_quote(line[at - 1]);
  const auto word = before_any(line.substr(at, 64), " \t\"'\\,"_signs);
  auto begin = at;
  if (is_scheme(word) && is_blank(scan.at(at + word.size()))) {
    begin = scan.skip_blanks(at + word.size());
  }
  const auto value = line.substr(begin, std::min(looked_at, scan.next_quote(begin) - begin));
  const auto first = before_any(value, " \t,"_signs);
  if (!colon && is_code(value)) return;
  if (is_no_secret(first) || is_no_secret(value)) return;
  auto shown_from = line.npos;
  if (begin == at) {
    const bool in_quotes = key.begin > 0 && is_quote(line[key.begin - 1]);
    const bool shaped = quoted || key.quoted || in_quotes || key.begin <= 2;
    const auto found = credential_of(value, shaped, colon);
    if (found.end == 0) return;
    if (found.end < value.size()) shown_from = at + found.end;
    begin = at + found.begin;
  } else if (is_sentence(value) && !looks_made_up(first) && first.size() < 16) {
    return;
  }
  auto end = scan.next_quote(begin);
  if (!quoted && end > 0 && end < line.size() && line[end - 1] == '=') end = line.size();
  scan.hide({begin, std::min(end, shown_from), kind, false});
}

void take_cookie(line_scan& scan, const key_use& key, std::size_t at) {
  const auto line = scan.line;
  while (at < line.size() && is_of(line[at], "\\\"'["_signs) &&
         !begins_with(line.substr(at), "[redacted")) {
    ++at;
  }
  const auto value = line.substr(at, std::min(4 * looked_at, scan.next_quote(at) - at));
  const auto first_end = scan.cookie_end.find(line, " \t;,"_signs, at);
  const auto first = value.substr(0, std::min(looked_at, first_end - at));
  const auto sign = scan.equals.find(line, "=", at, first.size()) - at;
  const bool is_pair = sign > 0 && sign + 1 < first.size();
  if (begins_with(first, "[redacted")) return;
  // Without the sign of a pair there is none.
  const bool may_hold = scan.equals.find(line, "=", at, value.size()) != line.npos;
  if (!may_hold || !holds_cookie(value)) {
    if (is_no_secret(first) ||
        (!is_pair && !scan.looks_made_up_at({at, at + first.size(), {}, false})))
      return;
    if (!is_pair && (is_place(first) || first.size() < (key.quoted ? 6 : 12))) return;
    if (is_pair && is_no_secret(first.substr(sign + 1)) && value.size() <= first.size() + 1) return;
  }
  scan.hide({at, scan.next_quote(at), "cookie", false});
}

}  // namespace reeve
