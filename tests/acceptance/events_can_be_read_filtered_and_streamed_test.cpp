// The log can be read by everyone for his own tenant: in pages, filtered, and live, without a gap
// between what was and what comes, and without one after a broken connection.

#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <thread>

using nlohmann::json;
using support::must_get;
using support::server;
using namespace std::chrono_literals;

namespace {

std::vector<long> positions(const json& page) {
  std::vector<long> all;
  for (const json& event : page.at("results")) all.push_back(event.at("position"));
  return all;
}

/// Every page of a query, in the order in which they come.
std::vector<long> all_positions(const support::api_client& api, const std::string& query) {
  std::vector<long> all;
  std::string more;
  for (int pages = 0; pages < 500; ++pages) {
    const json page = must_get(api, "/api/events?" + query + more);
    for (const long at : positions(page)) all.push_back(at);
    if (page.at("next").is_null()) return all;
    more = "&cursor=" + page.at("next").get<std::string>();
  }
  throw std::runtime_error("the pages have no end");
}

json three_runs(const support::api_client& api) {
  json runs = json::array();
  for (int n = 0; n < 3; ++n) {
    runs.push_back(support::launch(api, {{"tasks", {"task2"}}}));
    support::await_run(api, runs.back().at("id"));
  }
  return runs;
}

void launch_many(const support::api_client& api, int threads, int each) {
  std::vector<std::thread> all;
  for (int n = 0; n < threads; ++n) {
    all.emplace_back([&] {
      for (int i = 0; i < each; ++i) support::launch(api, {{"tasks", {"task2"}}});
    });
  }
  for (auto& one : all) one.join();
}

/// Positions of a stream from after `after` until `last` is there.
std::vector<long> stream_until(const support::api_client& api, const std::string& after,
                               long last) {
  auto reader = api.events("/api/events/stream?after=0", after);
  EXPECT_EQ(reader.response().status, 200);
  std::vector<long> seen;
  while (seen.empty() || seen.back() < last) {
    const auto event = reader.next(10s);
    if (!event) throw std::runtime_error("the stream is silent before " + std::to_string(last));
    seen.push_back(std::stol(event->id));
    EXPECT_EQ(json::parse(event->data).at("position"), seen.back());
  }
  return seen;
}

}  // namespace

TEST(EV2_events, hold_everything_that_an_auditor_needs) {
  server reeve;
  const auto api = reeve.api();
  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const auto answer =
      api.post("/api/runs/launch", {{"tasks", {"task2"}}}, {{"traceparent", trace}});
  ASSERT_EQ(answer.status, 201);
  const json event = must_get(api, "/api/events/" + answer.header("Reeve-Position"));
  for (const char* name :
       {"position", "epoch", "stream", "version", "type", "schema_version", "tenant", "payload",
        "payload_format", "key_id", "principal", "command_id", "request_digest", "correlation_id",
        "causation_id", "traceparent", "recorded_at", "leaf", "hash"}) {
    EXPECT_TRUE(event.contains(name)) << name;
  }
  EXPECT_EQ(event.at("principal"),
            "token:" + must_get(api, "/api/whoami").at("token_id").get<std::string>());
  EXPECT_EQ(event.at("traceparent"), trace);
  EXPECT_EQ(event.at("version"), 1);
  EXPECT_EQ(event.at("hash").get<std::string>().size(), 64U);
  EXPECT_EQ(api.get("/api/events/999999999").status, 404);
  EXPECT_EQ(api.get("/api/events/0").status, 404);
  EXPECT_EQ(api.get("/api/events/x").status, 404);
}

