#pragma once
// One cell of the crash matrix: a server that stands still at a named step of an attempt
// (base/test_point.hpp), and what is seen of the attempt after a fault at that very moment.

#include "tests/support/engine.hpp"
#include "tests/support/server.hpp"
#include "tests/support/tally.hpp"
#include "tests/support/volume_watch.hpp"
#include "tests/support/work.hpp"

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace support {

/// The server is killed, the engine is killed, the leader stands still while a standby goes on.
enum class fault { server, engine, leader };

inline const std::vector<std::string> crash_steps = {
    "before_intent", "after_intent",  "before_create", "after_create",
    "before_start",  "after_start",   "before_wait",   "after_wait",
    "collection",    "before_result", "after_result",  "cancel"};

struct crash_facts {
  std::string trouble;  // why the rest is not known; empty if it is
  std::string log;      // of the servers
  long intended_at_stop = 0, executed_at_stop = 0;
  nlohmann::json run;  // once it is over
  long intended = 0, executed = 0;
  bool left_an_orphan = true;
  // Of a leader that stood still:
  int exit_status = -1;
  long executed_at_last = 0;
  std::chrono::nanoseconds volume_stayed_for{0};  // from the stop of the leader to its removal
};

class crash_cell {
 public:
  crash_cell(fault what, std::string step, const std::string& engine,
             std::map<std::string, std::string> environment = {});

  // In this order, each throws what keeps it from being done.
  void begin();
  void launch();
  void await_step();
  void kill();
  void resume() { first_->resume(); }
  void recover();
  void await_end();
  void wake_leader();
  void look_back();

  crash_facts& facts() { return facts_; }
  std::string log() const;

 private:
  server_options options(bool stops) const;
  nlohmann::json task() const;
  long intended() const;
  std::string events() const;
  std::string file() const { return (folder_.path() / "stopped").string(); }
  bool is_cancelled() const { return step_ == "cancel"; }
  api_client api() const;

  const fault what_;
  const std::string step_;
  const engine on_;
  std::map<std::string, std::string> environment_;
  const test_database database_;
  const tally starts_;
  const scratch_dir folder_;
  std::unique_ptr<server> first_;
  std::unique_ptr<server> standby_;
  std::unique_ptr<volume_watch> volumes_;  // of a leader that stands still
  std::unique_ptr<engine_cleanup> cleanup_;
  std::string token_;
  std::string run_;
  std::chrono::steady_clock::time_point stopped_at_;
  std::chrono::system_clock::time_point stopped_by_wall_clock_;
  crash_facts facts_;
};

/// A cell for each step, side by side; with an engine of their own where that is killed.
std::vector<crash_facts> crash_together(fault what, const std::vector<std::string>& steps);

}  // namespace support
