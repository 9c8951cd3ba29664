#pragma once
// Which server this is, over restarts: an id in the data folder, under a lock that is held as long
// as the process lives. A copy of the folder gets another one. Whoever holds the lock knows that
// the leadership that the log tells of under this id is over, and need not wait for its lease.

#include "base/ids.hpp"
#include "base/outcome.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace reeve::cli {

class server_identity {
 public:
  server_identity() = default;
  /// Makes the file if there is none; waits for a moment for who only looks: he holds the lock for
  /// microseconds, if the machine lets him go on. `conflict`: another
  /// process holds the lock; `invalid`: the file holds no id, or cannot be made; `unavailable`.
  static outcome<server_identity> take(
      const std::string& path, id_source& ids,
      std::chrono::milliseconds patience = std::chrono::milliseconds(500));
  /// Whether another process holds the lock now; makes no file and keeps nobody from starting.
  /// False also where that cannot be seen.
  static bool is_held(const std::string& path);
  ~server_identity();
  server_identity(server_identity&& other) noexcept
      : id_(other.id_), file_(std::exchange(other.file_, -1)) {}
  server_identity& operator=(server_identity&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(file_, other.file_);
    return *this;
  }

  const uuid& id() const { return id_; }

 private:
  uuid id_;
  int file_ = -1;
};

}  // namespace reeve::cli
