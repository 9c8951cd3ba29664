#include "codec/json_scanner.hpp"

#include "base/hex.hpp"
#include "base/utf8.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace reeve::codec {
namespace {

constexpr std::uint64_t each_byte = 0x0101010101010101U, high_bits = 0x80 * each_byte;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/// Ends a run of bytes that stand for themselves: a quote, a backslash or a control character.
constexpr auto run_ends = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = true;
  table['"'] = table['\\'] = true;
  return table;
}();

bool ends_run(char c) {
  return run_ends[static_cast<unsigned char>(c)];
}

/// Whether one of eight bytes does.
bool ends_in(std::uint64_t word) {
  const auto quotes = word ^ ('"' * each_byte), backslashes = word ^ ('\\' * each_byte);
  const auto controls = (word - 0x20 * each_byte) & ~word;
  return ((controls | ((quotes - each_byte) & ~quotes) |
           ((backslashes - each_byte) & ~backslashes)) &
          high_bits) != 0;
}

/// Such a run; beyond its first bytes eight at a time, since most are short or very long. Sets
/// `is_ascii` to false if one of its bytes is none.
const char* end_of_run(const char* at, const char* end, bool& is_ascii) {
  constexpr std::ptrdiff_t few = 8;
  std::uint64_t seen = 0;
  const auto skip_to = [&](const char* to) {
    while (at != to && !ends_run(*at)) seen |= static_cast<unsigned char>(*at++);
    return at != to;
  };
  bool has_ended = skip_to(end - at > few ? at + few : end);
  while (!has_ended && end - at >= few) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    if (ends_in(word)) break;
    seen |= word;
    at += few;
  }
  if (!has_ended) skip_to(end);
  is_ascii = (seen & high_bits) == 0;
  return at;
}

