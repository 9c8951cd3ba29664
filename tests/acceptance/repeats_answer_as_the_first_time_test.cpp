// A request that is repeated under its Idempotency-Key is answered as the first time, whatever has
// happened since: the state has moved on, If-Match fits no more, or the first one is still running
// (then in_progress). The key stands for what the body says, not for its spelling.

#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

using nlohmann::json;
using support::must_get;
using support::must_post;
using support::server;

namespace {

const json weekly = {{"name", "d"}, {"tasks", {"task2"}}};

support::http_response call(const support::api_client& as, const std::string& method,
                            const std::string& target, const std::string& body,
                            const support::header_list& headers) {
  return as.call({method, target, headers, body});
}

/// The same request once more: the same answer, and no event.
void expect_repeats(server& reeve, const support::http_response& first, const std::string& method,
                    const std::string& target, const std::string& body,
                    const support::header_list& headers) {
  const auto api = reeve.api();
  auto database = reeve.database();
  const auto before = support::events_of(database, support::tenant_of(api));
  for (int n = 0; n < 2; ++n) {
    const auto again = call(api, method, target, body, headers);
    EXPECT_EQ(again.status, first.status) << method << " " << target << again.body;
    EXPECT_EQ(again.body, first.body) << method << " " << target;
    EXPECT_EQ(again.header("ETag"), first.header("ETag"));
    EXPECT_EQ(again.header("Location"), first.header("Location"));
    EXPECT_EQ(again.header("Reeve-Position"), first.header("Reeve-Position"));
  }
  EXPECT_EQ(support::events_of(database, support::tenant_of(api)), before) << target;
}

}  // namespace

TEST(P3_repeats, of_a_cancel_are_answered_alike_when_the_run_is_over) {
  server reeve;
  const auto api = reeve.api();
  support::allow_image(api);
  const json run =
      support::launch(api, support::inline_launch({support::box_task("long", {"sleep", "60"})}));
  const std::string id = run.at("id");
  support::await_started(api, id, "long");
  const std::string target = "/api/runs/" + id + "/cancel";
  const support::header_list headers{{"Idempotency-Key", "cancel-1"},
                                     {"If-Match", api.get("/api/runs/" + id).header("ETag")}};
  const auto first = call(api, "POST", target, "{}", headers);
  ASSERT_EQ(first.status, 202) << first.body;
  EXPECT_EQ(support::await_run(api, id).at("status"), "cancelled");
  expect_repeats(reeve, first, "POST", target, "{}", headers);
  expect_repeats(reeve, first, "POST", target, "", headers);
  EXPECT_EQ(api.post(target, json::object()).status, 409) << "without the key it is refused";
}

TEST(P3_repeats, of_changes_under_if_match_are_answered_alike_when_it_fits_no_more) {
  server reeve;
  const auto api = reeve.api();
  const std::string id = must_post(api, "/api/directives", weekly, 201).at("id");
  const std::string target = "/api/directives/" + id;
  const auto body = json({{"name", "d"}, {"tasks", {"task3"}}}).dump();
  const support::header_list revised{{"Idempotency-Key", "revise-1"}, {"If-Match", "\"1\""}};
  const auto second = call(api, "PUT", target, body, revised);
  ASSERT_EQ(second.status, 200) << second.body;
  EXPECT_EQ(api.put(target, weekly).status, 200);
  expect_repeats(reeve, second, "PUT", target, body, revised);
  const support::header_list ended{{"Idempotency-Key", "archive-1"}, {"If-Match", "\"3\""}};
  const auto archived = call(api, "POST", target + "/archive", "{}", ended);
  ASSERT_EQ(archived.status, 200) << archived.body;
  expect_repeats(reeve, archived, "POST", target + "/archive", "{}", ended);
  expect_repeats(reeve, second, "PUT", target, body, revised);

  const std::string entry =
      "/api/allowlists/images/" + support::allow_image(api)["id"].get<std::string>();
  const support::header_list denied{{"Idempotency-Key", "deny-1"},
                                    {"If-Match", api.get(entry).header("ETag")}};
  const auto gone = call(api, "DELETE", entry, "", denied);
  ASSERT_EQ(gone.status, 200) << gone.body;
  support::allow_image(api);
  expect_repeats(reeve, gone, "DELETE", entry, "", denied);

  const json token = must_post(api, "/api/tokens", {{"name", "t"}, {"role", "viewer"}}, 201);
  const std::string its = "/api/tokens/" + token.at("id").get<std::string>();
  const support::header_list revoked{{"Idempotency-Key", "revoke-1"},
                                     {"If-Match", api.get(its).header("ETag")}};
  const auto over = call(api, "POST", its + "/revoke", "{}", revoked);
  ASSERT_EQ(over.status, 200) << over.body;
  expect_repeats(reeve, over, "POST", its + "/revoke", "{}", revoked);
}

