#pragma once
// From lines to records: a stack trace belongs to the line before it, and a structured line (JSON,
// logfmt) to its message.

#include "tasks/triage/log_severity.hpp"
#include "tasks/triage/log_structured.hpp"
#include "tasks/triage/log_time.hpp"
#include "tasks/triage/log_trace.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

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

/// Folds the lines of one speaker. Stack traces are one record with the line that they belong to:
/// those of Java and .NET with all causes, Python (groups and what a database driver adds
/// included), Go, Rust, PHP and Node, .NET's console messages, and indented lines. What is
/// swallowed nowhere: a line with a time, one that is structured or has a level of its own, a
/// further trace behind a whole one, and a line worse than the record; an exception below a warning
/// belongs to it only if its frames follow. At most `max_lines` lines make a record.
class line_folder {
 public:
  static constexpr std::int64_t max_lines = 500;

  /// Gives a record that has ended, if there is one. Two can end with one line: the second comes
  /// with the next call, whichever.
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
  struct held_line {
    std::string text;
    std::string whole;
    std::string tag;
    std::optional<log_severity> level;
    std::optional<time_us> at;
    std::int64_t number = 0;
  };

  static parsed parse(const log_line& line);
  bool continues(std::string_view line, const parsed& read) const;
  bool continues_trace(std::string_view line, std::string_view body) const;
  bool belongs_though_indented(std::string_view body, const parsed& read) const;
  bool waits(std::string_view line, const parsed& read) const;
  void release(std::string_view following);
  void take(const log_line& line);
  void fold(std::string_view line);
  void start(const log_line& line, const parsed& read);
  void end();
  std::optional<log_record> next();

  std::optional<log_record> open_;
  bool open_indented_ = false;
  bool named_ = false;          // the open record's trace has named its exception
  bool chained_ = false;        // the next traceback belongs to it too
  std::size_t text_begin_ = 0;  // of the record's text behind its tag
  trace_kind inside_ = trace_kind::none;
  // An exception below a milder line: the line after it tells whose it is.
  std::optional<held_line> held_;
  std::deque<log_record> ended_;
};

}  // namespace reeve::tasks
