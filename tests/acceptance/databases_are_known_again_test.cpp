// P5, P29, P31: a database that lies behind what was signed is not led; a second server that is
// started changes nothing of the first one's.

#include "tests/support/exit_codes.hpp"
#include "tests/support/private_cluster.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <fstream>
#include <gtest/gtest.h>

using nlohmann::json;
using support::exit_database;
using support::exit_refused;
using support::launch_body;
using support::private_cluster;
using support::server;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

void copy_folder(const fs::path& from, const fs::path& to) {
  fs::remove_all(to);
  support::process_options copy{{"cp", "-a", from, to}};
  copy.drop_privileges = false;
  const auto copied = support::run_to_end(std::move(copy), 20s);
  if (copied.status != 0) throw std::runtime_error(copied.output);
}

support::server_options on(const std::string& url) {
  support::server_options options;
  options.database_url = url;
  return options;
}

std::string newest_election(const server& reeve, const std::string& member) {
  return reeve.database()
      .cell("SELECT payload::json->>'" + member +
            "' FROM reeve.events WHERE type = 'leader_elected' ORDER BY position DESC LIMIT 1")
      .value_or("");
}

class P5_old_database : public ::testing::Test {
 protected:
  /// A backup is taken, then more is written and signed, and the backup is put in its place.
  void go_back_in_time(server& reeve) {
    support::await_run(reeve.api(), support::launch(reeve.api(), launch_body).at("id"));
    ASSERT_EQ(reeve.stop(), 0);
    cluster.stop();
    copy_folder(cluster.data(), backup());
    cluster.start();
    reeve.start();
    support::await_run(reeve.api(), support::launch(reeve.api(), launch_body).at("id"));
    ASSERT_EQ(reeve.stop(), 0);  // signs the last head
    cluster.stop();
    copy_folder(backup(), cluster.data());
    cluster.start();
  }
  fs::path backup() const { return folder.path() / "backup"; }

  private_cluster cluster;
  support::scratch_dir folder{support::fast_dir(), "old"};
};

}  // namespace

TEST_F(P5_old_database, is_refused_with_78_and_can_be_accepted_on_purpose) {
  server reeve(on(cluster.create_database("app")));
  go_back_in_time(reeve);
  const auto before = reeve.database().number("SELECT count(*) FROM reeve.events");
  reeve.start_without_waiting();
  EXPECT_EQ(reeve.await_exit(20s), exit_database);
  EXPECT_NE(reeve.whole_log().find("reeve accept-database"), std::string::npos);
  EXPECT_EQ(reeve.database().number("SELECT count(*) FROM reeve.events"), before);

  const auto accepted = reeve.command({"accept-database"});
  EXPECT_EQ(accepted.status, 0) << accepted.output;
  reeve.start();
  EXPECT_EQ(newest_election(reeve, "accepted"), "asked");
  EXPECT_GT(std::stoll(newest_election(reeve, "signed_position")), before);
  EXPECT_EQ(support::must_get(reeve.api(), "/api/runs").at("results").size(), 1U);
  ASSERT_EQ(reeve.stop(), 0);
  reeve.start();
  EXPECT_EQ(newest_election(reeve, "accepted"), "") << "once, not for ever";
  EXPECT_NE(reeve.command({"accept-database"}).status, 0) << "nothing is refused any more";
}

/// A client that saw what was given up must not take another event's place for its own.
TEST_F(P5_old_database, that_was_accepted_refuses_the_ids_of_events_that_it_lacks) {
  server reeve(on(cluster.create_database("app")));
  go_back_in_time(reeve);
  const auto kept = reeve.database().number("SELECT max(position) FROM reeve.events");
  ASSERT_EQ(reeve.command({"accept-database"}).status, 0);
  reeve.start();
  const auto lost = std::stoll(newest_election(reeve, "signed_position"));
  while (reeve.database().number("SELECT max(position) FROM reeve.events") <= lost) {
    support::await_run(reeve.api(), support::launch(reeve.api(), launch_body).at("id"));
  }
  const std::string all = "/api/events/stream";
  const auto refused = reeve.api().get(all, {{"Last-Event-ID", std::to_string(lost)}});
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(refused.json().at("code"), "position_given_up");
  auto common = reeve.api().events(all, std::to_string(kept));
  const auto first = common.next(10s);
  ASSERT_TRUE(first) << "what both histories have is a place to go on from";
  EXPECT_NE(first->id.find('-'), std::string::npos) << first->id;
  EXPECT_TRUE(reeve.api().events(all, first->id).next(10s));
  EXPECT_TRUE(reeve.api().events(all + "?after=" + first->id).next(10s));
}