TEST(EV10_events, are_filtered) {
  server reeve;
  const auto api = reeve.api();
  const json runs = three_runs(api);
  const std::string id = runs[1].at("id");
  const json of_run = must_get(api, "/api/events?stream=run-" + id);
  ASSERT_GE(of_run.at("results").size(), 3U);
  int version = 0;
  for (const json& event : of_run.at("results")) {
    EXPECT_EQ(event.at("stream"), "run-" + id);
    EXPECT_EQ(event.at("version"), ++version);
  }
  EXPECT_EQ(must_get(api, "/api/events?type=run_launched").at("results").size(), 3U);
  EXPECT_EQ(must_get(api, "/api/events?type=run_launched&stream=run-" + id).at("results").size(),
            1U);
  EXPECT_EQ(must_get(api, "/api/events?type=no_such_type").at("results").size(), 0U);
  const json first = of_run.at("results").at(0);
  const auto by_correlation = positions(
      must_get(api, "/api/events?correlation_id=" + first.at("correlation_id").get<std::string>()));
  EXPECT_EQ(by_correlation, positions(of_run));
  const std::string principal = first.at("principal");
  for (const json& event : must_get(api, "/api/events?principal=" + principal).at("results")) {
    EXPECT_EQ(event.at("principal"), principal);
  }
  const long at = first.at("position");
  const std::string time = first.at("recorded_at");
  for (const long position : positions(must_get(api, "/api/events?from=" + time))) {
    EXPECT_GE(position, 1);
  }
  const auto until = positions(must_get(api, "/api/events?limit=500&to=" + time));
  EXPECT_TRUE(until.empty() || until.back() < at);
  const auto since = positions(must_get(api, "/api/events?limit=500&from=" + time));
  EXPECT_THAT(since, testing::Contains(at));
  EXPECT_THAT(until, testing::Not(testing::Contains(at)));
  EXPECT_EQ(positions(must_get(api, "/api/events?limit=1&after=" + std::to_string(at - 1))),
            std::vector<long>{at});
  for (const char* wrong :
       {"limit=0", "limit=501", "limit=x", "after=-1", "before=x", "order=up", "from=yesterday",
        "correlation_id=1", "colour=red", "limit=1&limit=2"}) {
    const auto answer = api.get(std::string("/api/events?") + wrong);
    EXPECT_EQ(answer.status, 422) << wrong << answer.body;
  }
}

TEST(EV10_events, come_in_pages_that_miss_and_repeat_nothing) {
  server reeve;
  const auto api = reeve.api();
  three_runs(api);
  const auto whole = positions(must_get(api, "/api/events?limit=500"));
  ASSERT_GT(whole.size(), 9U);
  EXPECT_TRUE(std::is_sorted(whole.begin(), whole.end()));
  EXPECT_EQ(std::set<long>(whole.begin(), whole.end()).size(), whole.size());
  EXPECT_EQ(all_positions(api, "limit=2"), whole);
  auto down = all_positions(api, "limit=3&order=desc");
  std::reverse(down.begin(), down.end());
  EXPECT_EQ(down, whole);
  const std::string next = must_get(api, "/api/events?limit=2").at("next");
  EXPECT_EQ(positions(must_get(api, "/api/events?limit=500&before=" + std::to_string(whole[3]) +
                                        "&cursor=" + next)),
            std::vector<long>{whole[2]})
      << "a page keeps to the range that was asked for";
  EXPECT_TRUE(positions(must_get(api, "/api/events?before=0")).empty());
  for (const char* other : {"order=desc", "type=run_launched", "stream=a"}) {
    const auto refused = api.get("/api/events?" + std::string(other) + "&cursor=" + next);
    EXPECT_EQ(refused.status, 422) << other;
    EXPECT_EQ(support::pointer_of(refused), "/query/cursor") << other;
  }
}

