// The next batch is planned while one commits (DESIGN, The journal 1), and thrown away if that one
// turns out not to be there (P1, P3). A deferred constraint trigger makes the commit of "slow"
// events slow, so that the second batch always meets a first one that is under way.

#include "tests/unit/persistence/journal_fixture.hpp"
#include "tests/unit/persistence/socket_proxy.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;

class journal_in_flight : public ::testing::Test {
 protected:
  journal_in_flight() : proxy(db.host(), db.port()) {
    db.root(
        "CREATE FUNCTION public.wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(NEW.payload::float8); RETURN NULL; END $$");
    db.root(
        "CREATE CONSTRAINT TRIGGER planted AFTER INSERT ON reeve.events_p000000"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.type = 'slow')"
        " EXECUTE FUNCTION public.wait_at_commit()");
    auto config = journal_on(db.url_of(db.writer(), proxy.host()));
    config.on_commit = [this](const commit_notice& notice) {
      for (const auto& event : notice.events) seen.push_back(event.position);
    };
    log.emplace(config);
    const auto opened = log->open();
    if (!opened) throw std::runtime_error(opened.error().detail);
  }

  std::shared_ptr<journal_batch> batch_of(std::vector<append_request> requests) const {
    auto batch = std::make_shared<journal_batch>();
    batch->requests = std::move(requests);
    return batch;
  }
  append_request slow(const std::string& stream, domain::version expected) const {
    auto request = append_to(stream, expected, tenant, "0.3");
    request.events[0].type = "slow";
    return request;
  }
  /// As a later call does that has nothing to append.
  void settle(const journal_batch& batch) {
    EXPECT_TRUE(eventually([&] {
      if (!batch.is_answered()) (void)log->renew();
      return batch.is_answered();
    }));
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
  const uuid tenant = real_ids().next();
  std::vector<domain::position> seen;
  std::optional<journal> log;
};

TEST_F(journal_in_flight, EV3_a_batch_goes_on_behind_one_that_is_under_way) {
  const auto stream = fresh_stream();
  const auto one = batch_of({slow(stream, 0)});
  log->begin(one);
  EXPECT_TRUE(log->in_flight());
  EXPECT_FALSE(one->is_answered()) << "nothing is told before its commit";
  EXPECT_EQ(seen.size(), 1U);
  const auto two = batch_of({append_to(stream, 1, tenant), append_to(fresh_stream(), 0, tenant)});
  log->begin(two);
  ASSERT_TRUE(one->is_answered());
  ASSERT_TRUE(*one->answers[0]) << (*one->answers[0]).error().detail;
  log->finish();
  ASSERT_TRUE(two->is_answered());
  ASSERT_TRUE(*two->answers[0]) << (*two->answers[0]).error().detail;
  EXPECT_EQ((*two->answers[0])->stamps[0].version_in_stream, 2);
  EXPECT_TRUE(*two->answers[1]);
  EXPECT_EQ(log->head().position, 4);
  expect_no_gaps();
}

TEST_F(journal_in_flight, EV3_what_was_planned_behind_a_refused_one_is_decided_again) {
  const auto stream = fresh_stream(), other = fresh_stream();
  // The stream is there, and this journal does not know: its statement is refused.
  ASSERT_TRUE(append_one(*log, append_to(stream, 0, tenant)));
  db.root("UPDATE reeve.streams SET version = 7 WHERE stream = '" + stream + "'");
  const auto one = batch_of({append_to(stream, 1, tenant), slow(other, 0)});
  log->begin(one);
  const auto two = batch_of({append_to(other, 1, tenant), append_to(fresh_stream(), 0, tenant)});
  log->begin(two);
  log->finish();
  ASSERT_TRUE(one->is_answered() && two->is_answered());
  EXPECT_EQ((*one->answers[0]).error().code, errc::version_conflict);
  EXPECT_TRUE(*one->answers[1]) << "only the guilty one is refused";
  ASSERT_TRUE(*two->answers[0]) << (*two->answers[0]).error().detail;
  EXPECT_TRUE(*two->answers[1]);
  expect_no_gaps();
}

TEST_F(journal_in_flight, EV3_nothing_is_refused_on_the_word_of_a_statement_that_is_under_way) {
  const auto stream = fresh_stream();
  ASSERT_TRUE(append_one(*log, append_to(stream, 0, tenant)));
  const auto one = batch_of({slow(stream, 1)});
  log->begin(one);
  const auto two = batch_of({append_to(stream, 1, tenant)});
  log->begin(two);
  EXPECT_TRUE(one->is_answered()) << "its end was waited for";
  log->finish();
  ASSERT_TRUE(two->is_answered());
  EXPECT_EQ((*two->answers[0]).error().code, errc::version_conflict);
  expect_no_gaps();
}

TEST_F(journal_in_flight, P3_a_cut_leaves_one_statement_in_doubt_and_nothing_behind_it) {
  for (const bool server_too : {true, false}) {
    const auto stream = fresh_stream();
    const auto one = batch_of({slow(stream, 0)});
    log->begin(one);
    proxy.cut(server_too);
    const auto two = batch_of({append_to(stream, 1, tenant)});
    log->begin(two);
    ASSERT_TRUE(two->is_answered()) << "it was planned and never sent";
    EXPECT_EQ((*two->answers[0]).error().code, errc::unavailable);
    settle(*one);
    ASSERT_TRUE(*one->answers[0]) << (*one->answers[0]).error().detail;
    ASSERT_TRUE(append_one(*log, append_to(stream, 1, tenant)));
    expect_no_gaps();
  }
  EXPECT_EQ(db.root("SELECT count(*) FROM reeve.events WHERE type = 'slow'")[0][0].as<int>(), 2);
}

}  // namespace
