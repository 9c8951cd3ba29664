// Replay: the read models are what the log says, for ever; a row that somebody changed by hand is
// found and named.

#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gtest/gtest.h>

using nlohmann::json;
using support::server;

namespace {

json replayed(const server& reeve, int status, std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"replay", "--json"});
  const auto done = reeve.command(more);
  EXPECT_EQ(done.status, status) << done.output;
  const auto at = done.output.find("{\"head\"");
  if (at == std::string::npos) throw std::runtime_error("no result of a replay: " + done.output);
  return json::parse(done.output.substr(at));
}

/// A row of every kind that a few requests make.
std::string some_work(const server& reeve) {
  const auto api = reeve.api();
  support::must_post(api, "/api/directives", {{"name", "d"}, {"tasks", {"task1"}}}, 201);
  support::must_post(api, "/api/allowlists/containers", {{"name", "web"}}, 201);
  support::new_token(api, "viewer");
  support::launch(api, {{"tasks", {"task1"}}, {"labels", {{"team", "red"}}}});
  const json run = support::launch(api, {{"tasks", {"task1", "task2"}}});
  support::await_run(api, run.at("id"));
  const std::string job = run.at("jobs").at(0).at("id");
  const json call = {{"model_name", "m"}, {"prompt_tokens", 1}, {"completion_tokens", 2}};
  support::must_post(api, "/api/jobs/" + job + "/llm-calls", call, 201);
  return run.at("id");
}

struct change {
  std::string statement;
  std::string table;
  std::string column;  // empty: the whole row
};

}  // namespace

TEST(EV8_replay, finds_no_difference_while_the_server_works_and_after_it) {
  server reeve;
  some_work(reeve);
  const json live = replayed(reeve, 0);
  EXPECT_EQ(live.at("different_rows"), 0);
  EXPECT_EQ(live.at("differences"), json::array());
  EXPECT_EQ(live.at("tables").at("reeve_read.runs"), 2) << live;
  EXPECT_EQ(reeve.stop(), 0);
  const json after = replayed(reeve, 0);
  EXPECT_EQ(after.at("different_rows"), 0);
  EXPECT_EQ(after.at("head"), reeve.database().number("SELECT max(position) FROM reeve.events"));
  // Nothing of the scratch tables stays; PostgreSQL drops them shortly after their session.
  EXPECT_TRUE(support::eventually([&] {
    return reeve.database().number("SELECT count(*) FROM pg_class WHERE relpersistence <> 'p'") ==
           0;
  }));
}

TEST(EV8_replay, names_every_row_that_was_changed_by_hand) {
  server reeve;
  const std::string run = some_work(reeve);
  EXPECT_EQ(reeve.stop(), 0);
  auto database = reeve.database();
  const std::vector<change> changes = {
      {"UPDATE reeve_read.runs SET status = 'failed' WHERE id = '" + run + "'", "runs", "status"},
      {"UPDATE reeve_read.runs SET doc = doc || ' ' WHERE id = '" + run + "'", "runs", "doc"},
      {"DELETE FROM reeve_read.jobs WHERE run_id = '" + run + "' AND ordinal = 0", "jobs", ""},
      {"INSERT INTO reeve_read.run_labels SELECT tenant, 'forged', 'yes', created_position, id "
       "FROM "
       "reeve_read.runs WHERE id = '" +
           run + "'",
       "run_labels", ""},
      {"UPDATE reeve.streams SET version = version + 1 WHERE stream = 'run-" + run + "'", "streams",
       "version"},
      {"UPDATE reeve_read.directives SET name = 'other' WHERE name = 'd'", "directives", "name"}};
  for (const auto& one : changes) {
    database.exec("CREATE SCHEMA kept");
    const std::string schema = one.table == "streams" ? "reeve." : "reeve_read.";
    database.exec("CREATE TABLE kept.t AS TABLE " + schema + one.table);
    database.exec(one.statement);
    const json found = replayed(reeve, 1);
    EXPECT_EQ(found.at("different_rows"), 1) << one.statement << found;
    ASSERT_FALSE(found.at("differences").empty()) << one.statement;
    const json row = found.at("differences").at(0);
    EXPECT_EQ(row.at("table"), schema + one.table) << row;
    EXPECT_EQ(row.at("column"), one.column) << row;
    const bool is_named = row.at("key").get<std::string>().find(run) != std::string::npos;
    EXPECT_TRUE(is_named || one.table == "jobs" || one.table == "directives") << row;
    database.exec("TRUNCATE " + schema + one.table + "; INSERT INTO " + schema + one.table +
                  " TABLE kept.t; DROP SCHEMA kept CASCADE");
  }
  EXPECT_EQ(replayed(reeve, 0).at("different_rows"), 0);
}

TEST(EV8_replay, gives_the_state_as_it_was_at_a_position) {
  server reeve;
  some_work(reeve);
  const auto api = reeve.api();
  auto database = reeve.database();
  const auto head = database.number("SELECT max(position) FROM reeve.events");
  const auto before =
      database.number("SELECT min(position) - 1 FROM reeve.events WHERE stream LIKE 'run-%'");
  const json then = replayed(reeve, 0, {"--until", std::to_string(before)});
  EXPECT_EQ(then.at("head"), before);
  EXPECT_EQ(then.at("events"), before);
  EXPECT_EQ(then.at("tables").value("reeve_read.runs", 0), 0) << then;
  // One of the work's, and the defaults of both tenants.
  EXPECT_EQ(then.at("tables").at("reeve_read.directives"), 3) << then;
  const json now = replayed(reeve, 0, {"--until", std::to_string(head)});
  EXPECT_EQ(now.at("tables").at("reeve_read.runs"), 2) << now;
  for (const char* wrong : {"99999999", "-1", "yesterday", "1e3"}) {
    const auto refused = reeve.command({"replay", std::string("--until=") + wrong});
    EXPECT_EQ(refused.status, 2) << wrong << refused.output;
    EXPECT_NE(refused.output.find("reeve: "), std::string::npos) << refused.output;
  }
}
