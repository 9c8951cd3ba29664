// Facts about the server are written in their order, and one that the log refuses is no obstacle to
// the others.
#include "actors/tree/system_event_log.hpp"

#include "actors/journal_worker.hpp"
#include "tests/support/eventually.hpp"
#include "tests/unit/actors/runs/memory_log.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::actors;

class system_facts : public ::testing::Test {
 protected:
  void start() {
    journal_worker_args args;
    args.make = [this] { return std::make_shared<memory_log::writer>(log); };
    args.lead = &lead;
    worker = std::make_shared<journal_worker>(std::move(args));
    journal.attach(worker);
  }
  ~system_facts() override {
    if (!worker) return;
    worker->stop(false);
    worker->join();
  }
  void record(const std::string& version) { facts.record(domain::engine_seen{"docker", version}); }
  /// Versions of the engines that the log knows.
  std::vector<std::string> known() const {
    std::vector<std::string> all;
    for (const auto& payload : log.payloads()) {
      const auto at = payload.find("\"version\":\"") + 11;
      all.push_back(payload.substr(at, payload.find('"', at) - at));
    }
    return all;
  }

  memory_log::store log;
  leadership lead{real_clock()};
  journal_port journal;
  std::shared_ptr<journal_worker> worker;
  system_event_log facts{journal, real_ids()};
};

TEST_F(system_facts, OPS2_are_written_behind_one_that_is_refused) {
  log.is_invalid = [](const domain::new_event& e) {
    return e.payload.find("forbidden") != std::string::npos;
  };
  record("0");  // nobody takes it: the journal is not there yet
  for (const char* version : {"1", "forbidden", "2", "forbidden", "3"}) record(version);
  start();
  facts.resume();
  ASSERT_TRUE(support::eventually(support::patience, [&] { return facts.is_written(); }));
  for (int i = 4; i < 8; ++i) record(std::to_string(i));
  ASSERT_TRUE(support::eventually(support::patience, [&] { return facts.is_written(); }));
  EXPECT_EQ(known(), (std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7"}));
  EXPECT_EQ(facts.dropped(), 2);
}

}  // namespace
