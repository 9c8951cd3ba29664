#include "tasks/triage/triage_worker.hpp"

#include "adapters/simulated/simulated_engine.hpp"

#include <atomic>
#include <future>
#include <gtest/gtest.h>
#include <thread>

namespace {

using namespace reeve;

/// A file that never ends, as long as somebody wants more of it.
class endless_logs final : public adapters::log_files {
 public:
  explicit endless_logs(std::promise<void>& begun) : begun_(begun) {}
  outcome<adapters::log_file_list> list(std::optional<time_us>) const override {
    return adapters::log_file_list{};
  }
  outcome<adapters::log_file_reading> read(
      const std::string&, std::optional<time_us>,
      const std::function<bool(std::string_view)>& receive) const override {
    begun_.set_value();
    while (receive("the same line")) std::this_thread::yield();
    return adapters::log_file_reading{};
  }

 private:
  std::promise<void>& begun_;
};

TEST(P30_log_triage, that_is_under_way_ends_with_its_worker) {
  std::promise<void> begun;
  adapters::simulated_engine engine;
  using result = outcome<std::vector<tasks::produced_artifact>>;
  std::promise<result> answer;
  {
    tasks::triage_worker_options options;
    options.open_logs = [&]() -> outcome<std::unique_ptr<adapters::log_files>> {
      return std::unique_ptr<adapters::log_files>(std::make_unique<endless_logs>(begun));
    };
    tasks::triage_worker worker(options, engine, real_clock());
    tasks::triage_request request;
    request.files = {"endless"};
    request.max_lines = std::int64_t{1} << 60;
    worker.run(request, reply_slot<std::vector<tasks::produced_artifact>>(
                            [&](result r) { answer.set_value(std::move(r)); }));
    begun.get_future().wait();
  }
  const auto told = answer.get_future().get();
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, errc::unavailable);
}

}  // namespace
