// Names and values that no sign connects: pairs of attributes, elements, lists, arguments.
#include "base/redact_scan.hpp"
#include "base/redact_text.hpp"

#include <algorithm>
#include <array>

namespace reeve {
namespace {

/// So far away from its name a value is looked for.
constexpr std::size_t near = 256;
constexpr std::size_t max_text = 8192;

bool is_name_word(std::string_view word) {
  static constexpr auto names = std::to_array<std::string_view>(
      {"field", "header", "id", "k", "key", "name", "option", "param", "parameter", "property",
       "setting", "var", "variable"});
  return std::binary_search(names.begin(), names.end(), lower(word));
}

bool is_value_word(std::string_view word) {
  static constexpr auto values =
      std::to_array<std::string_view>({"content", "data", "new", "v", "val", "value", "values"});
  return std::binary_search(values.begin(), values.end(), lower(word));
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
  while (at > 0 && end - at < 12 && is_alpha(line[at - 1])) --at;
  return is_name_word(line.substr(at, end - at)) ? at : line.npos;
}

void take_value(line_scan& scan, const key_use& key, std::size_t at, std::size_t limit) {
  if (at >= limit || scan.line[at] == '{' || scan.line.substr(at).starts_with("[redacted")) return;
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
    while (at < limit && std::string_view(" \t,;\\\"'").find(line[at]) != std::string_view::npos)
      ++at;
    const auto word = at;
    while (at < limit && (is_alpha(line[at]) || line[at] == '_')) ++at;
    const auto name = line.substr(word, at - word);
    while (at < limit && std::string_view("\\\"'").find(line[at]) != std::string_view::npos) ++at;
    at = scan.skip_blanks(std::min(at, limit));
    if (at >= limit || name.empty() || (line[at] != ':' && line[at] != '=')) return line.npos;
    while (at < limit && std::string_view(":=> \t").find(line[at]) != std::string_view::npos) ++at;
    if (at >= limit) return line.npos;
    if (is_value_word(name)) return at;
    if (is_name_word(name)) return line.npos;
    at = value_at(scan, at, true, {}).span.end;
    if (at >= limit) return line.npos;
  }
  return line.npos;
}

/// {"value": "x", "name": "password"}
void take_value_before(line_scan& scan, const key_use& key, std::size_t name_begin) {
  const auto before = left_of(scan.line, name_begin, near);
  const auto word = before.rfind("value");
  if (word == before.npos || before.find_first_of("{}<>", word) != before.npos) return;
  const auto begin = name_begin - before.size() + word;
  const auto at = find_value(scan, begin);
  if (at < name_begin) take_value(scan, key, at, name_begin);
}

/// The text of an element whose '<' is at `at`: <value>x</value>.
void take_next_element(line_scan& scan, const key_use& key, std::size_t at) {
  const auto line = scan.line;
  const auto open = line.substr(at, 40).find('>');
  if (scan.at(at) != '<' || open == line.npos) return;
  const auto begin = at + open + 1;
  const auto end = line.find('<', begin);
  if (end == line.npos || scan.at(end + 1) != '/') return;
  const secret_span span{begin, end, credential_kind, false};
  key_use quoted = key;
  quoted.quoted = true;
  if (is_secret_value(scan, quoted, {span, true}, false)) scan.hide_ahead(span);
}

/// Strings of a container with their names, in the order they stand in.
struct container_reader {
  line_scan& scan;
  const key_use& key;
  bool any;  // every string counts, not only those that look made up
  std::size_t at;
  std::size_t depth = 0;
  std::string_view name = {};

  bool is_hidden(const secret_span& span) const {
    const auto text = scan.text(span);
    if (!is_hidden_value(text) || is_place(text)) return false;
    if (key.kind <= name_kind::doubtful) return looks_random(text);
    if (!name.empty() && kind_of_name("secret_" + std::string(name)) == name_kind::harmless) {
      return false;
    }
    return any || looks_made_up(text);
  }

  /// A string, number or word; one that ':' follows is a name.
  void take_part(std::size_t limit) {
    const auto found = value_at(scan, at, true, credential_kind);
    auto span = found.span;
    if (!found.quoted) {
      const auto stop = scan.text(span).find_first_of(":=");
      if (stop != std::string_view::npos && stop > 0) span.end = span.begin + stop;
      span.quoted = false;
    }
    at = std::max(at + 1, span.end + (found.quoted ? 1 : 0));
    const auto next = scan.skip_blanks(at);
    if (scan.at(next) == ':' || scan.at(next) == '=') {
      name = scan.text(span).substr(0, 60);
      at = next + 1 + (scan.at(next + 1) == '>');
      return;
    }
    if (span.end <= limit && is_hidden(span)) scan.out.push_back(span);
    name = {};
  }

