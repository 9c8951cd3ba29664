#pragma once
// When an engine removed its volumes, told by itself.

#include "tests/support/engine.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace support {

/// Asks for the engine's events again and again from its beginning on, in a thread of its own: an
/// engine remembers the last 256 events of all kinds and no more, and others use it too.
class volume_watch {
 public:
  explicit volume_watch(engine on);
  ~volume_watch();
  volume_watch(const volume_watch&) = delete;
  volume_watch& operator=(const volume_watch&) = delete;

  /// Of the volume of that name, by the engine's clock; nothing as long as it was not removed.
  std::optional<std::chrono::system_clock::time_point> removal_of(const std::string& name) const;

 private:
  using seconds = std::chrono::sys_seconds;

  void look(seconds since, seconds until);

  const engine on_;
  mutable std::mutex mutex_;  // for removed_
  std::map<std::string, std::chrono::system_clock::time_point> removed_;
  std::atomic<bool> is_over_{false};
  std::thread thread_;
};

}  // namespace support
