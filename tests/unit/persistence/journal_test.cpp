#include "persistence/journal.hpp"

#include "persistence/leaf.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/pg_values.hpp"
#include "persistence/projection.hpp"
#include "persistence/read_sql.hpp"
#include "tests/unit/persistence/journal_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;
using ::testing::HasSubstr;

class journal_on_database : public ::testing::Test {
 protected:
  journal_on_database() : log(journal_on(db.writer_url())), tenant(real_ids().next()) {
    const auto opened = log.open();
    if (!opened) throw std::runtime_error(opened.error().detail);
  }
  std::vector<domain::event_record> stored() const {
    std::vector<domain::event_record> events;
    for (const auto& row :
         db.root("SELECT " + std::string(event_columns()) + " FROM reeve.events ORDER BY 1")) {
      events.push_back(persistence::event_of(row));
    }
    return events;
  }
  std::int64_t count(const std::string& from) const {
    return db.root("SELECT count(*) FROM " + from)[0][0].as<std::int64_t>();
  }

  test_database db;
  journal log;
  uuid tenant;
};

TEST_F(journal_on_database, EV6_every_stored_event_is_chained_from_the_origin) {
  const auto stream = fresh_stream();
  auto first = append_to(stream, 0, tenant, R"({"quote":"\"","slash":"\\","text":"ü {},"})");
  first.events.push_back(event_on(stream, tenant, R"(["NULL",null])"));
  first.events[1].meta.request_digest = sha256("x");
  first.events[1].meta.causation_id = 1;
  first.events[1].meta.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  ASSERT_TRUE(append_one(log, first));
  ASSERT_TRUE(append_one(log, append_to(stream, 2, tenant)));
  const auto events = stored();
  ASSERT_EQ(events.size(), 4U);
  auto previous = genesis_hash(log.head().origin);
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].position, static_cast<domain::position>(i + 1));
    EXPECT_EQ(events[i].leaf, leaf_of(events[i]));
    EXPECT_EQ(events[i].hash, chain_hash(previous, events[i].leaf));
    EXPECT_GT(events[i].recorded_at_us, i > 0 ? events[i - 1].recorded_at_us : 0);
    previous = events[i].hash;
  }
  EXPECT_EQ(events[0].type, "leader_elected");
  EXPECT_EQ(events[1].payload, first.events[0].payload);
  EXPECT_EQ(events[2].payload, first.events[1].payload);
  EXPECT_EQ(events[2].meta, first.events[1].meta);
  EXPECT_EQ(events[3].version, 3);
  EXPECT_EQ(log.head().hash, previous);
}

TEST_F(journal_on_database, EV2_an_event_names_a_cause_of_the_same_append) {
  ASSERT_TRUE(append_one(log, append_to(fresh_stream(), 0, tenant)));
  auto request = append_to(fresh_stream(), 0, tenant);
  for (int i = 0; i < 2; ++i) request.events.push_back(request.events[0]);
  request.events[1].caused_by = 0;
  request.events[2].caused_by = 1;
  const auto result = append_one(log, request);
  ASSERT_TRUE(result) << result.error().detail;
  const auto at = result->first_position;
  const auto cause_of = [&](domain::position p) {
    return db.root("SELECT causation_id FROM reeve.events WHERE position = " +
                   std::to_string(p))[0][0];
  };
  EXPECT_TRUE(cause_of(at).is_null());
  EXPECT_EQ(cause_of(at + 1).as<std::int64_t>(), at);
  EXPECT_EQ(cause_of(at + 2).as<std::int64_t>(), at + 1);
  request = append_to(fresh_stream(), 0, tenant);
  request.events[0].caused_by = 0;
  EXPECT_EQ(append_one(log, request).error().field, "/caused_by") << "nothing causes itself";
}

