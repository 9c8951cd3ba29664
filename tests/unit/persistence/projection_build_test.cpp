// Read models are built anew beside the live ones, and nothing fails open meanwhile (C8, C9).

#include "persistence/projection_build.hpp"

#include "domain/access/token_text.hpp"
#include "persistence/blob_store.hpp"
#include "persistence/read_models.hpp"
#include "persistence/stored_projections.hpp"
#include "tests/unit/persistence/replay_fixture.hpp"

#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

namespace {

using namespace reeve;
using namespace reeve::domain;
using namespace reeve::persistence;
using namespace reeve::fixture;
using ::testing::HasSubstr;

class builds : public read_models_of_a_log {
 protected:
  builds() {
    built.owner_url = options.owner_url;
    built.list = {projections().begin(), projections().end()};
    built.holder = [this] { return holder.load(); };
  }
  /// Everything about a table that a migration may rely on.
  std::string shape_of(const std::string& table) {
    return db
        .root(
            "SELECT string_agg(line, E'\\n' ORDER BY line) FROM ("
            "SELECT indexdef AS line FROM pg_indexes WHERE schemaname || '.' || tablename = '" +
            table +
            "' UNION ALL SELECT policyname || cmd || roles::text || COALESCE(qual, '') ||"
            " COALESCE(with_check, '') FROM pg_policies WHERE schemaname || '.' || tablename"
            " = '" +
            table +
            "' UNION ALL SELECT conname || contype::text FROM pg_constraint WHERE conrelid ="
            " '" +
            table +
            "'::regclass UNION ALL SELECT a.grantee::regrole || a.privilege_type FROM pg_class"
            " c, aclexplode(c.relacl) a WHERE c.oid = '" +
            table +
            "'::regclass UNION ALL SELECT relrowsecurity::text || relforcerowsecurity::text ||"
            " COALESCE(reloptions::text, '') || obj_description(oid) FROM pg_class WHERE oid ="
            " '" +
            table + "'::regclass) s")[0][0]
        .as<std::string>();
  }
  std::string state_of(const std::string& name) {
    const auto rows = db.root("SELECT state FROM reeve.projections WHERE name = '" + name + "'");
    return rows.empty() ? "none" : rows[0][0].as<std::string>();
  }

  build_options built;
};

TEST_F(builds, C8_tables_that_were_emptied_and_forged_are_as_the_log_says_again) {
  live_through();
  std::vector<std::string> before;
  for (const auto* of : projections()) before.push_back(shape_of(table_of(*of)));
  db.root("DELETE FROM reeve_read.jobs; UPDATE reeve_read.runs SET doc = '{}', status = 'success'");
  const auto made = build_projections(built);
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->head, log.head().position);
  EXPECT_EQ(replayed().different_rows, 0);
  for (const auto* of : projections()) {
    EXPECT_EQ(shape_of(table_of(*of)), before[index_of(*of)]) << of->name;
    EXPECT_EQ(state_of(std::string(of->name)), "live");
  }
  // The journal goes on in the new tables, with the statements that it has prepared.
  write_run(true);
  EXPECT_EQ(log.stale_projections(), 0);
  ASSERT_TRUE(follow());
  EXPECT_EQ(replayed().different_rows, 0);
}

TEST_F(builds, C8_appends_go_on_while_all_of_them_are_built) {
  live_through();
  std::atomic<bool> stop = false;
  std::atomic<int> written = 0;
  std::thread writer([&] {
    for (; !stop; ++written) write_run(true);
  });
  for (int round = 0; round < 3; ++round) {
    const int before = written;
    const auto made = build_projections(built);
    EXPECT_TRUE(made) << made.error().detail;
    EXPECT_TRUE(eventually([&] { return written > before; }));
  }
  stop = true;
  writer.join();
  EXPECT_EQ(log.stale_projections(), 0);
  ASSERT_TRUE(follow());
  EXPECT_EQ(replayed().different_rows, 0);
}

