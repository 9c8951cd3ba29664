#pragma once
// The lines of a stored log that comes in pieces, behind those that a client has. Pure.

#include "api/log_stream.hpp"
#include "domain/runs/run_types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::api {

class stored_lines {
 public:
  /// `has`: how many lines the client has. Where a part of the output is not stored its lines
  /// cannot be counted on, so that from there on all of them are given.
  stored_lines(const domain::blob_ref& log, std::int64_t has) : log_(log), has_(has) {}

  const digest& sha256() const { return log_.sha256; }
  /// Of the piece that comes next, and how much is still to come.
  std::int64_t offset() const { return offset_; }
  std::int64_t missing() const { return log_.bytes - offset_; }
  void add(std::string_view piece);
  /// No more will come.
  void give_up() { offset_ = log_.bytes; }

  /// The next line, or a piece of one that is long; nothing: more is needed, or it is over.
  std::optional<output_line> next();
  bool is_over() const { return missing() <= 0 && at_ == held_.size(); }

 private:
  std::optional<output_line> cut();

  const domain::blob_ref log_;
  std::int64_t has_;
  std::int64_t offset_ = 0;
  std::string held_;
  std::size_t at_ = 0;       // in it, of what comes next
  std::int64_t number_ = 1;  // of the line there
  bool is_inside_ = false;   // a piece of the line was given
};

}  // namespace reeve::api
