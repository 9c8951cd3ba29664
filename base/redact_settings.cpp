// Names with a sign between them and their value: "password=x", "token: x", "Authorization: …".
#include "base/redact_scan.hpp"
#include "base/redact_text.hpp"

#include <algorithm>
#include <array>

namespace reeve {
namespace {

/// The value begins here, and ':' stands before it.
struct value_place {
  std::size_t at = std::string_view::npos;
  bool colon = false;
  bool encoded = false;  // as of a form within a form: "%3D", and "%26" behind the value
};

/// So much of an encoded value is hidden.
constexpr std::size_t max_encoded = 1024;

constexpr std::string_view quote_entity = "&quot;";

bool begins_value(const line_scan& scan, std::size_t at) {
  static constexpr sign_set none(" \t\r\n\f&<>");
  return at < scan.line.size() && !none.holds(scan.line[at]);
}

/// `at`: the first character of ":=", "=>", "=", ":" or "%3D". A comparison and "::" are none.
value_place place_of_value(const line_scan& scan, std::size_t at) {
  if (scan.at(at) == '%') {
    const auto begin = at + 3;
    return {scan.line.substr(begin, 3) == "%22" ? begin + 3 : begin, false, true};
  }
  const char first = scan.at(at);
  const char second = scan.at(at + 1);
  if (first == second) return {};
  if (first == '=' && second == '~' && !is_alnum(scan.at(at + 2))) return {};
  if ((first == ':' && second == '=') || (first == '=' && second == '>')) {
    const auto begin = scan.skip_blanks(at + 2);
    if (begins_value(scan, begin)) return {begin, false, false};
  }
  auto begin = scan.skip_blanks(skip_colours(scan.line, at + 1));
  begin = skip_colours(scan.line, begin);
  if (scan.at(begin) == '&' && scan.line.substr(begin).starts_with(quote_entity)) {
    begin += quote_entity.size();
  }
  if (!begins_value(scan, begin)) return {};
  return {begin, scan.line[at] == ':', false};
}

/// Behind the index at `at`, "[0]" or "['db']"; `at` if there is none.
std::size_t behind_index(const line_scan& scan, std::size_t at) {
  const auto inside = scan.line.substr(at + 1, 32);
  const auto close = inside.find(']');
  if (close == inside.npos || close == 0) return at;
  const bool is_index =
      std::all_of(inside.begin(), inside.begin() + static_cast<std::ptrdiff_t>(close),
                  [](char c) { return is_key_char(c) || is_quote(c); });
  return is_index ? at + close + 2 : at;
}

/// Where the separator behind a name may be: behind its quote, or a bracket's end.
std::size_t behind_name(const line_scan& scan, key_use& key) {
  auto at = key.end;
  static constexpr sign_set plain("=: \t,>(}/<|");
  if (plain.holds(scan.at(at))) return at;
  while (scan.at(at) == '\\') ++at;
  if (is_quote(scan.at(at))) {
    key.quoted = true;
    ++at;
  } else {
    at = skip_colours(scan.line, key.end);
  }
  if (scan.at(at) == '[' && !key.quoted) at = behind_index(scan, at);
  if (scan.line.substr(at, quote_entity.size()) == quote_entity) at += quote_entity.size();
  if (scan.line.substr(at, 3) == "%22") at += 3;
  if (scan.at(at) == ']') ++at;
  if (scan.line.substr(at, 3) == "%5D") at += 3;
  return at;
}

/// Nothing but "export", "-" and the like stands before the name.
bool begins_line(const line_scan& scan, const key_use& key) {
  if (key.begin > 32) return false;
  const auto before = trimmed(scan.line.substr(0, key.begin));
  return before.empty() || before == "export" || before == "-" || before == "+ export";
}

bool takes_line(const line_scan& scan, const key_use& key) {
  auto name = scan.line.substr(key.begin, key.end - key.begin);
  while (!name.empty() && is_digit(name.back())) name.remove_suffix(1);
  return ends_lower(name, "password") || ends_lower(name, "passwd") ||
         ends_lower(name, "passphrase") || ends_lower(name, "key");
}

/// An environment listing or YAML gives the value the whole rest of the line.
bool take_rest_of_line(line_scan& scan, const key_use& key, const value_place& value) {
  if (key.kind != name_kind::password && key.kind != name_kind::token) return false;
  if (key.quoted || key.dashed || !begins_line(scan, key)) return false;
  const auto line = scan.line;
  const char first = line[value.at];
  if (is_quote(first) || is_of(first, "{[|>"_signs)) {
    return false;
  }
  const auto rest = line.substr(value.at);
  const auto word = before_any(rest.substr(0, looked_at), " \t\r"_signs);
  if (is_no_secret(word) || begins_with(rest, "[redacted")) return false;
  if (value.colon) {
    if (!takes_line(scan, key) || !is_blank(line[value.at - 1])) return false;
    if (word.ends_with(':') || is_sentence(rest) || is_place_for(scan, key, word)) return false;
    if (is_status_word(word) || is_code(word)) return false;
    if (word.size() < rest.size() && std::all_of(word.begin(), word.end(), is_digit)) return false;
  } else {
    const auto name = line.substr(key.begin, key.end - key.begin);
    if (line[key.end] != '=' || is_place_for(scan, key, word)) return false;
    if (std::any_of(name.begin(), name.end(), is_lower)) {
      // "spring.mail.password=two words" of a file of properties.
      const auto seen = rest.substr(0, looked_at);
      if (name.find('.') == name.npos || !takes_line(scan, key) || is_sentence(seen)) return false;
      static constexpr sign_set of_code("=\"'");
      if (of_code.stand_in(seen) || is_code(seen)) return false;
    }
  }
  auto end = line.size();
  while (end > value.at && line[end - 1] == '\r') --end;
  scan.hide({value.at, end, credential_kind, false});
  return true;
}

/// A path that ends in the name, and a source file's line: "/etc/passwd: …", "a.secret:12".
bool is_file(line_scan& scan, const key_use& key, const value_place& value) {
  if (!value.colon || key.begin == 0) return false;
  const char before = scan.line[key.begin - 1];
  if (before == '/' || before == '\\') {
    return key.begin < 2 || scan.line[key.begin - 2] != ' ' || before == '\\';
  }
  // A part of "arn:aws:x:secret:y".
  return before == ':' &&
         scan.arn.before(scan.line, "arn:", key.begin, 96) != std::string_view::npos;
}

/// "API key: x", "Unseal Key 1: x".
bool is_two_words(const line_scan& scan, key_use& key, std::size_t& behind) {
  if (key.quoted || key.begin < 3 || scan.line[key.begin - 1] != ' ') return false;
  const auto separator = scan.skip_blanks(behind);
  const auto next = scan.at(separator);
  const bool is_told = begins_with(scan.line.substr(separator), "is ");
  if (next != ':' && next != '=' && !is_digit(next) && !is_told) return false;
  if (!equals_lower(scan.line.substr(key.begin, key.end - key.begin), "key")) return false;
  const auto before = left_of(scan.line, key.begin - 1, 16);
  static constexpr sign_set signs(" \t\"'(");
  const auto word = before.substr(signs.behind_last(before));
  if (!std::all_of(word.begin(), word.end(), is_alnum)) return false;
  if (kind_of_name(std::string(word) + "_key") == name_kind::harmless) return false;
  key.kind = name_kind::vague;
  if (scan.at(behind) == ' ' && is_digit(scan.at(behind + 1)) && scan.at(behind + 2) == ':') {
    behind += 2;
  }
  return true;
}

bool is_string_prefix(const line_scan& scan, const secret_span& span) {
  return span.end == span.begin + 1 && is_quote(scan.at(span.end)) &&
         is_of(scan.line[span.begin], "rbfu"_signs);
}

bool is_key_kind_of_parsers(const key_use& key) {
  return key.kind == name_kind::token || key.kind == name_kind::vague;
}

bool is_clear(const key_use& key) {
  return key.kind == name_kind::password || key.kind == name_kind::pwd;
}

/// "…;Uid=x;Pwd=y" : other settings stand before, and ';' between.
bool is_in_connection_string(const line_scan& scan, const key_use& key) {
  if (!is_clear(key) || key.quoted) return false;
  auto at = key.begin;
  while (at > 0 && key.begin - at < 2 && scan.line[at - 1] == ' ') --at;
  if (at == 0 || scan.line[at - 1] != ';') return false;
  return left_of(scan.line, at - 1, looked_at).find('=') != std::string_view::npos;
}

/// A value with blanks ends at the next ';', if nothing else can be meant.
std::size_t end_in_connection_string(const line_scan& scan, std::size_t at) {
  if (scan.at(at) != ' ') return at;
  const auto rest = scan.line.substr(at, looked_at);
  static constexpr sign_set stops(";\"'=<>");
  const auto end = stops.find(rest, 0);
  return end < rest.size() && rest[end] == ';' ? at + end : at;
}

/// PWD={x;y} of ODBC.
bool take_braced(line_scan& scan, const key_use& key, const value_place& value) {
  if (!is_clear(key) || value.colon || !is_in_connection_string(scan, key)) return false;
  const auto end = scan.line.substr(value.at, 4 * looked_at).find('}');
  const secret_span span{value.at + 1, value.at + end, credential_kind, false};
  if (end == std::string_view::npos || is_no_secret(scan.text(span))) return false;
  scan.hide(span);
  return true;
}

/// Ends at "%26" or "%22": names within one value have the same.
std::size_t end_of_encoded(line_scan& scan, const secret_span& span) {
  constexpr std::size_t code_bytes = 3;
  const auto size = std::min(span.end - span.begin, max_encoded);
  const auto within = size < code_bytes ? 0 : size - code_bytes + 1;
  const auto end = std::min(scan.encoded_and.find(scan.line, "%26", span.begin, within),
                            scan.encoded_quote.find(scan.line, "%22", span.begin, within));
  return std::min(end, span.begin + size);
}

void take_setting(line_scan& scan, const key_use& key, const value_place& value) {
  if (is_file(scan, key, value)) return;
  // "passwd: " in quotes, whose second one is none of a value.
  const char quote = key.begin > 0 && !key.quoted ? scan.line[key.begin - 1] : '\0';
  if (is_quote(quote) && scan.line[value.at] == quote && is_blank(scan.line[value.at - 1])) return;
  if (key.kind == name_kind::authorization)
    return take_authorization(scan, key, value.at, value.colon);
  if (key.kind == name_kind::cookie) return take_cookie(scan, key, value.at);
  if (take_rest_of_line(scan, key, value)) return;
  const char first = scan.line[value.at];
  const bool is_tuple = first == '(' && is_quote(scan.at(value.at + 1));
  const bool is_list = first == '[' || first == '{' || is_tuple;
  if (first == '{' && take_braced(scan, key, value)) return;
  if (is_list && !begins_with(scan.line.substr(value.at), "[redacted")) {
    return take_container(scan, key, value.at);
  }
  auto found = value_at(scan, value.at, key.quoted, credential_kind);
  if (!found.quoted && is_string_prefix(scan, found.span)) {
    // Python's b"x"; r"x" is a pattern.
    if (is_key_kind_of_parsers(key) && scan.line[found.span.begin] == 'r') return;
    found = value_at(scan, found.span.end, key.quoted, credential_kind);
  }
  const bool may_be_part = !value.colon && !found.quoted && !is_place(scan.text(found.span));
  if (may_be_part && is_in_connection_string(scan, key)) {
    if (is_no_secret(scan.text(found.span))) return;
    found.span.end = end_in_connection_string(scan, found.span.end);
    found.span.quoted = false;
    return scan.hide(found.span);
  }
  if (value.encoded) {
    found.span.end = end_of_encoded(scan, found.span);
  }
  if (!is_secret_value(scan, key, found, value.colon)) return;
  scan.hide(found.span);
  // "old" -> "new" of a plan.
  static constexpr std::string_view arrow = "\" -> \"";
  if (!found.quoted || !scan.line.substr(found.span.end).starts_with(arrow)) return;
  const auto next = value_at(scan, found.span.end + arrow.size() - 1, false, credential_kind);
  if (!is_no_secret(scan.text(next.span))) scan.hide(next.span);
}

}  // namespace

void take_key(line_scan& scan, std::size_t begin, std::size_t end) {
  if (begin < scan.keys_done) return;
  const auto line = scan.line;
  const auto from = std::max(scan.keys_done, scan.cursor);
  while (begin > from && is_key_char(line[begin - 1])) --begin;
  while (end < line.size() && is_key_char(line[end])) ++end;
  scan.keys_done = end;
  key_use key{name_kind::harmless, begin, end, false, false};
  key.begin = begin_of_word(line, begin);
  auto undashed = key.begin;
  while (scan.at(undashed) == '-') ++undashed;
  key.dashed = undashed > key.begin && undashed < end;
  if (key.dashed) key.begin = undashed;
  if (key.dashed && line[key.begin] == 'D' && is_lower(scan.at(key.begin + 1))) ++key.begin;
  auto at = behind_name(scan, key);
  const char next = scan.at(at);
  static constexpr sign_set goes_on("=: \t%>,(}/<|&");
  if (!goes_on.holds(next) || at == line.size()) return;
  key.kind = kind_of_name(line.substr(key.begin, end - key.begin));
  if (key.kind == name_kind::harmless && !is_two_words(scan, key, at)) return;
  if ((next == '>' || next == '&') && take_element(scan, key)) return;
  const auto code = next == '%' ? line.substr(at, 3) : std::string_view();
  const bool encoded = equals_lower(code, "%3d") || equals_lower(code, "%3a");
  const auto separator = encoded ? at : scan.skip_blanks(at);
  if (encoded || scan.at(separator) == '=' || scan.at(separator) == ':') {
    const auto value = place_of_value(scan, separator);
    if (value.at < line.size()) take_setting(scan, key, value);
    return;
  }
  if (take_element(scan, key)) return;
  if (key.quoted || next == '<' || next == ',') return take_pair(scan, key);
  if (is_blank(next) || next == '(') take_spaced(scan, key);
}

}  // namespace reeve
