#include "base/redact_lines.hpp"

#include "base/redact_scan.hpp"
#include "base/redact_text.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace reeve {
namespace {

constexpr std::size_t longest_line = 1024;
constexpr std::size_t longest_name = 80;
constexpr int value_lines = 4;
constexpr int item_lines = 64;
constexpr int netrc_lines = 4;

bool is_name_word(std::string_view word) {
  static constexpr word_set names(std::to_array<std::string_view>(
      {"field", "id", "key", "name", "parameterkey", "property", "variable"}));
  return names.holds_lower(word);
}

bool is_value_word(std::string_view word) {
  static constexpr word_set values(std::to_array<std::string_view>(
      {"content", "default", "parametervalue", "secret_value", "string", "val", "value"}));
  return values.holds_lower(word);
}

/// Without quotes and a comma at the end.
std::string_view bare(std::string_view text) {
  text = trimmed(text);
  if (text.ends_with(',')) text.remove_suffix(1);
  if (text.size() >= 2 && is_quote(text.front()) && text.back() == text.front()) {
    text = text.substr(1, text.size() - 2);
  }
  return text;
}

secret_span span_of(std::string_view line, std::string_view part) {
  const auto begin = static_cast<std::size_t>(part.data() - line.data());
  return {begin, begin + part.size(), credential_kind, false};
}

bool opens(std::string_view rest) {
  if (rest.size() > 2) return false;
  static constexpr word_set all(
      std::to_array<std::string_view>({"(", ">", ">-", "[", "{", "|", "|-"}));
  return rest.empty() || all.holds(rest);
}

bool names_one(name_kind kind) {
  return kind == name_kind::password || kind == name_kind::token || kind == name_kind::pass;
}

/// What stands in an object of a secret beside it.
bool describes(std::string_view name) {
  static constexpr auto words = std::to_array<std::string_view>(
      {"comment", "description", "example", "kind", "message", "pattern", "sensitive"});
  return kind_of_name("secret_" + std::string(name)) == name_kind::harmless ||
         std::binary_search(words.begin(), words.end(), lower(name));
}

/// "machine h" and "machine h login bob", which no sentence is.
bool begins_netrc(std::string_view text) {
  static constexpr std::string_view machine = "machine ";
  if (text == "default") return true;
  if (!text.starts_with(machine)) return false;
  const auto host = text.substr(machine.size());
  const auto rest = trimmed(host.substr(before_any(host, " \t"_signs).size()));
  return rest.empty() || begins_with(rest, "login ");
}

bool is_hidden_text(std::string_view text) {
  return is_hidden_value(text) && !is_place(text) && !is_code(text);
}

}  // namespace

void line_pairs::read(std::string_view line, std::vector<secret_span>& out) {
  const auto first = line.substr(0, longest_line).find_first_not_of(" \t\r");
  if (first == line.npos) {
    if (what_ == awaits::form_blank) what_ = awaits::form_value;
    return;
  }
  const char c = line[first];
  const bool may_begin = is_alpha(c) || is_quote(c) || c == '-' || c == '<';
  if (what_ == awaits::nothing && !may_begin) return;
  if (line.size() > longest_line) {
    what_ = awaits::nothing;
    return;
  }
  if (what_ != awaits::nothing && (left_-- <= 0 || !take(line, first, out))) {
    what_ = awaits::nothing;
  }
  if (what_ == awaits::nothing && may_begin) begin(line, first);
}

void line_pairs::wait_for(awaits what, name_kind kind, std::size_t indent, int lines) {
  what_ = what;
  kind_ = kind;
  indent_ = indent;
  left_ = lines;
}

line_pairs::parts line_pairs::parts_of(std::string_view line, std::size_t first) {
  parts found;
  auto at = first;
  while (begins_with(line.substr(at), "- "))
    at = std::min(line.find_first_not_of(' ', at + 1), line.size());
  const char quote = at < line.size() && is_quote(line[at]) ? line[at++] : '\0';
  found.quoted = quote != '\0';
  found.begin = found.end = at;
  while (at < line.size() && at - found.begin < longest_name && is_key_char(line[at])) ++at;
  found.end = at;
  found.rest = line.npos;
  if (quote != '\0') {
    if (at >= line.size() || line[at] != quote) return found;
    ++at;
  }
  while (at < line.size() && is_blank(line[at])) ++at;
  if (at >= line.size() || found.end == found.begin || (line[at] != ':' && line[at] != '=')) {
    return found;
  }
  ++at;
  if (at < line.size() && line[at] == '>') ++at;
  found.rest = at;
  return found;
}

