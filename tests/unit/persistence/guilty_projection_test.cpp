// A projection that cannot be written costs no event, and no other projection its rows: exactly
// that one is stale (C9).

#include "persistence/projection_board.hpp"
#include "persistence/projection_build.hpp"
#include "persistence/projection_follower.hpp"
#include "tests/unit/persistence/replay_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::domain;
using namespace reeve::persistence;
using namespace reeve::fixture;

class guilt : public read_models_of_a_log {
 protected:
  std::string stale() {
    return db
        .root(
            "SELECT COALESCE(string_agg(name, ' ' ORDER BY name), '') FROM reeve.projections"
            " WHERE state = 'stale'")[0][0]
        .as<std::string>();
  }
  std::int64_t rows_in(const std::string& what) {
    return db.root("SELECT count(*) FROM " + what)[0][0].as<std::int64_t>();
  }
  void revoke(const std::string& table) {
    db.root("REVOKE INSERT, UPDATE ON " + table + " FROM " + db.writer());
  }
  void grant(const std::string& table) {
    db.root("GRANT INSERT, UPDATE ON " + table + " TO " + db.writer());
  }
};

TEST_F(guilt, C9_of_one_that_may_not_be_written_is_its_own) {
  revoke("reeve_read.jobs");
  live_through();
  EXPECT_EQ(stale(), "jobs");
  EXPECT_EQ(rows_in("reeve_read.jobs"), 0);
  EXPECT_EQ(rows_in("reeve_read.runs"), 3);
  EXPECT_EQ(rows_in("reeve_read.run_labels"), 6);
  EXPECT_EQ(log.stale_projections(), 8) << "each append that has a row of a job";
  EXPECT_EQ(rows_in("reeve.projections WHERE stale_from = (SELECT min(position) FROM"
                    " reeve.events WHERE type = 'run_launched')"),
            1)
      << "since the first of them";
}

TEST_F(guilt, C9_of_several_is_theirs_and_a_batch_goes_on_as_one) {
  db.root("ALTER TABLE reeve_read.jobs RENAME COLUMN status TO broken");
  db.root(
      "ALTER TABLE reeve_read.image_allowlist ADD CONSTRAINT planted CHECK (created_position < 0)"
      " NOT VALID");
  std::vector<append_request> batch;
  for (int i = 0; i < 8; ++i) {
    batch.push_back(append_to(fresh_stream(i % 2 == 0 ? "run" : "image_allowlist"), 0, tenant));
    const auto id = to_string(real_ids().next());
    batch.back().project = [this, i, id](std::span<const event_stamp> stamps, row_sink& rows) {
      const auto at = std::to_string(stamps[0].at);
      if (i % 2 == 0) {
        rows.push_back({&projection_named("jobs"),
                        {to_string(tenant), id, id, "0", "container", at, "pending", std::nullopt,
                         std::nullopt, at, "{}"}});
        rows.push_back({&projection_named("run_labels"), {to_string(tenant), "k", "v", at, id}});
      } else {
        rows.push_back(
            {&projection_named("image_allowlist"), {to_string(tenant), id, at, "true", at, "{}"}});
      }
    };
  }
  for (const auto& answer : log.append_batch(batch)) EXPECT_TRUE(answer);
  EXPECT_EQ(stale(), "image_allowlist jobs");
  EXPECT_EQ(rows_in("reeve_read.run_labels"), 4);
}

TEST_F(guilt, C9_of_a_deferred_constraint_is_found_as_well) {
  db.root(
      "CREATE FUNCTION public.planted() RETURNS trigger LANGUAGE plpgsql AS"
      " $$BEGIN RAISE EXCEPTION 'planted'; END$$;"
      "CREATE CONSTRAINT TRIGGER planted AFTER INSERT ON reeve_read.tokens"
      " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.planted()");
  write_access();
  EXPECT_EQ(stale(), "tokens");
  EXPECT_EQ(rows_in("reeve_read.tenants"), 1);
}

/// It is not written by the append, so its follower has to say so.
TEST_F(guilt, C9_of_a_follower_that_may_not_write_is_told_and_costs_no_other) {
  live_through();
  ASSERT_TRUE(follow());
  const auto& usage = projection_named("llm_usage");
  revoke("reeve_read.llm_usage");
  write_calls(1);
  EXPECT_EQ(follow_to_head(db.writer_url(), usage).error().code, errc::forbidden);
  projection_board board;
  {
    projection_follower follower({db.writer_url(), &board});
    EXPECT_TRUE(eventually([&] { return board.of(usage).state == projection_state::stale; }));
    EXPECT_TRUE(board.refusal(usage));
    EXPECT_FALSE(board.refusal(projection_named("runs")));
    EXPECT_EQ(board.told(usage, projection_state::live, true), projection_state::live)
        << "nothing that a build would mend";
    grant("reeve_read.llm_usage");
    EXPECT_TRUE(eventually([&] { return board.of(usage).state == projection_state::live; }));
  }
  EXPECT_EQ(replayed().different_rows, 0);
}

