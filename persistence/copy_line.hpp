#pragma once
// One row of COPY's text format: fields between tabs, \N for null, backslash escapes. Inside
// persistence/ only.
//
// A field that is not what its column says makes the line bad; it never becomes another value.

#include "domain/event.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace reeve::persistence {

class copy_line {
 public:
  /// The text must outlive the line. A newline at its end does not belong to it.
  explicit copy_line(std::string_view text) : rest_(text) {
    if (rest_.ends_with('\n')) rest_.remove_suffix(1);
  }

  template <class Integer>
  void integer(Integer& to) {
    const auto field = next();
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), to);
    require(error == std::errc{} && end == field.data() + field.size());
  }
  void integer(std::optional<std::int64_t>& to) {
    if (null_follows()) return to.reset();
    integer(to.emplace());
  }
  void text(std::string& to);
  void id(uuid& to);
  void id(std::optional<uuid>& to);
  void bytes(digest& to);
  void bytes(std::optional<digest>& to);

  /// Every field was read and none was bad.
  bool good() const { return good_ && at_end_; }

 private:
  std::string_view next();
  bool null_follows();
  void require(bool holds) { good_ = good_ && holds; }

  std::string_view rest_;
  bool at_end_ = false;
  bool good_ = true;
};

/// The other way: one field as COPY reads it, without the tab or newline behind it.
void append_copy_field(std::string& out, const std::optional<std::string>& field);

}  // namespace reeve::persistence
