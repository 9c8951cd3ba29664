#pragma once
// Wakes other processes on the same database (standbys, readers) after a commit: NOTIFY over a
// connection of its own, because NOTIFY inside the journal's commits would take a lock that all of
// them share. It loses nothing that matters: whoever listens polls every second as well.

#include "domain/event.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace reeve::persistence {

/// The payload is the position of the head in decimal. Channels belong to one database.
inline constexpr const char* commit_channel = "reeve_log";

struct commit_notifier_options {
  /// libpq URL or key=value text of the writer's login.
  std::string url;
  /// Between two notifications: the first commit after a pause rings at once, and the last one of a
  /// burst at the end of this time.
  std::chrono::milliseconds interval{10};
  /// Pause after a failure; commits meanwhile are rung as one.
  std::chrono::milliseconds retry{1000};
};

class commit_notifier {
 public:
  /// Connects at the first ring.
  explicit commit_notifier(commit_notifier_options options);
  ~commit_notifier();

  /// Never blocks and keeps only the newest head. From any thread.
  void notify(domain::position head);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace reeve::persistence
