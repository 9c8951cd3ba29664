// One history, whoever looks: a reader that follows the log while servers are killed sees every
// position once and in order; a backup has the same chain, and an older one is found out.

#include "tests/support/chaos.hpp"
#include "tests/support/watchdog.hpp"
#include "tests/support/work.hpp"

#include <filesystem>
#include <gtest/gtest.h>
#include <set>

using nlohmann::json;
using support::server;
using support::steady_clients;
using namespace std::chrono_literals;

namespace {

/// A client of the stream that comes back with the last position that it saw.
class follower {
 public:
  explicit follower(const support::api_client& api) : api_(api), thread_([this] { follow(); }) {}
  ~follower() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }
  follower(const follower&) = delete;
  follower& operator=(const follower&) = delete;

  void point_to(const support::api_client& api) {
    std::lock_guard lock(mutex_);
    api_ = api;
  }
  long long last() const { return last_; }
  /// To be asked behind the end.
  std::vector<long long> seen() {
    over_ = true;
    thread_.join();
    return seen_;
  }

 private:
  void follow() {
    while (!over_) {
      std::unique_lock lock(mutex_);
      const auto api = api_;
      lock.unlock();
      try {
        const std::string after = seen_.empty() ? "0" : std::to_string(seen_.back());
        auto stream = api.events("/api/events/stream", after);
        while (!over_ && !stream.ended()) {
          const auto event = stream.next(100ms);
          if (!event || event->id.empty()) continue;
          seen_.push_back(std::stoll(event->id));
          last_ = seen_.back();
        }
      } catch (const support::http_error&) {
        support::breathe(10ms);
      }
    }
  }

  std::mutex mutex_;
  support::api_client api_;      // guarded by mutex_
  std::vector<long long> seen_;  // the thread's, until it has ended
  std::atomic<long long> last_{0};
  std::atomic<bool> over_{false};
  std::thread thread_;  // last: it uses the rest
};

void some_runs(const server& reeve, int count) {
  for (int n = 0; n < count; ++n) {
    const json run = support::launch(reeve.api(), {{"tasks", {"task1"}}});
    support::await_run(reeve.api(), run.at("id"));
  }
}

/// The commands of a server on another database, with the same data folder.
class looking_at {
 public:
  looking_at(const server& reeve, const std::string& database)
      : server_(options(reeve, database)) {}
  support::finished verify() const { return server_.command({"verify", "--json"}); }
  server& reeve() { return server_; }

 private:
  static support::server_options options(const server& reeve, const std::string& database) {
    support::server_options made;
    made.database_url = support::with_database(reeve.database_url(), database);
    made.data = reeve.data();
    made.start = false;
    return made;
  }
  server server_;
};

/// A copy of a database that nobody uses, dropped at the end.
class backup {
 public:
  backup(const server& reeve, const std::string& suffix)
      : admin_(support::cluster_url()),
        name_(*support::pg(reeve.database_url()).cell("SELECT current_database()") + suffix) {
    const auto from = name_.substr(0, name_.size() - suffix.size());
    admin_.exec("CREATE DATABASE \"" + name_ + "\" TEMPLATE \"" + from + "\"");
  }
  ~backup() {
    try {
      admin_.exec("DROP DATABASE IF EXISTS \"" + name_ + "\" WITH (FORCE)");
    } catch (const support::pg_error&) {
      // The whole cluster goes at the end of the tests.
    }
  }
  backup(const backup&) = delete;
  backup& operator=(const backup&) = delete;
  const std::string& name() const { return name_; }

 private:
  support::pg admin_;
  std::string name_;
};

}  // namespace

TEST(P7_readers, see_every_position_once_while_the_server_is_killed) {
  REEVE_TEST_TIME_LIMIT(120);
  support::dice dice;
  server reeve;
  follower reader(reeve.api());
  steady_clients clients(
      {2, 1000, 5ms,
       [](const std::string&) {
         return steady_clients::request{"/api/runs/launch", {{"tasks", {"task1"}}}};
       }},
      reeve.api());
  for (int n = 0; n < 4; ++n) {
    support::breathe(dice.moment(50, 600));
    const auto least = static_cast<std::size_t>(5 * (n + 1));
    EXPECT_TRUE(support::eventually([&] { return clients.count() >= least; }));
    reeve.crash_and_restart();
    clients.point_to(reeve.api());
    reader.point_to(reeve.api());
    if (n % 2 == 1) support::await_end_of_active_runs(reeve);
  }
  const auto all = clients.finish();
  EXPECT_GE(all.size(), 20U);
  for (const auto& one : all) support::await_run(reeve.api(), one.id());
  auto database = reeve.database();
  const auto tenant = support::tenant_of(reeve.api());
  const auto rows = database.query(
      "SELECT position FROM reeve.events WHERE tenant = $1::uuid ORDER BY position", {tenant});
  std::vector<long long> expected;
  for (const auto& row : rows.rows) expected.push_back(std::stoll(row[0].value()));
  ASSERT_FALSE(expected.empty());
  EXPECT_TRUE(support::eventually([&] { return reader.last() >= expected.back(); }));
  EXPECT_EQ(reader.seen(), expected);
}

TEST(P29_backup, has_the_same_chain_and_an_older_one_is_found_out) {
  server reeve;
  some_runs(reeve, 2);
  EXPECT_EQ(reeve.stop(), 0);
  const backup older(reeve, "_older");
  EXPECT_EQ(looking_at(reeve, older.name()).verify().status, 0);
  const auto old_head = reeve.database().number("SELECT max(position) FROM reeve.events");
  reeve.start();
  some_runs(reeve, 2);
  EXPECT_EQ(reeve.stop(), 0);

  const backup newer(reeve, "_newer");
  const auto same = looking_at(reeve, newer.name()).verify();
  EXPECT_EQ(same.status, 0) << same.output;
  EXPECT_EQ(same.output, reeve.command({"verify", "--json"}).output);

  // The head that was signed since lies outside of the database.
  const auto verdict = looking_at(reeve, older.name()).verify();
  EXPECT_EQ(verdict.status, 1) << verdict.output;
  EXPECT_EQ(json::parse(verdict.output).at("first_bad"), old_head + 1) << verdict.output;

  // No server goes on with it, so there is no second history.
  constexpr int exit_database = 78;
  looking_at forked(reeve, older.name());
  forked.reeve().start_without_waiting();
  EXPECT_EQ(forked.reeve().await_exit(15s), exit_database);
  EXPECT_EQ(forked.reeve().database().number("SELECT max(position) FROM reeve.events"), old_head);
}
