#pragma once
// Which line of a stored log is of which stream: a part of its marks at a time. Pure.

#include "domain/runs/line_streams.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::api {

class stored_streams {
 public:
  /// Nothing: nobody can say it. Logs that were stored before it was kept have none.
  explicit stored_streams(std::optional<domain::log_streams> streams = {})
      : streams_(std::move(streams)) {}

  bool is_known() const { return streams_.has_value(); }

  /// The part of the marks that is needed for `count` lines from `line` (from 1) on, at most
  /// 524,284; nothing: it is here, or there is none.
  struct piece {
    digest sha256{};
    std::int64_t offset = 0;
    std::int64_t bytes = 0;  // at most 128 KiB
    bool operator==(const piece&) const = default;
  };
  std::optional<piece> needs(std::int64_t line, std::int64_t count = 1) const;
  void add(const piece& of, std::string bytes);
  /// The marks cannot be had.
  void give_up() { streams_.reset(); }

  /// Of a line whose marks are here; nothing: not known.
  std::optional<domain::line_stream> of(std::int64_t line) const;
  /// Whether who reads that stream alone reads the line: lines of Reeve's stand in both.
  bool is_read_of(domain::line_stream stream, std::int64_t line) const;

 private:
  std::optional<domain::log_streams> streams_;
  std::string held_;         // marks
  std::int64_t offset_ = 0;  // of them
};

/// The lines of one stream, of a log that comes in pieces.
class stream_lines {
 public:
  stream_lines(stored_streams streams, domain::line_stream wanted)
      : streams_(std::move(streams)), wanted_(wanted) {}

  /// The piece of the log that comes next.
  void add(std::string_view text);
  /// What is wanted of it, as far as its marks are here.
  std::string take();
  /// What is needed to take the rest; nothing: all of it was taken.
  std::optional<stored_streams::piece> needs() const;
  void add(const stored_streams::piece& of, std::string marks) {
    streams_.add(of, std::move(marks));
  }

 private:
  stored_streams streams_;
  const domain::line_stream wanted_;
  std::string held_;
  std::size_t at_ = 0;     // in it, of what comes next
  std::int64_t line_ = 1;  // that it is in
};

}  // namespace reeve::api
