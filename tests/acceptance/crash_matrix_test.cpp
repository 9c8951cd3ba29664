// P10: twelve named steps of an attempt, and at each one the server is killed, the engine is
// killed, or the leader stands still while a standby goes on. The server stops itself at the step
// (base/test_point.hpp), so that the fault falls right there. What was executed is counted by what
// the containers wrote, and held against what the log says. A short set runs always, all of it
// where REEVE_TEST_MATRIX=all, so many times as REEVE_CHAOS_REPEATS says.

#include "tests/support/engine.hpp"
#include "tests/support/server.hpp"
#include "tests/support/tally.hpp"
#include "tests/support/work.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iostream>
#include <memory>

using nlohmann::json;
using support::job_named;
using support::server;
using namespace std::chrono_literals;

namespace {

enum class fault { server, engine, leader };
constexpr const char* fault_names[] = {"server_killed", "engine_killed", "leader_stopped"};
constexpr int exit_fenced = 75;

const std::vector<std::string> steps = {"before_intent", "after_intent", "before_create",
                                        "after_create",  "before_start", "after_start",
                                        "before_wait",   "after_wait",   "collection",
                                        "before_result", "after_result", "cancel"};

struct cell {
  std::string step;
  fault what = fault::server;
  int repeat = 0;
};

void PrintTo(const cell& c, std::ostream* out) {
  *out << c.step << " " << fault_names[static_cast<int>(c.what)];
}

std::string variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

/// All of them take four minutes; these are those that found something.
bool is_short(const cell& c) {
  if (c.what == fault::server) return true;
  if (c.what == fault::engine) return c.step == "before_start" || c.step == "after_start";
  return c.step == "before_create" || c.step == "before_start";
}

std::vector<cell> cells() {
  const bool all = variable("REEVE_TEST_MATRIX") == "all";
  const auto repeats = variable("REEVE_CHAOS_REPEATS");
  std::vector<cell> found;
  for (int n = 0; n < (repeats.empty() ? 1 : std::stoi(repeats)); ++n) {
    for (const auto& step : steps) {
      for (const auto what : {fault::server, fault::engine, fault::leader}) {
        const cell one{step, what, n};
        if (all || is_short(one)) found.push_back(one);
      }
    }
  }
  return found;
}

/// One line of JSON for all cells, at the end of the program.
class report : public testing::Environment {
 public:
  void TearDown() override {
    if (run_ == 0) return;
    std::ifstream load("/proc/loadavg");
    double now = 0;
    load >> now;
    const json line = {{"row", "crash matrix"},
                       {"value", good_},
                       {"bar", run_},
                       {"pass", good_ == run_},
                       {"n", run_},
                       {"seed", nullptr},
                       {"load", now}};
    std::cout << line.dump() << "\n";
    const auto rows = variable("REEVE_CHAOS_ROWS");
    if (!rows.empty()) std::ofstream(rows, std::ios::app) << line.dump() << "\n";
  }
  static inline int run_ = 0;
  static inline int good_ = 0;
};
[[maybe_unused]] const auto* const reporting = testing::AddGlobalTestEnvironment(new report);

class P10_crash_matrix : public testing::TestWithParam<cell> {
 protected:
  P10_crash_matrix() : folder_(support::work_dir(), "x") {
    ++report::run_;
    if (GetParam().what == fault::engine)
      own_engine_ = std::make_unique<support::private_dockerd>();
  }
  ~P10_crash_matrix() override {
    if (!HasFailure()) ++report::good_;
  }

  support::engine engine() const { return own_engine_ ? own_engine_->api() : support::engine(); }
  support::server_options options(bool stops) const {
    support::server_options o;
    o.docker = own_engine_ ? own_engine_->url() : support::real_engine();
    o.database_url = database_.url();
    o.environment["REEVE_MOUNT_ROOTS"] = starts_.root();
    o.arguments = {"--reconcile-s", "1", "--orphan-s", "1"};
    if (stops) o.environment["REEVE_TEST_STOP_AT"] = GetParam().step + "=" + file();
    return o;
  }
  std::string file() const { return (folder_.path() / "stopped").string(); }
  bool is_cancelled() const { return GetParam().step == "cancel"; }

