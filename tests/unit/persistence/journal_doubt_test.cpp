// A connection that is lost while a commit is under way (P3, P1). A deferred constraint trigger
// makes the commit of "slow" events slow, so that the cut always meets it.

#include "tests/unit/persistence/journal_fixture.hpp"
#include "tests/unit/persistence/socket_proxy.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;

class journal_in_doubt : public ::testing::Test {
 protected:
  journal_in_doubt() : proxy(db.host(), db.port()), tenant(real_ids().next()) {
    db.root(
        "CREATE FUNCTION public.wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(NEW.payload::float8); RETURN NULL; END $$");
    db.root(
        "CREATE CONSTRAINT TRIGGER planted AFTER INSERT ON reeve.events_p000000"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.type = 'slow')"
        " EXECUTE FUNCTION public.wait_at_commit()");
  }
  void open(std::int64_t old_session_ms, std::int64_t patience) {
    auto config = journal_on(db.url_of(db.writer(), proxy.host()));
    config.old_session_ms = old_session_ms;
    patience_ms = patience;
    config.on_commit = [this](const commit_notice& notice) {
      for (const auto& event : notice.events) seen.push_back(event.position);
    };
    log = std::make_unique<journal>(config);
    const auto opened = log->open();
    ASSERT_TRUE(opened) << opened.error().detail;
  }
  append_request slow(const std::string& stream, const std::string& seconds) const {
    auto request = append_to(stream, 0, tenant, seconds);
    request.events[0].type = "slow";
    request.command = key_of(tenant, "key of " + stream, "body");
    return request;
  }
  /// Appends on a thread of its own and runs `meanwhile` once the commit is under way.
  outcome<append_result> append_while(const append_request& request,
                                      const std::function<void(int)>& meanwhile) {
    outcome<append_result> answer = reject(errc::internal, "not answered");
    std::thread writer([&] {
      answer = std::move(log->append_batch({&request, 1}, patience_ms).front());
    });
    int pid = 0;
    EXPECT_TRUE(eventually([&] {
      const auto rows = db.root(
          "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
          " AND datname = '" +
          db.name() + "'");
      if (!rows.empty()) pid = rows[0][0].as<int>();
      return pid != 0;
    }));
    meanwhile(pid);
    writer.join();
    return answer;
  }
  std::int64_t slow_events() const {
    return db.root("SELECT count(*) FROM reeve.events WHERE type = 'slow'")[0][0]
        .as<std::int64_t>();
  }
  void expect_no_gaps() const {
    const auto row = db.root("SELECT count(*), max(position) FROM reeve.events")[0];
    EXPECT_EQ(row[0].as<std::int64_t>(), row[1].as<std::int64_t>());
    std::vector<domain::position> all;
    for (domain::position p = 1; p <= row[1].as<std::int64_t>(); ++p) all.push_back(p);
    EXPECT_EQ(seen, all) << "observers see every position once, ascending";
  }

  test_database db;
  socket_proxy proxy;
  uuid tenant;
  std::vector<domain::position> seen;
  std::unique_ptr<journal> log;
  std::int64_t patience_ms = 10000;
};

TEST_F(journal_in_doubt, P3_a_commit_whose_answer_was_lost_is_answered_as_done) {
  open(5000, 10000);
  const auto request = slow(fresh_stream(), "1");
  const auto answer = append_while(request, [&](int) { proxy.cut(true); });
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_FALSE(answer->replayed);
  EXPECT_EQ(slow_events(), 1);
  EXPECT_EQ(log->head().epoch, 2);
  EXPECT_EQ(log->head().position, answer->last_position + 1);
  const auto again = append_one(*log, request);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->first_position, answer->first_position);
  expect_no_gaps();
}

TEST_F(journal_in_doubt, P3_an_old_session_that_never_learns_of_the_cut_is_ended) {
  open(500, 10000);
  const auto answer = append_while(slow(fresh_stream(), "0.2"), [&](int) { proxy.cut(false); });
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(slow_events(), 1);
  expect_no_gaps();
}

TEST_F(journal_in_doubt, P3_a_commit_that_was_killed_is_decided_again) {
  open(5000, 10000);
  const auto answer = append_while(slow(fresh_stream(), "1"), [&](int pid) {
    db.root("SELECT pg_terminate_backend(" + std::to_string(pid) + ")");
  });
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(slow_events(), 1);
  EXPECT_EQ(answer->first_position, 3) << "behind the new leader_elected";
  expect_no_gaps();
}

TEST_F(journal_in_doubt, P3_while_the_database_is_away_the_outcome_is_not_guessed) {
  open(5000, 300);
  const auto request = slow(fresh_stream(), "1");
  const auto answer = append_while(request, [&](int) {
    proxy.refuse(true);
    proxy.cut(true);
  });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, errc::unavailable);
  EXPECT_NE(answer.error().detail.find("not known"), std::string::npos);
  EXPECT_EQ(log->state(), journal_state::away);
  EXPECT_EQ(append_one(*log, append_to(fresh_stream(), 0, tenant)).error().code, errc::unavailable);
  proxy.refuse(false);
  ASSERT_TRUE(eventually([&] { return log->renew().ok(); }));
  const auto again = append_one(*log, request);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(slow_events(), 1);
  expect_no_gaps();
}

TEST_F(journal_in_doubt, OPS2_a_second_cut_while_it_comes_back_is_survived) {
  open(300, 10000);
  const auto stream = fresh_stream();
  ASSERT_TRUE(append_one(*log, append_to(stream, 0, tenant)));
  // Neither the old session nor the next one learns that its client is gone: both keep what they
  // hold, and only whoever knows of both gets the lock again.
  proxy.cut(false);
  EXPECT_FALSE(log->renew());
  ASSERT_EQ(log->state(), journal_state::away);
  EXPECT_FALSE(log->renew()) << "the old session still holds the lock";
  proxy.cut(false);
  ASSERT_TRUE(eventually([&] { return log->renew().ok(); }));
  ASSERT_TRUE(append_one(*log, append_to(stream, 1, tenant)));
  expect_no_gaps();
}

TEST_F(journal_in_doubt, OPS2_every_step_of_coming_back_ends_by_itself) {
  open(5000, 10000);
  proxy.refuse(true);
  proxy.cut(true);
  for (int i = 0; i < 3; ++i) {
    const auto began = std::chrono::steady_clock::now();
    EXPECT_FALSE(log->renew());
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
  }
  proxy.refuse(false);
  ASSERT_TRUE(eventually([&] { return log->renew().ok(); }));
}

TEST_F(journal_in_doubt, a_connection_lost_between_batches_is_taken_up_again) {
  open(5000, 10000);
  const auto stream = fresh_stream();
  ASSERT_TRUE(append_one(*log, append_to(stream, 0, tenant)));
  proxy.cut(true);
  ASSERT_TRUE(append_one(*log, append_to(stream, 1, tenant)));
  EXPECT_EQ(log->head().epoch, 2);
  expect_no_gaps();
}

}  // namespace