  void read(std::size_t limit) {
    for (; at < limit;) {
      const char c = scan.line[at];
      if (c == '[' || c == '{') {
        ++depth;
        ++at;
        if (scan.line.substr(at - 1).starts_with("[redacted")) {
          at = std::min(limit, scan.line.find(']', at));
        }
      } else if (c == ']' || c == '}') {
        ++at;
        if (--depth == 0) return;
      } else if (is_blank(c) || c == ',' || c == ';' || c == '>' || c == '<' || c == '&') {
        ++at;
      } else {
        take_part(limit);
      }
    }
  }
};

bool is_word_of_key(std::string_view line, const key_use& key, std::string_view part) {
  return lower(line.substr(key.begin, std::min<std::size_t>(key.end - key.begin, 100)))
             .find(part) != std::string::npos;
}

/// "login bob password x", and passwords that are none of a language.
bool is_spaced_password(const line_scan& scan, const key_use& key, std::string_view word) {
  if (scan.has_login) {
    const auto before = lower(left_of(scan.line, key.begin, 200));
    if (before.find("machine ") != before.npos || before.starts_with("default ")) return true;
  }
  if (word.find_first_of("/\\(){}[]<>,;") != word.npos || is_place(word)) return false;
  const auto name = lower(scan.line.substr(key.begin, key.end - key.begin));
  const bool setting = name == "requirepass" || name == "masterauth";
  if (setting) return true;
  if (key.kind == name_kind::token) {
    return looks_random(word) && !(word.size() == 36 && word[8] == '-' && word[13] == '-');
  }
  const auto digits = std::count_if(word.begin(), word.end(), is_digit);
  const auto uppers = std::count_if(word.begin(), word.end(), is_upper);
  const auto lowers = std::count_if(word.begin(), word.end(), is_lower);
  const bool marks = word.find_first_of("!#$%^&*@") != word.npos;
  return word.size() >= 8 && word.find('.') == word.npos && lowers > 0 && digits > 0 &&
         (uppers > 0 || marks || is_word_of_key(scan.line, key, "key"));
}

/// What follows an option is its value, unless it is a word of a manual.
bool is_option_value(std::string_view word) {
  static constexpr auto words = std::to_array<std::string_view>(
      {"can", "file", "flag", "instead", "key", "option", "parameter", "passphrase", "password",
       "path", "secret", "string", "stringarray", "strings", "text", "token", "value"});
  if (word.empty() || std::string_view("-<[{|(=.,").find(word[0]) != std::string_view::npos) {
    return false;
  }
  if (is_no_secret(word) || is_status_word(word) || is_place(word)) return false;
  const auto small = lower(word);
  if (std::binary_search(words.begin(), words.end(), small)) return false;
  if (!is_plain_word(word)) return true;
  const bool shouts = std::none_of(word.begin(), word.end(), is_lower);
  return !is_small_word(small) && !(shouts && kind_of_name(word) != name_kind::harmless);
}

}  // namespace

void take_container(line_scan& scan, const key_use& key, std::size_t at) {
  const bool is_list = scan.line[at] == '[';
  const bool any =
      key.kind == name_kind::password && (is_word_of_key(scan.line, key, "passw") ||
                                          (!is_list && is_word_of_key(scan.line, key, "secret")));
  // What was read for a clearer name needs no reading for one that is less clear.
  const std::size_t clear = any ? 2 : key.kind <= name_kind::doubtful ? 0 : 1;
  if (at < scan.containers_done[clear] || key.kind > name_kind::password) return;
  container_reader reader{scan, key, any, at};
  reader.read(scan.line.size());
  for (std::size_t i = 0; i <= clear; ++i) {
    scan.containers_done[i] = std::max(scan.containers_done[i], reader.at);
  }
}

