#pragma once
// From lines to records: a stack trace belongs to the line before it, and a structured line (JSON,
// logfmt) to its message.

#include "base/time.hpp"
#include "tasks/triage/log_severity.hpp"
#include "tasks/triage/log_structured.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::tasks {

/// The time at the start of the line, or the one that a structured line gives; inside of an
/// envelope too, whose own time counts if the line inside has none (see log_envelope.hpp).
std::optional<time_us> time_of_record(std::string_view line, time_us now);

struct log_record {
  std::string text;     // the first line, or the structured message; what is mined
  std::string cause;    // the line of a stack trace that names the exception, or empty
  std::string example;  // the first line as it came, and the cause
  log_severity severity = log_severity::unknown;
  std::optional<time_us> at;
  std::int64_t lines = 1;  // with its continuation lines
};

struct log_line {
  std::string_view text;               // clean (see clean_line), without its envelope
  std::string_view whole = {};         // clean, as it came: the example; empty is `text`
  std::string_view tag = {};           // the program that its envelope names
  std::optional<log_severity> level;   // what its envelope says; a level of its own wins
  std::optional<log_severity> stated;  // its own level, where cleaning lost how it was marked
  std::optional<time_us> at;
  bool joined = false;  // belongs to the line before it, whatever it looks like
};

/// Folds the lines of one speaker. Continuation lines are indented ones, "Caused by:", "... 12
/// more", the message of a .NET console line, the frames and the last line of a Python traceback,
/// and the goroutines of a Go panic; a line that has a time or an explicit level of its own never
/// is one. At most `max_lines` lines make a record.
class line_folder {
 public:
  static constexpr std::int64_t max_lines = 500;

  /// Gives the record that this line ended, if it did.
  std::optional<log_record> add(const log_line& line);
  std::optional<log_record> add(std::string_view text, std::optional<time_us> at);
  std::optional<log_record> finish();

 private:
  enum class inside { nothing, python, go, dotnet };
  bool continues(std::string_view line, bool stamped) const;
  void fold(std::string_view line);
  struct parsed;
  void start(const log_line& line, const parsed& read);

  std::optional<log_record> open_;
  bool open_indented_ = false;
  std::size_t text_begin_ = 0;  // of the record's text behind its tag
  inside inside_ = inside::nothing;
};

}  // namespace reeve::tasks
