#include "base/redact_named.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <sodium.h>

namespace reeve {
namespace {

constexpr std::string_view hex_upper = "0123456789ABCDEF";
constexpr std::string_view hex_lower = "0123456789abcdef";
/// A single line of a secret of several lines counts as a secret from here on: shorter ones
/// ("}", "[core]") are ordinary text. A line of a PEM body has 64.
constexpr std::size_t min_line_bytes = 12;

using byte = unsigned char;

std::uint64_t head_of(const char* at) {
  std::uint64_t head = 0;
  std::memcpy(&head, at, min_secret_bytes);
  return head;
}

std::size_t start_of(const char* at) {
  std::uint32_t first = 0;
  std::memcpy(&first, at, sizeof first);
  return (first * 2654435761U) >> 16;  // Knuth's multiplicative hash.
}

bool unreserved(byte c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

/// What writers leave as it is besides: nothing, `encodeURIComponent`, Python's `quote`,
/// `encodeURI`.
constexpr std::string_view left_in_urls[] = {"", "!*'()", "/", ";,/?:@&=+$#!*'()"};

std::string url_encoded(std::string_view value, std::string_view digits, std::string_view left,
                        bool form) {
  std::string out;
  for (const char ch : value) {
    const auto c = static_cast<byte>(ch);
    if (unreserved(c) || left.find(ch) != left.npos) {
      out.push_back(ch);
    } else if (form && c == ' ') {
      out.push_back('+');
    } else {
      out.append({'%', digits[c >> 4], digits[c & 15]});
    }
  }
  return out;
}

void append_unicode(std::string& out, std::uint32_t unit, std::string_view digits) {
  out.append("\\u");
  for (int shift = 12; shift >= 0; shift -= 4) out.push_back(digits[(unit >> shift) & 15]);
}

struct json_style {
  bool slash = false;  // PHP and others write "\/".
  bool html = false;   // Go writes \u003c for '<', '>' and '&'.
  bool ascii = false;  // Python writes \u00e9 for what is not ASCII.
  std::string_view digits = hex_lower;
  bool marks = false;  // .NET writes \u0022 for a quote, and so for '+', a tick and the like.

  bool escapes(char c) const {
    const bool is_html = c == '<' || c == '>' || c == '&';
    const bool is_mark = c == '"' || c == '\'' || c == '+' || c == '`';
    return static_cast<byte>(c) < 0x20 || (html && is_html) || (marks && is_mark);
  }
};

/// The bytes of one UTF-8 character as UTF-16 escapes; what is not UTF-8 is copied.
std::size_t append_wide(std::string& out, std::string_view rest, std::string_view digits) {
  const auto lead = static_cast<byte>(rest[0]);
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || rest.size() < size) {
    out.push_back(rest[0]);
    return 1;
  }
  std::uint32_t point = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    point = (point << 6) | (static_cast<byte>(rest[i]) & 0x3FU);
  }
  if (point >= 0x10000) {
    append_unicode(out, 0xD800 + ((point - 0x10000) >> 10), digits);
    append_unicode(out, 0xDC00 + ((point - 0x10000) & 0x3FF), digits);
  } else {
    append_unicode(out, point, digits);
  }
  return size;
}

std::string json_escaped(std::string_view value, json_style style) {
  static constexpr std::string_view plain = "\"\\\b\f\n\r\t";
  static constexpr std::string_view letters = "\"\\bfnrt";
  std::string out;
  for (std::size_t i = 0; i < value.size();) {
    const char c = value[i];
    if (style.ascii && static_cast<byte>(c) >= 0x80) {
      i += append_wide(out, value.substr(i), style.digits);
      continue;
    }
    ++i;
    const auto at = style.marks && c == '"' ? plain.npos : plain.find(c);
    if (at != plain.npos) {
      out.append({'\\', letters[at]});
    } else if (style.escapes(c)) {
      append_unicode(out, static_cast<byte>(c), style.digits);
    } else if (style.slash && c == '/') {
      out.append("\\/");
    } else {
      out.push_back(c);
    }
  }
  return out;
}

/// Base64 of the value as it stands behind `offset` unknown bytes (0..2), without the characters
/// that also depend on its neighbours. `last` keeps the character that holds the value's last bits
/// when nothing follows it.
std::string base64_inside(std::string_view value, std::size_t offset, std::string_view alphabet,
                          bool last) {
  std::string bytes(offset, '\0');
  bytes.append(value);
  const std::size_t bits = bytes.size() * 8;
  const std::size_t begin = offset == 0 ? 0 : offset + 1;
  const std::size_t end = last ? (bits + 5) / 6 : bits / 6;
  bytes.append(2, '\0');
  std::string out;
  for (std::size_t i = begin; i < end; ++i) {
    const std::size_t bit = i * 6;
    const auto pair = static_cast<unsigned>(static_cast<byte>(bytes[bit / 8]) << 8 |
                                            static_cast<byte>(bytes[bit / 8 + 1]));
    out.push_back(alphabet[(pair >> (10 - bit % 8)) & 63]);
  }
  return out;
}

constexpr std::string_view standard_base64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void add_base64(std::set<std::string>& forms, std::string_view value) {
  static constexpr std::string_view url =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (std::size_t offset = 0; offset < 3; ++offset) {
    for (const auto alphabet : {standard_base64, url}) {
      for (const bool last : {false, true}) {
        forms.insert(base64_inside(value, offset, alphabet, last));
      }
    }
  }
}

void add_lines(std::set<std::string>& forms, std::string_view value) {
  if (value.find('\n') == value.npos) return;
  if (value.find('\r') == value.npos) {
    std::string crlf;
    for (const char c : value) {
      if (c == '\n') crlf.push_back('\r');
      crlf.push_back(c);
    }
    forms.insert(crlf);
  }
  // Log writers put a prefix before every line, so each longer line is a secret of its own.
  while (!value.empty()) {
    auto line = value.substr(0, value.find('\n'));
    value.remove_prefix(std::min(value.size(), line.size() + 1));
    const auto first = line.find_first_not_of(" \t\r");
    if (first == line.npos) continue;
    line = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
    if (line.size() >= min_line_bytes && !line.starts_with("-----")) forms.emplace(line);
  }
}

/// As PEM and MIME break lines, of what begins with the secret: within a longer text a line may end
/// anywhere, which would be dozens of forms of each alignment.
void add_wrapped_base64(std::set<std::string>& forms, std::string_view value) {
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
      forms.insert(std::move(wrapped));
    }
  }
}

