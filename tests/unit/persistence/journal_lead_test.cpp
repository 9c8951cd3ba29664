// Who leads the log, under which token, and what a leader finds before its first word.

#include "persistence/event_codec_port.hpp"
#include "tests/unit/persistence/journal_fixture.hpp"

#include <filesystem>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;

struct hand_clock : clock_port {
  time_us now_us() override { return real_clock().now_us(); }
  std::int64_t mono_us() override { return mono; }
  std::int64_t mono = 1'000'000;
};

constexpr auto wait_us = leadership::lease_us + leadership::margin_us;

class journal_lead : public ::testing::Test {
 protected:
  /// A server with a lease of its own.
  struct server {
    explicit server(const std::string& url) : config(journal_on(url)) {
      config.lead = &lead;
      config.clock = &clock;
      config.key = "the public half";
    }
    outcome<journal_head> open() {
      log.emplace(config);
      return log->open();
    }
    hand_clock clock;
    leadership lead{clock};
    journal_config config;
    std::optional<journal> log;
  };

  void end_sessions() const {
    db.root(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'reeve-writer' AND datname = '" +
        db.name() + "'");
  }
  std::int64_t sessions() const {
    return db
        .root(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'reeve-writer'"
            " AND datname = '" +
            db.name() + "'")[0][0]
        .as<std::int64_t>();
  }
  /// When who holds the lock last began or ended a statement.
  std::string last_word() const {
    const auto rows = db.root(
        "SELECT a.state_change FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
        " WHERE l.locktype = 'advisory' AND l.granted AND a.datname = '" +
        db.name() + "'");
    return rows.empty() ? "" : rows[0][0].c_str();
  }
  bool says_another_word() const {
    const auto before = last_word();
    return !before.empty() && eventually([&] { return last_word() != before; });
  }

  std::vector<domain::log_event> elections() const {
    std::vector<domain::log_event> all;
    for (const auto& row :
         db.root("SELECT type, payload FROM reeve.events WHERE type LIKE 'leader_%'"
                 " ORDER BY position")) {
      domain::event_record record;
      record.type = row[0].c_str();
      record.payload = row[1].c_str();
      const auto event = from_record<domain::log_state>(record);
      EXPECT_TRUE(event) << row[1].c_str();
      if (event) all.push_back(*event);
    }
    return all;
  }

  test_database db;
};

TEST_F(journal_lead, EV1_an_election_remembers_server_key_and_database) {
  server one(db.writer_url());
  ASSERT_TRUE(one.open());
  const auto all = elections();
  ASSERT_EQ(all.size(), 1U);
  const auto& elected = std::get<domain::leader_elected>(all[0]);
  EXPECT_EQ(elected.epoch, 1);
  EXPECT_EQ(elected.server, to_string(one.config.server));
  EXPECT_EQ(elected.key, "the public half");
  EXPECT_EQ(elected.system_identifier,
            db.root("SELECT system_identifier::text FROM pg_control_system()")[0][0].c_str());
  EXPECT_GE(elected.timeline, 1);
  EXPECT_FALSE(elected.accepted);
}

TEST_F(journal_lead, P10_who_succeeds_another_ones_leadership_waits_for_its_lease) {
  server one(db.writer_url());
  ASSERT_TRUE(one.open());
  EXPECT_EQ(one.lead.token(), fencing_token{1}) << "nobody was there before";
  one.log.reset();
  server two(db.writer_url());
  two.clock.mono = 5'000'000;
  ASSERT_TRUE(two.open());
  EXPECT_TRUE(two.lead.holds());
  EXPECT_FALSE(two.lead.token());
  two.clock.mono += wait_us - 1;
  ASSERT_TRUE(two.log->renew());
  EXPECT_FALSE(two.lead.token());
  two.clock.mono += 1;
  EXPECT_EQ(two.lead.token(), fencing_token{2});
}

