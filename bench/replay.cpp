// replay: verifying the chain of a log, and rebuilding its read models, against COPY OUT of the
// same rows. The log is written by the journal, with its projections, so that the rebuild can be
// compared with them at the end.

#include "persistence/replay.hpp"

#include "bench/support.hpp"
#include "bench/workload.hpp"
#include "persistence/verify.hpp"

#include <cstdio>
#include <libpq-fe.h>
#include <memory>
#include <unistd.h>

namespace reeve::bench {
namespace {

/// Seconds that a client needs to receive every row, without looking at them.
double copy_out(const bench_database& db, std::int64_t rows) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> held(PQconnectdb(db.owner_url.c_str()),
                                                        PQfinish);
  auto* connection = held.get();
  const auto begin = mono_us();
  PQclear(PQexec(connection, "COPY (SELECT * FROM reeve.events ORDER BY position) TO STDOUT"));
  std::int64_t seen = 0;
  for (;;) {
    char* row = nullptr;
    if (PQgetCopyData(connection, &row, 0) <= 0) break;
    PQfreemem(row);
    ++seen;
  }
  if (seen != rows) give_up("COPY OUT did not give every row");
  return static_cast<double>(mono_us() - begin) / 1e6;
}

/// What one way of reading the log took: on the clock, and of this process's processor time.
struct reading {
  double seconds = 0;
  double cpu_us = 0;
};

template <class Work>
reading timed(Work work) {
  const auto begin = mono_us();
  const auto cpu = cpu_us_of(::getpid());
  work();
  return {static_cast<double>(mono_us() - begin) / 1e6,
          static_cast<double>(cpu_us_of(::getpid()) - cpu)};
}

void verify(const bench_database& db, std::int64_t rows) {
  const auto result = need(persistence::verify_database(db.owner_url, {}), "verify");
  if (!result.good() || result.events != rows) give_up("the log is not good: " + result.what);
}

void rebuild(const bench_database& db, std::int64_t rows) {
  persistence::replay_options options;
  options.owner_url = db.owner_url;
  options.until = rows;
  const auto result = need(persistence::replay(options), "replay");
  if (result.events != rows) give_up("the replay did not read every event");
}

int run(const settings& s) {
  const auto db = make_database(s, "replay");
  std::fprintf(stderr, "writing the log\n");
  const auto rows = write_log(db, real_ids().next(), s.quick ? 50'000 : 1'000'000);
  query(db.owner_url, "VACUUM ANALYZE");
  const auto events = static_cast<double>(rows);
  std::vector<double> copied, verified, rebuilt, verify_cpu, rebuild_cpu;
  const int rounds = 3;
  for (int round = 0; round < rounds; ++round) {
    copied.push_back(events / copy_out(db, rows));
    const auto checked = timed([&] { verify(db, rows); });
    const auto folded = timed([&] { rebuild(db, rows); });
    verified.push_back(events / checked.seconds);
    rebuilt.push_back(events / folded.seconds);
    verify_cpu.push_back(checked.cpu_us / events);
    rebuild_cpu.push_back(folded.cpu_us / events);
    std::fprintf(stderr, "round %d: COPY OUT %.0f/s, verify %.0f/s, rebuild %.0f/s\n", round + 1,
                 copied.back(), verified.back(), rebuilt.back());
  }
  persistence::replay_options compared;
  compared.owner_url = db.owner_url;
  const auto result = need(persistence::replay(compared), "replay with comparison");

  const double value = median(verified), base = median(copied);
  report line("replay", verified.size(), value, "events/s", base, value / base);
  line.at_least("verify", value, 200'000).at_least("rebuild", median(rebuilt), 80'000);
  line.at_most("differences", static_cast<double>(result.different_rows), 0);
  line.add("rebuild", median(rebuilt)).add("ratio_rebuild", median(rebuilt) / base);
  line.add("verify_cpu_us", median(verify_cpu)).add("rebuild_cpu_us", median(rebuild_cpu));
  line.add("events", rows).add("differences", result.different_rows);
  line.add("disk", file_system_of(s.folder));
  line.print();
  return result.different_rows == 0 ? 0 : 1;
}

}  // namespace
}  // namespace reeve::bench

int main(int argc, char** argv) {
  return reeve::bench::run(reeve::bench::read_settings(argc, argv));
}
