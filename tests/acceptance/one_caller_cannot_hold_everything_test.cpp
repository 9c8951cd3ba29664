// GW3, P19, P20: whatever one caller opens and leaves lying, everybody else is served.

#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <set>
#include <sys/resource.h>

using nlohmann::json;
using support::http_connection;
using support::must_get;
using support::server;
using namespace std::chrono_literals;

namespace {

std::string get(const std::string& target, const std::string& token) {
  return "GET " + target + " HTTP/1.1\r\nHost: reeve\r\n" +
         (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") + "\r\n";
}

/// Connections that are kept. What the server does not want may end at any moment.
struct crowd {
  std::vector<http_connection> all;

  void join(const server& reeve, const std::string& bytes) {
    try {
      all.emplace_back(reeve.address());
      if (!bytes.empty()) all.back().send(bytes);
    } catch (const support::http_error&) {
      // Closed before it was sent.
    }
  }
  /// How many have no answer yet.
  std::ptrdiff_t unanswered() const {
    return std::count_if(all.begin(), all.end(), [](const http_connection& one) {
      pollfd answer{one.descriptor(), POLLIN, 0};
      return ::poll(&answer, 1, 0) == 0;
    });
  }
  /// Of each the status of its answer, 0 where none came; the bodies are left lying.
  std::multiset<int> statuses() {
    std::multiset<int> found;
    for (auto& one : all) {
      try {
        found.insert(one.receive_head(support::time_factor() * 20s).status);
      } catch (const support::http_error&) {
        found.insert(0);
      }
    }
    return found;
  }
};

/// Of a server's memory, in MiB.
double rss_mib(const server& reeve) {
  std::ifstream status("/proc/" + std::to_string(reeve.pid()) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  }
  return 0;
}

/// Runs that are over, written where the lists are read from: `bytes` each, all of one status.
void fill(const server& reeve, int count, int bytes, const std::string& status = "success") {
  reeve.database().query(
      "INSERT INTO reeve_read.runs (tenant, id, directive_name, is_simulated, created_at_us,"
      " last_position, snapshot, created_position, status, doc) SELECT $1::uuid,"
      " gen_random_uuid(), 'd', true, 1, 1, '{}', 1000000 + i, $2::text,"
      " '{\"number\":' || i || ',\"padding\":\"' || repeat('x', $3::int) || '\"}'"
      " FROM generate_series(1, $4::int) AS i",
      {support::tenant_of(reeve.api()), status, std::to_string(bytes), std::to_string(count)});
}

double counted(const server& reeve, const std::string& series) {
  const std::string text = reeve.api().get("/metrics").body;
  const auto at = text.find("\n" + series + " ");
  return at == std::string::npos ? 0 : std::strtod(text.c_str() + at + series.size() + 2, nullptr);
}

support::server_options small() {
  support::server_options options;
  options.environment["REEVE_MAX_CONNECTIONS"] = "80";
  return options;
}

}  // namespace

TEST(GW3_one_caller, P20_idle_connections_give_way_to_who_has_something_to_say) {
  REEVE_TEST_TIME_LIMIT(120 * support::time_factor());
  server reeve(small());
  crowd idle;
  for (int i = 0; i < 120; ++i) idle.join(reeve, "");
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(reeve.api().get("/api/whoami").status, 200) << i;
    idle.join(reeve, i % 2 == 0 ? "" : "GET /api/whoami HTTP/1.1\r\nHo");
  }
  EXPECT_GT(counted(reeve, "reeve_http_evicted_total{token=\"none\"}"), 0);
  EXPECT_TRUE(idle.all.front().closed_by_peer()) << "the one that waits longest";
}

TEST(GW3_one_caller, P20_a_token_has_its_share_of_the_connections) {
  REEVE_TEST_TIME_LIMIT(120 * support::time_factor());
  server reeve(small());
  const auto viewer = support::new_token(reeve.api(), "viewer");
  crowd many;
  for (int i = 0; i < 40; ++i) many.join(reeve, get("/api/whoami", viewer));
  const auto statuses = many.statuses();
  EXPECT_EQ(statuses.count(200), 20U) << "a quarter of 80";
  EXPECT_EQ(statuses.count(429), 20U);
  const auto refused = reeve.api().as(viewer).get("/api/whoami");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_EQ(refused.json().at("code"), "rate_limited");
  EXPECT_EQ(reeve.api().get("/api/whoami").status, 200);
}