void append_utf8(std::string& out, unsigned code) {
  const auto put = [&out](unsigned byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      put(0xe0 | code >> 12);
    } else {
      put(0xf0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3f));
    }
    put(0x80 | (code >> 6 & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

/// What stands behind a backslash, by itself; NUL: nothing does.
constexpr auto escaped = [] {
  constexpr std::string_view names = "\"\\/bfnrt", bytes = "\"\\/\b\f\n\r\t";
  std::array<char, 256> table{};
  for (std::size_t i = 0; i < names.size(); ++i) {
    table[static_cast<unsigned char>(names[i])] = bytes[i];
  }
  return table;
}();

bool is_high(unsigned unit) {
  return unit >= 0xd800 && unit < 0xdc00;
}
bool is_low(unsigned unit) {
  return unit >= 0xdc00 && unit < 0xe000;
}

}  // namespace

char json_scanner::peek() {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  return at_ < text_.size() ? text_[at_] : '\0';
}

bool json_scanner::take_byte(char byte) {
  if (peek() != byte || at_ == text_.size()) return false;
  ++at_;
  return true;
}

bool json_scanner::open(char bracket) {
  return take_byte(bracket) && ++level_ <= most_levels;
}

bool json_scanner::close(char bracket) {
  --level_;
  return take_byte(bracket);
}

bool json_scanner::take_literal(std::string_view literal) {
  peek();
  if (!text_.substr(at_).starts_with(literal)) return false;
  at_ += literal.size();
  return true;
}

bool json_scanner::skip_scalar() {
  switch (peek()) {
    case '"':
      return read_string(nullptr);
    case 't':
      return take_literal("true");
    case 'f':
      return take_literal("false");
    case 'n':
      return take_literal("null");
    default:
      return skip_number();
  }
}

bool json_scanner::skip_name() {
  return peek() == '"' && read_string(nullptr) && take_byte(':');
}

/// Without a call for each level: a bit says whether it is an object's.
bool json_scanner::skip() {
  static_assert(most_levels <= 64);
  const int outside = level_;
  std::uint64_t objects = 0;
  for (;;) {
    const char first = peek();
    bool is_ended = true;  // the value that begins here
    if (first == '{' || first == '[') {
      const bool is_object = first == '{';
      if (!open(first)) return false;
      objects = objects << 1 | (is_object ? 1 : 0);
      is_ended = peek() == (is_object ? '}' : ']');
      if (!is_ended && is_object && !skip_name()) return false;
    } else if (!skip_scalar()) {
      return false;
    }
    while (is_ended) {
      if (level_ == outside) return true;
      const bool is_object = (objects & 1) != 0;
      if (peek() == ',') {
        ++at_;
        if (is_object && !skip_name()) return false;
        break;
      }
      if (!close(is_object ? '}' : ']')) return false;
      objects >>= 1;
    }
  }
}

bool json_scanner::skip_number() {
  const char* at = text_.data() + at_;
  const char* const end = text_.data() + text_.size();
  const auto skip_digits = [&] {
    const char* const begin = at;
    while (at != end && is_digit(*at)) ++at;
    return at != begin;
  };
  const auto is_good = [&] {
    if (at != end && *at == '-') ++at;
    if (at != end && *at == '0') {
      ++at;
    } else if (!skip_digits()) {
      return false;
    }
    if (at != end && *at == '.') {
      ++at;
      if (!skip_digits()) return false;
    }
    if (at == end || (*at != 'e' && *at != 'E')) return true;
    ++at;
    if (at != end && (*at == '+' || *at == '-')) ++at;
    return skip_digits();
  }();
  at_ = static_cast<std::size_t>(at - text_.data());
  return is_good;
}

bool json_scanner::take_string(std::string& decoded) {
  decoded.clear();
  return peek() == '"' && read_string(&decoded);
}

/// Runs end at ASCII, so no sequence of UTF-8 that is whole lies in two of them.
bool json_scanner::read_string(std::string* decoded) {
  const char* const end = text_.data() + text_.size();
  string_bytes_ = 0;
  for (++at_;;) {
    const char* const begin = text_.data() + at_;
    bool is_ascii = true;
    const char* const stop = end_of_run(begin, end, is_ascii);
    const std::string_view run(begin, static_cast<std::size_t>(stop - begin));
    at_ += run.size();
    string_bytes_ += run.size();
    if (stop == end || static_cast<unsigned char>(*stop) < 0x20) return false;
    if (!is_ascii && first_invalid_utf8(run) != run.npos) return false;
    if (decoded != nullptr) decoded->append(run);
    ++at_;
    if (*stop == '"') return true;
    if (!read_escape(decoded)) return false;
  }
}

bool json_scanner::read_code_unit(unsigned& unit) {
  if (text_.size() - at_ < 4) return false;
  unit = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const int digit = hex_value(text_[at_]);
    if (digit < 0) return false;
    unit = unit << 4 | static_cast<unsigned>(digit);
  }
  return true;
}

/// Behind the backslash. A half of a pair by itself is no character.
bool json_scanner::read_escape(std::string* decoded) {
  if (at_ == text_.size()) return false;
  const char name = text_[at_++];
  if (const char byte = escaped[static_cast<unsigned char>(name)]; byte != '\0') {
    if (decoded != nullptr) decoded->push_back(byte);
    ++string_bytes_;
    return true;
  }
  unsigned unit = 0;
  if (name != 'u' || !read_code_unit(unit) || is_low(unit)) return false;
  if (is_high(unit)) {
    unsigned low = 0;
    if (!text_.substr(at_).starts_with("\\u")) return false;
    at_ += 2;
    if (!read_code_unit(low) || !is_low(low)) return false;
    unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  }
  string_bytes_ += unit < 0x80 ? 1 : unit < 0x800 ? 2 : unit < 0x10000 ? 3 : 4;
  if (decoded != nullptr) append_utf8(*decoded, unit);
  return true;
}

}  // namespace reeve::codec
