// SIGTERM: nothing new is taken, what was begun is finished, nothing that was acknowledged is lost;
// and health tells the truth while the database is away.

#include "tests/support/chaos.hpp"
#include "tests/support/private_cluster.hpp"
#include "tests/support/work.hpp"

#include <atomic>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <thread>

using nlohmann::json;
using support::launch_body;
using support::server;
using namespace std::chrono_literals;

namespace {

/// The head of a launch with the whole length announced and the first half of the body.
std::string first_half(const std::string& token, const std::string& body) {
  return "POST /api/runs/launch HTTP/1.1\r\nHost: reeve\r\nAuthorization: Bearer " + token +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body.substr(0, body.size() / 2);
}

bool takes_connections(const support::endpoint& at) {
  try {
    const support::http_connection one(at, 1s);
    return true;
  } catch (const support::http_error&) {
    return false;
  }
}

/// 0 when there is no answer.
int status_of(const server& reeve, const std::string& target) {
  try {
    return support::http_call(reeve.address(), {"GET", target, {}, std::nullopt, 5s}).status;
  } catch (const support::http_error&) {
    return 0;
  }
}

/// Both are asked again and again until /readyz has that status; /livez is 200 every time.
void expect_ready_becomes(const server& reeve, int status) {
  EXPECT_TRUE(support::eventually([&] {
    EXPECT_EQ(status_of(reeve, "/livez"), 200);
    return status_of(reeve, "/readyz") == status;
  })) << "/readyz did not become "
      << status;
}

}  // namespace

/// A stream that the stop ends has no last chunk: a client must not take it for whole.
TEST(P27_stop, cuts_streams_so_that_they_do_not_look_whole) {
  server reeve;
  const auto api = reeve.api();
  const json run = support::launch(api, launch_body);
  support::await_run(api, run.at("id"));
  const std::string job = run.at("jobs").at(0).at("id");
  const auto begin = [&](const std::string& target) {
    support::http_connection one(reeve.address());
    one.send("GET " + target + " HTTP/1.1\r\nHost: reeve\r\nAuthorization: Bearer " +
             reeve.token() + "\r\n\r\n");
    EXPECT_EQ(one.receive_head().status, 200) << target;
    return one;
  };
  const auto read_until = [](support::http_connection& from, const std::string& wanted) {
    std::string text;
    for (std::string more = "?"; !more.empty() && text.find(wanted) == text.npos; text += more) {
      more = from.read_some();
    }
    return text;
  };
  const std::string last_chunk = "\r\n0\r\n\r\n";
  auto whole = begin("/api/jobs/" + job + "/logs/stream");
  EXPECT_THAT(read_until(whole, last_chunk), testing::EndsWith(last_chunk))
      << "the job has ended, and all of it was told";
  auto cut = begin("/api/events/stream?after=0");
  auto text = read_until(cut, "event: run_launched");
  EXPECT_EQ(reeve.stop(), 0);
  text += cut.read_to_end();
  EXPECT_THAT(text, testing::HasSubstr("event: run_launched"));
  EXPECT_THAT(text, testing::Not(testing::EndsWith(last_chunk)));
}

TEST(P27_stop, answers_what_was_begun_and_loses_nothing) {
  server reeve;
  const auto api = reeve.api();
  std::mutex mutex;
  std::vector<std::string> acknowledged;
  std::atomic<std::size_t> count{0};
  std::vector<std::thread> clients;
  for (int n = 0; n < 4; ++n) {
    clients.emplace_back([&] {
      try {
        while (true) {
          const auto answer = api.post("/api/runs/launch", launch_body);
          if (answer.status != 201) break;
          std::lock_guard lock(mutex);
          acknowledged.push_back(answer.json().at("id"));
          ++count;
        }
      } catch (const support::http_error&) {
        // The server takes nothing more.
      }
    });
  }
  EXPECT_TRUE(support::eventually([&] { return count >= 40; }));
  const int status = reeve.stop();
  for (auto& one : clients) one.join();
  EXPECT_EQ(status, 0);
  auto database = reeve.database();
  for (const auto& id : acknowledged) {
    EXPECT_EQ(database.number("SELECT count(*) FROM reeve.events WHERE stream = $1 AND type = "
                              "'run_launched'",
                              {"run-" + id}),
              1);
  }
  // Runs that were cut off go on with the next start.
  reeve.start();
  for (const auto& id : acknowledged) {
    EXPECT_EQ(support::await_run(reeve.api(), id).at("status"), "success");
  }
  support::expect_whole_log(reeve);
}

/// Until the server takes nobody any more.
void begin_stop(server& reeve) {
  // Whoever was answered behind it knows that the server has read the half.
  EXPECT_EQ(reeve.anonymous().get("/livez").status, 200);
  ::kill(reeve.pid(), SIGTERM);
  EXPECT_TRUE(support::eventually([&] { return !takes_connections(reeve.address()); }));
}