TEST_F(journal_on_database, EV3_a_conflict_names_both_versions) {
  const auto stream = fresh_stream();
  ASSERT_TRUE(append_one(log, append_to(stream, 0, tenant)));
  const auto refused = append_one(log, append_to(stream, 5, tenant));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::version_conflict);
  EXPECT_THAT(refused.error().detail, HasSubstr("at version 1"));
  EXPECT_THAT(refused.error().detail, HasSubstr("expected was version 5"));
}

TEST_F(journal_on_database, EV3_a_stream_of_an_earlier_life_is_known) {
  const auto stream = fresh_stream();
  ASSERT_TRUE(append_one(log, append_to(stream, 0, tenant)));
  auto config = journal_on(db.writer_url());
  config.take_over = true;
  journal next(config);
  ASSERT_TRUE(next.open());
  EXPECT_EQ(append_one(next, append_to(stream, 0, tenant)).error().code, errc::version_conflict);
  ASSERT_TRUE(append_one(next, append_to(stream, 1, tenant)));
  const auto foreign = append_one(next, append_to(stream, 2, real_ids().next()));
  EXPECT_EQ(foreign.error().code, errc::invalid);
}

TEST_F(journal_on_database, EV3_a_guard_that_moved_refuses) {
  const auto list = fresh_stream("images"), run = fresh_stream("run");
  ASSERT_TRUE(append_one(log, append_to(list, 0, tenant)));
  auto launch = append_to(run, 0, tenant);
  launch.guard = {{list, 1}};
  ASSERT_TRUE(append_one(log, launch));
  // In one batch the guard sees what came before it there.
  std::vector<append_request> batch{append_to(list, 1, tenant), append_to(run, 1, tenant)};
  batch[1].guard = {{list, 1}};
  const auto answers = log.append_batch(batch);
  EXPECT_TRUE(answers[0]);
  ASSERT_FALSE(answers[1]);
  EXPECT_EQ(answers[1].error().code, errc::guard_conflict);
  EXPECT_THAT(answers[1].error().detail, HasSubstr(list));
}

TEST_F(journal_on_database, P8_of_64_appends_with_one_expected_version_one_wins) {
  for (const domain::version expected : {0, 1}) {
    static const auto stream = fresh_stream();
    std::vector<append_request> batch(64, append_to(stream, expected, tenant));
    const auto answers = log.append_batch(batch);
    EXPECT_EQ(std::count_if(answers.begin(), answers.end(), [](auto& a) { return a.ok(); }), 1);
  }
  EXPECT_EQ(count("reeve.events WHERE type = 'thing_happened'"), 2);
}

TEST_F(journal_on_database, P3_a_repeated_command_gives_the_first_result) {
  auto first = append_to(fresh_stream(), 0, tenant);
  first.command = key_of(tenant, "k1", "body");
  const auto done = append_one(log, first);
  ASSERT_TRUE(done);
  // The same stream (which has moved) and another one.
  for (auto again : {first, append_to(fresh_stream(), 0, tenant)}) {
    again.command = key_of(tenant, "k1", "body");
    const auto replayed = append_one(log, again);
    ASSERT_TRUE(replayed) << replayed.error().detail;
    EXPECT_TRUE(replayed->replayed);
    EXPECT_EQ(replayed->first_position, done->first_position);
    EXPECT_EQ(replayed->last_position, done->last_position);
    again.command = key_of(tenant, "k1", "another body");
    EXPECT_EQ(append_one(log, again).error().code, errc::key_reused);
  }
  EXPECT_EQ(count("reeve.events WHERE type = 'thing_happened'"), 1);
}

TEST_F(journal_on_database, P3_equal_keys_in_one_batch_have_one_winner) {
  std::vector<append_request> batch;
  for (int i = 0; i < 5; ++i) {
    batch.push_back(append_to(fresh_stream(), 0, tenant));
    batch.back().command = key_of(tenant, "k", i == 4 ? "other" : "body");
  }
  const auto answers = log.append_batch(batch);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(answers[i]);
    EXPECT_EQ(answers[i]->replayed, i > 0);
    EXPECT_EQ(answers[i]->first_position, answers[0]->first_position);
  }
  EXPECT_EQ(answers[4].error().code, errc::key_reused);
  EXPECT_EQ(count("reeve.commands"), 1);
}

