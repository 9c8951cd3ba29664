#pragma once
// One line of a log on its way to a record, and the same line where it has to be kept until others
// tell whose it is.

#include "base/time.hpp"
#include "tasks/triage/log_severity.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::tasks {

struct log_line {
  std::string_view text;               // clean (see clean_line), without its envelope
  std::string_view whole = {};         // clean, as it came: the example; empty is `text`
  std::string_view tag = {};           // the program that its envelope names
  std::optional<log_severity> level;   // what its envelope says; a level of its own wins
  std::optional<log_severity> stated;  // its own level, where cleaning lost how it was marked
  std::optional<time_us> at;
  std::int64_t number = 0;  // of the line among those of its source; 0: nobody counts
  bool joined = false;      // belongs to the line before it, whatever it looks like
};

/// A copy of a line with what its views show.
class kept_line {
 public:
  explicit kept_line(const log_line& line)
      : text_(line.text), whole_(line.whole), tag_(line.tag), rest_(line) {}

  /// Valid as long as this is there.
  log_line view() const {
    auto line = rest_;
    line.text = text_;
    line.whole = whole_;
    line.tag = tag_;
    return line;
  }
  std::string_view text() const { return text_; }

 private:
  std::string text_;
  std::string whole_;
  std::string tag_;
  log_line rest_;  // its views are stale
};

}  // namespace reeve::tasks
