#include "base/redact_encodings.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <cstdint>

namespace reeve {
namespace {

using byte = unsigned char;

bool never_encoded(byte c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '_' || c == '.';
}

void append_unicode(std::string& out, std::uint32_t unit, std::string_view digits) {
  out.append("\\u");
  for (int shift = 12; shift >= 0; shift -= 4) out.push_back(digits[(unit >> shift) & 15]);
}

/// The bytes of one UTF-8 character as UTF-16 escapes; what is not UTF-8 is copied.
std::size_t append_wide(std::string& out, std::string_view rest, std::string_view digits) {
  const auto size = wide_character_bytes(rest);
  if (size == 0) {
    out.push_back(rest[0]);
    return 1;
  }
  std::uint32_t point = static_cast<byte>(rest[0]) & (0xFFU >> (size + 1));
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

}  // namespace

std::size_t wide_character_bytes(std::string_view text) {
  if (text.empty() || static_cast<byte>(text[0]) < 0x80) return 0;
  const auto sequence = first_sequence(text);
  return sequence.valid ? sequence.size : 0;
}

std::string url_encoded(std::string_view value, url_style style, std::string_view digits) {
  std::string out;
  for (const char ch : value) {
    const auto c = static_cast<byte>(ch);
    if (never_encoded(c) || style.left.find(ch) != style.left.npos) {
      out.push_back(ch);
    } else if (style.plus && c == ' ') {
      out.push_back('+');
    } else {
      out.append({'%', digits[c >> 4], digits[c & 15]});
    }
  }
  return out;
}

std::string all_url_encoded(std::string_view value, std::string_view digits) {
  std::string out;
  for (const char ch : value) {
    const auto c = static_cast<byte>(ch);
    out.append({'%', digits[c >> 4], digits[c & 15]});
  }
  return out;
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

std::string in_hex(std::string_view value, std::string_view digits) {
  std::string out;
  for (const char ch : value) {
    const auto c = static_cast<byte>(ch);
    out.append({digits[c >> 4], digits[c & 15]});
  }
  return out;
}

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

std::string dollar_quoted(std::string_view value, bool ascii) {
  static constexpr std::string_view plain = "'\\\a\b\t\n\v\f\r\x1b";
  static constexpr std::string_view letters = "'\\abtnvfrE";
  std::string out;
  for (const char ch : value) {
    const auto c = static_cast<byte>(ch);
    if (const auto at = plain.find(ch); at != plain.npos) {
      out.append({'\\', letters[at]});
    } else if (c < 0x20 || c == 0x7f || (ascii && c >= 0x80)) {
      out.append({'\\', hex_lower[c >> 6], hex_lower[(c >> 3) & 7], hex_lower[c & 7]});
    } else {
      out.push_back(ch);
    }
  }
  return out;
}

std::string python_bytes(std::string_view value, bool tick) {
  static constexpr std::string_view plain = "\\\t\n\r";
  static constexpr std::string_view letters = "\\tnr";
  std::string out;
  for (const char ch : value) {
    const auto c = static_cast<byte>(ch);
    if (const auto at = plain.find(ch); at != plain.npos) {
      out.append({'\\', letters[at]});
    } else if (c < 0x20 || c >= 0x7f) {
      out.append({'\\', 'x', hex_lower[c >> 4], hex_lower[c & 15]});
    } else {
      if (tick && ch == '\'') out.push_back('\\');
      out.push_back(ch);
    }
  }
  return out;
}

std::string with_entities(std::string_view value, entity_style style) {
  std::string out;
  for (const char& c : value) {
    out.append(c == '&'    ? "&amp;"
               : c == '<'  ? "&lt;"
               : c == '>'  ? style.more
               : c == '"'  ? style.quote
               : c == '\'' ? style.tick
                           : std::string_view(&c, 1));
  }
  return out;
}

}  // namespace reeve
