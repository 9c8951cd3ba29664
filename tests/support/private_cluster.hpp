#pragma once
// A PostgreSQL cluster of a test's own, for tests that kill, stop or misconfigure it.

#include "tests/support/environment.hpp"
#include "tests/support/process.hpp"
#include "tests/support/watchdog.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace support {

class private_cluster {
 public:
  /// A copy of the seed, started. Settings are "name=value", e.g. "fsync=off".
  explicit private_cluster(std::vector<std::string> settings = {});
  ~private_cluster();

  /// Starts it and waits until it takes connections; with the settings given, if any.
  void start();
  void start(std::vector<std::string> settings);
  /// kill -9 of the server and all its processes; they are gone when this returns.
  void kill_hard();
  /// An orderly stop that ends open sessions.
  void stop();
  /// SIGSTOP and SIGCONT for the server and all its processes.
  void pause();
  void resume();

  /// The superuser's URL; a database that is not there yet is made by create_database().
  std::string url(const std::string& database = "postgres") const;
  std::string create_database(const std::string& name);
  std::filesystem::path data() const { return folder_.path() / "data"; }
  std::string log() const;
  bool running() { return process_ && process_->running(); }

 private:
  bool ready() const;
  std::vector<pid_t> processes() const;

  std::vector<std::string> settings_;
  scratch_dir folder_;
  scratch_dir sockets_;
  std::optional<process> process_;
  dump_on_expiry dump_;
};

}  // namespace support
