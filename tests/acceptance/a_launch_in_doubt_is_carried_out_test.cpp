// P3, P13: the database goes away between the commit of a launch and its answer, and stays away
// for longer than anybody waits. The launch is in the log, so the run starts.

#include "tests/support/server.hpp"
#include "tests/support/unix_proxy.hpp"
#include "tests/support/work.hpp"

#include <filesystem>
#include <future>
#include <gtest/gtest.h>

using nlohmann::json;
using support::server;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// A server that reaches its database through a proxy.
class behind_a_proxy {
 public:
  behind_a_proxy()
      : folder_(support::work_dir(), "x"),
        proxy(folder_.path() / ".s.PGSQL.5432", folder_of(database_.url()) / ".s.PGSQL.5432"),
        reeve(options()) {}

  support::pg database() const { return support::pg(database_.url()); }

 private:
  static fs::path folder_of(const std::string& url) {
    const auto begin = url.find("host=") + 5;
    return url.substr(begin, url.find('&', begin) - begin);
  }
  support::server_options options() const {
    support::server_options o;
    o.database_url =
        "postgresql:///" + database_.name() + "?host=" + folder_.path().string() + "&user=reeve";
    return o;
  }
  support::test_database database_;
  support::scratch_dir folder_;

 public:
  support::unix_proxy proxy;
  server reeve;
};

/// The next commit of a launch takes a second.
void make_launches_slow(support::pg database) {
  database.query(
      "CREATE FUNCTION public.wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS"
      " $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$");
  database.query(
      "CREATE CONSTRAINT TRIGGER planted AFTER INSERT ON reeve.events_p000000 DEFERRABLE INITIALLY "
      "DEFERRED FOR EACH ROW WHEN (NEW.type = 'run_launched') EXECUTE FUNCTION "
      "public.wait_at_commit()");
}

}  // namespace

TEST(P3_doubt, about_a_launch_that_outlasts_its_caller_ends_with_a_run) {
  REEVE_TEST_TIME_LIMIT(90);
  behind_a_proxy one;
  const auto api = one.reeve.api();
  make_launches_slow(one.database());
  const json body = {{"tasks", {"task1"}}};
  auto answer = std::async(std::launch::async, [&] {
    return api.call({"POST",
                     "/api/runs/launch",
                     {{"Idempotency-Key", "k"}, {"Content-Type", "application/json"}},
                     body.dump(),
                     60s});
  });
  auto database = one.database();
  ASSERT_TRUE(support::eventually([&] {
    return database.number(
               "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = "
               "current_database()") == 1;
  }));
  one.proxy.cut_off();
  // Nobody knows for longer than fifteen seconds, and the caller is told so.
  EXPECT_EQ(answer.get().status, 503);
  EXPECT_EQ(database.number("SELECT count(*) FROM reeve.events WHERE type = 'run_launched'"), 1);
  database.query("DROP TRIGGER planted ON reeve.events_p000000");
  one.proxy.let_in();
  json again;
  ASSERT_TRUE(support::eventually([&] {
    const auto repeat = api.post("/api/runs/launch", body, {{"Idempotency-Key", "k"}});
    if (repeat.status == 201) again = repeat.json();
    return repeat.status == 201;
  }));
  EXPECT_EQ(support::await_run(api, again.at("id")).at("status"), "success");
  EXPECT_EQ(database.number("SELECT count(*) FROM reeve.events WHERE type = 'run_launched'"), 1);
}
