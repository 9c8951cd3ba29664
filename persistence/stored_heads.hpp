#pragma once
// The signed heads of a log, from the database and from the file outside of it, one at a time: a
// log that is years old has hundreds of thousands, and a reader needs only the next one.

#include "base/outcome.hpp"
#include "persistence/checkpoint.hpp"

#include <memory>
#include <optional>
#include <string>

namespace reeve::persistence {

class head_stream {
 public:
  /// Heads that are signed later do not belong to it. An empty `url`: the file alone. A missing
  /// file has none. `unavailable`.
  static outcome<head_stream> open(const std::string& url, const std::string& heads_file);
  head_stream(head_stream&&) noexcept;
  head_stream& operator=(head_stream&&) noexcept;
  ~head_stream();

  /// In the order of their positions; what stands in both is given once. Nothing at the end.
  /// `invalid`: a line of the file that is no head, or is out of order; `unavailable`.
  outcome<std::optional<signed_head>> next();
  /// Whether the head that next() gave last lies outside of the database only, and a later one
  /// does not: its row was removed.
  bool is_missing_inside() const;

 private:
  struct impl;
  explicit head_stream(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

}  // namespace reeve::persistence