TEST_F(journal_on_database, P3_a_key_is_kept_without_an_event) {
  const auto stream = fresh_stream();
  const auto written = append_one(log, append_to(stream, 0, tenant));
  ASSERT_TRUE(written);
  append_request nothing;
  nothing.expect.push_back({stream, 1});
  nothing.command = key_of(tenant, "k", "body");
  const auto kept = append_one(log, nothing);
  ASSERT_TRUE(kept) << kept.error().detail;
  EXPECT_FALSE(kept->replayed);
  EXPECT_TRUE(kept->stamps.empty());
  EXPECT_EQ(kept->last_position, written->last_position);
  // In a batch with others, after the stream went on, and for whoever leads next.
  const std::vector<append_request> batch{append_to(stream, 1, tenant), nothing};
  const auto answers = log.append_batch(batch);
  ASSERT_TRUE(answers[0]);
  for (const auto& again : {answers[1], append_one(log, nothing)}) {
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_TRUE(again->replayed);
    EXPECT_EQ(again->first_position, written->last_position);
    EXPECT_EQ(again->last_position, written->last_position);
  }
  auto other = append_to(stream, 2, tenant);
  other.command = key_of(tenant, "k", "another body");
  EXPECT_EQ(append_one(log, other).error().code, errc::key_reused);
  nothing.command = key_of(tenant, "k2", "body");
  EXPECT_EQ(append_one(log, nothing).error().code, errc::version_conflict) << "it has moved";
  nothing.expect[0].version = 2;
  EXPECT_TRUE(append_one(log, nothing));
  auto config = journal_on(db.writer_url());
  config.take_over = true;
  journal next(config);
  ASSERT_TRUE(next.open());
  EXPECT_TRUE(append_one(next, nothing)->replayed);
  nothing.command = key_of(tenant, "k3", "body");
  EXPECT_FALSE(append_one(log, nothing)) << "only the leader keeps keys";
  EXPECT_EQ(append_one(log, nothing).error().code, errc::fenced);
  EXPECT_EQ(count("reeve.commands"), 2);
}

TEST_F(journal_on_database, P3_a_key_that_was_swept_is_free_again) {
  auto request = append_to(fresh_stream(), 0, tenant);
  request.command = key_of(tenant, "old", "body");
  ASSERT_TRUE(append_one(log, request));
  db.root("DELETE FROM reeve.commands");
  auto again = append_to(fresh_stream(), 0, tenant);
  again.command = key_of(tenant, "old", "other");
  const auto answer = append_one(log, again);
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->replayed);
}

TEST_F(journal_on_database, a_guilty_request_is_found_and_costs_the_others_nothing) {
  db.root("ALTER TABLE reeve.events_p000000 ADD CONSTRAINT planted CHECK (type <> 'guilty')");
  std::vector<append_request> batch;
  for (int i = 0; i < 9; ++i) batch.push_back(append_to(fresh_stream(), 0, tenant));
  batch[5].events[0].type = "guilty";
  // One that builds on the guilty one is decided again, and refused.
  batch.push_back(append_to(batch[5].events[0].stream, 1, tenant));
  const auto answers = log.append_batch(batch);
  for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(answers[i].ok(), i != 5) << i;
  EXPECT_EQ(answers[5].error().code, errc::internal);
  EXPECT_EQ(answers[9].error().code, errc::version_conflict);
  const auto events = stored();
  EXPECT_EQ(events.back().position, static_cast<domain::position>(events.size()));
}