TEST_F(builds, C8_a_reader_or_a_vacuum_that_holds_on_delays_the_switch_and_no_append) {
  live_through();
  for (const char* hold : {"SELECT count(*) FROM reeve_read.runs",
                           "LOCK TABLE reeve_read.runs IN SHARE UPDATE EXCLUSIVE MODE",
                           "LOCK TABLE reeve.events IN SHARE UPDATE EXCLUSIVE MODE"}) {
    pqxx::connection other(options.owner_url);
    auto held = std::make_unique<pqxx::work>(other);
    held->exec(hold);
    std::atomic<bool> is_over = false;
    std::thread building([&] {
      EXPECT_TRUE(build_projections(built)) << hold;
      is_over = true;
    });
    for (int i = 0; i < 20; ++i) write_run(true);
    EXPECT_FALSE(is_over) << hold;
    held.reset();
    building.join();
    ASSERT_TRUE(follow());
    EXPECT_EQ(replayed().different_rows, 0) << hold;
  }
}

TEST_F(builds, C8_who_leads_no_more_switches_nothing) {
  live_through();
  auto config = journal_on(db.writer_url());
  config.take_over = true;
  journal next(config);
  ASSERT_TRUE(next.open());
  db.root("UPDATE reeve_read.runs SET doc = '{}'");
  const auto made = build_projections(built);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, errc::fenced);
  EXPECT_EQ(replayed().different_rows, 3);
}

TEST_F(builds, C8_an_event_that_cannot_be_folded_leaves_the_live_table) {
  live_through();
  ASSERT_TRUE(append_one(
      log, append_to("run-" + to_string(real_ids().next()), 0, tenant, "{\"no\":\"such\"}")));
  const auto before = shape_of("reeve_read.runs");
  const auto made = build_projections(built);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, errc::internal);
  EXPECT_EQ(db.root("SELECT 1 FROM reeve_read.runs").size(), 3U);
  EXPECT_EQ(shape_of("reeve_read.runs"), before);
}

TEST_F(builds, C9_a_projection_that_cannot_be_written_is_a_state_that_outlives_the_process) {
  live_through();
  auto throws = append_to("run-" + to_string(real_ids().next()), 0, tenant);
  throws.project = [](auto, row_sink&) { throw std::runtime_error("planted"); };
  ASSERT_TRUE(append_one(log, throws));
  for (const char* of : {"runs", "run_labels", "jobs", "blob_refs"})
    EXPECT_EQ(state_of(of), "stale");
  EXPECT_NE(state_of("tokens"), "stale") << "no event of theirs";
  auto bad = append_to("access-" + to_string(real_ids().next()), 0, tenant);
  bad.project = [this](auto, row_sink& rows) {
    rows.push_back({&projection_named("tokens"), {to_string(tenant), "no uuid"}});
    rows.push_back(
        {&projection_named("tenants"), {to_string(real_ids().next()), "b", "1", std::nullopt}});
  };
  ASSERT_TRUE(append_one(log, bad));
  EXPECT_EQ(state_of("tokens"), "stale");
  EXPECT_NE(state_of("tenants"), "stale") << "its row was written";
  EXPECT_EQ(log.stale_projections(), 2);
}

// The table may have been mended after that build began.
TEST_F(builds, C9_a_build_that_fails_answers_nobody_who_asked_after_it_began) {
  live_through();
  const auto& jobs = projection_named("jobs");
  pqxx::connection connection(options.owner_url);
  const auto stored = [&] {
    pqxx::nontransaction tx(connection);
    return read_stored(tx).at(&jobs);
  };
  const auto fails = [&](std::int64_t asked_at_us) {
    pqxx::nontransaction tx(connection);
    note_failure(tx, jobs, asked_at_us, "planted");
  };
  const auto began_by = stored().asked_at_us;
  ASSERT_TRUE(ask_rebuild(options.owner_url, "jobs"));
  fails(began_by);
  EXPECT_TRUE(stored().is_asked());
  EXPECT_EQ(stored().failure, "");
  fails(stored().asked_at_us);
  EXPECT_FALSE(stored().is_asked());
  EXPECT_EQ(stored().failure, "planted");
}

TEST_F(builds, C9_a_row_that_the_database_refuses_costs_no_event) {
  live_through();
  db.root(
      "ALTER TABLE reeve_read.runs ADD CONSTRAINT planted CHECK (directive_name <> 'launched')"
      " NOT VALID");
  write_run(false);
  EXPECT_EQ(state_of("runs"), "stale");
}

