#pragma once
// The lock on the folder of a private PostgreSQL, and what its holder is. The word stands in the
// lock file and means something while the lock is held only: what a crash leaves there is read by
// nobody, since the lock is free then. Inside persistence/ only.

#include "base/outcome.hpp"
#include "persistence/private_postgres.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace reeve::persistence {

class folder_lock {
 public:
  folder_lock() = default;
  ~folder_lock();
  folder_lock(const folder_lock&) = delete;
  folder_lock& operator=(const folder_lock&) = delete;

  /// Waits as `options` says. `conflict`: somebody else uses the folder; `unavailable`: the file
  /// cannot be opened, or the wait was ended.
  outcome<done> take(const std::string& path, const private_postgres_options& options);
  /// Nothing: it starts, or stops. A full disk costs the word only.
  void tell(std::optional<folder_use> use) const;

 private:
  int file_ = -1;
};

}  // namespace reeve::persistence
