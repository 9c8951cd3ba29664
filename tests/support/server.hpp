#pragma once
// The real program, started on a free port with a data folder and a database of its own.

#include "tests/support/api_client.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/pg.hpp"
#include "tests/support/process.hpp"
#include "tests/support/watchdog.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace support {

struct server_options {
  std::string docker = "simulated";  // or real_engine(), or "unix://" + a private engine's socket
  std::string database_url{};        // empty: a fresh database on the common cluster
  bool private_postgres = false;     // no DATABASE_URL at all: the server starts its own cluster
  std::filesystem::path data{};      // empty: a fresh folder; else kept at the end
  std::string listen = "127.0.0.1:0";
  std::vector<std::string> arguments{};  // after `serve` and what is made from the above
  std::map<std::string, std::string> environment{};
  std::chrono::milliseconds ready_within{15'000};
  bool start = true;
};

/// "unix://" and the common engine's socket.
std::string real_engine();

class server {
 public:
  /// Starts it and waits until it says that it is ready, unless told otherwise.
  explicit server(server_options options = {});
  /// Kills it and prints its log when the test has failed.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  void start();
  /// For a server that is expected not to become ready.
  void start_without_waiting();
  void await_ready();
  /// SIGTERM; the exit status. Throws when it has not ended after 20 s.
  int stop();
  void kill_hard();
  void pause();
  void resume();
  /// kill -9 and a new start, on another port.
  void crash_and_restart();
  /// The exit status of a server that ends by itself; throws when it does not in time.
  int await_exit(std::chrono::milliseconds deadline);

  bool running() { return process_ && process_->running(); }
  pid_t pid() const;
  endpoint address() const;
  /// Where a server listens that waits for the lead; nothing before it says so.
  std::optional<endpoint> standby_address() const;
  /// The bootstrap administrator's token.
  std::string token() const;
  api_client api() const { return api_client(address(), token()); }
  /// The administrator of the system tenant.
  api_client system_api() const;
  api_client anonymous() const { return api_client(address()); }
  /// Empty with private_postgres.
  const std::string& database_url() const { return database_url_; }
  pg database() const { return pg(database_url_); }
  const std::filesystem::path& data() const { return data_; }
  /// The end of what it wrote since the first start.
  std::string log() const;
  /// All of it.
  std::string whole_log() const;

  /// Another sub-command of the program on the same data and database, run to its end.
  finished command(std::vector<std::string> arguments,
                   std::chrono::milliseconds deadline = std::chrono::seconds(20)) const;

 private:
  std::map<std::string, std::string> environment() const;
  std::optional<std::string> announced_url() const;
  /// The URL after these words in what it wrote since this start.
  std::optional<std::string> url_after(std::string_view words) const;

  server_options options_;
  std::unique_ptr<test_database> own_database_;
  scratch_dir folder_;
  std::filesystem::path data_;
  std::string database_url_;
  std::size_t log_before_ = 0;  // the length of the standard output when this start began
  std::optional<process> process_;
  dump_on_expiry dump_;
};

}  // namespace support
