// Who was told that something was written finds it with his very next read, on any connection and
// without saying what he has written, also when every reader of the database is slow.
//
// REEVE_TEST_PAIRS is the number of pairs of a write and a read: 6,000 unless it says otherwise.
// 100,000 (before a release) take five times as long. With readers that are held back by 20 ms it
// is a fortieth of that, because there are only a few readers.

#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <atomic>
#include <cstdlib>
#include <gtest/gtest.h>
#include <mutex>
#include <thread>

using nlohmann::json;
using support::server;
using namespace std::chrono_literals;

namespace {

constexpr int connections = 32;

int wanted_pairs() {
  const char* text = std::getenv("REEVE_TEST_PAIRS");
  return text == nullptr ? 6'000 : std::atoi(text);
}

/// Two kept connections, so that the read is not on the one that wrote.
class pair_of_connections {
 public:
  pair_of_connections(const support::endpoint& to, std::string token)
      : write_(to), read_(to), token_(std::move(token)) {}
  support::http_response write(const std::string& method, const std::string& target,
                               const json& body) {
    return write_.call({method, target, headers(), body.dump()});
  }
  support::http_response read(const std::string& target) {
    return read_.call({"GET", target, headers(), {}});
  }

 private:
  support::header_list headers() const {
    return {{"Authorization", "Bearer " + token_}, {"Content-Type", "application/json"}};
  }
  support::http_connection write_;
  support::http_connection read_;
  std::string token_;
};

struct tally {
  explicit tally(int wanted) : left(wanted) {}
  std::atomic<int> left;
  std::atomic<int> done{0};
  std::mutex mutex{};
  std::vector<std::string> missed{};
  void miss(const std::string& what) {
    const std::lock_guard lock(mutex);
    if (missed.size() < 20) missed.push_back(what);
  }
};

json directive(const std::string& description) {
  return {{"name", "d"}, {"description", description}, {"tasks", {"task1"}}};
}

/// A new directive and then versions of it, each read back at once.
void work(pair_of_connections& on, tally& pairs) {
  std::string at;
  for (int n = 0; pairs.left.fetch_sub(1) > 0; ++n) {
    const bool fresh = n % 8 == 0;
    const std::string text = "text " + std::to_string(n);
    const auto written = fresh ? on.write("POST", "/api/directives", directive(text))
                               : on.write("PUT", at, directive(text));
    if (written.status != (fresh ? 201 : 200)) return pairs.miss("refused: " + written.body);
    const json made = written.json();
    if (fresh) at = "/api/directives/" + made.at("id").get<std::string>();
    const auto found = on.read(at);
    if (found.status != 200 || found.json().at("description") != text) {
      pairs.miss("wrote " + written.body + "\n read " + found.body);
    }
    ++pairs.done;
  }
}

support::server_options readers_held_back_by(const std::string& delay_ms) {
  support::server_options options;
  options.environment["REEVE_TEST_READER_DELAY_MS"] = delay_ms;
  options.environment["REEVE_RATE_PER_S"] = "1000000";
  return options;
}

void expect_pairs(const server& reeve, int wanted) {
  tally pairs(wanted);
  const std::string token = reeve.token();
  std::vector<std::thread> threads;
  for (int n = 0; n < connections; ++n) {
    threads.emplace_back([&] {
      try {
        pair_of_connections on(reeve.address(), token);
        work(on, pairs);
      } catch (const std::exception& why) {
        pairs.miss(why.what());
      }
    });
  }
  for (auto& one : threads) one.join();
  for (const auto& one : pairs.missed) ADD_FAILURE() << one;
  EXPECT_EQ(pairs.done, wanted);
}

}  // namespace

TEST(EV5_own_writes, are_read_at_once_by_whoever_was_told_of_them) {
  REEVE_TEST_TIME_LIMIT(600);
  const server reeve(readers_held_back_by("0"));
  expect_pairs(reeve, wanted_pairs());
}

TEST(EV5_own_writes, are_read_at_once_also_from_slow_readers) {
  REEVE_TEST_TIME_LIMIT(600);
  const server reeve(readers_held_back_by("20"));
  expect_pairs(reeve, wanted_pairs() / 40);
}

TEST(EV5_own_writes, are_in_every_list_and_detail_that_they_belong_to) {
  server reeve(readers_held_back_by("20"));
  const auto api = reeve.api();
  support::allow_image(api);
  for (int n = 0; n < 20; ++n) {
    const json run = support::launch(api, {{"tasks", {"task2"}}});
    const std::string id = run.at("id");
    EXPECT_EQ(support::must_get(api, "/api/runs?limit=1").at("results").at(0).at("id"), id);
    EXPECT_EQ(support::must_get(api, "/api/runs/" + id).at("id"), id);
    const std::string job = run.at("jobs").at(0).at("id");
    const std::string calls = "/api/jobs/" + job + "/llm-calls";
    const json call = {{"model_name", "m"}, {"prompt_tokens", n}, {"completion_tokens", 1}};
    const json made = support::must_post(api, calls, call, 201);
    EXPECT_EQ(support::must_get(api, calls).at("results").at(0), made);
    EXPECT_EQ(support::must_get(api, "/api/jobs/" + job).at("llm_usage").at("calls"), 1);
    EXPECT_EQ(support::must_get(api, "/api/runs/" + id).at("llm_usage").at("prompt_tokens"), n);
    const json events = support::must_get(api, "/api/events?order=desc&limit=500");
    bool there = false;
    for (const json& event : events.at("results")) there |= event.at("stream") == "run-" + id;
    EXPECT_TRUE(there);
  }
}

TEST(EV5_min_position, waits_for_what_another_caller_has_seen) {
  server reeve(readers_held_back_by("20"));
  const auto api = reeve.api();
  const auto written = api.post("/api/directives", directive("here"));
  const auto found = api.get(written.header("Location"),
                             {{"Reeve-Min-Position", written.header("Reeve-Position")}});
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.json().at("description"), "here");
  EXPECT_EQ(api.get("/api/directives", {{"Reeve-Min-Position", "x"}}).status, 422);
  const auto ahead = api.get("/api/directives", {{"Reeve-Min-Position", "999999999"}});
  EXPECT_GE(ahead.status, 400) << "nobody can have seen that";
  EXPECT_LT(ahead.status, 505);
}
