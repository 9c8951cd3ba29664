#pragma once
// What looks like a secret, within one line. RE2 (a search takes linear time on any input), never
// std::regex. The searches for one pattern look at a byte a few times at most,
// whatever they find.

#include "base/redact_named.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace reeve {

/// Appends the spans of one line; `line` has no newline and may be any bytes.
void find_secret_patterns(std::string_view line, std::vector<secret_span>& out);

/// Private key blocks (RFC 7468), which span lines. Feed it line by line; `line` has no newline.
class pem_tracker {
 public:
  void next(std::string_view line, std::vector<secret_span>& out);

 private:
  // A key of 16384 bits has about 200 lines; a log that only mentions the first line of a block
  // must not be swallowed whole.
  static constexpr int max_lines = 400;
  bool is_body(std::string_view line);

  int left_ = 0;
  // How many words a log writer put before the last body line: the last, short line of the block
  // is recognised by having as many.
  std::ptrdiff_t prefix_words_ = 0;
};

}  // namespace reeve