TEST(GW3_one_caller, P20_pages_that_are_not_read_do_not_fill_the_memory) {
  REEVE_TEST_TIME_LIMIT(120 * support::time_factor());
  server reeve;
  fill(reeve, 1000, 10'000);
  const auto viewer = support::new_token(reeve.api(), "viewer");
  const auto page = must_get(reeve.api(), "/api/runs?limit=500");
  EXPECT_LT(page.at("results").size(), 500U) << "a page has a MiB";
  EXPECT_TRUE(page.at("next").is_string());
  const double before = rss_mib(reeve);
  crowd unread;
  for (int i = 0; i < 150; ++i) unread.join(reeve, get("/api/runs?limit=500", viewer));
  const auto statuses = unread.statuses();
  EXPECT_GT(statuses.count(200), 0U);
  EXPECT_GT(statuses.count(429), 0U);
  EXPECT_EQ(statuses.count(200) + statuses.count(429), 150U);
  EXPECT_EQ(reeve.api().get("/api/runs?limit=500").status, 200) << "others read theirs";
  EXPECT_EQ(reeve.api().as(viewer).get("/api/whoami").status, 200) << "small answers go on";
  if (support::time_factor() == 1) {
    EXPECT_LT(rss_mib(reeve) - before, 64);
  }
  EXPECT_GT(
      counted(reeve, "reeve_http_shed_total{caller=\"viewer\",limit=\"token\",what=\"bytes\"}"), 0);
}

TEST(GW3_one_caller, P20_a_token_has_its_share_of_the_streams) {
  REEVE_TEST_TIME_LIMIT(120 * support::time_factor());
  server reeve;
  const auto run = support::launch(reeve.api(), {{"tasks", {"task1"}}});
  const std::string log = "/api/jobs/" + run.at("jobs").at(0).at("id").get<std::string>() + "/logs";
  support::await_run(reeve.api(), run.at("id"));
  const auto viewer = support::new_token(reeve.api(), "viewer");
  crowd streams;
  for (int i = 0; i < 140; ++i) streams.join(reeve, get("/api/events/stream", viewer));
  const auto statuses = streams.statuses();
  EXPECT_EQ(statuses.count(200), 128U) << "a quarter of 512";
  EXPECT_EQ(statuses.count(429), 12U);
  EXPECT_EQ(reeve.api().events("/api/events/stream").response().status, 200);
  EXPECT_EQ(reeve.api().get(log).status, 200);
  EXPECT_EQ(reeve.api().as(viewer).get(log).status, 200) << "streams take no download away";
}

TEST(GW3_one_caller, a_page_may_be_empty_and_the_next_one_goes_on) {
  REEVE_TEST_TIME_LIMIT(120 * support::time_factor());
  server reeve;
  fill(reeve, 1, 1, "failed");
  reeve.database().exec(
      "UPDATE reeve_read.runs SET created_position = 999999"
      " WHERE status = 'failed'");
  fill(reeve, 60'000, 1);
  std::string cursor;
  int pages = 0;
  std::size_t found = 0;
  for (; pages < 400; ++pages) {
    const auto page = must_get(reeve.api(), "/api/runs?status=failed" + cursor);
    found += page.at("results").size();
    if (page.at("next").is_null()) break;
    cursor = "&cursor=" + page.at("next").get<std::string>();
  }
  EXPECT_GT(pages, 0) << "no page looks at 60,000 rows";
  EXPECT_LT(pages, 400);
  EXPECT_EQ(found, 1U);
  // The program goes on over the empty ones.
  const auto listed = reeve.command({"runs", "list", "--status", "failed", "--json"});
  EXPECT_EQ(listed.status, 0) << listed.output;
  EXPECT_THAT(listed.output, testing::HasSubstr("\"number\":1"));
}

TEST(GW3_one_caller, P20_scans_of_one_hold_up_nobody_else) {
  REEVE_TEST_TIME_LIMIT(180 * support::time_factor());
  server reeve;
  fill(reeve, 100'000, 200);
  const auto viewer = support::new_token(reeve.api(), "viewer");
  const auto system = reeve.system_api();
  crowd scans;
  for (int i = 0; i < 60; ++i) scans.join(reeve, get("/api/runs?status=failed", viewer));
  // All of these together take some seconds; who asks meanwhile does not wait for them.
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(system.get("/api/directives").status, 200);
    EXPECT_EQ(reeve.api().get("/api/directives").status, 200) << "of the same tenant neither";
    if (i > 0) continue;
    EXPECT_GT(scans.unanswered(), 2) << "it did not wait behind them";
  }
  const auto statuses = scans.statuses();
  EXPECT_EQ(statuses.count(200), 60U);
}

TEST(GW3_one_caller, P19_a_trickling_reader_is_not_served_for_ever) {
  REEVE_TEST_TIME_LIMIT(180 * support::time_factor());
  server reeve;
  fill(reeve, 500, 10'000);
  http_connection slow(reeve.address());
  slow.send(get("/api/runs?limit=500", reeve.token()));
  EXPECT_EQ(slow.receive_head().status, 200);
  const std::string series = "reeve_http_slow_total{part=\"answer\"}";
  EXPECT_TRUE(support::eventually(90s * support::time_factor(), [&] {
    try {
      slow.read_exactly(50, std::chrono::steady_clock::now() + 1s);
    } catch (const support::http_error&) {
      // It was cut off.
    }
    return counted(reeve, series) == 1;
  }));
}

/// The bar: 1,000 idle connections, 1,000 unread pages and 512 streams of one identity; everybody
/// else is served, and the server has at most 160 MiB. Prints its row, and adds it to the file
/// REEVE_CHAOS_ROWS.
TEST(GW3_one_caller, P20_all_of_it_at_once_with_others_served) {
  REEVE_TEST_TIME_LIMIT(240 * support::time_factor());
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  const rlimit usual = files;
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 8192);
  ASSERT_GE(files.rlim_cur, 4096U) << "the test keeps 2,512 connections: ulimit -Hn";
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  constexpr double bar_mib = 160;
  double most_mib = 0;
  int asked = 0, served = 0;
  {
    server reeve;
    fill(reeve, 1000, 10'000);
    const auto viewer = support::new_token(reeve.api(), "viewer");
    const auto others = {reeve.api(), reeve.system_api(),
                         reeve.api().as(support::new_token(reeve.api(), "operator"))};
    const auto serve = [&] {
      for (const auto& one : others) {
        for (const char* target : {"/api/whoami", "/api/runs?limit=100", "/api/directives"}) {
          ++asked;
          served += one.get(target).status == 200 ? 1 : 0;
        }
        ++asked;
        served += one.events("/api/events/stream").response().status == 200 ? 1 : 0;
      }
      most_mib = std::max(most_mib, rss_mib(reeve));
    };
    crowd all;
    const auto join = [&](int count, const std::string& bytes) {
      for (int i = 0; i < count; ++i) {
        all.join(reeve, bytes);
        if (i % 100 == 99) serve();
      }
      serve();
    };
    join(1000, "");
    join(1000, get("/api/runs?limit=500", viewer));
    join(512, get("/api/events/stream", viewer));
    for (int i = 0; i < 10; ++i) serve();
  }
  ::setrlimit(RLIMIT_NOFILE, &usual);
  double load = 0;
  ::getloadavg(&load, 1);
  const bool is_plain = support::time_factor() == 1;  // no sanitizer takes memory of its own
  const bool pass = served == asked && (!is_plain || most_mib <= bar_mib);
  const json row = {{"row", "edge.one_identity_rss_mib"},
                    {"value", std::round(most_mib * 10) / 10},
                    {"bar", bar_mib},
                    {"pass", pass},
                    {"n", 1},
                    {"seed", 0},
                    {"load", load},
                    {"served", served},
                    {"asked", asked}};
  std::printf("%s\n", row.dump().c_str());
  if (const char* rows = std::getenv("REEVE_CHAOS_ROWS")) {
    std::ofstream(rows, std::ios::app) << row.dump() << "\n";
  }
  EXPECT_EQ(served, asked);
  if (is_plain) {
    EXPECT_LE(most_mib, bar_mib);
  }
}
