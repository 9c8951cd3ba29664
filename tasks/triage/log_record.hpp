#pragma once
// From lines to records: a stack trace belongs to the line before it, and a structured line (JSON,
// logfmt) to its message.

#include "tasks/triage/log_line.hpp"
#include "tasks/triage/log_object.hpp"
#include "tasks/triage/log_severity.hpp"
#include "tasks/triage/log_structured.hpp"
#include "tasks/triage/log_time.hpp"
#include "tasks/triage/log_trace.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::tasks {

/// The time at the start of the line, or the one that a structured line gives, or that of its
/// envelope (see log_envelope.hpp). Where there are several, one that says its zone wins, and of
/// those the outer one.
std::optional<leading_time> time_of_record(std::string_view line, time_us now);

struct log_record {
  std::string text;     // the first line, or the structured message; what is mined
  std::string cause;    // the line of a stack trace that names the exception, or empty
  std::string example;  // the first line as it came, and the cause
  log_severity severity = log_severity::unknown;
  std::optional<time_us> at;
  std::int64_t number = 0;  // of the line that began it (see log_line)
  std::int64_t lines = 1;   // with its continuation lines
};

/// Folds the lines of one speaker. Stack traces are one record with the line that they belong to:
/// those of Java and .NET with all causes, Python (groups and what a database driver adds
/// included), Go, Rust, PHP, Ruby and Node, .NET's console messages, and indented lines. What is
/// swallowed nowhere: a line with a time, one that is structured or has a level of its own, a
/// further trace behind a whole one, and a line worse than the record; an exception below a warning
/// belongs to it only if its frames follow, and so do up to `max_message_lines` lines without a
/// time between a dated line, a warning or worse, and its trace. At most `max_lines` lines make a
/// record. A JSON object over many lines is a record as if it stood on one (see log_object.hpp).
class line_folder {
 public:
  static constexpr std::int64_t max_lines = 500;
  static constexpr std::size_t max_message_lines = 4;

  /// Gives a record that has ended, if there is one. Several can end with one line: the others come
  /// with the next calls, whichever.
  std::optional<log_record> add(const log_line& line);
  std::optional<log_record> add(std::string_view text, std::optional<time_us> at);
  /// Whether `add` would make the line a part of the open record.
  bool would_take(const log_line& line) const;
  /// The rest, one record a call, until there is none.
  std::optional<log_record> finish();

 private:
  struct parsed {
    std::optional<structured_line> structured;
    std::optional<log_severity> level;  // explicit
    std::optional<leading_time> time;   // that the line begins with
  };
  static parsed parse(const log_line& line);
  bool continues(std::string_view line, const parsed& read) const;
  bool continues_trace(std::string_view line, std::string_view body) const;
  bool belongs_though_indented(std::string_view body, const parsed& read) const;
  bool waits(std::string_view line, const parsed& read) const;
  bool may_be_of_message(const log_line& line, const parsed& read) const;
  bool shows_whose_held(std::string_view line, const parsed& read) const;
  void gather(const log_line& line);
  void end_object();
  void place(const log_line& line);
  void take(const log_line& line);
  void let_held_stand();
  void fold(std::string_view line);
  void start(const log_line& line, const parsed& read);
  void end();
  std::optional<log_record> next();

  std::optional<log_record> open_;
  bool open_indented_ = false;
  bool open_dated_ = false;     // its first line begins with a time
  bool framed_ = false;         // frames of its trace have been seen
  bool named_ = false;          // the open record's trace has named its exception
  bool chained_ = false;        // the next traceback belongs to it too
  std::size_t text_begin_ = 0;  // of the record's text behind its tag
  trace_kind inside_ = trace_kind::none;
  // Behind the open record; a line after them tells whose they are.
  std::vector<kept_line> held_;
  object_lines object_;
  std::vector<log_record> ended_;
  std::size_t given_ = 0;  // of `ended_`
};

}  // namespace reeve::tasks
