#pragma once
// Reads JSON (RFC 8259) from front to back and keeps nothing of it: for bodies of which only a few
// members matter, and which go on as they came. What it passes over is JSON to the last byte:
// UTF-8, no control characters in strings, at most 64 levels.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace reeve::codec {

/// Every function is false where the text is none of what it was asked for; there is no way on
/// behind that.
class json_scanner {
 public:
  explicit json_scanner(std::string_view text) : text_(text) {}

  /// The first byte of the next token; NUL: nothing is left.
  char peek();
  /// Its offset in the text; behind a value: the offset right behind it.
  std::size_t offset() const { return at_; }

  /// Any value.
  bool skip();
  bool take_string(std::string& decoded);
  /// Of the last string that was taken or skipped: the bytes of its text, decoded.
  std::size_t string_bytes() const { return string_bytes_; }
  bool take_literal(std::string_view literal);
  /// Calls `member(name)` at each value, which has to take it.
  template <class F>
  bool take_object(F member) {
    if (!open('{')) return false;
    if (peek() == '}') return close('}');
    std::string name;
    for (;;) {
      if (!take_string(name) || !take_byte(':') || !member(std::as_const(name))) return false;
      if (peek() != ',') return close('}');
      ++at_;
    }
  }
  /// Calls `element()` at each value, which has to take it.
  template <class F>
  bool take_array(F element) {
    if (!open('[')) return false;
    if (peek() == ']') return close(']');
    for (;;) {
      if (!element()) return false;
      if (peek() != ',') return close(']');
      ++at_;
    }
  }

 private:
  static constexpr int most_levels = 64;

  bool open(char bracket);
  bool close(char bracket);
  bool take_byte(char byte);
  bool skip_scalar();
  bool skip_name();
  bool skip_number();
  bool read_string(std::string* decoded);
  bool read_escape(std::string* decoded);
  bool read_code_unit(unsigned& unit);

  std::string_view text_;
  std::size_t at_ = 0, string_bytes_ = 0;
  int level_ = 0;
};

}  // namespace reeve::codec
