#pragma once
// A PostgreSQL of our own below the data folder: made on the first start, a child of this process,
// reachable over a unix socket only, with peer authentication. It ends with this process, also when
// this process is killed; an orphan of an earlier crash is found by its pid file and stopped.

#include "base/outcome.hpp"

#include <functional>
#include <memory>
#include <string>

namespace reeve::persistence {

/// Who holds the folder, as its lock file tells while it is locked: a command that only looks goes
/// on beside a server, and a server waits for a command, which ends by itself.
enum class folder_use { serve, look };

struct private_postgres_options {
  std::string folder;  // data/, socket and log lie below it; made with mode 0700
  /// As which user initdb and postgres run when this process is root; they refuse to be root.
  std::string run_as;
  int start_timeout_s = 60;
  folder_use use = folder_use::serve;
  /// How long a holder is waited for that may be about to end: a server by another server, a
  /// command by another command, and whoever does not say what it is.
  int lock_wait_ms = 5'000;
  /// How long a server waits for a command: `reeve verify` of a long log takes minutes.
  int look_wait_ms = 600'000;
  /// Asked while it waits; true ends the wait.
  std::function<bool()> is_ended = nullptr;
};

struct private_cluster {
  bool is_there = false;  // else it would make one
  int major = 0;          // of the installed PostgreSQL that would run it, 15 or later
};

class private_postgres {
 public:
  /// Makes the cluster if there is none and it is to serve, and starts it. Call it on the main
  /// thread: the death signal follows the thread that forks. Errors: `invalid` (root without
  /// `run_as`, a cluster of another major version), `conflict` (somebody else uses the folder),
  /// `not_found` (nothing to look at, and nothing was made), `unavailable`.
  static outcome<std::unique_ptr<private_postgres>> start(const private_postgres_options& options);
  /// What it would start below a folder. Changes nothing. Errors: of `start`, as far as they can be
  /// told before.
  static outcome<private_cluster> look(const std::string& folder);
  /// Stops it: SIGINT, after 20 s SIGQUIT.
  ~private_postgres();
  private_postgres(const private_postgres&) = delete;
  private_postgres& operator=(const private_postgres&) = delete;

  /// The owner's login to the database "reeve", as key=value text.
  std::string owner_url() const;
  /// Whether the child is still there.
  bool alive() const;
  /// Starts it again after it was killed, if it was; on the main thread, as `start`.
  outcome<done> revive();

  /// The owner's login to the cluster below a folder, whoever runs it.
  static std::string owner_url_of(const std::string& folder);

 private:
  struct impl;
  explicit private_postgres(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

}  // namespace reeve::persistence
