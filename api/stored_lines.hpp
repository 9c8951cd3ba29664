#pragma once
// The lines of a stored log that comes in pieces, behind those that a client has. Pure.

#include "api/log_stream.hpp"
#include "api/stored_streams.hpp"
#include "domain/runs/run_types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace reeve::api {

class stored_lines {
 public:
  /// `has`: how many lines the client has. Where a part of the output is not stored its lines
  /// cannot be counted on, so that from there on all of them are given.
  /// `streams`: what is known of whose its lines are.
  stored_lines(const domain::blob_ref& log, std::int64_t has,
               std::optional<domain::log_streams> streams = {})
      : log_(log), streams_(std::move(streams)), has_(has) {}

  const digest& sha256() const { return log_.sha256; }
  /// Of the piece that comes next, and how much is still to come.
  std::int64_t offset() const { return offset_; }
  std::int64_t missing() const { return log_.bytes - offset_; }
  void add(std::string_view piece);
  /// The part of the marks of its lines without which the next line is not given.
  std::optional<stored_streams::piece> needs_marks() const { return streams_.needs(number_); }
  void add_marks(const stored_streams::piece& of, std::string marks) {
    streams_.add(of, std::move(marks));
  }
  /// No more will come.
  void give_up() { offset_ = log_.bytes; }

  /// The next line, or a piece of one that is long; nothing: more is needed, or it is over.
  std::optional<output_line> next();
  bool is_over() const { return missing() <= 0 && at_ == held_.size(); }

 private:
  std::optional<output_line> cut();

  const domain::blob_ref log_;
  stored_streams streams_;
  std::int64_t has_;
  std::int64_t offset_ = 0;
  std::string held_;
  std::size_t at_ = 0;       // in it, of what comes next
  std::int64_t number_ = 1;  // of the line there
  bool is_inside_ = false;   // a piece of the line was given
};

}  // namespace reeve::api