TEST_F(builds, C9_while_nobody_knows_what_is_named_no_blob_is_swept) {
  blob_store store({db.writer_url(), nullptr});
  ASSERT_TRUE(store.put(tenant, "unnamed"));
  db.root("UPDATE reeve.blobs SET created_at_us = 1");
  EXPECT_EQ(*store.sweep(), 0) << "nobody has built it yet";
  ASSERT_TRUE(build_projections(built));
  for (const char* state : {"stale", "building"}) {
    db.root("UPDATE reeve.projections SET state = '" + std::string(state) +
            "' WHERE name = 'blob_refs'");
    EXPECT_EQ(*store.sweep(), 0) << state;
  }
  db.root("UPDATE reeve.projections SET state = 'live' WHERE name = 'blob_refs'");
  EXPECT_EQ(*store.sweep(), 1);
}

TEST_F(builds, C9_a_follower_goes_on_from_its_checkpoint_and_never_over_another_one) {
  live_through();
  const auto& usage = projection_named("llm_usage");
  ASSERT_TRUE(follow());
  const auto checkpoint = [&] {
    return db.root("SELECT checkpoint FROM reeve.projections WHERE name = 'llm_usage'")[0][0]
        .as<position>();
  };
  const auto first = checkpoint();
  EXPECT_GT(first, 0);
  write_calls(5);
  EXPECT_EQ(replayed().different_rows, 0) << "behind, and right up to its checkpoint";
  ASSERT_TRUE(follow_to_head(db.writer_url(), usage));
  EXPECT_GT(checkpoint(), first);
  EXPECT_EQ(db.root("SELECT sum(calls) FROM reeve_read.llm_usage")[0][0].as<int>(), 10);
  ASSERT_TRUE(build_projections(built));
  write_calls(1);
  ASSERT_TRUE(follow_to_head(db.writer_url(), usage));
  EXPECT_EQ(replayed().different_rows, 0);
}

TEST_F(builds, EV8_a_follower_without_events_of_its_own_tells_how_far_it_came) {
  live_through();
  ASSERT_TRUE(follow());
  const auto is_at_head = [&] {
    const std::string usage = "SELECT checkpoint FROM reeve.projections WHERE name = 'llm_usage'";
    return db.root("SELECT reeve.head() = (" + usage + ")")[0][0].as<bool>();
  };
  write_run(true);
  ASSERT_FALSE(is_at_head());
  projection_board board;
  projection_follower::options following{db.writer_url(), &board};
  following.keep_place_every = std::chrono::milliseconds(0);
  {
    projection_follower follower(following);
    EXPECT_TRUE(eventually(is_at_head));
  }
  EXPECT_EQ(replayed().different_rows, 0);
  write_calls(3);
  ASSERT_TRUE(follow()) << "it skips nothing";
  EXPECT_EQ(db.root("SELECT sum(calls) FROM reeve_read.llm_usage")[0][0].as<int>(), 8);
  EXPECT_EQ(replayed().different_rows, 0);
}

TEST_F(builds, C9_a_follower_that_was_never_built_is_built_first) {
  live_through();
  const auto& usage = projection_named("llm_usage");
  EXPECT_EQ(follow_to_head(db.writer_url(), usage).error().code, errc::unavailable);
  EXPECT_TRUE(db.root("SELECT 1 FROM reeve.projections WHERE name = 'llm_usage'").empty())
      << "nobody is told that it is live";
  ASSERT_TRUE(build_projections(built));
  const auto built_to = [&] {
    return db.root("SELECT checkpoint FROM reeve.projections WHERE name = 'llm_usage'")[0][0]
        .as<position>();
  };
  const auto first = built_to();
  EXPECT_GT(first, 0);
  EXPECT_EQ(*follow_to_head(db.writer_url(), usage), first) << "it goes on from there";
  // A table of another version is none of this program's.
  db.root("UPDATE reeve.projections SET version = version + 1 WHERE name = 'llm_usage'");
  EXPECT_EQ(follow_to_head(db.writer_url(), usage).error().code, errc::unavailable);
}

/// What a server does with all of it.
class read_models_of_a_server : public builds {
 protected:
  read_models_of_a_server() {
    read_store_config config;
    config.url = db.reader_url();
    config.board = &board;
    reads = std::make_unique<read_store>(config);
    models = std::make_unique<read_models>(read_models::options{
        options.owner_url, db.writer_url(), &board, reads.get(), &tokens, &holder});
    on_commit = [this](const commit_notice& n) { models->on_commit(n); };
  }
  ~read_models_of_a_server() override { on_commit = {}; }
  bool is_live(std::string_view name) {
    return board.of(projection_named(name)).state == projection_state::live;
  }