std::string hex_digits(std::string_view value, std::string_view digits) {
  std::string out;
  for (const char ch : value) {
    const auto c = static_cast<byte>(ch);
    out.append({digits[c >> 4], digits[c & 15]});
  }
  return out;
}

/// Single quotes within single quotes: `open` and `close` stand around one of them, or around all
/// that stand together. Some shells leave out the last sign where nothing follows: so does this.
std::string quoted_for_shells(std::string_view value, std::string_view open, std::string_view close,
                              bool together) {
  std::string out;
  for (std::size_t i = 0; i < value.size();) {
    if (value[i] != '\'') {
      out.push_back(value[i++]);
      continue;
    }
    const auto end = together ? std::min(value.find_first_not_of('\'', i), value.size()) : i + 1;
    out.append(open).append(value.substr(i, end - i)).append(close);
    i = end;
  }
  if (value.ends_with('\'')) out.pop_back();
  return out;
}

/// What bash writes between "$'" and "'" where a value has characters that do not print.
std::string dollar_quoted(std::string_view value) {
  static constexpr std::string_view plain = "'\\\a\b\t\n\v\f\r\x1b";
  static constexpr std::string_view letters = "'\\abtnvfrE";
  std::string out;
  for (const char ch : value) {
    const auto c = static_cast<byte>(ch);
    if (const auto at = plain.find(ch); at != plain.npos) {
      out.append({'\\', letters[at]});
    } else if (c < 0x20 || c == 0x7f) {
      out.append({'\\', hex_lower[c >> 6], hex_lower[(c >> 3) & 7], hex_lower[c & 7]});
    } else {
      out.push_back(ch);
    }
  }
  return out;
}

void add_shell_quoted(std::set<std::string>& forms, std::string_view value) {
  forms.insert(quoted_for_shells(value, "'\\", "'", false));    // bash
  forms.insert(quoted_for_shells(value, "'\"", "\"'", false));  // Python's shlex
  forms.insert(quoted_for_shells(value, "'\"", "\"'", true));   // dash, busybox
  forms.insert(dollar_quoted(value));
}