/// Nothing was signed since the last stop; what the server wrote down for itself tells.
TEST_F(P5_old_database, that_lacks_what_nobody_has_signed_yet_is_refused_all_the_same) {
  server reeve(on(cluster.create_database("app")));
  ASSERT_EQ(reeve.stop(), 0);
  cluster.stop();
  copy_folder(cluster.data(), backup());
  cluster.start();
  reeve.start();
  support::await_run(reeve.api(), support::launch(reeve.api(), launch_body).at("id"));
  const auto head = reeve.database().number("SELECT max(position) FROM reeve.events");
  const auto known = reeve.data() / "database";
  ASSERT_TRUE(support::eventually(20s * support::time_factor(), [&] {
    return json::parse(support::contents_of(known)).at("position") >= head;
  }));
  reeve.kill_hard();
  cluster.stop();
  copy_folder(backup(), cluster.data());
  cluster.start();
  reeve.start_without_waiting();
  EXPECT_EQ(reeve.await_exit(20s), exit_database);
  EXPECT_NE(reeve.whole_log().find("this server knew it up to position"), std::string::npos);
  const auto verdict = reeve.command({"verify"});
  EXPECT_EQ(verdict.status, 1) << verdict.output;
  EXPECT_NE(verdict.output.find("up to which this server knew it"), std::string::npos);
}

TEST_F(P5_old_database, is_told_instead_of_an_exit_where_that_is_asked_for) {
  auto options = on(cluster.create_database("app"));
  options.environment["REEVE_REFUSED_WAITS"] = "true";
  server reeve(options);
  go_back_in_time(reeve);
  reeve.start_without_waiting();
  // It listens before it looks at the database; the line with its address is a standby's.
  EXPECT_TRUE(support::eventually(
      [&] { return reeve.whole_log().find("the database is refused") != std::string::npos; }));
  EXPECT_TRUE(reeve.running());
  EXPECT_EQ(reeve.stop(), exit_database);
}

TEST(P5_restored_dump, of_another_cluster_is_led_and_the_log_says_so) {
  server reeve;
  const json run = support::launch(reeve.api(), launch_body);
  support::await_run(reeve.api(), run.at("id"));
  const auto identifier = newest_election(reeve, "system_identifier");
  ASSERT_EQ(reeve.stop(), 0);
  // All clusters of the tests are copies of one: here it was another that was led last.
  const auto known = reeve.data() / "database";
  std::string text = support::contents_of(known);
  ASSERT_NE(text.find(identifier), std::string::npos) << text;
  std::ofstream(known) << text.replace(text.find(identifier), identifier.size(),
                                       "7000000000000000001");
  reeve.start();
  EXPECT_EQ(newest_election(reeve, "accepted"), "other_identifier");
  EXPECT_EQ(newest_election(reeve, "system_identifier"), identifier);
  ASSERT_EQ(reeve.stop(), 0);
  reeve.start();
  EXPECT_EQ(newest_election(reeve, "accepted"), "");
}

TEST(P31_second_server, with_a_data_folder_of_its_own_changes_no_password) {
  private_cluster cluster;
  const auto url = cluster.create_database("app");
  std::ofstream(cluster.data() / "pg_hba.conf") << "local all reeve trust\n"
                                                   "local all all scram-sha-256\n";
  support::pg(cluster.url()).exec("SELECT pg_reload_conf()");
  server first(on(url));
  const json run = support::launch(first.api(), launch_body);
  support::await_run(first.api(), run.at("id"));
  auto options = on(url);
  options.start = false;
  server second(options);
  second.start_without_waiting();
  EXPECT_NE(second.await_exit(20s), 0);
  const auto log = second.whole_log();
  EXPECT_NE(log.find("was made with another password"), std::string::npos) << log;
  EXPECT_NE(log.find("REEVE_WRITER_URL"), std::string::npos) << log;
  // The first one's sessions are ended, and it comes in again with the password that it knows.
  support::pg(cluster.url("app"))
      .exec(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
          " AND datname = 'app'");
  ASSERT_TRUE(support::eventually([&] {
    return first.api().post("/api/runs/launch", launch_body, {{"Idempotency-Key", "k"}}).status ==
           201;
  }));
}

TEST(P31_second_server, on_the_same_data_folder_is_refused) {
  server first;
  support::server_options options;
  options.database_url = first.database_url();
  options.data = first.data();
  options.start = false;
  server second(options);
  second.start_without_waiting();
  EXPECT_EQ(second.await_exit(10s), exit_refused);
  EXPECT_NE(second.whole_log().find("another server runs on this data folder"), std::string::npos);
  EXPECT_EQ(first.anonymous().get("/livez").status, 200);
}
