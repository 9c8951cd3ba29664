// A database that may lose what it has confirmed is no place for a log: the server does not start
// on it, and says which setting it is.

#include "tests/support/private_cluster.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gtest/gtest.h>

using support::server;
using namespace std::chrono_literals;

namespace {

support::server_options on_url(const std::string& url) {
  support::server_options options;
  options.database_url = url;
  options.start = false;
  return options;
}

void expect_refused(server& reeve, const std::string& setting) {
  reeve.start_without_waiting();
  EXPECT_NE(reeve.await_exit(15s), 0) << setting;
  const std::string said = reeve.whole_log();
  EXPECT_NE(said.rfind(setting), std::string::npos) << said;
  EXPECT_EQ(said.find("reeve: ready"), std::string::npos) << said;
}

}  // namespace

TEST(P2_unsafe_settings, of_the_cluster_are_refused_by_name) {
  support::private_cluster cluster;
  const auto url = cluster.create_database("unsafe");
  for (const std::string setting : {"fsync", "full_page_writes", "synchronous_commit"}) {
    cluster.stop();
    cluster.start({setting + "=off"});
    server reeve(on_url(url));
    expect_refused(reeve, setting);
    // There is no log on it, and nothing that a later start would have to trust.
    EXPECT_EQ(support::pg(url).cell("SELECT to_regclass('reeve.events')"), std::nullopt);
  }
  cluster.stop();
  cluster.start({"synchronous_commit=on"});
  server reeve(on_url(url));
  EXPECT_NO_THROW(reeve.start());
  EXPECT_EQ(reeve.anonymous().get("/readyz").status, 200);
}

TEST(P2_unsafe_settings, of_one_database_are_refused_too_also_after_good_days) {
  const support::test_database database;
  auto options = on_url(database.url());
  server reeve(options);
  reeve.start();
  support::launch(reeve.api(), {{"tasks", {"task1"}}});
  EXPECT_EQ(reeve.stop(), 0);
  auto superuser = reeve.database();
  const auto events = superuser.number("SELECT count(*) FROM reeve.events");
  superuser.exec("ALTER DATABASE \"" + database.name() + "\" SET synchronous_commit = off");
  server refused(options);
  expect_refused(refused, "synchronous_commit");
  EXPECT_EQ(superuser.number("SELECT count(*) FROM reeve.events"), events);
  superuser.exec("ALTER DATABASE \"" + database.name() + "\" RESET synchronous_commit");
  EXPECT_NO_THROW(reeve.start());
}
