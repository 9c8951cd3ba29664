#pragma once
// What tests share that kill things at random moments: choices that can be repeated, clients that
// go on through every failure, and what must hold of the log afterwards.

#include "tests/support/api_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/server.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace support {

/// How often `./test --chaos` wants each random fault; 1 in `./test`.
int chaos_repeats();
/// Prints one line of JSON for a row of faults, of which there were `n`; `./test --chaos` gathers
/// these lines.
void tell_row(const std::string& row, int value, int bar, int n);

/// Random choices. The seed is printed; REEVE_TEST_SEED repeats it.
class dice {
 public:
  dice();
  /// Both ends included.
  int between(int low, int high);
  std::chrono::milliseconds moment(int low_ms, int high_ms) {
    return std::chrono::milliseconds(between(low_ms, high_ms));
  }

 private:
  std::mt19937_64 random_;
};

/// Waits until every run that is active now has ended. Work that a third death of its server
/// interrupts is quarantined (PROMISES, supervision): who kills more often lets it end in between.
/// Adds a failure if that takes longer than a minute.
void await_end_of_active_runs(const server& reeve);

/// A request that was answered with 201.
struct acknowledged {
  std::string key;  // its Idempotency-Key
  std::string target;
  nlohmann::json body;
  nlohmann::json answer;
  std::string id() const { return answer.at("id"); }
};

/// Clients that post one request after the other, each with a key of its own, and repeat what was
/// not acknowledged with the same key until it is. Only "not now" counts as a reason to repeat: no
/// connection, no whole answer, 409 (the first one is still under way), 503 and 504.
class steady_clients {
 public:
  struct request {
    std::string target;
    nlohmann::json body;
  };
  struct plan {
    int threads = 2;
    int most_each = 1000;                // requests of one client
    std::chrono::milliseconds pause{0};  // after each acknowledgement
    std::function<request(const std::string& key)> make;
  };

  steady_clients(plan what, const api_client& to);
  ~steady_clients();
  steady_clients(const steady_clients&) = delete;
  steady_clients& operator=(const steady_clients&) = delete;

  /// The server has moved.
  void point_to(const api_client& to);
  std::size_t count() const { return count_; }
  /// How many clients wait for an answer, now.
  int asking() const { return asking_; }
  /// Nothing new is begun; what was begun is repeated until it is acknowledged, or the time is
  /// over: that throws.
  std::vector<acknowledged> finish(std::chrono::milliseconds within = patience);
  /// Answers that no failure excuses: status and body.
  std::vector<std::string> unexpected() const;

 private:
  void work(int number);
  bool acknowledge(const std::string& key);
  std::optional<http_response> attempt(const request& asked, const std::string& key);

  plan plan_;
  mutable std::mutex mutex_;
  api_client to_;                        // guarded by mutex_
  std::vector<acknowledged> done_;       // guarded by mutex_
  std::vector<std::string> unexpected_;  // guarded by mutex_
  std::atomic<std::size_t> count_{0};
  std::atomic<int> busy_;
  std::atomic<int> asking_{0};
  std::atomic<bool> ending_{false};
  std::atomic<bool> over_{false};
  std::vector<std::thread> threads_;
};

/// `reeve verify` and `reeve replay` find nothing, and positions have no gap.
void expect_whole_log(const server& reeve);
/// Each was done exactly once: the same key gives the same resource, the resource has one first
/// event, and of that type the tenant has no others.
void expect_done_once(const server& reeve, const std::vector<acknowledged>& all,
                      const std::string& stream_prefix, const std::string& first_type);

}  // namespace support
