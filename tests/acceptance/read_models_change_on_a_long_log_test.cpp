// C8: a program with one more field in a document and a read model that is new is put on a log of
// 10,000 events. All of it is served after the start, old and new, while a client appends.

#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <set>
#include <thread>

using nlohmann::json;
using support::server;

namespace {

constexpr int least_events = 10'000;

const json small_run = {{"tasks", {"task1"}}, {"labels", {{"team", "red"}}}};

/// The id that a copy of something has: "a" of the first copy of the run, for instance.
std::string copied(const std::string& what, const std::string& number) {
  return "md5('" + what + "' || " + number + ")::uuid::text";
}

/// A run that has been lived through once stands in the log as often as is needed, each time as
/// another one. What is left of the chain is its end, which the next append is put behind.
int copy_run(support::pg& database, const json& run) {
  const std::string id = run.at("id");
  const auto per =
      database.number("SELECT count(*) FROM reeve.events WHERE stream = 'run-" + id + "'");
  const auto copies = least_events / static_cast<int>(per) + 1;
  std::string payload = "replace(e.payload, '" + id + "', " + copied("run", "c") + ")";
  for (const auto& job : run.at("jobs")) {
    const std::string its = job.at("id");
    payload = "replace(" + payload + ", '" + its + "', " + copied(its, "c") + ")";
  }
  const auto stream = "'run-' || " + copied("run", "c");
  const auto at = "h.position + (c - 1) * " + std::to_string(per) + " + e.n";
  database.exec(
      "INSERT INTO reeve.events (position, epoch, stream, version, type, schema_version, tenant,"
      " payload, payload_format, principal, command_id, correlation_id, traceparent,"
      " recorded_at_us, leaf, hash) SELECT " +
      at + ", h.epoch, " + stream + ", e.version, e.type, e.schema_version, e.tenant, " + payload +
      ", 0, e.principal, e.command_id, " + copied("run", "c") +
      "::uuid, '', h.recorded_at_us + (c - 1) * " + std::to_string(per) +
      " + e.n, e.leaf, sha256((" + stream + " || e.version)::bytea) FROM generate_series(1, " +
      std::to_string(copies) +
      ") c, (SELECT *, row_number() OVER (ORDER BY position) AS n FROM reeve.events"
      " WHERE stream = 'run-" +
      id +
      "') e, (SELECT * FROM reeve.events ORDER BY position DESC LIMIT 1) h;"
      "INSERT INTO reeve.streams (stream, tenant, version, position) SELECT stream,"
      " min(tenant::text)::uuid, max(version), max(position) FROM reeve.events"
      " WHERE stream LIKE 'run-%' AND stream <> 'run-" +
      id + "' GROUP BY stream");
  return copies;
}

/// As the older program left it: documents of runs have no labels yet, and nobody has heard of a
/// read model of labels.
void plant_older_program(support::pg& database, const json& run, int copies) {
  const std::string id = run.at("id");
  database.exec(
      "UPDATE reeve_read.runs SET doc = (doc::jsonb - 'labels')::text;"
      "INSERT INTO reeve_read.runs SELECT tenant, " +
      copied("run", "c") +
      "::uuid, directive_id, directive_name, is_simulated, retry_of, created_position,"
      " created_at_us, status, started_position, finished_position, last_position, started_at_us,"
      " finished_at_us, replace(doc, '" +
      id + "', " + copied("run", "c") + "), snapshot FROM reeve_read.runs, generate_series(1, " +
      std::to_string(copies) +
      ") c;"
      "UPDATE reeve.projections SET version = version + 7 WHERE name IN ('runs', 'jobs',"
      " 'blob_refs');"
      "TRUNCATE reeve_read.run_labels; DELETE FROM reeve.projections WHERE name = 'run_labels'");
}

/// Every run with the label, page by page.
std::set<std::string> labelled(const support::api_client& api) {
  std::set<std::string> runs;
  std::string cursor;
  do {
    const auto page = support::must_get(api, "/api/runs?label=team:red&limit=500&cursor=" + cursor);
    for (const auto& run : page.at("results")) runs.insert(run.at("id").get<std::string>());
    cursor = page.at("next").is_null() ? "" : page.at("next").get<std::string>();
  } while (!cursor.empty());
  return runs;
}

bool is_not_degraded(const server& reeve) {
  return !reeve.anonymous().get("/readyz").json().contains("degraded");
}

}  // namespace

TEST(C8_long_log, of_ten_thousand_events_is_served_by_a_changed_program_while_a_client_appends) {
  server reeve;
  const json run = support::launch(reeve.api(), small_run);
  support::await_run(reeve.api(), run.at("id"));
  EXPECT_EQ(reeve.stop(), 0);
  auto database = reeve.database();
  const int copies = copy_run(database, run);
  plant_older_program(database, run, copies);

  reeve.start();
  const auto api = reeve.api();
  std::atomic<bool> is_over = false;
  std::set<std::string> launched;
  std::thread client([&] {
    do {
      const auto answer = api.post("/api/runs/launch", small_run);
      EXPECT_EQ(answer.status, 201) << answer.body;
      if (answer.status == 201) launched.insert(answer.json().at("id").get<std::string>());
      support::breathe(std::chrono::milliseconds(20));
    } while (!is_over);
  });
  const std::string copy = database.cell("SELECT " + copied("run", "7")).value();
  EXPECT_TRUE(support::eventually(std::chrono::seconds(30) * support::time_factor(), [&] {
    // The old document, until the new one is there: the columns are the same.
    EXPECT_EQ(api.get("/api/runs/" + copy).status, 200);
    return is_not_degraded(reeve);
  })) << reeve.anonymous().get("/readyz").body;
  is_over = true;
  client.join();

  for (const auto& one : launched) support::await_run(api, one);
  const auto detail = support::must_get(api, "/api/runs/" + copy);
  EXPECT_EQ(detail.at("labels"), small_run.at("labels"));
  EXPECT_EQ(detail.at("status"), "success");
  EXPECT_EQ(detail.at("jobs").size(), run.at("jobs").size());
  const auto found = labelled(api);
  EXPECT_EQ(found.size(), copies + 1 + launched.size());
  for (const auto& one : launched) EXPECT_TRUE(found.contains(one)) << one;
  const auto replayed = reeve.command({"replay", "--json"}, std::chrono::seconds(60));
  EXPECT_EQ(replayed.status, 0) << replayed.output;
}
