// replay: verifying the chain of a log, and rebuilding its read models, against COPY OUT of the
// same rows. The log is written by the journal, with its projections, so that the rebuild can be
// compared with them at the end.

#include "persistence/replay.hpp"

#include "bench/support.hpp"
#include "bench/workload.hpp"
#include "persistence/journal.hpp"
#include "persistence/verify.hpp"

#include <cstdio>
#include <libpq-fe.h>
#include <memory>

namespace reeve::bench {
namespace {

/// As many as one batch takes.
constexpr int authors_at_once = 512;

std::int64_t write_log(const bench_database& db, std::int64_t wanted) {
  persistence::journal_config config;
  config.url = db.logins.writer_url;
  persistence::journal journal(std::move(config));
  need(journal.open(), "the journal does not open");
  std::vector<run_author> authors(authors_at_once, run_author(real_ids().next()));
  while (journal.head().position < wanted) {
    std::vector<persistence::append_request> requests;
    for (auto& author : authors) requests.push_back(author.next());
    auto answers = journal.append_batch(requests);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      authors[i].appended(need(std::move(answers[i]), "an append"));
    }
  }
  return journal.head().position;
}

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

double verify(const bench_database& db, std::int64_t rows) {
  const auto begin = mono_us();
  const auto result = need(persistence::verify_database(db.owner_url, {}), "verify");
  if (!result.good() || result.events != rows) give_up("the log is not good: " + result.what);
  return static_cast<double>(mono_us() - begin) / 1e6;
}

double rebuild(const bench_database& db, std::int64_t rows) {
  persistence::replay_options options;
  options.owner_url = db.owner_url;
  options.until = rows;
  const auto begin = mono_us();
  const auto result = need(persistence::replay(options), "replay");
  if (result.events != rows) give_up("the replay did not read every event");
  return static_cast<double>(mono_us() - begin) / 1e6;
}

int run(const settings& s) {
  const auto db = make_database(s, "replay");
  std::fprintf(stderr, "writing the log\n");
  const auto rows = write_log(db, s.quick ? 50'000 : 1'000'000);
  query(db.owner_url, "VACUUM ANALYZE");
  const auto events = static_cast<double>(rows);
  std::vector<double> copied, verified, rebuilt;
  const int rounds = 3;
  for (int round = 0; round < rounds; ++round) {
    copied.push_back(events / copy_out(db, rows));
    verified.push_back(events / verify(db, rows));
    rebuilt.push_back(events / rebuild(db, rows));
    std::fprintf(stderr, "round %d: COPY OUT %.0f/s, verify %.0f/s, rebuild %.0f/s\n", round + 1,
                 copied.back(), verified.back(), rebuilt.back());
  }
  persistence::replay_options compared;
  compared.owner_url = db.owner_url;
  const auto result = need(persistence::replay(compared), "replay with comparison");

  const double value = median(verified), base = median(copied);
  report line("replay", value, "events/s", base, value / base);
  line.add("rebuild", median(rebuilt)).add("ratio_rebuild", median(rebuilt) / base);
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
