#include "base/redact_scan.hpp"
#include "base/redact_text.hpp"

#include <algorithm>
#include <array>

namespace reeve {
namespace {

/// The end of a value in double or single quotes, which may be unclosed.
std::size_t quoted_end(std::string_view line, std::size_t at, char quote) {
  const char stops[] = {quote, '\\'};
  while (true) {
    at = std::min(line.size(), line.find_first_of({stops, 2}, at));
    if (at == line.size() || line[at] == quote || at + 1 == line.size()) return at;
    at += 2;
  }
}

/// The end of a value in escaped quotes: the next quote, with the backslashes before it.
std::size_t escaped_end(std::string_view line, std::size_t at) {
  while (true) {
    at = std::min(line.size(), line.find_first_of("\"'\\", at));
    if (at == line.size() || line[at] != '\\') return at;
    const auto behind = line.find_first_not_of('\\', at);
    if (behind == line.npos || is_quote(line[behind])) return at;
    at = behind + 1;
  }
}

/// Behind ';' a further name and its '=' follow, as in connection strings.
bool setting_follows(std::string_view line, std::size_t at) {
  const auto next = line.substr(at + 1, 40);
  const auto end = next.find('=');
  return end != next.npos && end > 0 && end < next.size() && is_alpha(next[next[0] == ' ']) &&
         std::all_of(next.begin(), next.begin() + static_cast<std::ptrdiff_t>(end),
                     [](char c) { return is_key_char(c) || c == ' '; });
}

std::size_t bare_end(std::string_view line, std::size_t at, bool in_json) {
  const auto stops = in_json ? " \t\r\n\f\"'&<>,}];" : " \t\r\n\f\"'&<>;";
  while (true) {
    at = std::min(line.size(), line.find_first_of(stops, at));
    if (at == line.size() || line[at] != ';' || setting_follows(line, at)) return at;
    ++at;
  }
}

/// Words of trouble before a name: what follows is the reason then.
bool tells_trouble(const line_scan& scan, const key_use& key) {
  static constexpr auto words = std::to_array<std::string_view>(
      {"fail", "error", "invalid", "unexpected", "unable", "cannot", "could not", "couldn't",
       "can't", "bad ", "missing", "illegal", "unknown", "unrecognized", "reject", "denied",
       "wrong", "expired", "expected"});
  const auto before = lower(left_of(scan.line, key.begin, 64));
  return std::any_of(words.begin(), words.end(),
                     [&](auto word) { return before.find(word) != before.npos; });
}

std::string_view bare_word(std::string_view word) {
  while (!word.empty() && std::string_view(",;)]}").find(word.back()) != std::string_view::npos) {
    word.remove_suffix(1);
  }
  return word;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

/// "creds.password", "process.env.TOKEN": letters in parts, the last of which names a secret.
bool is_member(const line_scan& scan, const secret_span& span) {
  const auto whole = scan.text(span).substr(0, looked_at);
  const auto text = bare_word(whole);
  const auto point = text.rfind('.');
  if (point == text.npos || point == 0) return false;
  if (!std::all_of(text.begin(), text.end(),
                   [](char c) { return is_alpha(c) || c == '_' || c == '.'; })) {
    return false;
  }
  for (const std::string_view object :
       {"self.", "this.", "process.env.", "var.", "secrets.", "config.", "settings.", "args."}) {
    if (text.starts_with(object)) return true;
  }
  // A setting stands by itself, code between others.
  const char before = scan.at(span.begin - 1);
  const char behind = scan.at(span.end);
  if (before == '=' && whole.size() == text.size() && behind != ';' && behind != ',') return false;
  return kind_of_name(text.substr(point + 1)) != name_kind::harmless;
}

/// "Initial admin password: …": a password is told here, and words may go on behind it.
bool is_announced(const line_scan& scan, const key_use& key) {
  if (key.kind != name_kind::password) return false;
  const auto before = " " + lower(left_of(scan.line, key.begin, 32));
  for (const std::string_view word :
       {" temporary ", " initial ", " generated ", " admin ", " root ", " one-time "}) {
    if (before.find(word) != before.npos) return true;
  }
  return false;
}

/// No list and no message goes on behind the word.
bool ends_there(std::string_view rest) {
  if (rest.empty() || std::string_view("\"',;)}]&#").find(rest[0]) != std::string_view::npos) {
    return true;
  }
  const auto next = before_any(rest.substr(0, 64), " \t");
  return next.find('=') != next.npos || (next.size() > 1 && next.ends_with(':'));
}

bool is_named_exactly(const line_scan& scan, const key_use& key, std::string_view name) {
  return key.end - key.begin == name.size() &&
         lower(scan.line.substr(key.begin, key.end - key.begin)) == name;
}

/// "token-ring" and "secret.db" speak of something else.
bool ends_in_secret(const line_scan& scan, const key_use& key) {
  const auto name = scan.line.substr(key.begin, key.end - key.begin);
  const auto tail = name.substr(name.find_last_of("._-") + 1);
  const auto word = tail.substr(0, tail.find_last_not_of("0123456789") + 1);
  return kind_of_name(tail) != name_kind::harmless || lower(word.substr(0, 8)) == "key";
}

/// "failed to refresh token: connection refused" holds none, "token: 8f2c9a" does.
bool is_secret_behind_colon(const line_scan& scan, const key_use& key, const secret_span& span) {
  const auto word = scan.text(span).substr(0, looked_at);
  const auto rest = trimmed(scan.line.substr(span.end, looked_at));
  const bool is_token = key.kind == name_kind::token;
  if ((word.ends_with(':') && !rest.empty()) || word[0] == '(' || is_status_word(word)) {
    return false;
  }
  if (is_number(bare_word(word))) {
    const auto size = bare_word(word).size();
    if (key.quoted) return !is_token || size > 1;
    if (is_token) return size >= 6 && is_blank(scan.line[span.begin - 1]) && ends_there(rest);
    return ends_there(rest);
  }
  if (is_plain_word(word)) {
    if (tells_trouble(scan, key) || !ends_in_secret(scan, key)) return false;
    if (is_odd_word(word)) return true;
    const bool goes_on = word.ends_with(',') || rest.starts_with('(');
    if (!ends_there(rest) && !(goes_on && is_announced(scan, key))) return false;
    if (scan.at(key.begin - 1) == '/' || scan.at(key.begin - 1) == '\\') return false;
    const bool is_name = word.find_first_of("-/._") != word.npos;
    return !is_name || (!is_token && !is_named_exactly(scan, key, "secret"));
  }
  if (is_token) return looks_made_up(word) && (word.size() >= 10 || !tells_trouble(scan, key));
  return looks_made_up(word) || std::count_if(word.begin(), word.end(), is_alnum) >= 3;
}

bool looks_like_key(std::string_view text) {
  text = bare_word(text.substr(0, looked_at));
  const bool ends = text.size() >= 10 && text.back() == '=';
  if (!looks_random(text) && !(ends && looks_made_up(text))) return false;
  return !is_place(text) && !is_code(text);
}

/// Words of code and of packages: "token = await f()", "libsecret-1-0:amd64".
bool is_operator(std::string_view text) {
  static constexpr auto words = std::to_array<std::string_view>(
      {"all", "amd64", "arm64", "armhf", "await", "function", "i386", "lambda", "new", "noarch",
       "typeof", "x86_64", "yield"});
  return std::binary_search(words.begin(), words.end(), before_any(text.substr(0, 16), ".,;)"));
}

bool is_outcome(std::string_view text) {
  return text.find_first_not_of("0123456789.,/%smhu") == text.npos || is_status_word(text);
}

/// "PASS: test_a", "pass=12 fail=0".
bool is_secret_pass(const line_scan& scan, const key_use& key, const read_value& value,
                    bool colon) {
  const auto text = scan.text(value.span);
  if (is_outcome(text.substr(0, 64)) || is_place(text)) return false;
  if (!value.quoted && is_code(scan.line.substr(value.span.begin, looked_at))) return false;
  if (!colon || key.quoted || value.quoted) return !is_sentence(text);
  if (is_upper(scan.line[key.begin])) return false;
  return is_secret_behind_colon(scan, key, value.span);
}

}  // namespace

read_value value_at(line_scan& scan, std::size_t at, bool in_json, std::string_view kind) {
  const auto line = scan.line;
  if (at >= line.size()) return {{line.size(), line.size(), kind, false}, false};
  if (is_quote(line[at])) return {{at + 1, quoted_end(line, at + 1, line[at]), kind, false}, true};
  const auto behind = line.find_first_not_of('\\', at);
  if (behind != at && behind != line.npos && is_quote(line[behind])) {
    return {{behind + 1, escaped_end(line, behind + 1), kind, false}, true};
  }
  auto& [from, end] = scan.bare_known[in_json ? 1 : 0];
  if (at < from || at >= end) {
    from = at;
    end = bare_end(line, at, in_json);
  }
  return {{at, end, kind, in_json && end > at}, false};
}

/// A password may be a sentence; a token is none.
bool is_quoted_message(const line_scan& scan, const key_use& key, std::string_view text) {
  if (key.kind != name_kind::password) return is_sentence(text);
  const auto name = lower(scan.line.substr(key.begin, std::min(key.end - key.begin, looked_at)));
  return name.find("passphrase") == name.npos && is_message(text);
}

bool is_place_for(const line_scan& scan, const key_use& key, std::string_view text) {
  if (!is_place(text)) return false;
  if (key.kind != name_kind::password) return true;
  if (is_slashed_key(text)) return false;
  // "password=10.20.30": neither a version nor an address stands there.
  const auto name = lower(scan.line.substr(key.begin, std::min(key.end - key.begin, looked_at)));
  const bool plain = name.find("passw") != name.npos && (key.quoted || scan.at(key.end) == '=');
  return !plain || text.find("://") != text.npos ||
         std::string_view("/.~").find(text[0]) != std::string_view::npos;
}

bool is_hidden_value(std::string_view text) {
  return !is_no_secret(text) && !is_sentence(text) && !is_status_word(text);
}

bool is_secret_value(const line_scan& scan, const key_use& key, const read_value& value,
                     bool colon) {
  const auto text = scan.text(value.span);
  if (text.empty() || is_no_secret(text)) return false;
  switch (key.kind) {
    case name_kind::harmless:
      return false;
    case name_kind::vague:
      return looks_like_key(text);
    case name_kind::doubtful:
      return text.size() >= 6 && looks_made_up(text) && !is_place(text) && !is_sentence(text);
    case name_kind::session:
      return !text.starts_with("0x") && text.size() >= 8 && looks_made_up(text) && !is_place(text);
    case name_kind::pwd:
      return !is_place(text) && !text.starts_with('/') && !text.starts_with('~') &&
             (!colon || looks_made_up(text)) && !is_status_word(text);
    case name_kind::pass:
      return is_secret_pass(scan, key, value, colon);
    default:
      break;
  }
  if (is_place_for(scan, key, text)) return false;
  // A call's arguments go on behind the quotes that end the value.
  if (!value.quoted && (is_code(scan.line.substr(value.span.begin, looked_at)) ||
                        is_member(scan, value.span) || is_operator(text))) {
    return false;
  }
  const bool is_token = key.kind == name_kind::token;
  if (is_number(text) && lower(left_of(scan.line, key.end, 3)) == "_id") return false;
  if (value.quoted) {
    if (is_quoted_message(scan, key, text) || is_status_word(text)) return false;
    if (is_token && is_number(text) && text.size() <= 3) return false;
    if (key.quoted || !colon) return true;
    if (is_token && tells_trouble(scan, key)) return looks_made_up(text) && text.size() >= 8;
    return !is_plain_word(text) || !is_named_exactly(scan, key, "secret");
  }
  if (colon) return is_secret_behind_colon(scan, key, value.span);
  if (is_token && text.size() <= 3 && is_number(bare_word(text))) return false;
  return !is_status_word(text);
}

}  // namespace reeve
