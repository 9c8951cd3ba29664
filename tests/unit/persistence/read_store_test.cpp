#include "persistence/blob_store.hpp"
#include "tests/unit/persistence/read_store_fixture.hpp"

#include <future>
#include <gmock/gmock.h>

namespace {

using namespace read_store_fixture;
using ::testing::HasSubstr;

class read_models : public read_store_case {};

TEST_F(read_models, EV5_a_writer_reads_its_own_write_while_a_slow_fill_is_under_way) {
  read_store_config slow;
  slow.delay_ms = 300;
  restart(slow);
  const auto run = real_ids().next();
  write_run(run, "pending", R"({"v":1})");
  // This read has seen version 1 and is held back; the write comes in between.
  auto early =
      std::async(std::launch::async, [&] { return get(collection::runs, tenant, to_string(run)); });
  ASSERT_TRUE(eventually([&] {
    return !db.root(
                  "SELECT 1 FROM pg_stat_activity WHERE application_name = 'reeve-reader'"
                  " AND datname = '" +
                  db.name() +
                  "' AND query LIKE '%reeve_read.runs%'"
                  " AND state = 'idle'")
                .empty();
  }));
  write_run(run, "running", R"({"v":2})");
  EXPECT_EQ(*early.get()->body, R"({"v":1})");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(*get(collection::runs, tenant, to_string(run))->body, R"({"v":2})");
  }
  EXPECT_GT(reads->cached_bytes(), 0U);
  write_run(run, "success", R"({"v":3})");
  EXPECT_EQ(*get(collection::runs, tenant, to_string(run))->body, R"({"v":3})");
}

TEST_F(read_models, RUN4_the_detail_is_put_together_and_follows_its_parts) {
  const auto run = real_ids().next(), a = real_ids().next(), b = real_ids().next();
  EXPECT_EQ(detail(run).error().code, errc::not_found);
  write_run(run, "pending", R"({"id":"r"})");
  write_job(b, run, 1, R"({"id":"b"})");
  write_job(a, run, 0, R"({"id":"a"})");
  const auto zero =
      R"({"calls":0,"prompt_tokens":0,"completion_tokens":0,"total_tokens":0})" + std::string();
  const auto before = detail(run);
  EXPECT_EQ(*before->body, R"({"id":"r","directive_snapshot":)" + std::string(own_tasks) +
                               R"(,"jobs":[)"
                               R"({"id":"a","llm_usage":)" +
                               zero + R"(},{"id":"b","llm_usage":)" + zero + R"(}],"llm_usage":)" +
                               zero + "}");
  EXPECT_EQ(detail(run)->body, before->body) << "from memory";
  write_usage(a, run, 10);
  write_usage(b, run, 20);
  const auto after = detail(run);
  EXPECT_THAT(*after->body, HasSubstr(R"("llm_usage":{"calls":2,"prompt_tokens":30)"));
  EXPECT_NE(after->etag, before->etag);
  const auto job = answer_of<document>([&](auto s) { reads->job_detail(tenant, a, s); });
  EXPECT_THAT(*job->body, HasSubstr(R"({"id":"a","llm_usage":{"calls":1,"prompt_tokens":10)"));
  write_job(a, run, 0, R"({"id":"a","status":"running"})");
  EXPECT_THAT(*detail(run)->body, HasSubstr(R"("status":"running")"));
}

TEST_F(read_models, P17_what_belongs_to_another_tenant_is_not_found) {
  const auto run = real_ids().next(), other = real_ids().next();
  const auto at = write_run(run, "pending", "{}");
  ASSERT_TRUE(get(collection::runs, tenant, to_string(run)));
  const auto foreign = get(collection::runs, other, to_string(run));
  const auto absent = get(collection::runs, other, to_string(other));
  const auto bad = get(collection::runs, other, "no uuid");
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error(), absent.error());
  EXPECT_EQ(bad.error(), absent.error());
  event_query query;
  query.tenant = other;
  EXPECT_TRUE(events(query)->events.empty());
  const auto event = [&](const uuid& as) {
    return answer_of<document>(
        [&](auto s) { reads->event(as, at, domain::event_reader::member, s); });
  };
  EXPECT_EQ(event(other).error().code, errc::not_found);
  EXPECT_TRUE(event(tenant));
}