/// Killed while it waits and started again, a server finds itself as the last leader; the lease
/// that it waited for may run on.
TEST_F(journal_lead, P10_a_wait_that_was_not_over_is_begun_again_and_ends_no_leadership_in_order) {
  server one(db.writer_url());
  ASSERT_TRUE(one.open());
  one.log.reset();
  server two(db.writer_url());
  two.config.hold_file = ::testing::TempDir() + fresh_stream("hold");
  ASSERT_TRUE(two.open());
  EXPECT_FALSE(two.lead.token());
  two.log.reset();  // killed

  server again(db.writer_url());
  again.config.server = two.config.server;
  again.config.hold_file = two.config.hold_file;
  ASSERT_TRUE(again.open());
  EXPECT_FALSE(again.lead.token()) << "it succeeds itself, but the first one's lease may run";
  EXPECT_FALSE(again.log->resign()) << "the next one would not wait for it";
  again.log.reset();

  server third(db.writer_url());
  ASSERT_TRUE(third.open());
  EXPECT_FALSE(third.lead.token());
  third.log.reset();

  ASSERT_TRUE(again.open());
  again.clock.mono += wait_us;
  ASSERT_TRUE(again.log->renew());
  EXPECT_TRUE(again.lead.token());
  EXPECT_FALSE(std::filesystem::exists(again.config.hold_file));
  ASSERT_TRUE(again.log->resign());
}

TEST_F(journal_lead, P10_who_succeeds_himself_or_one_that_resigned_acts_at_once) {
  server one(db.writer_url());
  ASSERT_TRUE(one.open());
  server again(db.writer_url());
  again.config.server = one.config.server;
  one.log.reset();
  ASSERT_TRUE(again.open());
  EXPECT_EQ(again.lead.token(), fencing_token{2});
  const auto token = again.lead.token();
  ASSERT_TRUE(again.log->resign());
  EXPECT_FALSE(again.lead.token()) << "a leader that resigned does nothing any more";
  EXPECT_FALSE(again.lead.allows(*token));
  server two(db.writer_url());
  ASSERT_TRUE(two.open());
  EXPECT_EQ(two.lead.token(), fencing_token{3});
  const auto all = elections();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(std::get<domain::leader_resigned>(all[2]),
            (domain::leader_resigned{2, to_string(one.config.server)}));
}

TEST_F(journal_lead, P10_a_lost_session_and_a_fence_revoke_the_leadership) {
  server one(db.writer_url());
  ASSERT_TRUE(one.open());
  end_sessions();
  EXPECT_FALSE(one.log->renew());
  EXPECT_FALSE(one.lead.holds());
  ASSERT_TRUE(eventually([&] { return one.log->renew().ok(); }));
  EXPECT_EQ(one.lead.token(), fencing_token{2}) << "it succeeds itself";
  end_sessions();
  server two(db.writer_url());
  ASSERT_TRUE(eventually([&] { return two.open().ok(); }));
  EXPECT_TRUE(eventually([&] { return one.log->renew().error().code == errc::fenced; }));
  EXPECT_FALSE(one.lead.holds());
}

/// Read models may be built for long between the two.
TEST_F(journal_lead, P31_a_leader_speaks_between_its_election_and_its_first_look_at_the_log) {
  server one(db.writer_url());
  one.config.silent_leader_ms = 300;
  ASSERT_TRUE(one.open());
  server two(db.writer_url());
  EXPECT_EQ(two.open().error().code, errc::conflict);
  for (int hours = 0; hours < 3; ++hours) {
    ASSERT_TRUE(says_another_word());
    two.clock.mono += 3600 * us_per_second;
    EXPECT_EQ(two.log->open().error().code, errc::conflict);
  }
  one.clock.mono += leadership::lease_us + 1;
  EXPECT_FALSE(one.lead.holds()) << "a word proves nothing";
  ASSERT_TRUE(one.log->renew());
  EXPECT_TRUE(one.lead.holds());
  EXPECT_EQ(one.log->head().epoch, 1);
}

