#pragma once
// Names and values on lines of their own: YAML, JSON and XML that were written for people, netrc
// files, forms. What one line says of the next ones is kept; a line is looked at in constant time
// unless it begins as such a line does.

#include "base/redact_keys.hpp"
#include "base/redact_named.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace reeve {

class line_pairs {
 public:
  /// `line` has no newline. A line of more than 1,024 bytes is none of these.
  void next(std::string_view line, std::vector<secret_span>& out) {
    constexpr std::size_t shortest = 3;  // of a line that something follows: "pw:"
    if (what_ != awaits::nothing || line.size() >= shortest) read(line, out);
  }

 private:
  enum class awaits : std::uint8_t {
    nothing,
    value,       // name: db_password ⏎ value: x
    items,       // passwords: ⏎ - x
    netrc,       // machine h ⏎ login bob ⏎ password x
    form_blank,  // Content-Disposition: form-data; name="password" ⏎ ⏎ x
    form_value,
  };
  /// "name: rest", the name with or without quotes, behind "- " or not.
  struct parts {
    std::size_t begin = 0;  // of the name
    std::size_t end = 0;
    std::size_t rest = 0;  // npos if no separator follows the name
    bool quoted = false;
  };
  void read(std::string_view line, std::vector<secret_span>& out);
  static parts parts_of(std::string_view line, std::size_t first);
  bool take(std::string_view line, std::size_t first, std::vector<secret_span>& out);
  void begin(std::string_view line, std::size_t first);
  void begin_element(std::string_view line, std::size_t first);
  bool take_value(std::string_view line, std::size_t first, std::vector<secret_span>& out);
  bool take_item(std::string_view line, std::size_t first, std::vector<secret_span>& out);
  bool take_netrc(std::string_view line, std::size_t first, std::vector<secret_span>& out);
  void wait_for(awaits what, name_kind kind, std::size_t indent, int lines);

  awaits what_ = awaits::nothing;
  name_kind kind_ = name_kind::harmless;
  std::size_t indent_ = 0;
  bool any_ = false;  // of items: every string counts, not only those that look made up
  int left_ = 0;      // so many lines may be looked at
};

}  // namespace reeve
