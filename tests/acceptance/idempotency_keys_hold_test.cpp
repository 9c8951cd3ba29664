// A request that is repeated with its key is done once, however often, however concurrently, and
// also over a crash; and of many who change one thing at once exactly one wins.

#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <set>
#include <thread>

using nlohmann::json;
using support::server;

namespace {

const json kept_directive = {{"name", "d"}, {"tasks", {"task1"}}};

support::header_list key(const std::string& text) {
  return {{"Idempotency-Key", text}};
}

/// Calls it on that many threads at once; every thread has its number.
void at_once(int threads, const std::function<void(int)>& call) {
  std::vector<std::thread> all;
  for (int n = 0; n < threads; ++n) all.emplace_back(call, n);
  for (auto& one : all) one.join();
}

}  // namespace

TEST(EV3_idempotency, gives_the_same_answer_and_writes_one_event) {
  server reeve;
  const auto api = reeve.api();
  auto database = reeve.database();
  const auto tenant = support::tenant_of(api);
  const auto launch_body = json({{"tasks", {"task2"}}});
  const auto first = api.post("/api/runs/launch", launch_body, key("launch-1"));
  ASSERT_EQ(first.status, 201) << first.body;
  const std::string id = first.json().at("id");
  support::await_run(api, id);
  const auto made = api.post("/api/directives", kept_directive, key("directive-1"));
  const auto before = support::events_of(database, tenant);
  for (int n = 0; n < 3; ++n) {
    const auto again = api.post("/api/runs/launch", launch_body, key("launch-1"));
    EXPECT_EQ(again.status, 201) << again.body;
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.header("Location"), first.header("Location"));
    EXPECT_EQ(again.header("Reeve-Position"), first.header("Reeve-Position"));
    EXPECT_EQ(api.post("/api/directives", kept_directive, key("directive-1")).body, made.body);
  }
  EXPECT_EQ(support::events_of(database, tenant), before);

  const auto other = api.post("/api/runs/launch", {{"tasks", {"task3"}}}, key("launch-1"));
  EXPECT_EQ(other.status, 422) << other.body;
  EXPECT_EQ(other.json().at("type"), "urn:reeve:error:key_reused");
  EXPECT_EQ(support::events_of(database, tenant), before);
  // A key belongs to its route: elsewhere it is another one.
  EXPECT_EQ(api.post("/api/directives", kept_directive, key("launch-1")).status, 201);

  reeve.crash_and_restart();
  const auto after = reeve.api().post("/api/runs/launch", launch_body, key("launch-1"));
  EXPECT_EQ(after.status, 201);
  EXPECT_EQ(after.json().at("id"), id);
  EXPECT_EQ(support::must_get(reeve.api(), "/api/runs").at("results").size(), 1U);
}

TEST(EV3_idempotency, is_per_token_and_refuses_what_is_no_key) {
  server reeve;
  const auto api = reeve.api();
  const auto other = api.as(support::new_token(api, "operator"));
  const auto mine = api.post("/api/directives", kept_directive, key("k"));
  const auto theirs = other.post("/api/directives", kept_directive, key("k"));
  EXPECT_EQ(theirs.status, 201);
  EXPECT_NE(mine.json().at("id"), theirs.json().at("id"));
  for (const auto& wrong :
       {std::string("a b"), std::string("\xc3\xbc"), std::string("{}"), std::string(129, 'k')}) {
    const auto answer = api.post("/api/directives", kept_directive, key(wrong));
    EXPECT_EQ(answer.status, 422) << wrong << answer.body;
    EXPECT_EQ(support::pointer_of(answer), "/headers/Idempotency-Key");
  }
}

TEST(P3_concurrent_keys, have_one_winner) {
  server reeve;
  const auto api = reeve.api();
  std::mutex mutex;
  std::set<std::string> ids;
  std::map<int, int> statuses;
  at_once(32, [&](int n) {
    // Eight keys, four requests each.
    const auto answer =
        api.post("/api/directives", kept_directive, key("same-" + std::to_string(n % 8)));
    const std::lock_guard lock(mutex);
    ++statuses[answer.status];
    if (answer.status == 201) ids.insert(answer.json().at("id").get<std::string>());
  });
  EXPECT_EQ(ids.size(), 8U);
  EXPECT_GE(statuses[201], 8);
  // Who is not answered with the first one's result is told that it is still running.
  EXPECT_EQ(statuses[201] + statuses[409], 32);
  const json all = support::must_get(api, "/api/directives?name=d&limit=500").at("results");
  EXPECT_EQ(all.size(), 8U);
}

TEST(P3_concurrent_keys, launch_one_run) {
  server reeve;
  const auto api = reeve.api();
  std::mutex mutex;
  std::map<int, int> statuses;
  at_once(16, [&](int) {
    const auto answer = api.post("/api/runs/launch", {{"tasks", {"task2"}}}, key("one"));
    const std::lock_guard lock(mutex);
    ++statuses[answer.status];
  });
  EXPECT_GE(statuses[201], 1);
  EXPECT_EQ(statuses[201] + statuses[409], 16);
  EXPECT_EQ(support::must_get(api, "/api/runs").at("results").size(), 1U);
}

TEST(P8_concurrent_revisions, of_one_version_have_exactly_one_winner) {
  server reeve;
  const auto api = reeve.api();
  const json made = support::must_post(api, "/api/directives", kept_directive, 201);
  const std::string at = "/api/directives/" + made.at("id").get<std::string>();
  for (int round = 1; round <= 3; ++round) {
    const std::string etag = api.get(at).header("ETag");
    std::mutex mutex;
    std::map<int, int> statuses;
    at_once(64, [&](int n) {
      json body = kept_directive;
      body["description"] = "by " + std::to_string(round * 100 + n);
      const auto answer = api.put(at, body, {{"If-Match", etag}});
      const std::lock_guard lock(mutex);
      ++statuses[answer.status];
    });
    EXPECT_EQ(statuses[200], 1);
    EXPECT_EQ(statuses[412] + statuses[409], 63);
    EXPECT_EQ(support::must_get(api, at).at("version"), round + 1);
  }
}