  projection_board board;
  token_table tokens;
  std::unique_ptr<read_store> reads;
  std::unique_ptr<read_models> models;
};

TEST_F(read_models_of_a_server, C8_another_version_and_a_new_projection_are_built_at_the_start) {
  live_through();
  db.root("UPDATE reeve_read.runs SET doc = '{}'; TRUNCATE reeve_read.jobs");
  ASSERT_TRUE(build_projections(built)) << "every version is known";
  db.root(
      "UPDATE reeve_read.runs SET doc = '{}'; TRUNCATE reeve_read.jobs;"
      "UPDATE reeve.projections SET version = version + 7 WHERE name = 'runs';"
      "DELETE FROM reeve.projections WHERE name = 'jobs'");
  ASSERT_TRUE(models->lead());
  EXPECT_TRUE(eventually([&] { return is_live("runs") && is_live("jobs"); }));
  write_run(true);
  EXPECT_TRUE(eventually([&] { return replayed().different_rows == 0; }));
}

TEST_F(read_models_of_a_server, C8_a_table_of_another_layout_is_not_served_before_it_is_built) {
  live_through();
  ASSERT_TRUE(build_projections(built));
  board.set(projection_named("jobs"), projection_state::building, false);
  board.set(projection_named("runs"), projection_state::building, true);
  const auto refused = [&](collection what) {
    list_query query;
    query.what = what;
    query.tenant = tenant;
    return asked_of<document>([&](auto slot) { reads->list(query, slot); });
  };
  const auto jobs = refused(collection::jobs);
  ASSERT_FALSE(jobs);
  EXPECT_EQ(jobs.error().code, errc::unavailable);
  EXPECT_THAT(jobs.error().detail, HasSubstr("jobs is being built"));
  EXPECT_TRUE(refused(collection::runs)) << "its columns are the same";
}

TEST_F(read_models_of_a_server, C9_stale_tokens_and_blob_references_are_refused_until_rebuilt) {
  live_through();
  ASSERT_TRUE(models->lead());
  ASSERT_TRUE(eventually([&] { return is_live("tokens") && is_live("blob_refs"); }));
  auto throws = append_to("access-" + to_string(tenant), access_version(), tenant,
                          "{\"id\":\"" + to_string(active_token) + "\"}");
  throws.events[0].type = "token_revoked";
  throws.project = [](auto, row_sink&) { throw std::runtime_error("planted"); };
  ASSERT_TRUE(append_one(log, throws));
  // It may have been mended already: the event itself can be folded.
  EXPECT_TRUE(eventually([&] { return is_live("tokens"); }));
  EXPECT_EQ(db.root("SELECT is_active FROM reeve_read.tokens WHERE id = '" +
                    to_string(active_token) + "'")[0][0]
                .as<bool>(),
            false);
  board.set(projection_named("blob_refs"), projection_state::stale, true);
  const auto bytes =
      asked_of<std::string>([&](auto slot) { reads->blob(tenant, sha256("x"), 0, 1, slot); });
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().code, errc::unavailable);
  board.set(projection_named("tokens"), projection_state::stale, true);
  EXPECT_TRUE(board.refusal(projection_named("tokens")));
  EXPECT_FALSE(board.refusal(projection_named("runs")));
}

TEST_F(read_models_of_a_server, C9_a_standby_hears_of_a_revoked_token_through_the_same_functions) {
  live_through();
  ASSERT_TRUE(build_projections(built));
  ASSERT_TRUE(models->stand_by());
  const auto text = token_text(active_token, "secret");
  ASSERT_TRUE(tokens.find(text));
  revoke(active_token);
  ASSERT_TRUE(models->stand_by());
  EXPECT_FALSE(tokens.find(text));
}

TEST_F(read_models_of_a_server, EV5_a_writer_reads_its_own_write_through_a_follower) {
  live_through();
  ASSERT_TRUE(models->lead());
  ASSERT_TRUE(eventually([&] { return is_live("runs") && is_live("llm_usage"); }));
  for (int i = 6; i < 12; ++i) {
    write_calls(1);
    const auto detail =
        asked_of<document>([&](auto slot) { reads->run_detail(tenant, called_run, slot); });
    ASSERT_TRUE(detail) << detail.error().detail;
    EXPECT_THAT(*detail->body, HasSubstr("\"llm_usage\":{\"calls\":" + std::to_string(i)));
  }
}

}  // namespace
