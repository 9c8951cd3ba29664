#pragma once
// Text that came from elsewhere, for a terminal. Whoever names a job or prints a line of its log
// must not move the cursor, write into the clipboard (OSC 52) or turn round what stands behind it.
// Harmful are: C0 but for the tab and the end of a line, DEL, C1 (U+0080 to U+009F, also as single
// bytes), whatever is no UTF-8, the two separators U+2028 and U+2029, and what changes the
// direction of text (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069; Unicode
// Standard Annex 9).

#include <cstddef>
#include <string>
#include <string_view>

namespace reeve::cli {

/// A cell or a line: each harmful character, tab and end of a line is a '?'.
std::string printable(std::string_view text);

/// Whether standard output is a terminal. A file and a pipe get everything as it came.
bool is_terminal();

/// For a stream of bytes that is cut anywhere. `json`: a harmful character is escaped, so that the
/// document keeps its meaning; else it is a '?'.
class terminal_filter {
 public:
  explicit terminal_filter(bool json = false) : json_(json) {}
  /// What of it can be shown already; at most three bytes wait for what comes behind them.
  std::string take(std::string_view bytes);
  /// What still waited. The filter is as new then.
  std::string finish();

 private:
  std::string shown(std::string_view text, bool is_end);
  void replace(std::string& out, std::string_view harmful, bool is_valid) const;

  bool json_;
  std::string rest_;
};

}  // namespace reeve::cli
