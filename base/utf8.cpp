#include "base/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace reeve {
namespace {

struct byte_range {
  unsigned char low;
  unsigned char high;
};

/// What the second byte may be; it is where overlong forms, surrogates and too large values show.
byte_range second_byte(unsigned char lead) {
  switch (lead) {
    case 0xe0:
      return {0xa0, 0xbf};
    case 0xed:
      return {0x80, 0x9f};
    case 0xf0:
      return {0x90, 0xbf};
    case 0xf4:
      return {0x80, 0x8f};
    default:
      return {0x80, 0xbf};
  }
}

std::size_t length_of(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

bool eight_are_ascii(std::string_view text, std::size_t at) {
  if (text.size() - at < 8) return false;
  std::uint64_t word = 0;
  std::memcpy(&word, text.data() + at, 8);
  return (word & 0x8080808080808080U) == 0;
}

/// Bytes that stand in a JSON string as they are.
constexpr std::array<bool, 256> plain = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0x20; c < 0x80; ++c) table[c] = c != '"' && c != '\\';
  return table;
}();

bool is_plain(char c) {
  return plain[static_cast<unsigned char>(c)];
}

void append_control(std::string& out, char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (c) {
    case '\b':
      out += "\\b";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      out += c < 0x10 ? "\\u000" : "\\u001";
      out += digits[static_cast<unsigned char>(c) & 0x0fU];
  }
}

}  // namespace

utf8_sequence first_sequence(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = length_of(lead);
  if (length == 0) return {1, false};
  byte_range range = second_byte(lead);
  for (std::size_t i = 1; i < length; ++i) {
    if (i >= text.size()) return {i, false};
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < range.low || byte > range.high) return {i, false};
    range = {0x80, 0xbf};
  }
  return {length, true};
}

std::size_t first_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (eight_are_ascii(text, at)) {
      at += 8;
      continue;
    }
    const utf8_sequence next = first_sequence(text.substr(at));
    if (!next.valid) return at;
    at += next.size;
  }
  return std::string_view::npos;
}

std::string_view utf8_prefix(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  std::size_t end = bytes;
  while (end > 0 && bytes - end < 3 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end);
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view replacement = "\xef\xbf\xbd";
  if (out.capacity() - out.size() < text.size() + 2) {
    out.reserve(std::max(2 * out.capacity(), out.size() + text.size() + 2));
  }
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_plain(text[end])) ++end;
    out.append(text.substr(at, end - at));
    if (end == text.size()) break;
    at = end;
    const char c = text[at];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
      ++at;
    } else if (c == '\0') {
      out += replacement;
      ++at;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      append_control(out, c);
      ++at;
    } else {
      const utf8_sequence next = first_sequence(text.substr(at));
      out.append(next.valid ? text.substr(at, next.size) : replacement);
      at += next.size;
    }
  }
  out += '"';
}

}  // namespace reeve
