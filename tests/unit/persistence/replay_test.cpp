// The read models are what the log says, row by row (P6, EV8); and a replay tells when they are
// not.

#include "persistence/log_reader.hpp"
#include "persistence/projection_fold.hpp"
#include "tests/unit/persistence/replay_fixture.hpp"

#include <gtest/gtest.h>
#include <map>

namespace {

using namespace reeve;
using namespace reeve::fixture;

class replays : public read_models_of_a_log {
 protected:
  /// A run whose only job is tried again and again.
  void write_tries(int count) {
    run_launched launch;
    launch.id = real_ids().next();
    launch.directive.name = "tried";
    launch.directive.tasks.resize(1);
    launch.jobs = {real_ids().next()};
    author<run_state> one(log, tenant, stream_of<run_state>(launch.id));
    one.write({launch});
    attempt_intended intended;
    intended.job = launch.jobs[0];
    intended.attempt = 1;
    one.write({intended});
    for (int n = 1; n <= count; ++n) one.write({work_attempted{launch.jobs[0], 1, n, 1}});
  }
};

TEST_F(replays, P6_an_untouched_log_gives_the_live_rows) {
  live_through();
  ASSERT_TRUE(follow());
  const auto result = replayed();
  EXPECT_EQ(result.head, log.head().position);
  EXPECT_EQ(result.events, log.head().position);
  EXPECT_EQ(result.different_rows, 0);
  for (const auto& d : result.differences) {
    ADD_FAILURE() << d.table << " [" << d.key << "] " << d.column << ": live "
                  << d.live.value_or("-") << ", replayed " << d.replayed.value_or("-");
  }
  EXPECT_EQ(rows_of(result, "reeve_read.runs"), 3);
  EXPECT_EQ(rows_of(result, "reeve_read.jobs"), 6);
  EXPECT_EQ(rows_of(result, "reeve_read.directive_versions"), 3);
  EXPECT_EQ(rows_of(result, "reeve_read.run_labels"), 6);
  EXPECT_EQ(rows_of(result, "reeve_read.tokens"), 2);
  EXPECT_EQ(rows_of(result, "reeve_read.image_allowlist"), 2);
  EXPECT_EQ(rows_of(result, "reeve_read.llm_calls"), 5);
  EXPECT_EQ(rows_of(result, "reeve_read.llm_usage"), 1);
  EXPECT_EQ(rows_of(result, "reeve.streams"), 8);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(replays, EV8_every_kind_of_difference_is_told) {
  live_through();
  const auto last = to_string(run);
  db.root("UPDATE reeve_read.runs SET status = 'success' WHERE id = '" + last + "'");
  auto result = replayed();
  EXPECT_EQ(result.different_rows, 1);
  ASSERT_EQ(result.differences.size(), 1U);
  EXPECT_EQ(result.differences[0].table, "reeve_read.runs");
  EXPECT_EQ(result.differences[0].column, "status");
  EXPECT_EQ(result.differences[0].live, "success");
  EXPECT_EQ(result.differences[0].replayed, "pending");
  EXPECT_NE(result.differences[0].key.find(last), std::string::npos);

  db.root("DELETE FROM reeve_read.runs WHERE id = '" + last + "'");
  db.root("INSERT INTO reeve_read.singletons VALUES ('" + to_string(tenant) +
          "', 'made up', 1, '{}')");
  db.root("UPDATE reeve.streams SET version = version + 1 WHERE stream LIKE 'image_allowlist-%'");
  result = replayed();
  EXPECT_EQ(result.different_rows, 3);
  ASSERT_EQ(result.differences.size(), 3U);
  const auto& gone = result.differences[0];
  EXPECT_EQ(gone.column, "");
  EXPECT_FALSE(gone.live);
  EXPECT_TRUE(gone.replayed);
  EXPECT_FALSE(result.differences[1].replayed);
  EXPECT_EQ(result.differences[2].table, "reeve.streams");
  EXPECT_EQ(result.differences[2].column, "version");
}

TEST_F(replays, EV8_a_flood_of_differences_is_counted_and_capped) {
  live_through();
  db.root("INSERT INTO reeve_read.singletons SELECT '" + to_string(tenant) +
          "', 'made up ' || n, 1, '{}' FROM generate_series(1, 250) n");
  const auto result = replayed();
  EXPECT_EQ(result.different_rows, 250);
  EXPECT_EQ(result.differences.size(), 100U);
}

TEST_F(replays, EV8_until_gives_the_state_as_it_was) {
  live_through();
  const auto rows = db.root(
      "SELECT position, recorded_at_us FROM reeve.events WHERE type ="
      " 'run_launched' ORDER BY position");
  options.until = rows[1][0].as<std::int64_t>();
  auto result = replayed();
  EXPECT_EQ(result.head, *options.until);
  EXPECT_EQ(rows_of(result, "reeve_read.runs"), 2);
  options.until_time = rows[0][1].as<std::int64_t>();
  options.until.reset();
  result = replayed();
  EXPECT_EQ(result.head, rows[0][0].as<std::int64_t>());
  EXPECT_EQ(rows_of(result, "reeve_read.runs"), 1);
  options.until_time.reset();
  options.until = 0;
  EXPECT_EQ(rows_of(replayed(), "reeve_read.runs"), 0);
  options.until = log.head().position + 1;
  const auto ahead = replay(options);
  ASSERT_FALSE(ahead);
  EXPECT_EQ(ahead.error().code, errc::position_ahead);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(replays, P6_goes_on_while_events_are_appended) {
  live_through();
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    while (!stop) write_run(true);
  });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(replayed().different_rows, 0);
  stop = true;
  writer.join();
}

/// Planted: an event without its rows, as if a projection had been left out.
TEST_F(replays, P6_a_projection_that_was_left_out_is_found) {
  live_through();
  auto fresh = std::make_shared<image_list_state>();
  fresh->tenant = real_ids().next();
  image_allowed entry;
  entry.id = real_ids().next();
  entry.reference = "localhost:1/c:1";
  auto request = actors::append_of<image_list_state>(fresh, {entry}, fresh->tenant,
                                                     stream_of<image_list_state>(fresh->tenant),
                                                     event_on("x", fresh->tenant).meta);
  request.project = nullptr;
  ASSERT_TRUE(append_one(log, request));
  const auto result = replayed();
  EXPECT_EQ(result.different_rows, 1);
  ASSERT_FALSE(result.differences.empty());
  EXPECT_EQ(result.differences[0].table, "reeve_read.image_allowlist");
}

TEST_F(replays, EV8_a_stream_of_no_aggregate_is_an_error_and_not_passed_over) {
  for (const std::string& stream :
       {fresh_stream("thing"), std::string("run-1"), fresh_stream("runs"), std::string("run")}) {
    auto fold = projection_fold();
    event_record record;
    record.stream = stream;
    record.type = "run_started";
    record.payload = "{}";
    const auto folded = fold.apply(record);
    ASSERT_FALSE(folded) << stream;
    EXPECT_EQ(folded.error().code, errc::internal);
  }
  ASSERT_TRUE(append_one(log, append_to(fresh_stream("thing"), 0, tenant)));
  const auto result = replay(options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, errc::internal);
  EXPECT_TRUE(nothing_is_left());
}

/// What a fold makes of the whole log; a row of each key and how often it came.
struct folded {
  explicit folded(const std::string& url) {
    log_range range;
    range.is_for_fold = true;
    auto reader = log_reader::open(url, range);
    if (!reader || !reader->next(events)) throw std::runtime_error("the log cannot be read");
  }
  void take(row_sink rows) {
    for (auto& row : rows) {
      const auto& columns = row.of->columns;
      std::string key(row.of->name);
      for (std::size_t i = 0; i < columns.size() && columns[i].is_key; ++i) {
        key += "," + row.cells[i].value_or("");
      }
      newest[key] = std::move(row.cells);
      ++times[std::string(row.of->name)];
    }
  }
  void apply(const event_record& event) {
    const auto ok = fold.apply(event);
    ASSERT_TRUE(ok) << ok.error().detail;
  }
  std::vector<event_record> events;
  projection_fold fold;
  std::map<std::string, std::vector<std::optional<std::string>>> newest;
  std::map<std::string, int> times;
};

TEST_F(replays, C8_rows_of_streams_that_change_again_come_once_and_are_the_same) {
  live_through();
  write_calls(40);
  const int tries = 40;
  write_tries(tries);
  folded at_once(options.owner_url);
  folded as_settled(options.owner_url);
  row_sink rows;
  for (const auto& event : at_once.events) {
    at_once.apply(event);
    as_settled.apply(event);
    rows.clear();
    as_settled.fold.flush_settled(rows);
    as_settled.take(std::move(rows));
  }
  // Two that are over, and one of which no more than 16 events wait; the third one waits.
  EXPECT_EQ(as_settled.times["runs"], 2 + (2 + tries) / 16);
  EXPECT_EQ(as_settled.times["llm_usage"], 45) << "it never ends, so it waits for nothing";
  for (auto* one : {&at_once, &as_settled}) {
    rows.clear();
    one->fold.flush(rows);
    one->take(std::move(rows));
  }
  EXPECT_EQ(as_settled.times["runs"], 2 + (2 + tries) / 16 + 2);
  EXPECT_EQ(as_settled.newest, at_once.newest);
}

TEST_F(replays, an_unreadable_event_is_an_error_and_not_a_difference) {
  auto request = append_to(stream_of<image_list_state>(tenant), 0, tenant, "{\"no\":\"such\"}");
  ASSERT_TRUE(append_one(log, request));
  const auto result = replay(options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, errc::internal);
  EXPECT_TRUE(nothing_is_left());
}

}  // namespace