TEST(P3_repeats, of_launches_and_retries_make_no_second_run) {
  server reeve;
  const auto api = reeve.api();
  const std::string id = must_post(api, "/api/directives", weekly, 201).at("id");
  const auto body = json({{"directive_id", id}}).dump();
  const support::header_list launched{{"Idempotency-Key", "launch-1"}};
  const auto first = call(api, "POST", "/api/runs/launch", body, launched);
  ASSERT_EQ(first.status, 201) << first.body;
  const std::string run = first.json().at("id");
  support::await_run(api, run);
  const std::string target = "/api/runs/" + run + "/retry";
  const support::header_list retried{{"Idempotency-Key", "retry-1"}};
  const auto again = call(api, "POST", target, "{}", retried);
  ASSERT_EQ(again.status, 201) << again.body;
  must_post(api, "/api/directives/" + id + "/archive", json::object(), 200);
  expect_repeats(reeve, first, "POST", "/api/runs/launch", body, launched);
  expect_repeats(reeve, again, "POST", target, "{}", retried);
  reeve.crash_and_restart();
  expect_repeats(reeve, again, "POST", target, "{}", retried);
  EXPECT_EQ(must_get(reeve.api(), "/api/runs").at("results").size(), 2U);
}

TEST(P3_repeats, of_commands_that_changed_nothing_are_answered_alike_and_keep_their_key) {
  server reeve;
  const auto api = reeve.api();
  const std::string id = must_post(api, "/api/directives", weekly, 201).at("id");
  const std::string target = "/api/directives/" + id;
  const support::header_list same{{"Idempotency-Key", "same"}};
  const auto unchanged = call(api, "PUT", target, weekly.dump(), same);
  ASSERT_EQ(unchanged.status, 200) << unchanged.body;
  EXPECT_EQ(unchanged.json().at("version"), 1);
  const json other = {{"name", "d"}, {"tasks", {"task3"}}};
  const auto refused = call(api, "PUT", target, other.dump(), same);
  EXPECT_EQ(refused.status, 422) << "the key stands for another request";
  EXPECT_EQ(refused.json().at("type"), "urn:reeve:error:key_reused");
  EXPECT_EQ(api.put(target, other).status, 200);
  expect_repeats(reeve, unchanged, "PUT", target, weekly.dump(), same);
  must_post(api, target + "/archive", json::object(), 200);
  const support::header_list ended{{"Idempotency-Key", "archive-again"}};
  const auto archived = call(api, "POST", target + "/archive", "{}", ended);
  ASSERT_EQ(archived.status, 200) << archived.body;
  reeve.crash_and_restart();
  expect_repeats(reeve, archived, "POST", target + "/archive", "{}", ended);
  expect_repeats(reeve, unchanged, "PUT", target, weekly.dump(), same);
}

TEST(P3_repeats, of_a_second_cancel_are_answered_alike_when_the_run_is_over) {
  support::server_options options;
  options.docker = support::real_engine();
  server reeve(options);
  const auto api = reeve.api();
  support::allow_image(api);
  const json run = support::launch(
      api, support::inline_launch({support::shell_task("deaf", "trap '' TERM; sleep 30")},
                                  {{"stop_grace_s", 2}}));
  const std::string id = run.at("id");
  support::await_started(api, id, "deaf");
  const std::string target = "/api/runs/" + id + "/cancel";
  must_post(api, target, json::object(), 202);
  const support::header_list headers{{"Idempotency-Key", "cancel-2"}};
  const auto second = call(api, "POST", target, "{}", headers);
  ASSERT_EQ(second.status, 202) << second.body;
  EXPECT_EQ(support::await_run(api, id).at("status"), "cancelled");
  expect_repeats(reeve, second, "POST", target, "{}", headers);
}