TEST(GW2_lists, refuse_the_cursor_of_another_list) {
  server reeve;
  const auto api = reeve.api();
  const json two = {{"tasks", {"task1", "task2"}}};
  const std::string one = support::launch(api, two).at("id");
  const std::string other = support::launch(api, two).at("id");
  const auto refuses = [&](const std::string& list, const std::string& cursor) {
    const auto answer = api.get(list + "cursor=" + cursor);
    EXPECT_EQ(answer.status, 422) << list << answer.body;
    EXPECT_EQ(support::pointer_of(answer), "/query/cursor") << list;
  };
  const std::string next = must_get(api, "/api/runs/" + one + "/jobs?limit=1").at("next");
  EXPECT_EQ(must_get(api, "/api/runs/" + one + "/jobs?limit=9&cursor=" + next).at("results").size(),
            1U)
      << "the size of a page may change";
  for (const std::string& list : {"/api/runs/" + other + "/jobs?", std::string("/api/jobs?"),
                                  "/api/runs/" + one + "/jobs?task=task1&"}) {
    refuses(list, next);
  }
  const std::string since = "/api/runs?since=2000-01-01T00:00:00Z&limit=1";
  const std::string more = must_get(api, since).at("next");
  EXPECT_EQ(must_get(api, since + "&cursor=" + more).at("results").at(0).at("id"), one);
  EXPECT_EQ(must_get(api, "/api/runs?since=2000-01-01T01:00:00.0%2B01:00&cursor=" + more)
                .at("results")
                .at(0)
                .at("id"),
            one)
      << "the same list, in another spelling";
  const std::string runs = must_get(api, "/api/runs?limit=1").at("next");
  for (const char* list : {"/api/runs?status=failed&", "/api/runs?label=a:b&",
                           "/api/runs?since=2000-01-01T00:00:00Z&", "/api/events?"}) {
    refuses(list, runs);
  }
}

TEST(GW2_lists, come_in_pages_while_more_is_added) {
  server reeve;
  const auto api = reeve.api();
  launch_many(api, 1, 7);
  std::set<std::string> seen;
  std::string more;
  std::size_t rows = 0;
  for (int pages = 0; pages < 10; ++pages) {
    const json page = must_get(api, "/api/runs?limit=3" + more);
    for (const json& run : page.at("results")) {
      seen.insert(run.at("id").get<std::string>());
      ++rows;
    }
    // What is added at the front does not shift what is still to come.
    launch_many(api, 1, 1);
    if (page.at("next").is_null()) break;
    more = "&cursor=" + page.at("next").get<std::string>();
  }
  EXPECT_EQ(rows, 7U);
  EXPECT_EQ(seen.size(), 7U);
  EXPECT_EQ(api.get("/api/runs?cursor=nonsense").status, 422);
  const std::string of_runs = must_get(api, "/api/runs?limit=3").at("next");
  EXPECT_EQ(api.get("/api/runs?cursor=" + of_runs).status, 200);
  for (const char* list : {"jobs", "directives", "tokens", "allowlists/images", "checkpoints"}) {
    const auto other = api.get("/api/" + std::string(list) + "?cursor=" + of_runs);
    EXPECT_EQ(other.status, 422) << list;
    EXPECT_EQ(support::pointer_of(other), "/query/cursor") << list;
  }
  EXPECT_EQ(api.get("/api/runs?limit=501").status, 422);
  for (const char* list : {"/api/runs?limit=3", "/api/events?limit=3"}) {
    const std::string path = list;
    // It ends with the same row; what has happened to the rows meanwhile is another matter.
    EXPECT_EQ(must_get(api, path + "&cursor=").at("next"), must_get(api, path).at("next"));
  }
}

TEST(EV10_stream, has_no_gap_between_history_and_live) {
  server reeve;
  const auto api = reeve.api();
  launch_many(api, 1, 20);
  std::vector<long> seen;
  std::thread launching([&] { launch_many(api, 4, 50); });
  auto reader = api.events("/api/events/stream?after=0&type=run_launched");
  ASSERT_EQ(reader.response().status, 200);
  EXPECT_EQ(reader.response().header("Content-Type"), "text/event-stream");
  while (seen.size() < 220) {
    const auto event = reader.next(10s);
    if (!event) break;
    EXPECT_EQ(event->name, "run_launched");
    seen.push_back(std::stol(event->id));
  }
  launching.join();
  EXPECT_EQ(seen, all_positions(api, "limit=500&type=run_launched"));
  EXPECT_EQ(seen.size(), 220U);
}

