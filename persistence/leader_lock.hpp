#pragma once
// The lock of the one writer, for a command that works on a log while nobody leads it. Whoever
// holds it keeps every server waiting, so that two never write at once. A leader takes it through
// its journal (journal.hpp).

#include "base/outcome.hpp"

#include <memory>
#include <string>

namespace reeve::persistence {

class leader_lock {
 public:
  /// `conflict`: a server leads, or a command like this one is at work; `unavailable`.
  static outcome<leader_lock> take(const std::string& owner_url);
  leader_lock(leader_lock&&) noexcept;
  leader_lock& operator=(leader_lock&&) noexcept;
  /// The session of PostgreSQL (its pid) that holds it, as far as is known; -1: it was lost.
  int holder() const;
  /// Lets it go.
  ~leader_lock();

 private:
  struct impl;
  explicit leader_lock(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

}  // namespace reeve::persistence
