#include "base/redact_encodings.hpp"
#include "base/redact_named.hpp"

#include <algorithm>
#include <set>

namespace reeve {
namespace {

/// A single line of a secret of several lines counts as a secret from here on: shorter ones
/// ("}", "[core]") are ordinary text. A line of a PEM body has 64.
constexpr std::size_t min_line_bytes = 12;
constexpr std::string_view blanks_of_values = " \t\r\n";

/// As many as there is room for: the first ones count.
class form_set {
 public:
  void add(std::string form) {
    if (form.size() < min_secret_bytes || form.size() > max_form_bytes) return;
    if (form.size() > max_bytes_of_forms - bytes_) return;
    if (forms_.contains(form)) return;
    bytes_ += form.size();
    form.shrink_to_fit();
    forms_.insert(std::move(form));
  }
  /// For what `value` becomes, which never is shorter.
  bool has_room_for(std::string_view value) const {
    return value.size() <= max_bytes_of_forms - bytes_;
  }
  std::vector<std::string> take() {
    std::vector<std::string> all;
    all.reserve(forms_.size());
    while (!forms_.empty()) all.push_back(std::move(forms_.extract(forms_.begin()).value()));
    return all;
  }

 private:
  std::set<std::string> forms_;
  std::size_t bytes_ = 0;
};

constexpr url_style url_styles[] = {
    {"~"},                        // RFC 3986
    {"~", true},                  // Python's quote_plus, Go's queries
    {"~!*'()"},                   // encodeURIComponent
    {"~!*'()", true},             // the same, spaces as pluses
    {"~/"},                       // Python's quote
    {"~/", true},                 // the same
    {"~;,/?:@&=+$#!*'()"},        // encodeURI
    {"~;,/?:@&=+$#!*'()", true},  // the same
    {""},                         // older Python
    {"", true},                   // PHP
    {"*", true},                  // forms of browsers, Java
    {"~$&+,;="},                  // Go: users and passwords
    {"~$&+:=@"},                  // Go: a part of a path
    {"~$&+,/:;=@"},               // Go: a path
    {"~!$%&'()*+,"},              // browsers, Node: users and passwords
};

void add_url_encoded(form_set& forms, std::string_view value) {
  for (const auto digits : {hex_upper, hex_lower}) {
    for (const auto& style : url_styles) forms.add(url_encoded(value, style, digits));
    forms.add(all_url_encoded(value, digits));
  }
}

void add_url_encoded_twice(form_set& forms, std::string_view value) {
  for (const auto digits : {hex_upper, hex_lower}) {
    for (const auto& style : url_styles) {
      if (!forms.has_room_for(value)) return;
      const auto once = url_encoded(value, style, digits);
      if (once != value) forms.add(url_encoded(once, style, digits));
    }
    forms.add(url_encoded(all_url_encoded(value, digits), {}, digits));
  }
}

/// Those that differ for this value.
std::vector<json_style> json_styles_of(std::string_view value) {
  const auto has = [&](auto test) { return std::ranges::any_of(value, test); };
  const bool slash = value.find('/') != value.npos;
  const bool html = value.find_first_of("<>&") != value.npos;
  const bool ascii = has([](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  const bool control = has([](char c) { return static_cast<unsigned char>(c) < 0x20; });
  std::vector<json_style> styles;
  for (const auto digits : {hex_lower, hex_upper}) {
    if (digits == hex_upper && !html && !ascii && !control) continue;
    for (int bits = 0; bits < 8; ++bits) {
      const json_style style{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, digits};
      if (style.slash > slash || style.html > html || style.ascii > ascii) continue;
      styles.push_back(style);
    }
  }
  styles.push_back({false, true, true, hex_upper, true});
  return styles;
}

/// A text of JSON within a text of JSON: both by one writer, or one of them by one that escapes no
/// more than it has to.
void add_json_twice(form_set& forms, std::string_view value) {
  const auto least = json_escaped(value, {});
  for (const auto& style : json_styles_of(value)) {
    if (!forms.has_room_for(value)) return;
    const auto once = json_escaped(value, style);
    if (once == value) continue;
    forms.add(json_escaped(once, style));
    forms.add(json_escaped(once, {}));
    forms.add(json_escaped(least, style));
  }
}

void add_base64(form_set& forms, std::string_view value) {
  for (std::size_t offset = 0; offset < 3; ++offset) {
    for (const auto alphabet : {standard_base64, url_base64}) {
      for (const bool last : {false, true}) {
        forms.add(base64_inside(value, offset, alphabet, last));
      }
    }
  }
}

/// Log writers put a prefix before every line, so each longer line is a secret of its own.
void add_lines(form_set& forms, std::string_view value) {
  if (value.find('\n') == value.npos) return;
  while (!value.empty()) {
    auto line = value.substr(0, value.find('\n'));
    value.remove_prefix(std::min(value.size(), line.size() + 1));
    const auto first = line.find_first_not_of(blanks_of_values);
    if (first == line.npos) continue;
    line = line.substr(first, line.find_last_not_of(blanks_of_values) - first + 1);
    if (line.size() >= min_line_bytes && !line.starts_with("-----")) forms.add(std::string(line));
  }
}

/// As PEM and MIME break lines, of what begins with the secret: within a longer text a line may end
/// anywhere, which would be dozens of forms of each alignment.
void add_wrapped_base64(form_set& forms, std::string_view value) {
  for (const bool last : {false, true}) {
    const auto text = base64_inside(value, 0, standard_base64, last);
    for (const std::size_t columns : {std::size_t{64}, std::size_t{76}}) {
      if (text.size() <= columns) continue;
      std::string wrapped;
      for (std::size_t at = 0; at < text.size(); at += columns) {
        if (at > 0) wrapped.push_back('\n');
        wrapped.append(text, at, columns);
      }
      add_lines(forms, wrapped);
      forms.add(std::move(wrapped));
    }
  }
}

void add_shell_quoted(form_set& forms, std::string_view value) {
  forms.add(quoted_for_shells(value, "'\\", "'", false));    // bash
  forms.add(quoted_for_shells(value, "'\"", "\"'", false));  // Python's shlex
  forms.add(quoted_for_shells(value, "'\"", "\"'", true));   // dash, busybox
  for (const bool ascii : {false, true}) forms.add(dollar_quoted(value, ascii));
  for (const bool tick : {false, true}) forms.add(python_bytes(value, tick));
}

constexpr entity_style entity_styles[] = {
    {">", "\"", "'"},              // the least that there can be
    {"&gt;", "\"", "'"},           // a text
    {">", "&quot;", "'"},          // browsers, of attributes
    {"&gt;", "&quot;", "'"},       // older PHP
    {"&gt;", "&quot;", "&apos;"},  // XML
    {"&gt;", "&quot;", "&#39;"},   // lodash, older Python
    {"&gt;", "&quot;", "&#039;"},  // PHP
    {"&gt;", "&quot;", "&#x27;"},  // Python, React
    {"&gt;", "&#34;", "&#39;"},    // Go, Jinja
};

void add_entities(form_set& forms, std::string_view value) {
  if (value.find_first_of("&<>\"'") == value.npos) return;
  for (const auto& style : entity_styles) forms.add(with_entities(value, style));
}

void add_encoded(form_set& forms, std::string_view value) {
  if (!forms.has_room_for(value)) return;
  for (const auto& style : json_styles_of(value)) forms.add(json_escaped(value, style));
  add_base64(forms, value);
  for (const auto digits : {hex_upper, hex_lower}) forms.add(in_hex(value, digits));
  add_shell_quoted(forms, value);
  add_entities(forms, value);
  add_url_encoded(forms, value);
  add_wrapped_base64(forms, value);
}

std::string_view without_blanks_around(std::string_view value) {
  const auto first = value.find_first_not_of(blanks_of_values);
  if (first == value.npos) return {};
  return value.substr(first, value.find_last_not_of(blanks_of_values) - first + 1);
}

/// Each run of blanks as one space.
std::string with_single_blanks(std::string_view value, std::string_view blanks) {
  std::string out;
  for (std::size_t i = 0; i < value.size();) {
    const auto end = std::min(value.find_first_not_of(blanks, i), value.size());
    out.push_back(end > i ? ' ' : value[i]);
    i = std::max(end, i + 1);
  }
  return out;
}

std::string with_line_ends(std::string_view value, std::string_view line_end) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool is_two = value.substr(i).starts_with("\r\n");
    if (is_two) ++i;
    if (value[i] == '\n') {
      out.append(line_end);
    } else {
      out.push_back(value[i]);
    }
  }
  return out;
}

/// The plain texts that a value becomes where shells or editors handled it: without blanks around
/// it, with single blanks in it, with the line ends of another system. Each once, the value first.
std::vector<std::string> plain_forms(std::string_view value) {
  const auto bare = without_blanks_around(value);
  std::vector<std::string> all;
  const auto add = [&](std::string form) {
    if (std::ranges::find(all, form) == all.end()) all.push_back(std::move(form));
  };
  add(std::string(value));
  add(std::string(bare));
  add(with_line_ends(bare, "\n"));
  add(with_line_ends(bare, "\r\n"));
  add(with_single_blanks(bare, " \t\n"));  // for shells a carriage return is no blank
  add(with_single_blanks(bare, blanks_of_values));
  return all;
}

}  // namespace

std::vector<std::string> secret_forms(std::string_view value) {
  form_set forms;
  auto plain = plain_forms(value);
  std::erase_if(plain, [](const std::string& text) { return text.size() < min_secret_bytes; });
  for (const auto& text : plain) forms.add(text);
  add_lines(forms, value);
  for (const auto& text : plain) add_encoded(forms, text);
  for (const auto& text : plain) add_json_twice(forms, text);
  for (const auto& text : plain) add_url_encoded_twice(forms, text);
  return forms.take();
}

}  // namespace reeve