TEST_F(journal_on_database, projections_are_written_with_the_events) {
  const auto id = real_ids().next();
  const auto row_at = [&](const std::string& doc) {
    return [&, doc](std::span<const domain::event_stamp> stamps, row_sink& rows) {
      rows.push_back({&projection_named("singletons"),
                      {to_string(tenant), "f", std::to_string(stamps[0].at), doc}});
    };
  };
  std::vector<append_request> batch{append_to("thing-" + to_string(id), 0, tenant),
                                    append_to("thing-" + to_string(id), 1, tenant)};
  batch[0].project = row_at("first");
  batch[1].project = row_at("second \"quoted\" \\ {NULL}");
  for (const auto& answer : log.append_batch(batch)) ASSERT_TRUE(answer);
  const auto rows = db.root("SELECT last_position, doc FROM reeve_read.singletons");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0][0].as<domain::position>(), log.head().position);
  EXPECT_STREQ(rows[0][1].c_str(), "second \"quoted\" \\ {NULL}");
  EXPECT_EQ(log.stale_projections(), 0);
}

TEST_F(journal_on_database, C9_a_projection_that_fails_is_stale_and_the_append_goes_on) {
  auto throws = append_to(fresh_stream("directive"), 0, tenant);
  throws.project = [](auto, row_sink&) { throw std::runtime_error("planted"); };
  EXPECT_TRUE(append_one(log, throws));
  auto bad_row = append_to(fresh_stream(), 0, tenant);
  bad_row.project = [](auto, row_sink& rows) {
    rows.push_back({&projection_named("singletons"), {"not a uuid", "f", "1", "{}"}});
  };
  EXPECT_TRUE(append_one(log, bad_row));
  EXPECT_EQ(log.stale_projections(), 2);
  EXPECT_EQ(count("reeve_read.singletons"), 0) << "no row that the log does not write";
  const auto stale = db.root(
      "SELECT string_agg(name || ' ' || stale_from, ', ' ORDER BY name) FROM reeve.projections"
      " WHERE state = 'stale'");
  EXPECT_STREQ(stale[0][0].c_str(), "directive_versions 2, directives 2, singletons 3");
}

TEST_F(journal_on_database, limits_are_named) {
  const auto refused = [&](auto change) {
    auto request = append_to(fresh_stream(), 0, tenant);
    change(request);
    const auto answer = append_one(log, request);
    return answer ? rejection{} : answer.error();
  };
  using request = append_request;
  EXPECT_EQ(refused([](request& r) { r.events[0].payload.assign(65537, 'x'); }).field, "/payload");
  EXPECT_EQ(refused([](request& r) { r.events[0].payload = std::string("a\0b", 3); }).field,
            "/payload");
  EXPECT_EQ(refused([](request& r) { r.events[0].payload = "\xff"; }).field, "/payload");
  EXPECT_EQ(refused([](request& r) { r.events.resize(513, r.events[0]); }).field, "/events");
  EXPECT_EQ(refused([](request& r) { r.events.clear(); }).field, "/events");
  EXPECT_EQ(refused([](request& r) { r.expect.clear(); }).field, "/expect");
  EXPECT_EQ(refused([](request& r) { r.events[0].meta.principal.assign(129, 'x'); }).field,
            "/principal");
  EXPECT_EQ(refused([&](request& r) { r.command = key_of(tenant, "\n", ""); }).field, "/key");
  EXPECT_EQ(count("reeve.events"), 1);
  auto full = append_to(fresh_stream(), 0, tenant, std::string(65536, 'x'));
  full.events.resize(100, full.events[0]);
  const auto answer = append_one(log, full);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->last_position - answer->first_position, 99);
}

TEST_F(journal_on_database, partitions_are_made_ahead_of_need) {
  // The log as it would be shortly before the end of its first partition.
  db.root(
      "SET session_replication_role = replica;"
      "ALTER TABLE reeve.events_p000000 DISABLE TRIGGER USER;"
      "UPDATE reeve.events SET position = 9999990");
  auto config = journal_on(db.writer_url());
  config.take_over = true;
  journal next(config);
  ASSERT_TRUE(next.open());
  const auto stream = fresh_stream();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(append_one(next, append_to(stream, i, tenant)));
  EXPECT_EQ(next.head().position, 10000011);
  EXPECT_EQ(count("reeve.events_p000001"), 12);
  EXPECT_EQ(count("pg_catalog.pg_class WHERE relname = 'events_p000002'"), 1);
}