/// How '>', '"' and a single quote are written; '&' and '<' never stand as they are.
struct entity_style {
  std::string_view more, quote, tick;
};
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

void add_entities(std::set<std::string>& forms, std::string_view value) {
  if (value.find_first_of("&<>\"'") == value.npos) return;
  for (const auto& style : entity_styles) {
    std::string out;
    for (const char& c : value) {
      out.append(c == '&'    ? "&amp;"
                 : c == '<'  ? "&lt;"
                 : c == '>'  ? style.more
                 : c == '"'  ? style.quote
                 : c == '\'' ? style.tick
                             : std::string_view(&c, 1));
    }
    forms.insert(std::move(out));
  }
}

std::string kind_of(std::string_view name) {
  std::string kind(name.substr(0, 40));
  for (char& c : kind) {
    if (!unreserved(static_cast<byte>(c)) || c == '~') c = '_';
  }
  return kind.empty() ? "secret" : kind;
}

}  // namespace

std::vector<std::string> secret_forms(std::string_view value) {
  std::set<std::string> forms{std::string(value)};
  for (const auto digits : {hex_upper, hex_lower}) {
    for (const auto left : left_in_urls) {
      for (const bool form : {false, true}) forms.insert(url_encoded(value, digits, left, form));
    }
  }
  for (const bool slash : {false, true}) {
    for (const bool html : {false, true}) {
      for (const bool ascii : {false, true}) {
        for (const auto digits : {hex_lower, hex_upper}) {
          forms.insert(json_escaped(value, {slash, html, ascii, digits}));
        }
      }
    }
  }
  forms.insert(json_escaped(value, {false, true, true, hex_upper, true}));
  for (const auto digits : {hex_upper, hex_lower}) forms.insert(hex_digits(value, digits));
  add_shell_quoted(forms, value);
  add_entities(forms, value);
  add_base64(forms, value);
  add_wrapped_base64(forms, value);
  add_lines(forms, value);
  std::vector<std::string> kept;
  for (const auto& form : forms) {
    if (form.size() >= min_secret_bytes) kept.push_back(form);
  }
  return kept;
}

secret_index::secret_index(std::vector<named_secret> secrets) : secrets_(std::move(secrets)) {
  begun_.add_root();
  for (std::size_t i = 0; i < secrets_.size(); ++i) {
    kinds_.push_back(kind_of(secrets_[i].name));
    for (auto& text : secret_forms(secrets_[i].value)) add(std::move(text), i);
  }
}

secret_index::~secret_index() {
  for (auto& form : forms_) sodium_memzero(form.data(), form.size());
  for (auto& secret : secrets_) sodium_memzero(secret.value.data(), secret.value.size());
}

void secret_index::add(std::string text, std::size_t owner) {
  const auto& form = forms_.emplace_back(std::move(text));
  const auto [head, is_new] = by_head_.try_emplace(head_of(form.data()), 0);
  if (is_new) head->second = by_start_.add_root();
  const auto rest = std::string_view(form).substr(min_secret_bytes);
  if (!by_start_.add(head->second, rest, static_cast<std::uint32_t>(owner))) {
    sodium_memzero(forms_.back().data(), forms_.back().size());
    forms_.pop_back();
    return;
  }
  starts_.set(start_of(form.data()));
  longest_ = std::max(longest_, form.size());
  for (auto at = form.find('\n'); at != form.npos; at = form.find('\n', at + 1)) {
    if (at + 1 < form.size()) begun_.add(0, std::string_view(form).substr(0, at + 1), 0);
  }
}

void secret_index::find(std::string_view text, std::vector<secret_span>& out) const {
  if (forms_.empty() || text.size() < min_secret_bytes) return;
  for (std::size_t at = 0; at + min_secret_bytes <= text.size(); ++at) {
    if (!starts_.test(start_of(text.data() + at))) continue;
    const auto head = by_head_.find(head_of(text.data() + at));
    if (head == by_head_.end()) continue;
    const auto found = by_start_.longest(head->second, text.substr(at + min_secret_bytes));
    if (!found) continue;
    out.push_back({at, at + min_secret_bytes + found->bytes, kinds_[found->value], false});
  }
}

std::size_t secret_index::unfinished_from(std::string_view text) const {
  const auto found = begun_.longest(0, text);
  return text.size() - (found ? found->bytes : 0);
}

}  // namespace reeve
