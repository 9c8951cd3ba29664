#pragma once
// Looks for a text in the lines of a log that comes in pieces. Pure.
//
// Time is linear in the size of the log, whatever it and the text hold. Beside the piece at hand
// about 2 KiB are kept: what is told of a line is the part around the first place where the text
// stands in it.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::api {

struct log_pattern {
  std::string text;          ///< 1..256 bytes, without a newline
  bool ignore_case = false;  ///< of the letters A to Z
};

struct found_line {
  std::int64_t line = 0;  ///< from 1
  std::string text;       ///< at most 1,024 bytes, without its newline
  bool is_cut = false;    ///< the line has more
};

/// Where a scanner goes on that another one has left.
struct scan_place {
  std::int64_t offset = 0;  ///< in bytes
  std::int64_t line = 1;    ///< that this offset is in
  bool is_inside = false;   ///< the line began before
  bool is_told = false;     ///< the line was found already
  bool operator==(const scan_place&) const = default;
};

std::string to_string(const scan_place& place);
std::optional<scan_place> parse_scan_place(std::string_view text);

class log_scanner {
 public:
  /// Of the lines (by their numbers, from 1) that `wanted` is false for nothing is told.
  using wanted_fn = std::function<bool(std::int64_t line)>;
  explicit log_scanner(log_pattern pattern, const scan_place& from = {}, wanted_fn wanted = {});

  /// The piece that follows; `is_last`: nothing comes behind it. Gives at most `most` lines that
  /// hold the text. Where there is one more, `is_full` is true from then on, the rest of the piece
  /// is left alone, and the scanner has done its work.
  std::vector<found_line> take(std::string_view piece, bool is_last, std::size_t most);
  bool is_full() const { return is_full_; }

  /// Where another scanner goes on, so that none of the lines comes twice and none is left out. It
  /// is ahead of where this one began if that one took 4 KiB or came to the end.
  const scan_place& place() const { return place_; }

 private:
  std::size_t find(std::size_t from) const;
  /// Moves the place forward within what is held.
  void go_to(std::size_t at);
  bool tell(std::size_t hit, bool is_last, std::vector<found_line>& out);
  void look(bool is_last, std::size_t most, std::vector<found_line>& out);

  const log_pattern pattern_;
  const wanted_fn wanted_;
  std::string held_;    // what was not done with, and the piece at hand
  std::string small_;   // the same in small letters, if the case is ignored
  std::size_t at_ = 0;  // where in it the place is
  scan_place place_;
  bool is_full_ = false;
};

}  // namespace reeve::api