void take_pair(line_scan& scan, const key_use& key) {
  const auto line = scan.line;
  if (key.begin == 0) return;
  auto quote = key.begin - 1;
  if (!key.quoted) {
    // {name: password, value: x}
    const auto name = begin_of_name(line, key.begin);
    const auto at = name == line.npos ? name : find_value(scan, key.end);
    if (at != line.npos) return take_value(scan, key, at, line.size());
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
    if (scan.at(next) == '"' && lower(line.substr(key.begin, key.end - key.begin)) == "auth") {
      return take_value(scan, {name_kind::password, key.begin, key.end, true, false}, next,
                        line.size());
    }
    if (scan.at(next) != ',' || !opens) return;
    const auto place = scan.skip_blanks(next + 1);
    if (!is_quote(scan.at(place))) return;
    const auto found = value_at(scan, place, true, credential_kind);
    const auto text = scan.text(found.span);
    if (key.dashed ? is_option_value(text) : looks_made_up(text)) {
      take_value(scan, key, place, line.size());
    }
    return;
  }
  if (scan.at(behind) == '>') {
    const auto size = line.substr(behind + 1, max_text).find('<');
    const secret_span span{behind + 1, behind + 1 + size, credential_kind, false};
    if (size != line.npos && is_secret_value(scan, key, {span, true}, false)) scan.hide(span);
    return;
  }
  const auto at = find_value(scan, behind);
  if (at != line.npos) return take_value(scan, key, at, line.size());
  const auto close = line.substr(behind, 60).find('>');
  if (close != line.npos) take_next_element(scan, key, behind + close + 1);
  take_value_before(scan, key, name_begin);
}

bool take_element(line_scan& scan, const key_use& key) {
  const auto line = scan.line;
  const auto tag = left_of(line, key.begin, 24);
  const auto open = tag.rfind('<');
  if (open == tag.npos || std::any_of(tag.begin() + static_cast<std::ptrdiff_t>(open) + 1,
                                      tag.end(), [](char c) { return !is_alnum(c) && c != ':'; })) {
    return false;
  }
  const auto close = line.substr(key.end, 200).find('>');
  if (close == line.npos || (close > 0 && !is_blank(line[key.end]))) return false;
  auto begin = key.end + close + 1;
  static constexpr std::string_view data = "<![CDATA[";
  if (line.substr(begin).starts_with(data)) begin += data.size();
  const auto end = line.find_first_of("<]", begin);
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

void take_spaced(line_scan& scan, const key_use& key) {
  if (key.kind == name_kind::harmless || key.kind > name_kind::pwd) return;
  const auto line = scan.line;
  auto at = key.end;
  if (key.begin > 0 && line[key.begin - 1] == '=' && begin_of_name(line, key.begin) != line.npos) {
    const auto value = find_value(scan, at);
    return value == line.npos ? void() : take_value(scan, key, value, line.size());
  }
  if (line[at] == '(') {
    if (!is_quote(scan.at(at + 1))) return;
    ++at;
  }
  at = scan.skip_blanks(at);
  if (at >= line.size()) return;
  const bool is_password = key.kind == name_kind::password || key.kind == name_kind::pass;
  if (is_quote(line[at]) && !key.dashed) {
    // PASSWORD 'x' of SQL.
    const auto found = value_at(scan, at, false, credential_kind);
    const bool named = is_word_of_key(line, key, "passw");
    if (named && (line[at] == '\'' || scan.has_login) && is_hidden_value(scan.text(found.span))) {
      scan.hide(found.span);
    }
    return;
  }
  auto found = value_at(scan, at, false, credential_kind);
  if (key.dashed) {
    if (key.kind > name_kind::doubtful && is_option_value(scan.text(found.span))) {
      scan.hide(found.span);
    }
    return;
  }
  if (!is_password && key.kind != name_kind::token) return;
  if (scan.text(found.span) == "is") {
    at = scan.skip_blanks(found.span.end);
    if (at >= line.size() || is_quote(line[at])) return;
    found = value_at(scan, at, false, credential_kind);
  }
  const auto word = scan.text(found.span).substr(0, near);
  const auto name_size = key.end - key.begin;
  const bool may_be_plain = scan.has_login || name_size == 10 || name_size == 11;
  if (!may_be_plain && !looks_made_up(word)) return;
  // A line of netrc by itself.
  if (key.begin == 0 && found.span.end == line.size() && is_password && word.size() >= 6 &&
      looks_made_up(word) && !is_place(word) && is_hidden_value(word)) {
    return scan.hide(found.span);
  }
  if (is_hidden_value(word) && is_spaced_password(scan, key, word)) scan.hide(found.span);
}

}  // namespace reeve