TEST(P27_stop, waits_for_a_request_whose_body_is_still_on_its_way) {
  server reeve;
  const std::string body = launch_body.dump();
  support::http_connection slow(reeve.address());
  slow.send(first_half(reeve.token(), body));
  begin_stop(reeve);
  EXPECT_TRUE(reeve.running());
  slow.send(body.substr(body.size() / 2));
  const auto answer = slow.receive();
  EXPECT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(reeve.await_exit(10s), 0);
  EXPECT_EQ(reeve.database().number("SELECT count(*) FROM reeve.events WHERE stream = $1 AND type "
                                    "= 'run_launched'",
                                    {"run-" + answer.json().at("id").get<std::string>()}),
            1);
}

/// Its port is anybody's long before it has ended.
TEST(ACC1_stop, names_its_address_no_longer_than_it_has_it) {
  server reeve;
  const auto file = reeve.data() / "endpoint";
  ASSERT_TRUE(std::filesystem::exists(file));
  const std::string body = launch_body.dump();
  support::http_connection slow(reeve.address());
  slow.send(first_half(reeve.token(), body));
  begin_stop(reeve);
  EXPECT_FALSE(std::filesystem::exists(file)) << "a token goes to whoever has the port";
  EXPECT_TRUE(reeve.running());
  const auto refused = reeve.command({"runs", "list"});
  EXPECT_EQ(refused.status, 5);
  EXPECT_THAT(refused.output, testing::HasSubstr("not asked"));
  slow.send(body.substr(body.size() / 2));
  EXPECT_EQ(slow.receive().status, 201);
  EXPECT_EQ(reeve.await_exit(10s), 0);
}

TEST(P27_stop, does_not_wait_for_ever) {
  support::server_options options;
  options.environment["REEVE_DRAIN_S"] = "1";
  server reeve(options);
  support::http_connection never(reeve.address());
  never.send(first_half(reeve.token(), launch_body.dump()));
  EXPECT_EQ(reeve.anonymous().get("/livez").status, 200);
  ::kill(reeve.pid(), SIGTERM);
  EXPECT_EQ(reeve.await_exit(5s), 0);
  EXPECT_TRUE(never.closed_by_peer());
  EXPECT_EQ(reeve.database().number("SELECT count(*) FROM reeve.events WHERE type = "
                                    "'run_launched'"),
            0);
}

/// Whoever waits is told, also by a server that waits for nobody.
TEST(P27_stop, without_any_grace_cuts_nobody_off_without_a_word) {
  support::server_options options;
  options.environment["REEVE_DRAIN_S"] = "0";
  server reeve(options);
  support::http_connection half(reeve.address());
  half.send(first_half(reeve.token(), launch_body.dump()));
  auto events = reeve.api().events("/api/events/stream");
  ASSERT_EQ(events.response().status, 200);
  EXPECT_EQ(reeve.anonymous().get("/livez").status, 200);
  ::kill(reeve.pid(), SIGTERM);
  const auto answer = half.receive();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.json().at("code"), "unavailable");
  EXPECT_THAT(answer.body, testing::HasSubstr("stopping"));
  while (events.next(5s)) {
  }
  EXPECT_TRUE(events.ended());
  EXPECT_EQ(reeve.await_exit(5s), 0);
}

TEST(P30_health, is_not_ready_while_the_database_is_gone_and_alive_all_the_time) {
  support::private_cluster cluster;
  support::server_options options;
  options.database_url = cluster.create_database("health");
  server reeve(options);
  expect_ready_becomes(reeve, 200);
  cluster.stop();
  expect_ready_becomes(reeve, 503);
  const auto refused = reeve.anonymous().get("/readyz");
  EXPECT_EQ(refused.json().at("type"), "urn:reeve:error:unavailable");
  EXPECT_NE(refused.body.find("event_log"), std::string::npos) << refused.body;
  cluster.start();
  expect_ready_becomes(reeve, 200);
  const json run = support::launch(reeve.api(), launch_body);
  EXPECT_EQ(support::await_run(reeve.api(), run.at("id")).at("status"), "success");
}

TEST(P30_health, is_not_ready_while_the_database_is_frozen) {
  support::private_cluster cluster;
  support::server_options options;
  options.database_url = cluster.create_database("frozen");
  server reeve(options);
  expect_ready_becomes(reeve, 200);
  cluster.pause();
  expect_ready_becomes(reeve, 503);
  cluster.resume();
  expect_ready_becomes(reeve, 200);
  EXPECT_EQ(support::launch(reeve.api(), launch_body).at("status"), "pending");
}
