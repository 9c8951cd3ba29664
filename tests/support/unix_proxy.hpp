#pragma once
// Stands between a client and a unix socket: can hand one chosen request on late, and can cut the
// clients off, as a network that breaks does.

#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>
#include <regex>
#include <string>
#include <thread>
#include <vector>

namespace support {

class unix_proxy {
 public:
  /// Takes connections at `at` for the socket `target`. Anybody may connect.
  unix_proxy(std::filesystem::path at, std::filesystem::path target);
  ~unix_proxy();
  unix_proxy(const unix_proxy&) = delete;
  unix_proxy& operator=(const unix_proxy&) = delete;

  /// The next connection whose first line matches is handed on only after the delay, whatever its
  /// client does meanwhile.
  void delay_next(const std::string& first_line, std::chrono::milliseconds delay);
  /// It came, and is held back or went on.
  bool has_met() const { return met_; }
  bool has_handed_on() const { return handed_on_; }
  /// Ends all connections at both ends and takes no new ones until they are let in again.
  void cut_off();
  void let_in() { refuses_ = false; }

 private:
  struct late_request {
    std::regex first_line;
    std::chrono::milliseconds delay;
  };

  void accept_all();
  void relay(int client, int server);
  /// Holds the first bytes back if they are those of the chosen request.
  void hold_back(const std::string& first_bytes);

  std::filesystem::path at_, target_;
  int listener_ = -1;
  std::atomic<bool> stopping_{false}, refuses_{false}, met_{false}, handed_on_{false};
  std::atomic<int> cuts_{0};
  std::mutex mutex_;
  std::optional<late_request> late_;  // guarded by mutex_
  std::vector<std::thread> relays_;   // of the acceptor
  std::thread acceptor_;
};

}  // namespace support
