#pragma once
// Writing JSON, without spaces and in the order of the calls. Callers keep the grammar (a key
// before each member, ends that match); the writer sets commas, quotes and escapes.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace reeve::codec {

/// The shortest digits that give the same double back, with ".0" behind whole ones, so that it
/// is not read as an integer. JSON has no NaN and no infinities: those become null.
void append_json_number(std::string& out, double number);
void append_json_number(std::string& out, std::int64_t number);

class json_writer {
 public:
  json_writer& begin_object() { return open('{'); }
  json_writer& end_object() { return close('}'); }
  json_writer& begin_array() { return open('['); }
  json_writer& end_array() { return close(']'); }
  json_writer& key(std::string_view name);

  /// Bad UTF-8 and NUL become U+FFFD (see base/utf8.hpp).
  json_writer& value(std::string_view text);
  json_writer& value(const char* text) { return value(std::string_view(text)); }
  json_writer& value(const std::string& text) { return value(std::string_view(text)); }
  json_writer& value(bool truth) { return raw(truth ? "true" : "false"); }
  json_writer& value(double number);
  json_writer& value(std::int64_t number);
  /// Any other integer. What lies above the range of int64 is written as its maximum, because
  /// nothing beyond could be read again.
  template <std::integral Integer>
  json_writer& value(Integer number) {
    return value(std::in_range<std::int64_t>(number) ? static_cast<std::int64_t>(number)
                                                     : INT64_MAX);
  }
  json_writer& null() { return raw("null"); }
  /// Text that is JSON already.
  json_writer& raw(std::string_view json);

  const std::string& text() const { return out_; }
  /// The text; the writer is then as new.
  std::string take();

 private:
  json_writer& open(char bracket);
  json_writer& close(char bracket);
  void separate();

  std::string out_;
  bool comma_ = false;
};

}  // namespace reeve::codec