  json task() const {
    json t = starts_.task("a");
    t["params"]["command"][2] =
        std::string("echo started | tee -a /tally/a; sleep ") + (is_cancelled() ? "30" : "0.3");
    return t;
  }
  /// What was executed is never more than what the log tells.
  long intended(const std::string& run) const {
    support::pg database(database_.url());
    return database.number(
        "SELECT count(*) FROM reeve.events WHERE stream = $1 AND type = 'attempt_intended'",
        {"run-" + run});
  }

  void expect_end(const support::api_client& api, const std::string& run) const {
    const json over = support::await_run(api, run, 60s);
    const json job = job_named(over, "count");
    EXPECT_EQ(job.at("attempts").size(), 1U) << over.dump(1);
    EXPECT_EQ(intended(run), 1);
    const auto executed = starts_.starts_of("a");
    EXPECT_LE(executed, 1) << over.dump(1);
    const std::string status = job.at("status");
    if (status == "success") {
      EXPECT_EQ(executed, 1);
    }
    // An engine that died may have lost the end. Nothing else excuses an unknown outcome.
    if (GetParam().what != fault::engine) {
      EXPECT_EQ(status, is_cancelled() ? "cancelled" : "success") << over.dump(1);
    }
    const auto label = "reeve.run=" + run;
    EXPECT_TRUE(support::eventually([&] { return engine().containers(label).empty(); }))
        << "an orphan stayed";
  }

  const support::test_database database_;
  const support::tally starts_;
  const support::scratch_dir folder_;
  std::unique_ptr<support::private_dockerd> own_engine_;
};

}  // namespace

TEST_P(P10_crash_matrix, executes_what_the_log_tells) {
  REEVE_TEST_TIME_LIMIT(90);
  server first(options(true));
  const support::engine_cleanup cleanup(engine(),
                                        "reeve.tenant=" + support::tenant_of(first.api()));
  support::allow_image(first.api());
  std::unique_ptr<server> standby;
  if (GetParam().what == fault::leader) {
    auto o = options(false);
    o.start = false;
    standby = std::make_unique<server>(o);
    standby->start_without_waiting();
  }
  const std::string token = first.token();
  const std::string run =
      support::launch(first.api(), support::inline_launch({task()}, {{"stop_grace_s", 1}}))
          .at("id");
  if (is_cancelled()) {
    support::await_started(first.api(), run, "count");
    EXPECT_EQ(first.api().post("/api/runs/" + run + "/cancel", json::object()).status, 202);
  }
  ASSERT_TRUE(support::eventually([&] { return std::filesystem::exists(file()); }));
  const auto stopped_at = std::chrono::steady_clock::now();
  EXPECT_LE(starts_.starts_of("a"), intended(run)) << "a start before its intent";
  switch (GetParam().what) {
    case fault::server:
      first.kill_hard();
      first.start();
      return expect_end(first.api(), run);
    case fault::engine:
      own_engine_->kill_hard();
      first.resume();
      own_engine_->start();
      return expect_end(first.api(), run);
    case fault::leader: {
      standby->await_ready();
      const support::api_client api(standby->address(), token);
      expect_end(api, run);
      support::eventually(15s, [&] { return std::chrono::steady_clock::now() - stopped_at > 10s; });
      first.resume();
      EXPECT_EQ(first.await_exit(20s), exit_fenced) << first.log();
      EXPECT_LE(starts_.starts_of("a"), 1) << "the old leader started it again";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(P10, P10_crash_matrix, testing::ValuesIn(cells()), [](const auto& info) {
  return info.param.step + "_" + fault_names[static_cast<int>(info.param.what)] + "_" +
         std::to_string(info.param.repeat);
});
