#include "tests/support/chaos.hpp"

#include "tests/support/eventually.hpp"
#include "tests/support/work.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <iostream>
#include <stdexcept>

namespace support {

namespace {

std::uint64_t new_seed() {
  if (const char* given = std::getenv("REEVE_TEST_SEED")) return std::strtoull(given, nullptr, 10);
  std::random_device random;
  return random();
}

bool says_not_now(int status) {
  return status == 409 || status == 503 || status == 504;
}

}  // namespace

int chaos_repeats() {
  const char* given = std::getenv("REEVE_CHAOS_REPEATS");
  return given == nullptr ? 1 : std::max(1, std::atoi(given));
}

void tell_row(const std::string& row, int value, int bar, int n) {
  if (n == 0) return;
  double load = 0;
  std::ifstream("/proc/loadavg") >> load;
  const char* seed = std::getenv("REEVE_TEST_SEED");
  const nlohmann::json line = {{"row", row},
                               {"value", value},
                               {"bar", bar},
                               {"pass", value == bar},
                               {"n", n},
                               {"load", load},
                               {"seed", seed == nullptr ? "printed by each test" : seed}};
  std::cout << line.dump() << std::endl;
  if (const char* rows = std::getenv("REEVE_CHAOS_ROWS")) {
    std::ofstream(rows, std::ios::app) << line.dump() << "\n";
  }
}

dice::dice() {
  const auto seed = new_seed();
  std::cout << "REEVE_TEST_SEED=" << seed << std::endl;
  random_.seed(seed);
}

int dice::between(int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(random_);
}

steady_clients::steady_clients(plan what, const api_client& to)
    : plan_(std::move(what)), to_(to), busy_(plan_.threads) {
  for (int n = 0; n < plan_.threads; ++n) threads_.emplace_back([this, n] { work(n); });
}

steady_clients::~steady_clients() {
  over_ = true;
  for (auto& one : threads_) {
    if (one.joinable()) one.join();
  }
}

void steady_clients::point_to(const api_client& to) {
  std::lock_guard lock(mutex_);
  to_ = to;
}

std::optional<http_response> steady_clients::attempt(const request& asked, const std::string& key) {
  std::unique_lock lock(mutex_);
  const api_client to = to_;
  lock.unlock();
  http_request call{"POST",
                    asked.target,
                    {{"Idempotency-Key", key}, {"Content-Type", "application/json"}},
                    asked.body.dump(),
                    std::chrono::seconds(5)};
  ++asking_;
  std::optional<http_response> answer;
  try {
    answer = to.call(std::move(call));
  } catch (const http_error&) {
    // Whether it was done is not known.
  }
  --asking_;
  return answer;
}

bool steady_clients::acknowledge(const std::string& key) {
  const request asked = plan_.make(key);
  while (!over_) {
    const auto answer = attempt(asked, key);
    if (answer && answer->status == 201) {
      std::lock_guard lock(mutex_);
      done_.push_back({key, asked.target, asked.body, answer->json()});
      ++count_;
      return true;
    }
    if (answer && !says_not_now(answer->status)) {
      std::lock_guard lock(mutex_);
      unexpected_.push_back(std::to_string(answer->status) + " " + answer->body);
      return false;
    }
    breathe(std::chrono::milliseconds(20));
  }
  return false;
}

void steady_clients::work(int number) {
  for (int n = 0; n < plan_.most_each && !ending_ && !over_; ++n) {
    if (!acknowledge("client-" + std::to_string(number) + "-" + std::to_string(n))) break;
    breathe(plan_.pause);
  }
  --busy_;
}

std::vector<acknowledged> steady_clients::finish(std::chrono::milliseconds within) {
  ending_ = true;
  const bool ended = eventually(within * time_factor(), [&] { return busy_ == 0; });
  over_ = true;
  for (auto& one : threads_) one.join();
  if (!ended) throw std::runtime_error("not every request was acknowledged in time");
  std::lock_guard lock(mutex_);
  return done_;
}

std::vector<std::string> steady_clients::unexpected() const {
  std::lock_guard lock(mutex_);
  return unexpected_;
}

void await_end_of_active_runs(const server& reeve) {
  auto database = reeve.database();
  const auto head = database.number("SELECT max(position) FROM reeve.events");
  EXPECT_TRUE(eventually(std::chrono::seconds(60) * time_factor(), [&] {
    return database.number(
               "SELECT count(*) FROM reeve_read.runs WHERE created_position <= $1 AND "
               "status IN ('pending', 'running')",
               {std::to_string(head)}) == 0;
  }));
}

void expect_whole_log(const server& reeve) {
  const auto verified = reeve.command({"verify"});
  EXPECT_EQ(verified.status, 0) << verified.output;
  const auto replayed = reeve.command({"replay"});
  EXPECT_EQ(replayed.status, 0) << replayed.output;
  EXPECT_NE(replayed.output.find("The live read models are what the log says."), std::string::npos)
      << replayed.output;
  auto database = reeve.database();
  EXPECT_EQ(database.number("SELECT max(position) - count(*) FROM reeve.events"), 0);
}

void expect_done_once(const server& reeve, const std::vector<acknowledged>& all,
                      const std::string& stream_prefix, const std::string& first_type) {
  const auto api = reeve.api();
  auto database = reeve.database();
  for (const auto& one : all) {
    EXPECT_EQ(database.number("SELECT count(*) FROM reeve.events WHERE stream = $1 AND type = $2",
                              {stream_prefix + one.id(), first_type}),
              1)
        << one.key << " was acknowledged as " << one.id();
    const auto again = api.post(one.target, one.body, {{"Idempotency-Key", one.key}});
    EXPECT_EQ(again.status, 201) << again.body;
    EXPECT_EQ(again.json().value("id", ""), one.id()) << one.key;
  }
  EXPECT_EQ(database.number("SELECT count(*) FROM reeve.events WHERE type = $1 AND tenant = $2 "
                            "AND principal LIKE 'token:%'",
                            {first_type, tenant_of(api)}),
            static_cast<long long>(all.size()));
}

}  // namespace support