TEST(EV10_stream, goes_on_where_a_client_left_it) {
  server reeve;
  const auto api = reeve.api();
  std::thread launching([&] { launch_many(api, 2, 40); });
  std::vector<long> seen;
  // The client loses its connection after every seventh event.
  std::string last;
  for (int rounds = 0; rounds < 8; ++rounds) {
    auto reader = api.events("/api/events/stream?after=0", last);
    for (int n = 0; n < 7; ++n) {
      const auto event = reader.next(10s);
      ASSERT_TRUE(event);
      last = event->id;
      seen.push_back(std::stol(last));
    }
  }
  launching.join();
  const json newest = must_get(api, "/api/events?order=desc&limit=1").at("results");
  for (const long at : stream_until(api, last, newest[0].at("position"))) seen.push_back(at);
  auto whole = all_positions(api, "limit=500");
  // Runs go on to end while the pages are read.
  whole.resize(std::min(whole.size(), seen.size()));
  seen.resize(whole.size());
  EXPECT_EQ(seen, whole);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST(EV10_stream, is_live_and_ends_with_the_server) {
  server reeve;
  const auto api = reeve.api();
  auto reader = api.events("/api/events/stream");
  ASSERT_EQ(reader.response().status, 200);
  const json run = support::launch(api, {{"tasks", {"task2"}}});
  const auto event = reader.next(5s);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->id, std::to_string(run.at("position").get<long>()));
  EXPECT_EQ(api.get("/api/events/stream?after=999999999").status, 422);
  EXPECT_EQ(api.get("/api/events/stream", {{"Last-Event-ID", "abc"}}).status, 422);
  EXPECT_EQ(reeve.stop(), 0);
  while (reader.next(5s)) {
  }
  EXPECT_TRUE(reader.ended());
}

TEST(P17_events, of_another_tenant_are_not_there) {
  server reeve;
  const auto api = reeve.api();
  const auto looker = api.as(support::new_token(api, "viewer"));
  const auto auditor = api.as(support::new_token(reeve.system_api(), "auditor"));
  three_runs(api);
  auto database = reeve.database();
  const auto tenant = support::tenant_of(api);
  const auto foreign = database.query(
      "SELECT position, tenant FROM reeve.events WHERE tenant <> $1::uuid ORDER BY 1", {tenant});
  ASSERT_GT(foreign.size(), 0U) << "the server's own tenant has events too";
  const std::string position = *foreign.at(0, "position");
  const std::string other = *foreign.at(0, "tenant");
  for (const auto& who : {api, looker}) {
    for (const json& event : must_get(who, "/api/events?limit=500").at("results")) {
      EXPECT_EQ(event.at("tenant"), tenant);
    }
    auto absent = who.get("/api/events/999999999").json();
    auto hidden = who.get("/api/events/" + position).json();
    for (const char* differs : {"instance", "request_id"}) {
      absent.erase(differs);
      hidden.erase(differs);
    }
    EXPECT_EQ(hidden, absent);
    EXPECT_EQ(who.get("/api/events?tenant=" + other).status, 404);
    EXPECT_EQ(who.get("/api/events/stream?tenant=" + other).status, 404);
  }
  // The auditor reads them all: the very same event is there.
  EXPECT_EQ(must_get(auditor, "/api/events/" + position).at("tenant"), other);
  const auto everything = all_positions(auditor, "limit=500");
  for (std::size_t n = 0; n < everything.size(); ++n) {
    EXPECT_EQ(everything[n], static_cast<long>(n + 1)) << "positions are gap-free";
  }
  EXPECT_EQ(must_get(auditor, "/api/events?tenant=" + tenant + "&limit=500").at("results").size(),
            must_get(api, "/api/events?limit=500").at("results").size());
}
