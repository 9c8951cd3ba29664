#include "codec/json_scanner.hpp"

#include "base/hex.hpp"
#include "base/utf8.hpp"

namespace reeve::codec {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
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

bool is_high(unsigned unit) {
  return unit >= 0xd800 && unit < 0xdc00;
}
bool is_low(unsigned unit) {
  return unit >= 0xdc00 && unit < 0xe000;
}

}  // namespace

char json_scanner::peek() {
  constexpr std::string_view space = " \t\r\n";
  while (at_ < text_.size() && space.find(text_[at_]) != space.npos) ++at_;
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

bool json_scanner::skip() {
  switch (peek()) {
    case '{':
      return take_object([this](const std::string&) { return skip(); });
    case '[':
      return take_array([this] { return skip(); });
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

bool json_scanner::skip_digits() {
  const auto begin = at_;
  while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
  return at_ > begin;
}

bool json_scanner::skip_number() {
  const auto is_next = [this](std::string_view bytes) {
    return at_ < text_.size() && bytes.find(text_[at_]) != bytes.npos;
  };
  if (is_next("-")) ++at_;
  if (is_next("0")) {
    ++at_;
  } else if (!skip_digits()) {
    return false;
  }
  if (is_next(".")) {
    ++at_;
    if (!skip_digits()) return false;
  }
  if (!is_next("eE")) return true;
  ++at_;
  if (is_next("+-")) ++at_;
  return skip_digits();
}

bool json_scanner::take_string(std::string& decoded) {
  decoded.clear();
  return peek() == '"' && read_string(&decoded);
}

bool json_scanner::read_string(std::string* decoded) {
  ++at_;
  for (auto begin = at_; at_ < text_.size();) {
    const char c = text_[at_];
    if (static_cast<unsigned char>(c) < 0x20) return false;
    if (c != '"' && c != '\\') {
      ++at_;
      continue;
    }
    const auto plain = text_.substr(begin, at_ - begin);
    if (first_invalid_utf8(plain) != plain.npos) return false;
    if (decoded != nullptr) decoded->append(plain);
    ++at_;
    if (c == '"') return true;
    if (!read_escape(decoded)) return false;
    begin = at_;
  }
  return false;
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
  constexpr std::string_view names = "\"\\/bfnrt", bytes = "\"\\/\b\f\n\r\t";
  const char name = text_[at_++];
  if (const auto found = names.find(name); found != names.npos) {
    if (decoded != nullptr) decoded->push_back(bytes[found]);
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
  if (decoded != nullptr) append_utf8(*decoded, unit);
  return true;
}

}  // namespace reeve::codec