TEST_F(read_models, GW2_lists_page_by_position_and_check_their_cursor) {
  std::vector<std::string> docs;
  for (int i = 0; i < 7; ++i) {
    docs.push_back("{\"n\":" + std::to_string(i) + "}");
    const auto id = real_ids().next();
    const auto at = write_run(id, i % 2 == 0 ? "success" : "pending", docs.back());
    if (i != 3) continue;
    for (const char* label : {"team", "stage"}) {
      write("run_labels", {to_string(tenant), label, "a", std::to_string(at), to_string(id)});
    }
  }
  list_query query;
  query.limit = 3;
  std::string seen;
  for (int page = 0; page < 3; ++page) {
    const auto answer = list(query);
    ASSERT_TRUE(answer) << answer.error().detail;
    seen += *answer->body;
    const auto next = answer->body->find(R"("next":")");
    if (next == std::string::npos) break;
    query.cursor = answer->body->substr(next + 8, answer->body->size() - next - 10);
  }
  std::size_t at = 0;
  for (auto doc = docs.rbegin(); doc != docs.rend(); ++doc) {
    at = seen.find(*doc, at);
    ASSERT_NE(at, seen.npos) << *doc << " in " << seen;
  }
  EXPECT_THAT(seen, HasSubstr(R"("next":null)"));
  list_query filtered;
  filtered.equals = {{"status", "pending"}};
  EXPECT_THAT(*list(filtered)->body, HasSubstr(R"([{"n":5},{"n":3},{"n":1}])"));
  filtered.labels = {{"team", "a"}};
  EXPECT_THAT(*list(filtered)->body, HasSubstr(R"([{"n":3}])"));
  filtered.labels.emplace_back("stage", "a");
  EXPECT_THAT(*list(filtered)->body, HasSubstr(R"([{"n":3}])"));
  filtered.labels.emplace_back("team", "b");
  EXPECT_THAT(*list(filtered)->body, HasSubstr("[]"));
  for (const auto& cursor :
       std::vector<std::string>{"!", "AAAA", "MQ", "MTp4", std::string(600, 'A')}) {
    list_query bad;
    bad.cursor = cursor;
    EXPECT_EQ(list(bad).error().field, "/cursor") << cursor;
  }
  for (const auto other : {collection::jobs, collection::directives, collection::tokens}) {
    list_query bad;
    bad.what = other;
    bad.cursor = query.cursor;
    ASSERT_FALSE(list(bad)) << "the cursor is of the runs";
    EXPECT_EQ(list(bad).error().field, "/cursor");
    EXPECT_EQ(list(bad).error().detail, "the cursor is not one of this list");
  }
  list_query bad;
  bad.limit = 501;
  EXPECT_EQ(list(bad).error().field, "/limit");
  bad = {};
  bad.equals = {{"directive_id", "x"}};
  EXPECT_EQ(list(bad).error().field, "/directive_id");
  bad.equals = {{"doc", "x"}};
  EXPECT_EQ(list(bad).error().code, errc::internal);
}