/// Whoever names the document that he has seen is not answered for one that he has not.
TEST(RUN7_if_match, holds_for_the_very_state_that_a_cancel_is_decided_on) {
  support::server_options options;
  options.environment["REEVE_TEST_READER_DELAY_MS"] = "700";
  server reeve(options);
  const auto api = reeve.api();
  support::allow_image(api);
  const json run =
      support::launch(api, support::inline_launch({support::box_task("long", {"sleep", "60"}),
                                                   support::box_task("more", {"sleep", "60"})}));
  const std::string id = run.at("id");
  support::await_started(api, id, "long");
  support::await_started(api, id, "more");
  const auto tag = api.get("/api/runs/" + id).header("ETag");
  // The document goes from memory, so that the check of If-Match takes its time.
  ASSERT_EQ(reeve.command({"rebuild", "runs"}).status, 0);
  const std::string target = "/api/runs/" + id + "/cancel";
  support::http_response checked;
  std::thread first([&] {
    checked = call(api, "POST", target, "{}", {{"If-Match", tag}, {"Idempotency-Key", "checked"}});
  });
  support::breathe(std::chrono::milliseconds(200));
  const auto other = api.post(target, json::object());
  first.join();
  // Whichever came first: the one with the tag has changed the run as it was seen, or nothing.
  const auto wrote = reeve.database().number(
      "SELECT count(*) FROM reeve.commands WHERE key = 'checked' AND count > 0");
  EXPECT_EQ(checked.status, wrote == 1 ? 202 : 412) << checked.body;
  EXPECT_TRUE(other.status == 202 || wrote == 1) << other.body;
}

TEST(P3_concurrent_keys, under_if_match_have_one_winner_and_no_loser) {
  server reeve;
  const auto api = reeve.api();
  const std::string id = must_post(api, "/api/directives", weekly, 201).at("id");
  std::mutex mutex;
  std::map<int, int> statuses;
  std::set<std::string> bodies;
  std::vector<std::thread> threads;
  for (int n = 0; n < 24; ++n) {
    threads.emplace_back([&] {
      const auto answer = api.put("/api/directives/" + id, {{"name", "d"}, {"tasks", {"task3"}}},
                                  {{"Idempotency-Key", "one"}, {"If-Match", "\"1\""}});
      const std::lock_guard lock(mutex);
      ++statuses[answer.status];
      if (answer.status == 200) bodies.insert(answer.body);
      if (answer.status == 409) {
        EXPECT_EQ(answer.json().at("type"), "urn:reeve:error:in_progress");
      }
    });
  }
  for (auto& one : threads) one.join();
  EXPECT_GE(statuses[200], 1);
  EXPECT_EQ(statuses[200] + statuses[409], 24);
  EXPECT_EQ(bodies.size(), 1U);
  EXPECT_EQ(must_get(api, "/api/directives/" + id).at("version"), 2);
}

TEST(EV3_keys, stand_for_what_the_body_says_and_not_for_its_spelling) {
  server reeve;
  const auto api = reeve.api();
  const support::header_list headers{{"Idempotency-Key", "spelling"}};
  const auto first =
      call(api, "POST", "/api/directives", R"({"name":"d","tasks":["task2"]})", headers);
  ASSERT_EQ(first.status, 201) << first.body;
  for (const char* same :
       {R"({"tasks":["task2"],"name":"d"})", "{ \"name\" : \"d\",\n \"tasks\" : [ \"task2\" ] }",
        R"({"name":"\u0064","tasks":["task2"]})"}) {
    const auto again = call(api, "POST", "/api/directives", same, headers);
    EXPECT_EQ(again.status, 201) << same << again.body;
    EXPECT_EQ(again.body, first.body);
  }
  for (const char* other :
       {R"({"name":"e","tasks":["task2"]})", R"({"name":"d","tasks":["task2","task2"]})"}) {
    const auto refused = call(api, "POST", "/api/directives", other, headers);
    EXPECT_EQ(refused.status, 422) << other;
    EXPECT_EQ(refused.json().at("type"), "urn:reeve:error:key_reused");
  }
}
