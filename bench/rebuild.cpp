// rebuild: every read model anew from a log, beside the live ones, while a producer appends: what
// a start of a program with other versions costs, and whether the writer stays up.

#include "bench/support.hpp"
#include "bench/workload.hpp"
#include "persistence/journal.hpp"
#include "persistence/projection_build.hpp"
#include "persistence/replay.hpp"

#include <atomic>
#include <cstdio>
#include <thread>

namespace reeve::bench {
namespace {

/// Appends one event after the other; what it waited for each.
class producer {
 public:
  explicit producer(const bench_database& db) {
    persistence::journal_config config;
    config.url = db.logins.writer_url;
    journal_ = std::make_unique<persistence::journal>(std::move(config));
    need(journal_->open(), "the journal does not open");
    thread_ = std::thread([this] { work(); });
  }
  void stop() {
    stop_ = true;
    thread_.join();
  }
  const std::vector<double>& waits_us() const { return waits_us_; }

 private:
  void work() {
    run_author author(real_ids().next(), run_life::whole);
    while (!stop_) {
      const auto request = author.next();
      const auto begin = mono_us();
      auto answers = journal_->append_batch({&request, 1});
      waits_us_.push_back(static_cast<double>(mono_us() - begin));
      author.appended(need(std::move(answers.front()), "an append"));
    }
  }

  std::unique_ptr<persistence::journal> journal_;
  std::vector<double> waits_us_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

int run(const settings& s) {
  const auto db = make_database(s, "rebuild");
  std::fprintf(stderr, "writing the log\n");
  const auto rows = write_log(db, real_ids().next(), s.quick ? 50'000 : 1'000'000, run_life::whole);
  query(db.owner_url, "VACUUM ANALYZE");
  persistence::build_options options;
  options.owner_url = db.owner_url;
  options.list = {persistence::projections().begin(), persistence::projections().end()};

  const auto timed = [&] {
    const auto begin = mono_us();
    const auto made = need(persistence::build_projections(options), "the build");
    return static_cast<double>(made.events) * 1e6 / static_cast<double>(mono_us() - begin);
  };
  const auto alone = timed();
  producer appends(db);
  const auto beside = timed();
  appends.stop();
  const auto compared = [&] {
    persistence::replay_options replay;
    replay.owner_url = db.owner_url;
    return need(persistence::replay(replay), "replay with comparison");
  }();

  const auto& waits = appends.waits_us();
  report line("rebuild", 1, beside, "events/s", alone, beside / alone);
  line.at_least("beside_appends", beside, 80'000);
  line.at_most("differences", static_cast<double>(compared.different_rows), 0);
  line.add("events", rows).add("appended", static_cast<std::int64_t>(waits.size()));
  line.add("append_us_p50", quantile(waits, 0.5)).add("append_us_p99", quantile(waits, 0.99));
  line.add("append_us_most", quantile(waits, 1.0)).add("differences", compared.different_rows);
  line.print();
  return compared.different_rows == 0 ? 0 : 1;
}

}  // namespace
}  // namespace reeve::bench

int main(int argc, char** argv) {
  return reeve::bench::run(reeve::bench::read_settings(argc, argv));
}
