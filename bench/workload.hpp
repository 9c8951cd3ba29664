#pragma once
// Events like the real ones: the life of one run with a container job, as run actors append it.

#include "bench/support.hpp"
#include "domain/access/allowlist.hpp"
#include "domain/runs/run.hpp"
#include "persistence/append_port.hpp"

#include <memory>
#include <vector>

namespace reeve::bench {

/// One producer that lives through run after run, one event an append, four appends a run: launched
/// (with a command row), attempt intended, job finished, run finished. Their payloads have about
/// 300 bytes in the mean; each append rewrites the row of its run, the first three also the job's.
class run_author {
 public:
  explicit run_author(const uuid& tenant) : tenant_(tenant) {}

  persistence::append_request next();
  /// What the journal answered to it.
  void appended(const persistence::append_result& result);

 private:
  domain::run_event event();
  void begin_run();

  uuid tenant_;
  int step_ = 0;
  std::shared_ptr<const domain::run_state> state_;
  std::vector<domain::run_event> events_;  // of the last append
  domain::event_meta meta_;
};

/// A launch with one container task.
domain::run_launched sample_launch();

/// Appends so many events of whole lives through a journal with its projections; every run is
/// finished. Answers the log's length.
std::int64_t write_log(const bench_database& db, const uuid& tenant, std::int64_t events);

}  // namespace reeve::bench
