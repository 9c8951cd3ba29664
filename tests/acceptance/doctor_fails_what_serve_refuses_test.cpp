// What a server refuses to start on, `reeve doctor` tells before: with the same words, and without
// changing anything.

#include "tests/support/exit_codes.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

using nlohmann::json;
using support::exit_database;
using support::exit_refused;
using support::exit_usage;
using support::server;
using testing::HasSubstr;
using namespace std::chrono_literals;

namespace {

json check_of(const support::finished& told, const std::string& name) {
  const json report = json::parse(told.output, nullptr, false);
  if (report.is_discarded()) return {{"verdict", told.output}};
  for (const json& one : report.at("checks")) {
    if (one.at("name") == name) return one;
  }
  return {{"verdict", "not looked at"}};
}

json check_of(const server& reeve, const std::string& name) {
  return check_of(reeve.command({"doctor", "--json"}), name);
}

void expect_failed_as_served(server& reeve, const std::string& name, const std::string& why) {
  const auto told = reeve.command({"doctor", "--json"});
  EXPECT_EQ(told.status, 1) << told.output;
  const json check = check_of(told, name);
  EXPECT_EQ(check.at("verdict"), "fail") << check;
  EXPECT_THAT(check.at("seen"), HasSubstr(why));
  EXPECT_THAT(check.at("fix"), HasSubstr("docs/operations.md"));
  EXPECT_THAT(reeve.whole_log(), HasSubstr(check.at("seen").get<std::string>()))
      << "the server says something else";
}

/// As if this host had known the log for longer than it is.
void pretend_to_know_more(const server& reeve) {
  const auto path = reeve.data() / "database";
  json known = json::parse(support::contents_of(path));
  known["position"] = known.at("position").get<std::int64_t>() + 1000;
  std::ofstream(path) << known.dump() << "\n";
}

}  // namespace

TEST(OPS5_doctor, fails_a_database_that_lies_behind_what_is_known_of_it) {
  server reeve;
  EXPECT_EQ(check_of(reeve, "event log").at("verdict"), "ok") << "beside a server that leads";
  ASSERT_EQ(reeve.stop(), 0);
  EXPECT_EQ(check_of(reeve, "event log").at("verdict"), "ok");
  pretend_to_know_more(reeve);
  const auto before = reeve.database().number("SELECT count(*) FROM reeve.events");
  reeve.start_without_waiting();
  EXPECT_EQ(reeve.await_exit(20s), exit_database);
  expect_failed_as_served(reeve, "event log", "reeve accept-database");
  EXPECT_EQ(reeve.database().number("SELECT count(*) FROM reeve.events"), before);
  ASSERT_EQ(reeve.command({"accept-database"}).status, 0);
  EXPECT_EQ(check_of(reeve, "event log").at("verdict"), "warn") << "it starts now";
  EXPECT_NO_THROW(reeve.start()) << "the doctor has not used the acceptance up";
}

TEST(OPS5_doctor, fails_an_empty_database_where_a_log_is_known) {
  server reeve;
  ASSERT_EQ(reeve.stop(), 0);
  const support::test_database empty;
  support::server_options options;
  options.database_url = empty.url();
  options.data = reeve.data();
  options.start = false;
  server other(options);
  const auto logs = other.database().number("SELECT count(*) FROM reeve.log");
  const json check = check_of(other, "event log");
  EXPECT_EQ(check.at("verdict"), "fail") << check;
  EXPECT_THAT(check.at("seen"), HasSubstr("a head of another log was signed here"));
  EXPECT_EQ(other.database().number("SELECT count(*) FROM reeve.log"), logs) << "it made one";
}

TEST(OPS5_doctor, fails_a_schema_that_is_newer_than_the_program) {
  server reeve;
  ASSERT_EQ(reeve.stop(), 0);
  reeve.database().exec(
      "INSERT INTO reeve.migrations (number, name, sha256) VALUES (999, '999_later', 'x')");
  reeve.start_without_waiting();
  EXPECT_NE(reeve.await_exit(20s), 0);
  expect_failed_as_served(reeve, "database", "use the newer program");
  EXPECT_EQ(reeve.database().number("SELECT max(number) FROM reeve.migrations"), 999);
}

TEST(OPS5_doctor, looks_at_a_private_postgresql_that_nobody_runs) {
  support::server_options options;
  options.private_postgres = true;
  options.ready_within = 60s;
  server reeve(options);
  ASSERT_EQ(reeve.stop(), 0);
  EXPECT_EQ(check_of(reeve, "database").at("verdict"), "ok");
  pretend_to_know_more(reeve);
  reeve.start_without_waiting();
  EXPECT_EQ(reeve.await_exit(60s), exit_database);
  expect_failed_as_served(reeve, "event log", "reeve accept-database");

  const auto version = reeve.data() / "pg/data/PG_VERSION";
  std::ofstream(version) << "9\n";
  reeve.start_without_waiting();
  EXPECT_NE(reeve.await_exit(20s), 0);
  expect_failed_as_served(reeve, "database", "migrate it with pg_upgrade");
  EXPECT_EQ(support::contents_of(version), "9\n");
}