/// The line as such a thing begins.
void line_pairs::begin(std::string_view line, std::size_t first) {
  if (line[first] == '<') return begin_element(line, first);
  if ("md"_signs.holds(line[first]) && begins_netrc(trimmed(line.substr(first)))) {
    return wait_for(awaits::netrc, name_kind::password, first, netrc_lines);
  }
  const auto found = parts_of(line, first);
  if (found.rest == line.npos) return;
  const auto name = line.substr(found.begin, found.end - found.begin);
  const auto rest = trimmed(line.substr(found.rest));
  static constexpr std::string_view form = "form-data; name=\"";
  if (rest.starts_with(form)) {
    const auto kind = kind_of_name(before_any(rest.substr(form.size()), "\""_signs));
    if (names_one(kind)) wait_for(awaits::form_blank, kind, 0, 3);
    return;
  }
  if (opens(rest)) {
    if (kind_of_name(name) != name_kind::password) return;
    const auto small = lower(name);
    any_ = small.find("passw") != small.npos;
    return wait_for(awaits::items, name_kind::password, first, item_lines);
  }
  if (rest.size() > longest_name || !is_name_word(name)) return;
  const auto named = bare(rest);
  if (!std::all_of(named.begin(), named.end(), is_key_char)) return;
  const auto kind = kind_of_name(named);
  if (names_one(kind)) wait_for(awaits::value, kind, first, value_lines);
}

/// <key>password</key> with the value's element on the next line.
void line_pairs::begin_element(std::string_view line, std::size_t first) {
  const auto open = line.find('>', first);
  if (open == line.npos || !is_name_word(line.substr(first + 1, open - first - 1))) return;
  const auto close = line.find('<', open);
  if (close == line.npos || line.find('<', close + 1) != line.npos) return;
  const auto name = line.substr(open + 1, close - open - 1);
  if (!std::all_of(name.begin(), name.end(), is_key_char)) return;
  const auto kind = kind_of_name(name);
  if (names_one(kind)) wait_for(awaits::value, kind, first, 1);
}

/// False if what was awaited cannot come any more.
bool line_pairs::take(std::string_view line, std::size_t first, std::vector<secret_span>& out) {
  switch (what_) {
    case awaits::nothing:
      return false;
    case awaits::value:
      return take_value(line, first, out);
    case awaits::items:
      return take_item(line, first, out);
    case awaits::netrc:
      return take_netrc(line, first, out);
    case awaits::form_blank:
      return begins_with(line.substr(first), "Content-");
    case awaits::form_value: {
      const auto text = trimmed(line);
      if (!begins_with(text, "--") && !is_no_secret(text)) out.push_back(span_of(line, text));
      return false;
    }
  }
  return false;
}

bool line_pairs::take_value(std::string_view line, std::size_t first,
                            std::vector<secret_span>& out) {
  std::string_view text;
  if (line[first] == '<') {
    const auto open = line.find('>', first);
    const auto close = open == line.npos ? open : line.find("</", open);
    if (close == line.npos || !is_value_word(line.substr(first + 1, open - first - 1)))
      return false;
    text = line.substr(open + 1, close - open - 1);
  } else {
    const auto found = parts_of(line, first);
    if (found.rest == line.npos) return false;
    const auto name = line.substr(found.begin, found.end - found.begin);
    if (is_name_word(name) || line[first] == '-') return false;
    if (!is_value_word(name)) return true;
    text = bare(line.substr(found.rest));
    if (opens(text)) return false;
  }
  if (is_hidden_text(text)) out.push_back(span_of(line, text));
  return false;
}

bool line_pairs::take_item(std::string_view line, std::size_t first,
                           std::vector<secret_span>& out) {
  const bool is_item = line[first] == '-' && first >= indent_;
  if (!is_item && first <= indent_) return false;
  const auto found = parts_of(line, first);
  std::string_view text;
  if (found.rest != line.npos) {
    const auto name = line.substr(found.begin, found.end - found.begin);
    if (describes(name)) return true;
    text = line.substr(found.rest);
  } else {
    text = line.substr(found.begin - (found.quoted ? 1 : 0));
    if (!found.quoted && bare(text).find(' ') != text.npos) return true;
  }
  text = bare(text);
  if (text.empty() || opens(text) || is_of(text[0], "[{]}()<"_signs)) {
    return true;
  }
  if (is_hidden_text(text) && (any_ || looks_made_up(text))) out.push_back(span_of(line, text));
  return true;
}

bool line_pairs::take_netrc(std::string_view line, std::size_t first,
                            std::vector<secret_span>& out) {
  const auto word = before_any(line.substr(first), " \t"_signs);
  const auto rest = trimmed(line.substr(first + word.size()));
  if (word == "login" || word == "account" || word == "port") return true;
  if ((word != "password" && word != "passwd") || rest.empty()) return false;
  const bool is_one = rest.find_first_of(" \t") == rest.npos;
  if (is_one && !is_no_secret(rest) && !is_status_word(rest)) out.push_back(span_of(line, rest));
  return false;
}

}  // namespace reeve