TEST_F(read_models, EV10_events_are_filtered_and_paged) {
  const auto stream = fresh_stream();
  std::vector<domain::event_stamp> stamps;
  for (int i = 0; i < 6; ++i) {
    auto request = append_to(stream, i, tenant, "{\"n\":" + std::to_string(i) + "}");
    request.events[0].type = i % 2 == 0 ? "even" : "odd";
    stamps.push_back(append_one(*log, request)->stamps[0]);
  }
  const auto positions = [&](const event_query& query) {
    std::vector<domain::position> found;
    const auto page = events(query);
    if (!page) return found;
    for (const auto& item : page->events) found.push_back(item.at);
    return found;
  };
  using list = std::vector<domain::position>;
  event_query query;
  EXPECT_EQ(positions(query).size(), 7U) << "the auditor sees leader_elected too";
  query.tenant = tenant;
  EXPECT_EQ(positions(query), (list{2, 3, 4, 5, 6, 7}));
  query.type = "odd";
  EXPECT_EQ(positions(query), (list{3, 5, 7}));
  query = {};
  query.stream = stream;
  query.newest_first = true;
  query.limit = 2;
  EXPECT_EQ(positions(query), (list{7, 6}));
  EXPECT_EQ(events(query)->next, 6);
  query.before = 4;
  EXPECT_EQ(positions(query), (list{3, 2}));
  EXPECT_FALSE(events(query)->next);
  query.before = 0;
  EXPECT_EQ(positions(query), list{}) << "nothing is before the first one";
  query = {};
  query.after = 8;
  EXPECT_EQ(events(query).error().field, "/after");
  query = {};
  query.tenant = tenant;
  query.from_us = stamps[1].recorded_at_us;
  query.to_us = stamps[4].recorded_at_us;
  EXPECT_EQ(positions(query), (list{3, 4, 5}));
  query = {};
  query.after = 6;
  const auto page = events(query);
  ASSERT_EQ(page->events.size(), 1U);
  EXPECT_EQ(page->head, 7);
  EXPECT_EQ(page->events[0].type, "odd");
  EXPECT_THAT(page->events[0].json, HasSubstr(R"("payload":{"n":5})"));
  query.limit = 0;
  EXPECT_EQ(events(query).error().field, "/limit");
}

TEST_F(read_models, a_stream_is_read_in_the_order_of_its_versions) {
  const auto stream = fresh_stream();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(append_one(*log, append_to(stream, i, tenant, std::to_string(i))));
  }
  const auto read = [&](const uuid& as, domain::version after, int limit) {
    return answer_of<std::vector<domain::event_record>>(
        [&](auto slot) { reads->stream(as, stream, after, limit, slot); });
  };
  const auto some = read(tenant, 1, 3);
  ASSERT_EQ(some->size(), 3U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ((*some)[i].version, i + 2);
  EXPECT_EQ((*some)[0].payload, "1");
  EXPECT_EQ(read(tenant, 0, 5000)->size(), 5U);
  EXPECT_TRUE(read(real_ids().next(), 0, 5000)->empty());
  EXPECT_EQ(read(tenant, 0, 5001).error().field, "/limit");
}

TEST_F(read_models, P3_a_known_command_is_found_until_it_is_swept) {
  auto request = append_to(fresh_stream(), 0, tenant);
  request.command = key_of(tenant, "k", "body");
  ASSERT_TRUE(append_one(*log, request));
  const auto find = [&](const std::string& key) {
    return answer_of<std::optional<read_port::known_command>>(
        [&](auto slot) { reads->command(tenant, "token:test", "POST /api/things", key, slot); });
  };
  const auto found = find("k");
  ASSERT_TRUE(found && found->has_value());
  EXPECT_EQ((*found)->request_digest, sha256("body"));
  EXPECT_EQ((*found)->first_position, 2);
  EXPECT_EQ((*found)->stream, request.events[0].stream);
  EXPECT_EQ((*found)->first_version, 1);
  EXPECT_FALSE(find("other")->has_value());
  db.root("DELETE FROM reeve.commands");
  EXPECT_FALSE(find("k")->has_value());
}

TEST_F(read_models, a_reader_that_lost_its_connection_goes_on) {
  const auto run = real_ids().next();
  write_run(run, "pending", "{}");
  ASSERT_TRUE(list({}));
  db.root(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ="
      " 'reeve-reader' AND datname = '" +
      db.name() + "'");
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(list({}));
}

TEST_F(read_models, P20_a_full_queue_refuses) {
  read_store_config config;
  config.url = db.reader_url();
  config.readers = 1;
  config.max_queue = 2;
  config.delay_ms = 500;
  const auto run = real_ids().next();
  write_run(run, "pending", "{}");
  std::atomic<int> overloaded{0}, answered{0};
  {
    read_store small(config);
    for (int i = 0; i < 8; ++i) {
      small.get(collection::runs, tenant, to_string(run),
                reply_slot<document>([&](outcome<document> answer) {
                  ++answered;
                  if (!answer && answer.error().code == errc::overloaded) ++overloaded;
                }));
    }
  }
  EXPECT_EQ(answered, 8) << "also those that waited when it stopped";
  EXPECT_GE(overloaded, 5);
}

}  // namespace