TEST_F(guilt, C9_is_nobodys_where_a_follower_is_only_late) {
  live_through();
  ASSERT_TRUE(follow());
  write_calls(1);
  const auto& usage = projection_named("llm_usage");
  pqxx::connection other(options.owner_url);
  pqxx::work held(other);
  held.exec("LOCK TABLE reeve_read.llm_usage IN SHARE MODE");
  EXPECT_EQ(follow_to_head(db.writer_url(), usage).error().code, errc::unavailable);
  EXPECT_EQ(follow_to_head("host=/nowhere dbname=x", usage).error().code, errc::unavailable);
}

/// What is given and taken while a read model is built holds afterwards too.
TEST_F(guilt, C9_of_rights_that_change_during_a_build_there_is_none) {
  live_through();
  pqxx::connection other(options.owner_url);
  auto held = std::make_unique<pqxx::work>(other);
  held->exec("SELECT count(*) FROM reeve_read.runs");
  build_options built;
  built.owner_url = options.owner_url;
  built.list = {&projection_named("runs")};
  auto building = std::async(std::launch::async, [&] { return build_projections(built); });
  EXPECT_TRUE(eventually([&] { return rows_in("pg_indexes WHERE tablename = 'runs__next'") > 0; }));
  revoke("reeve_read.runs");
  db.root("GRANT SELECT ON reeve_read.runs TO PUBLIC");
  held.reset();
  EXPECT_TRUE(building.get());
  const auto rights = db.root("SELECT has_table_privilege('" + db.writer() +
                              "', 'reeve_read.runs', 'INSERT'), relacl::text ~ '[{,]=r/'"
                              " FROM pg_class WHERE oid = 'reeve_read.runs'::regclass");
  EXPECT_FALSE(rights[0][0].as<bool>());
  EXPECT_TRUE(rights[0][1].as<bool>());
}

/// With somebody who knows when a table is good again.
class told_guilt : public guilt {
 protected:
  told_guilt() {
    log = journal(trusted_config());
    if (!log.open()) throw std::runtime_error("the journal does not open");
  }
  journal_config trusted_config() {
    auto config = journal_told();
    config.take_over = true;
    config.is_live = [this](const projection& of) {
      return board.of(of).state == projection_state::live;
    };
    on_commit = [this](const commit_notice& notice) { board.on_commit(notice); };
    return config;
  }
  projection_board board;
};

TEST_F(told_guilt, C9_is_not_tried_again_before_the_table_was_built_anew) {
  revoke("reeve_read.run_labels");
  write_run(false);
  EXPECT_EQ(stale(), "run_labels");
  EXPECT_EQ(board.of(projection_named("run_labels")).state, projection_state::stale);
  EXPECT_EQ(board.of(projection_named("runs")).state, projection_state::live);
  grant("reeve_read.run_labels");
  write_run(false);
  EXPECT_EQ(rows_in("reeve_read.run_labels"), 0) << "rows are missing already: none is written";
  board.built(projection_named("run_labels"), log.head().position);
  write_run(false);
  EXPECT_EQ(rows_in("reeve_read.run_labels"), 2);
  EXPECT_EQ(rows_in("reeve_read.runs"), 3);
}

TEST(C9_board, what_became_stale_after_a_build_stays_so) {
  projection_board board;
  const auto& runs = projection_named("runs");
  const auto mark = [&](position at) {
    event_record event;
    event.position = at;
    event.stream = "run-1";
    const stale_mark marks[] = {{&runs, at}};
    board.on_commit({{&event, 1}, {}, marks});
  };
  mark(7);
  EXPECT_TRUE(board.refusal(runs));
  EXPECT_EQ(board.told(runs, projection_state::live, true), projection_state::stale)
      << "the row was read before the mark";
  board.built(runs, 6);
  EXPECT_TRUE(board.refusal(runs));
  board.built(runs, 7);
  EXPECT_FALSE(board.refusal(runs));
  mark(9);
  EXPECT_TRUE(board.refusal(runs));
  EXPECT_FALSE(board.refusal(projection_named("jobs")));
}

}  // namespace