TEST(OPS5_doctor, names_a_private_postgresql_that_does_not_answer) {
  support::server_options options;
  options.private_postgres = true;
  options.ready_within = 60s;
  server reeve(options);
  const json well = check_of(reeve, "read models");
  EXPECT_THAT(well.at("seen"), HasSubstr("up to date; `reeve replay` compares their rows"));
  ASSERT_EQ(reeve.stop(), 0);
  // As a process that has the cluster and is stuck: nobody else may start it.
  const int lock = ::open((reeve.data() / "pg/lock").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(lock, 0);
  EXPECT_EQ(::flock(lock, LOCK_EX | LOCK_NB), 0);
  const json check = check_of(reeve, "database");
  ::close(lock);
  EXPECT_EQ(check.at("verdict"), "fail") << check;
  EXPECT_THAT(check.at("seen"), HasSubstr("the private PostgreSQL"));
  EXPECT_THAT(check.dump(), testing::Not(HasSubstr("DATABASE_URL")));
}

// The data folder alone is known: where the server listens, and on which engine, it says itself.
TEST(OPS5_doctor, asks_the_server_of_the_data_folder_for_address_and_engine) {
  support::server_options options;
  options.docker = support::real_engine();
  server reeve(options);
  const auto url = "http://127.0.0.1:" + std::to_string(reeve.address().port);
  EXPECT_THAT(check_of(reeve, "port").at("seen"), HasSubstr(url));
  json engine = check_of(reeve, "engine");
  EXPECT_EQ(engine.at("verdict"), "ok") << engine;
  EXPECT_THAT(engine.at("seen"), HasSubstr("Docker "));
  EXPECT_THAT(engine.at("seen"), HasSubstr("as the server at " + url));
  std::filesystem::remove(reeve.data() / "token");
  engine = check_of(reeve, "engine");
  EXPECT_EQ(engine.at("verdict"), "ok") << engine;
  EXPECT_THAT(engine.at("seen"), HasSubstr("as the server at " + url)) << "readiness is enough";
  // What is configured is looked at instead.
  const auto named =
      reeve.command({"doctor", "--json", "--docker", "unix:///nowhere", "--listen", "127.0.0.1:1"});
  EXPECT_THAT(check_of(named, "engine").at("seen"), HasSubstr("/nowhere"));
  EXPECT_THAT(check_of(named, "port").at("seen"), HasSubstr("127.0.0.1:1 "));
  // A file that a crash left behind names nobody.
  reeve.kill_hard();
  ASSERT_TRUE(std::filesystem::exists(reeve.data() / "endpoint"));
  EXPECT_THAT(check_of(reeve, "port").at("seen"), testing::Not(HasSubstr(url)));
  EXPECT_THAT(check_of(reeve, "engine").at("seen"), testing::Not(HasSubstr("as the server")));
}

/// The port that it had may be another's by now, who is no server of this folder.
TEST(OPS5_doctor, takes_nobody_for_a_server_that_has_died) {
  server reeve;
  const auto port = reeve.address().port;
  reeve.kill_hard();
  ASSERT_TRUE(std::filesystem::exists(reeve.data() / "endpoint"));
  support::server_options options;
  options.listen = "127.0.0.1:" + std::to_string(port);
  const server stranger(options);
  const auto told = reeve.command({"doctor", "--json"});
  EXPECT_THAT(check_of(told, "port").at("seen"),
              testing::Not(HasSubstr("this data folder answers")));
  EXPECT_THAT(check_of(told, "engine").at("seen"), testing::Not(HasSubstr("as the server")));
  EXPECT_THAT(check_of(told, "engine").at("seen"), testing::Not(HasSubstr(options.listen)));
  const json port_of_both =
      check_of(reeve.command({"doctor", "--json", "--listen", options.listen}), "port");
  EXPECT_EQ(port_of_both.at("verdict"), "warn") << port_of_both;
  const auto refused = reeve.command({"runs", "list"});
  EXPECT_EQ(refused.status, 5);
  EXPECT_THAT(refused.output, HasSubstr("not asked")) << "its token is not the stranger's";
}

/// It holds the folder as the one that died there did, and leads nothing.
TEST(OPS5_doctor, takes_no_standby_for_the_leader_that_it_was) {
  server first;
  support::server_options options;
  options.database_url = first.database_url();
  options.start = false;
  server second(options);
  second.start_without_waiting();
  ASSERT_TRUE(support::eventually([&] { return second.standby_address().has_value(); }));
  first.kill_hard();
  second.await_ready();
  const auto file = first.data() / "endpoint";
  ASSERT_TRUE(std::filesystem::exists(file));
  first.start_without_waiting();
  ASSERT_TRUE(support::eventually([&] { return first.standby_address().has_value(); }));
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_THAT(check_of(first, "port").at("seen"),
              testing::Not(HasSubstr("this data folder answers")));
  EXPECT_THAT(check_of(second, "port").at("seen"), HasSubstr("this data folder answers"));
  EXPECT_EQ(first.stop(), 0);
}

TEST(OPS5_doctor, repeats_that_the_server_simulates_its_engine) {
  const server reeve;
  const json engine = check_of(reeve, "engine");
  EXPECT_EQ(engine.at("verdict"), "warn") << engine;
  EXPECT_THAT(engine.at("seen"), HasSubstr("no container really runs"));
}

TEST(OPS5_doctor, makes_no_private_postgresql) {
  support::server_options options;
  options.private_postgres = true;
  options.start = false;
  const server reeve(options);
  for (const char* command :
       {"verify", "replay", "rebuild", "export", "migrate", "accept-database"}) {
    const auto told = reeve.command({command});
    EXPECT_EQ(told.status, 5) << command << told.output;
    EXPECT_THAT(told.output, HasSubstr(reeve.data().string()));
    EXPECT_THAT(told.output, HasSubstr("REEVE_DATA"));
  }
  EXPECT_EQ(check_of(reeve, "database").at("verdict"), "ok");
  EXPECT_FALSE(std::filesystem::exists(reeve.data() / "pg"));
}

TEST(OPS5_doctor, fails_a_key_of_the_secrets_that_is_unfit) {
  namespace fs = std::filesystem;
  server reeve;
  ASSERT_EQ(reeve.api().put("/api/secrets/db", {{"value", "hunter2-hunter2"}}).status, 200);
  ASSERT_EQ(reeve.stop(), 0);
  const auto key = reeve.data() / "secrets.key";
  const std::string fit = support::contents_of(key);
  const auto expect_refused = [&](const std::string& why) {
    reeve.start_without_waiting();
    EXPECT_EQ(reeve.await_exit(20s), exit_usage) << why;
    expect_failed_as_served(reeve, "secrets", why);
    EXPECT_THAT(reeve.whole_log(), testing::Not(HasSubstr(fit.substr(0, 20))));
  };
  std::ofstream(key) << fit.substr(0, 20) << "\n";
  expect_refused("is not one line of 43 base64url characters");
  std::ofstream(key) << fit;
  fs::permissions(key, fs::perms::others_read, fs::perm_options::add);
  expect_refused("chmod 600");
  fs::permissions(key, fs::perms::none);
  expect_refused("that he may read");
  fs::permissions(key, fs::perms::owner_read | fs::perms::owner_write);
  fs::rename(key, key.string() + ".elsewhere");
  fs::create_symlink(key.string() + ".elsewhere", key);
  expect_refused("no link");
  fs::remove(key);
  fs::rename(key.string() + ".elsewhere", key);
  EXPECT_NO_THROW(reeve.start());
  EXPECT_EQ(check_of(reeve, "secrets").at("verdict"), "ok");
}

TEST(OPS5_doctor, fails_a_folder_for_the_socket_of_jobs_that_is_unfit) {
  REEVE_TEST_TIME_LIMIT(120);
  namespace fs = std::filesystem;
  const support::scratch_dir own(support::work_dir(), "door");
  const auto llm = own.path() / "llm.json";
  const std::string upstreams =
      R"({"upstreams":[{"name":"a","url":"http://127.0.0.1:9/v1","models":["m"]}]})";
  std::ofstream(llm) << upstreams;
  const auto above = own.path() / "above";
  const auto folder = above / "llm";
  fs::create_directory(above);
  fs::permissions(above, fs::perms::all);
  support::server_options options;
  options.environment["REEVE_LLM"] = llm.string();
  options.environment["REEVE_LLM_SOCKET_FOLDER"] = folder.string();
  options.start = false;
  server reeve(options);
  const auto expect_refused = [&](const std::string& why) {
    reeve.start_without_waiting();
    EXPECT_EQ(reeve.await_exit(20s), exit_usage) << why;
    expect_failed_as_served(reeve, "language models", why);
    EXPECT_FALSE(fs::exists(folder)) << "nothing is made";
  };
  expect_refused("in which others may write");
  fs::permissions(above, fs::perms(0755));
  expect_refused("is not a folder that may be written");
  std::ofstream(llm) << "{";
  expect_refused(llm.string());
  std::ofstream(llm) << upstreams;
  const auto long_one = "/" + std::string(100, 'x');
  const auto told = reeve.command({"doctor", "--json", "--llm-socket-folder", long_one});
  EXPECT_THAT(check_of(told, "language models").at("seen"), HasSubstr("too long for a socket"));
  fs::remove(above);
  const json check = check_of(reeve, "language models");
  EXPECT_EQ(check.at("verdict"), "ok") << check;
  EXPECT_NO_THROW(reeve.start());
  EXPECT_TRUE(fs::exists(folder / "reeve.sock"));
}