/// The database's clock may have been set back since its last word.
TEST_F(journal_lead, P33_a_leader_that_stands_still_is_succeeded_by_the_clock_of_who_waits) {
  server one(db.writer_url());
  ASSERT_TRUE(one.open());
  ASSERT_TRUE(one.log->renew());
  server two(db.writer_url());
  two.config.silent_leader_ms = 3'600'000;
  EXPECT_EQ(two.open().error().code, errc::conflict);
  two.clock.mono += 3600 * us_per_second - 1;
  EXPECT_EQ(two.log->open().error().code, errc::conflict);
  two.clock.mono += 1;
  ASSERT_TRUE(eventually([&] { return two.log->open().ok(); }));
  EXPECT_TRUE(eventually([&] { return one.log->renew().error().code == errc::fenced; }));
}

/// Or forward.
TEST_F(journal_lead, P33_a_leader_is_not_silent_because_of_the_databases_clock) {
  server one(db.writer_url());
  ASSERT_TRUE(one.open());
  ASSERT_TRUE(one.log->renew());
  server two(db.writer_url());
  two.config.silent_leader_ms = 1;
  EXPECT_EQ(two.open().error().code, errc::conflict) << "by the database's it is";
  for (int hours = 0; hours < 3; ++hours) {
    ASSERT_TRUE(one.log->renew());
    two.clock.mono += 3600 * us_per_second;
    EXPECT_EQ(two.log->open().error().code, errc::conflict) << "it has spoken";
  }
  EXPECT_EQ(one.log->head().epoch, 1);
}

/// Who waits with another login may neither see the session nor end it.
TEST_F(journal_lead, P31_a_leader_that_stands_still_is_succeeded_by_who_cannot_end_its_session) {
  server one(db.writer_url());
  one.config.silent_leader_ms = 300;
  one.config.idle_end_ms = 2000 * support::time_factor();
  ASSERT_TRUE(one.open());
  server two(db.writer_url());
  two.config.silent_leader_ms = 3'600'000;
  const auto until = real_clock().mono_us() + 2'500'000 * support::time_factor();
  while (real_clock().mono_us() < until) ASSERT_TRUE(says_another_word());
  ASSERT_TRUE(one.log->renew()) << "it was not silent";
  EXPECT_EQ(one.log->head().epoch, 1);
  ASSERT_TRUE(eventually([&] { return two.open().ok(); }));
  EXPECT_EQ(two.log->head().epoch, 2);
  EXPECT_TRUE(eventually([&] { return one.log->renew().error().code == errc::fenced; }));
}

/// Alone it leads again.
TEST_F(journal_lead, P31_a_leader_that_stood_still_and_was_not_succeeded_leads_again) {
  server one(db.writer_url());
  one.config.silent_leader_ms = 300;
  one.config.idle_end_ms = 1000 * support::time_factor();
  ASSERT_TRUE(one.open());
  ASSERT_TRUE(one.log->renew());
  ASSERT_TRUE(eventually([this] { return sessions() == 0; }));
  ASSERT_TRUE(eventually([&] { return one.log->renew().ok(); }));
  EXPECT_EQ(one.lead.token(), fencing_token{2});
}

TEST_F(journal_lead, P31_a_leader_speaks_while_it_changes_the_schema) {
  server one(db.writer_url());
  one.config.silent_leader_ms = 300;
  one.config.prepare = [this](int) -> outcome<done> {
    EXPECT_TRUE(says_another_word());
    EXPECT_TRUE(says_another_word());
    return done{};
  };
  ASSERT_TRUE(one.open());
  server two(db.writer_url());
  two.config.silent_leader_ms = 6;
  two.config.prepare = [this](int) -> outcome<done> {
    end_sessions();
    EXPECT_TRUE(eventually([this] { return sessions() == 0; }));
    return done{};
  };
  one.log.reset();
  ASSERT_TRUE(eventually([this] { return sessions() == 0; }));
  EXPECT_EQ(two.open().error().code, errc::unavailable) << "the lock went with the session";
  EXPECT_EQ(elections().size(), 1U);
  two.config.prepare = nullptr;
  ASSERT_TRUE(two.open());
}