TEST_F(journal_on_database, P31_one_writer_and_the_fence_holds) {
  journal second(journal_on(db.writer_url()));
  EXPECT_EQ(second.open().error().code, errc::conflict);
  // Another writer's event behind our back, as if the lock had failed.
  db.root(
      "INSERT INTO reeve.events SELECT position + 1, epoch + 1, stream, version + 1, type,"
      " schema_version, tenant, payload, payload_format, key_id, principal, command_id,"
      " request_digest, correlation_id, causation_id, traceparent, recorded_at_us + 1, leaf,"
      " sha256(hash) FROM reeve.events");
  EXPECT_EQ(append_one(log, append_to(fresh_stream(), 0, tenant)).error().code, errc::fenced);
  EXPECT_EQ(log.state(), journal_state::fenced);
  EXPECT_EQ(log.renew().error().code, errc::fenced);
  EXPECT_EQ(append_one(log, append_to(fresh_stream(), 0, tenant)).error().code, errc::fenced);
  EXPECT_EQ(count("reeve.events"), 2);
}

TEST_F(journal_on_database, P31_a_leader_whose_lock_was_taken_is_fenced) {
  auto config = journal_on(db.writer_url());
  config.take_over = true;
  journal next(config);
  const auto opened = next.open();
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->epoch, 2);
  ASSERT_TRUE(append_one(next, append_to(fresh_stream(), 0, tenant)));
  EXPECT_EQ(append_one(log, append_to(fresh_stream(), 0, tenant)).error().code, errc::fenced);
  EXPECT_TRUE(append_one(next, append_to(fresh_stream(), 0, tenant)));
}

TEST(P2_settings, an_unsafe_database_is_refused_and_the_setting_named) {
  const database_settings good{150004, false, "on", "on", "on", "UTF8",
                               "none", "-1",  "-1", "-1", "0"};
  EXPECT_TRUE(check_settings(good));
  const auto field = [&](auto change) {
    auto settings = good;
    change(settings);
    const auto checked = check_settings(settings);
    return checked ? std::string("accepted") : checked.error().field;
  };
  using s = database_settings;
  EXPECT_EQ(field([](s& x) { x.fsync = "off"; }), "fsync");
  EXPECT_EQ(field([](s& x) { x.full_page_writes = "off"; }), "full_page_writes");
  EXPECT_EQ(field([](s& x) { x.synchronous_commit = "off"; }), "synchronous_commit");
  EXPECT_EQ(field([](s& x) { x.server_version = 140011; }), "server_version");
  EXPECT_EQ(field([](s& x) { x.server_encoding = "LATIN1"; }), "server_encoding");
  EXPECT_EQ(field([](s& x) { x.log_statement = "all"; }), "log_parameter_max_length");
  EXPECT_EQ(field([](s& x) { x.log_min_duration_statement = "0"; }), "log_parameter_max_length");
  EXPECT_EQ(field([](s& x) { x.log_parameter_max_length_on_error = "-1"; }),
            "log_parameter_max_length_on_error");
}

TEST(P2_settings, a_database_without_synchronous_commit_is_not_opened) {
  const test_database db;
  db.root("ALTER DATABASE " + db.name() + " SET synchronous_commit = off");
  journal log(journal_on(db.writer_url()));
  const auto opened = log.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, errc::invalid);
  EXPECT_EQ(opened.error().field, "synchronous_commit");
  db.root("ALTER DATABASE " + db.name() + " RESET synchronous_commit");
  EXPECT_TRUE(log.open());
}

}  // namespace
