#pragma once
// Events like the real ones: the life of one run with a container job, as run actors append it.

#include "bench/support.hpp"
#include "domain/access/allowlist.hpp"
#include "domain/runs/run.hpp"
#include "persistence/append_port.hpp"

#include <memory>
#include <vector>

namespace reeve::bench {

/// What a run writes: the four events that change most, or all eight that a server writes about a
/// run whose only job's container ran and exited with 0.
enum class run_life { short_one, whole };

/// One producer that lives through run after run, one event an append. The short life: launched
/// (with a command row), attempt intended, job finished, run finished. Their payloads have about
/// 300 bytes in the mean; each append rewrites the row of its run, the first three also the job's.
class run_author {
 public:
  explicit run_author(const uuid& tenant, run_life life = run_life::short_one)
      : tenant_(tenant), life_(life) {}

  persistence::append_request next();
  /// What the journal answered to it.
  void appended(const persistence::append_result& result);

 private:
  domain::run_event event();
  void begin_run();

  uuid tenant_;
  run_life life_;
  std::size_t step_ = 0;
  std::shared_ptr<const domain::run_state> state_;
  std::vector<domain::run_event> events_;  // of the last append
  domain::event_meta meta_;
};

/// A launch with one container task.
domain::run_launched sample_launch();

/// Appends so many events of whole lives through a journal with its projections; every run is
/// finished. Answers the log's length.
std::int64_t write_log(const bench_database& db, const uuid& tenant, std::int64_t events,
                       run_life life = run_life::short_one);

}  // namespace reeve::bench