TEST_F(journal_lead, P31_who_speaks_for_a_leader_takes_no_lost_lock_again) {
  server one(db.writer_url());
  one.config.silent_leader_ms = 6;
  ASSERT_TRUE(one.open());
  end_sessions();
  server two(db.writer_url());
  ASSERT_TRUE(eventually([&] { return two.open().ok(); }));
  EXPECT_TRUE(two.log->renew());
  EXPECT_TRUE(eventually([this] { return sessions() == 1; })) << "the second one's";
  EXPECT_TRUE(eventually([&] { return one.log->renew().error().code == errc::fenced; }));
  EXPECT_FALSE(one.lead.holds());
}

TEST_F(journal_lead, OPS2_a_journal_that_was_overtaken_while_it_was_shut_is_fenced) {
  server one(db.writer_url());
  ASSERT_TRUE(one.open());
  one.log.reset();
  one.config.led_before = true;
  ASSERT_TRUE(one.open()) << "nobody led since";
  one.log.reset();
  server two(db.writer_url());
  ASSERT_TRUE(two.open());
  EXPECT_EQ(one.open().error().code, errc::fenced) << "while the other one leads";
  EXPECT_EQ(one.log->state(), journal_state::fenced);
  two.clock.mono += wait_us;  // before that it leaves no end in order
  ASSERT_TRUE(two.log->resign());
  EXPECT_EQ(one.open().error().code, errc::fenced) << "and after it has gone";
}

TEST_F(journal_lead, P28_the_schema_is_changed_with_the_lock_alone) {
  server one(db.writer_url());
  int prepared = 0;
  one.config.prepare = [&](int leader) -> outcome<done> {
    EXPECT_EQ(db.root("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = " +
                      std::to_string(leader))
                  .size(),
              1U);
    ++prepared;
    return done{};
  };
  ASSERT_TRUE(one.open());
  EXPECT_EQ(prepared, 1);
  server two(db.writer_url());
  two.config.prepare = [&](int) -> outcome<done> {
    ADD_FAILURE() << "a standby changes nothing";
    return done{};
  };
  EXPECT_EQ(two.open().error().code, errc::conflict);
  one.log.reset();
  two.config.prepare = [](int) -> outcome<done> { return reject(errc::invalid, "newer"); };
  EXPECT_EQ(two.open().error().detail, "newer");
  EXPECT_EQ(elections().size(), 1U);
}

TEST_F(journal_lead, P5_a_database_that_is_not_admitted_gets_no_word) {
  server one(db.writer_url());
  ASSERT_TRUE(one.open());
  const auto head = one.log->head();
  one.log.reset();
  server two(db.writer_url());
  two.config.admit = [&](const found_log& found) -> outcome<admission> {
    EXPECT_EQ(found.origin, head.origin);
    EXPECT_EQ(found.position, head.position);
    EXPECT_EQ(found.hash, head.hash);
    EXPECT_TRUE(found.holds(head.position, head.hash));
    EXPECT_FALSE(found.holds(head.position, digest{}));
    return reject(errc::conflict, "behind");
  };
  EXPECT_EQ(two.open().error().detail, "behind");
  EXPECT_EQ(elections().size(), 1U);
  two.config.admit = [](const found_log&) -> outcome<admission> { return admission{"asked", 7}; };
  ASSERT_TRUE(two.open());
  const auto elected = std::get<domain::leader_elected>(elections().back());
  EXPECT_EQ(elected.accepted, "asked");
  EXPECT_EQ(elected.signed_position, 7);
}

}  // namespace
