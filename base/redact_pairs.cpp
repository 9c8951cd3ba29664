// Names and values in pairs of attributes, in elements, lists and objects.
#include "base/redact_scan.hpp"
#include "base/redact_text.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace reeve {
namespace {

/// So far away from its name a value is looked for.
constexpr std::size_t near = 256;
constexpr std::size_t max_text = 8192;

bool is_pair_name(std::string_view word) {
  static constexpr word_set names(std::to_array<std::string_view>(
      {"field", "fieldname", "header", "headername", "id", "k", "key", "name", "option", "param",
       "parameter", "parameterkey", "parametername", "property", "setting", "var", "variable"}));
  return names.holds_lower(word);
}

bool is_pair_value(std::string_view word) {
  static constexpr word_set values(
      std::to_array<std::string_view>({"content", "current", "data", "default", "new", "old",
                                       "previous", "v", "val", "value", "values"}));
  return values.holds_lower(word) || ends_lower(word.substr(0, 24), "value");
}

/// Where `"name": "` begins before the name's quote at `quote`, `npos` if that is not there.
std::size_t begin_of_name(std::string_view line, std::size_t quote) {
  auto at = quote;
  const auto skip = [&](std::string_view signs) {
    const auto from = at;
    while (at > 0 && from - at < 8 && signs.find(line[at - 1]) != signs.npos) --at;
    return from - at;
  };
  skip(" \t\\");
  if (skip(":=>") == 0) return line.npos;
  skip(" \t");
  skip("\"'\\");
  const auto end = at;
  while (at > 0 && end - at < 24 && is_alpha(line[at - 1])) --at;
  return is_pair_name(line.substr(at, end - at)) ? at : line.npos;
}

void take_value(line_scan& scan, const key_use& key, std::size_t at, std::size_t limit) {
  if (at >= limit || scan.line[at] == '{' || begins_with(scan.line.substr(at), "[redacted")) return;
  if (scan.line[at] == '[') return take_container(scan, key, at);
  key_use quoted = key;
  quoted.quoted = true;
  auto found = value_at(scan, at, true, credential_kind);
  if (found.span.end > limit) return;
  if (key.kind == name_kind::authorization || key.kind == name_kind::cookie) {
    const auto text = scan.text(found.span);
    const auto space = text.substr(0, 24).find(' ');
    if (space != text.npos && text.find('=') > space) found.span.begin += space + 1;
    if (!looks_made_up(scan.text(found.span))) return;
    quoted.kind = name_kind::password;
  }
  if (is_secret_value(scan, quoted, found, false)) scan.hide_ahead(found.span);
}

/// `"value": "x"` or ` value="x"` from `at` on, other attributes in between. The value's place.
std::size_t find_value(line_scan& scan, std::size_t at) {
  const auto line = scan.line;
  const auto limit = std::min(line.size(), at + near);
  for (int attributes = 0; attributes < 4; ++attributes) {
    while (at < limit && is_of(line[at], " \t,;\\\"'"_signs)) ++at;
    const auto word = at;
    while (at < limit && (is_alpha(line[at]) || line[at] == '_')) ++at;
    const auto name = line.substr(word, at - word);
    while (at < limit && is_of(line[at], "\\\"'"_signs)) ++at;
    at = scan.skip_blanks(std::min(at, limit));
    if (at >= limit || name.empty() || (line[at] != ':' && line[at] != '=')) return line.npos;
    while (at < limit && is_of(line[at], ":=> \t"_signs)) ++at;
    if (at >= limit) return line.npos;
    if (is_pair_value(name)) return at;
    if (is_pair_name(name)) return line.npos;
    at = value_at(scan, at, true, {}).span.end;
    if (at >= limit) return line.npos;
  }
  return line.npos;
}

/// "old": "x", "new": "y": each value of the name that ends at `at`. False if there is none.
bool take_values(line_scan& scan, const key_use& key, std::size_t at) {
  bool found = false;
  for (int values = 0; values < 3; ++values) {
    const auto value = find_value(scan, at);
    if (value == scan.line.npos) break;
    found = true;
    take_value(scan, key, value, scan.line.size());
    at = value_at(scan, value, true, {}).span.end;
  }
  return found;
}

/// {"value": "x", "name": "password"}
void take_value_before(line_scan& scan, const key_use& key, std::size_t name_begin) {
  static constexpr sign_set ends("{}<>");
  const auto before = scan.line.substr(0, name_begin);
  const auto begin = scan.value.before(scan.line, "value", name_begin, near);
  if (begin == before.npos || ends.find(before, begin) < before.size()) return;
  const auto at = find_value(scan, begin);
  if (at < name_begin) take_value(scan, key, at, name_begin);
}

/// The text of an element whose '<' is at `at`: <value>x</value>.
void take_next_element(line_scan& scan, const key_use& key, std::size_t at) {
  const auto line = scan.line;
  auto begin = at;
  for (int depth = 0; depth < 3 && (depth == 0 || scan.at(begin) == '<'); ++depth) {
    const auto open = line.substr(begin, 60).find('>');
    if (scan.at(begin) != '<' || scan.at(begin + 1) == '/' || open == line.npos) return;
    begin += open + 1;
  }
  const auto end = line.find('<', begin);
  if (end == line.npos || scan.at(end + 1) != '/') return;
  const secret_span span{begin, end, credential_kind, false};
  key_use quoted = key;
  quoted.quoted = true;
  if (is_secret_value(scan, quoted, {span, true}, false)) scan.hide_ahead(span);
}

/// "secret_" and this name, of at most 60 bytes, name no secret.
bool describes_secret(std::string_view name) {
  static constexpr std::string_view before = "secret_";
  if (name.empty()) return false;
  std::array<char, 7 + 60> whole;
  std::memcpy(whole.data(), before.data(), before.size());
  std::memcpy(whole.data() + before.size(), name.data(), name.size());
  return kind_of_name({whole.data(), before.size() + name.size()}) == name_kind::harmless;
}

/// Strings of a container with their names, in the order they stand in.
struct container_reader {
  line_scan& scan;
  const key_use& key;
  bool any;  // every string counts, not only those that look made up
  std::size_t at;
  std::size_t depth = 0;
  std::string_view name = {};
  bool is_tuple = false;

