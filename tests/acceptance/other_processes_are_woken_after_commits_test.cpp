// Whoever listens on the database is woken after a commit with the head's position, so that other
// processes need not poll for what has happened.

#include "tests/support/eventually.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>
#include <utility>

using support::must_get;
using support::must_post;
using support::pg;
using support::server;

using namespace std::chrono_literals;

namespace {

class ear {
 public:
  explicit ear(pg database) : database_(std::move(database)) { database_.exec("LISTEN reeve_log"); }
  /// The highest head that was told so far; 0 for none.
  long newest() {
    PQconsumeInput(database_.raw());
    while (PGnotify* told = PQnotifies(database_.raw())) {
      newest_ = std::max(newest_, std::atol(told->extra));
      PQfreemem(told);
    }
    return newest_;
  }

 private:
  pg database_;
  long newest_ = 0;
};

}  // namespace

TEST(DESIGN_wakeup, a_commit_is_told_with_its_position) {
  server reeve;
  const auto api = reeve.api();
  const auto head = must_get(api, "/api/events?limit=1").at("head").get<long>();
  ear here(reeve.database());
  const support::test_database other;
  ear there{pg(other.url())};
  for (const char* name : {"a", "b", "c"}) {
    must_post(api, "/api/directives", {{"name", name}, {"tasks", {"task1"}}}, 201);
  }
  const auto at = head + 3;
  EXPECT_TRUE(support::eventually([&] { return here.newest() >= at; }));
  EXPECT_EQ(there.newest(), 0) << "another database was told";
}

TEST(DESIGN_wakeup, goes_on_after_its_connection_was_cut) {
  server reeve;
  const auto api = reeve.api();
  ear here(reeve.database());
  must_post(api, "/api/directives", {{"name", "a"}, {"tasks", {"task1"}}}, 201);
  ASSERT_TRUE(support::eventually([&] { return here.newest() > 0; }));
  reeve.database().query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
      " AND application_name = 'reeve-notifier'");
  must_post(api, "/api/directives", {{"name", "b"}, {"tasks", {"task1"}}}, 201);
  const auto at = must_get(api, "/api/events?limit=1").at("head").get<long>();
  EXPECT_TRUE(support::eventually([&] { return here.newest() >= at; }));
}
