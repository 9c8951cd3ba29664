// The read models are what the log says, row by row (P6, EV8); and a replay tells when they are
// not.

#include "persistence/replay.hpp"

#include "actors/append_of.hpp"
#include "persistence/projections.hpp"
#include "tests/unit/persistence/journal_fixture.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::domain;
using namespace reeve::persistence;
using namespace reeve::testing;

/// Writes as the executors do: decided events with their rows in one append.
template <class State>
class author {
 public:
  author(journal& log, const uuid& tenant, const std::string& stream)
      : log_(log), tenant_(tenant), stream_(stream) {
    auto fresh = std::make_shared<State>();
    fresh->tenant = tenant;
    state = std::move(fresh);
  }
  using events = std::vector<typename aggregate_of<State>::event>;

  void write(const events& decided) {
    event_meta meta;
    meta.principal = "token:test";
    meta.command_id = meta.correlation_id = real_ids().next();
    const auto result =
        append_one(log_, actors::append_of<State>(state, decided, tenant_, stream_, meta));
    ASSERT_TRUE(result) << result.error().detail;
    state = actors::after<State>(state, decided, result->stamps, tenant_, meta.principal);
  }
  void write(const outcome<events>& decided) {
    ASSERT_TRUE(decided) << decided.error().detail;
    write(*decided);
  }

  std::shared_ptr<const State> state;

 private:
  journal& log_;
  uuid tenant_;
  std::string stream_;
};

directive_spec spec_named(const std::string& name) {
  directive_spec spec;
  spec.name = name;
  spec.tasks.resize(2);
  spec.tasks[1].kind = task_kind::gpu_report;
  name_tasks(spec.tasks);
  return spec;
}

class replays : public ::testing::Test {
 protected:
  replays() : log(journal_on(db.writer_url())), tenant(real_ids().next()) {
    if (!log.open()) throw std::runtime_error("the journal does not open");
    options.owner_url = db.url_of(super_user());
  }
  static std::string super_user() {
    return pqxx::connection(std::getenv("REEVE_TEST_PG")).username();
  }

  /// Something of every aggregate; runs that ended and one that did not.
  void live_through() {
    write_access();
    write_directives();
    write_images();
    for (const bool is_over : {true, true, false}) write_run(is_over);
    author<llm_usage_state> calls(log, tenant, stream_of<llm_usage_state>(job));
    for (std::int64_t n = 1; n <= 5; ++n) {
      calls.write(decide(*calls.state,
                         record_llm_call{real_ids().next(), job, run, {"m-1", n, 2 * n, {}, {}}}));
    }
  }
  void write_access() {
    author<access_state> access(log, tenant, stream_of<access_state>(tenant));
    access.write(decide(*access.state, create_tenant{tenant, "first", directive}));
    token_created token;
    token.id = real_ids().next();
    token.name = "one";
    access.write(decide(*access.state, create_token{token}));
    access.write(decide(*access.state, revoke_token{token.id}));
    token.id = real_ids().next();
    access.write(decide(*access.state, create_token{token}));
  }
  void write_directives() {
    author<directive_state> one(log, tenant, stream_of<directive_state>(directive));
    one.write(decide(*one.state, create_directive{directive, spec_named("a"), false}));
    one.write(decide(*one.state, revise_directive{directive, spec_named("b")}));
    one.write(decide(*one.state, revise_directive{directive, spec_named("c")}));
    one.write(decide(*one.state, archive_directive{directive}));
  }
  void write_images() {
    author<image_list_state> images(log, tenant, stream_of<image_list_state>(tenant));
    for (const char* reference : {"localhost:1/a:1", "localhost:1/b:1"}) {
      image_allowed entry;
      entry.id = real_ids().next();
      entry.reference = reference;
      images.write(decide(*images.state, allow_image{entry}));
    }
    images.write(decide(*images.state, deny_image{images.state->entries.begin()->first}));
  }
  void write_run(bool is_over) {
    run_launched launch;
    run = launch.id = real_ids().next();
    launch.directive.name = "launched";
    launch.directive.tasks = spec_named("launched").tasks;
    launch.jobs = {real_ids().next(), real_ids().next()};
    launch.engine = "simulated";
    launch.labels = {{"team", "data"}, {"umlaut", "M\xc3\xbcller, \"x\" {\\}"}};
    job = launch.jobs[0];
    author<run_state> author_of_run(log, tenant, stream_of<run_state>(run));
    author_of_run.write({launch});
    attempt_intended intended;
    intended.job = job;
    intended.attempt = 1;
    intended.container_name = container_name_of(tenant, job, 1);
    intended.image = "localhost:1/a:1";
    author_of_run.write({intended});
    if (!is_over) return;
    author_of_run.write({job_finished{job, job_status::success, end_reason::exited},
                         job_finished{launch.jobs[1], job_status::failed, end_reason::exited},
                         run_finished{run_status::partial}});
  }

  replay_result replayed() {
    auto result = replay(options);
    if (!result) throw std::runtime_error(result.error().detail);
    return std::move(*result);
  }
  std::int64_t rows_of(const replay_result& result, const std::string& table) {
    for (const auto& t : result.tables) {
      if (t.table == table) return t.rows;
    }
    return -1;
  }
  /// A session's temporary tables go shortly after it.
  bool nothing_is_left() {
    return eventually([&] {
      return db.root("SELECT count(*) FROM pg_class WHERE relpersistence <> 'p'")[0][0]
                 .as<std::int64_t>() == 0;
    });
  }

  test_database db;
  journal log;
  uuid tenant, directive = real_ids().next(), run, job;
  replay_options options;
};

TEST_F(replays, P6_an_untouched_log_gives_the_live_rows) {
  live_through();
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

TEST_F(replays, an_unreadable_event_is_an_error_and_not_a_difference) {
  auto request = append_to(stream_of<image_list_state>(tenant), 0, tenant, "{\"no\":\"such\"}");
  ASSERT_TRUE(append_one(log, request));
  const auto result = replay(options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, errc::internal);
  EXPECT_TRUE(nothing_is_left());
}

}  // namespace