  bool is_hidden(const secret_span& span) const {
    const auto text = scan.text(span);
    // First what most texts fail, and costs least.
    constexpr std::size_t shortest = 4;  // that looks made up
    if (!any && text.size() < shortest) return false;
    const bool is_vague = key.kind <= name_kind::doubtful;
    if (is_vague ? !looks_random(text) : !any && !looks_made_up(text)) return false;
    if (!is_hidden_value(text) || is_place(text)) return false;
    return is_vague || !describes_secret(name);
  }

  bool opens(char c) const { return c == '[' || c == '{' || (c == '(' && is_tuple); }
  bool closes(char c) const { return c == ']' || c == '}' || (c == ')' && is_tuple); }

  /// A word up to the next sign that ends one; false if there is more to it.
  bool take_plain_part() {
    static constexpr sign_set begins(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./+$#*%!?@~^");
    static constexpr sign_set ends(" \t\r\n\f\"'&<>,}];\x1b:=");
    if (!begins.holds(scan.line[at])) return false;
    const secret_span span{at, ends.find(scan.line, at), credential_kind, false};
    if (scan.at(span.end) == ';') return false;
    take_between(span, span.end);
    return true;
  }

  /// What follows tells whether it is a name. `behind`: the quote that ends it, too.
  void take_between(const secret_span& span, std::size_t behind) {
    at = behind;
    const auto next = scan.skip_blanks(at);
    if (scan.at(next) == ':' || scan.at(next) == '=') {
      name = scan.text(span).substr(0, 60);
      at = next + 1 + (scan.at(next + 1) == '>');
      return;
    }
    if (is_hidden(span)) scan.out.push_back(span);
    name = {};
  }

  /// A string, number or word; one that ':' follows is a name.
  void take_part() {
    if (take_plain_part()) return;
    const auto found = value_at(scan, at, true, credential_kind);
    auto span = found.span;
    if (!found.quoted) {
      static constexpr sign_set signs(":=");
      const auto stop = signs.find(scan.text(span), 0);
      if (stop > 0) span.end = span.begin + stop;
      span.quoted = false;
    }
    take_between(span, std::max(at + 1, span.end + (found.quoted ? 1 : 0)));
  }

  void read() {
    const auto limit = scan.line.size();
    for (; at < limit;) {
      const char c = scan.line[at];
      if (" \t,;><&"_signs.holds(c)) {
        ++at;
      } else if (opens(c)) {
        ++depth;
        ++at;
        if (begins_with(scan.line.substr(at - 1), "[redacted")) {
          at = std::min(limit, scan.line.find(']', at));
        }
      } else if (closes(c)) {
        ++at;
        if (--depth == 0) return;
      } else {
        take_part();
      }
    }
  }
};

}  // namespace

void take_container(line_scan& scan, const key_use& key, std::size_t at) {
  const bool is_list = scan.line[at] != '{';
  const bool any =
      key.kind == name_kind::password && (is_word_of_key(scan.line, key, "passw") ||
                                          (!is_list && is_word_of_key(scan.line, key, "secret")));
  // What was read for a clearer name needs no reading for one that is less clear.
  const std::size_t clear = any ? 2 : key.kind <= name_kind::doubtful ? 0 : 1;
  if (at < scan.containers_done[clear] || key.kind > name_kind::password) return;
  container_reader reader{scan, key, any, at};
  reader.is_tuple = scan.line[at] == '(';
  reader.read();
  for (std::size_t i = 0; i <= clear; ++i) {
    scan.containers_done[i] = std::max(scan.containers_done[i], reader.at);
  }
}

bool take_named_values(line_scan& scan, const key_use& key) {
  return begin_of_name(scan.line, key.begin) != scan.line.npos && take_values(scan, key, key.end);
}

void take_pair(line_scan& scan, const key_use& key) {
  const auto line = scan.line;
  if (key.begin == 0) return;
  auto quote = key.begin - 1;
  if (!key.quoted) {
    // {name: password, value: x}
    if (take_named_values(scan, key)) return;
    // <key>password</key><string>x</string>
    if (line[quote] != '>' || scan.at(key.end + 1) != '/') return;
    const auto close = line.substr(key.end, 40).find('>');
    if (close == line.npos) return;
    return take_next_element(scan, key, scan.skip_blanks(key.end + close + 1));
  }
  // "db/password" and "--password" in quotes.
  for (int i = 0; i < 64 && quote > 0 && (line[quote] == '/' || is_key_char(line[quote])); ++i)
    --quote;
  if (!is_quote(line[quote])) return;
  auto behind = key.end;
  while (scan.at(behind) == '\\') ++behind;
  ++behind;
  const auto name_begin = begin_of_name(line, quote);
  if (name_begin == line.npos) {
    // ("password", "x"): two of a list.
    const auto next = scan.skip_blanks(behind);
    const char before = quote > 0 ? line[quote - 1] : '\0';
    const bool opens = before == '(' || before == '[' || before == '{' || key.dashed;
    if (scan.at(next) == '"' && equals_lower(line.substr(key.begin, key.end - key.begin), "auth")) {
      // AUTH "x", or AUTH "user" "x".
      const key_use auth{name_kind::password, key.begin, key.end, true, false};
      // Behind its closing quote, which a line may lack.
      const auto behind_first = std::min(value_at(scan, next, false, {}).span.end + 1, line.size());
      const bool has_user = begins_with(line.substr(behind_first), " \"");
      return take_value(scan, auth, has_user ? behind_first + 1 : next, line.size());
    }
    if (scan.at(next) != ',' || !opens) return;
    const auto place = scan.skip_blanks(next + 1);
    if (!is_quote(scan.at(place))) return;
    const auto found = value_at(scan, place, true, credential_kind);
    const auto text = scan.text(found.span);
    if (key.dashed ? is_option_value(scan, key, found.span) : looks_made_up(text)) {
      take_value(scan, key, place, line.size());
    }
    return;
  }
  if (scan.at(behind) == '>') {
    take_value_before(scan, key, name_begin);
    if (scan.at(behind + 1) == '<') return take_next_element(scan, key, behind + 1);
    const auto size = line.substr(behind + 1, max_text).find('<');
    const secret_span span{behind + 1, behind + 1 + size, credential_kind, false};
    if (size != line.npos && is_secret_value(scan, key, {span, true}, false)) scan.hide(span);
    return;
  }
  if (take_values(scan, key, behind)) return;
  const auto close = line.substr(behind, 60).find('>');
  if (close != line.npos) take_next_element(scan, key, behind + close + 1);
  take_value_before(scan, key, name_begin);
}

/// &lt;password&gt;x&lt;/password&gt;
bool take_escaped_element(line_scan& scan, const key_use& key) {
  const auto line = scan.line;
  static constexpr std::string_view close = "&gt;";
  static constexpr std::string_view open = "&lt;";
  if (!line.substr(key.end).starts_with(close)) return false;
  const auto before = left_of(line, key.begin, 16);
  const auto tag = before.rfind(open);
  if (tag == before.npos || before.find('/', tag) != before.npos) return false;
  const auto begin = key.end + close.size();
  const auto size = line.substr(begin, max_text).find(open);
  const secret_span span{begin, begin + size, credential_kind, false};
  key_use quoted = key;
  quoted.quoted = true;
  if (size != line.npos && is_secret_value(scan, quoted, {span, true}, false)) scan.hide(span);
  return true;
}

bool take_element(line_scan& scan, const key_use& key) {
  const auto line = scan.line;
  if (scan.at(key.end) == '&') return take_escaped_element(scan, key);
  const auto tag = left_of(line, key.begin, 24);
  const auto open = tag.rfind('<');
  if (open == tag.npos || std::any_of(tag.begin() + static_cast<std::ptrdiff_t>(open) + 1,
                                      tag.end(), [](char c) { return !is_alnum(c) && c != ':'; })) {
    return false;
  }
  const auto close = line.substr(key.end, 200).find('>');
  if (close == line.npos || (close > 0 && !is_blank(line[key.end]))) return false;
  auto begin = key.end + close + 1;
  if (close > 0 && line[begin - 2] == '/') {
    // <password value="x"/>
    const auto value = find_value(scan, key.end);
    if (value < begin) take_value(scan, key, value, begin);
    return true;
  }
  static constexpr std::string_view data = "<![CDATA[";
  auto end = line.npos;
  if (line.substr(begin).starts_with(data)) {
    begin += data.size();
    const auto size = line.substr(begin, max_text).find("]]>");
    if (size != line.npos) end = begin + size;
  } else {
    static constexpr sign_set ends("<]");
    end = ends.find(line, begin);
    if (end == line.size()) end = line.npos;
  }
  const secret_span span{begin, std::min(end, line.size()), credential_kind, false};
  if (end == line.npos) {
    if (!looks_made_up(scan.text(span)) || scan.text(span).substr(0, near).find(' ') < near)
      return true;
  } else if (scan.at(end + 1) != '/' && line.substr(end, 3) != "]]>") {
    return true;
  }
  key_use quoted = key;
  quoted.quoted = true;
  if (is_secret_value(scan, quoted, {span, true}, false)) scan.hide(span);
  return true;
}

}  // namespace reeve
