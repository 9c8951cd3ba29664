#pragma once
// What looks like a secret, within one line. One automaton finds the words that secrets stand
// beside or begin with; from there a reader goes on by hand. A byte is looked at a bounded number
// of times, whatever stands in the line.

#include "base/redact_named.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace reeve {

/// Appends the spans of one line; `line` has no newline and may be any bytes.
void find_secret_patterns(std::string_view line, std::vector<secret_span>& out);

/// Private key blocks (RFC 7468, OpenPGP, SSH2, PuTTY), which span lines. Feed it line by line;
/// `line` has no newline.
class pem_tracker {
 public:
  void next(std::string_view line, std::vector<secret_span>& out) {
    constexpr std::size_t shortest = 16;  // of a mark
    if (left_ > 0 || line.size() >= shortest) read(line, out);
  }

 private:
  void read(std::string_view line, std::vector<secret_span>& out);
  // A key of 16384 bits has about 200 lines; a log that only mentions the first line of a block
  // must not be swallowed whole.
  static constexpr int max_lines = 400;
  // So many lines of others may stand between two of a key.
  static constexpr int max_strange = 20;
  bool is_body(std::string_view line);
  void take_body(std::string_view line, std::size_t at, std::vector<secret_span>& out);
  void begin(int lines, bool counted);
  bool begins_counted(std::string_view line);

  int left_ = 0;
  int strange_ = 0;        // lines of others since the last one of the key
  bool counted_ = false;   // the block has just so many lines
  bool has_body_ = false;  // a whole line of base64 was seen
  // How many words a log writer put before the last body line: the last, short line of the block
  // is recognised by having as many.
  std::ptrdiff_t prefix_words_ = 0;
};

}  // namespace reeve
