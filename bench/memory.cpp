// memory: what the server holds in memory, idle and over a long log, and how long it takes from its
// start to ready. The real binary; PostgreSQL is not counted.

#include "bench/http_load.hpp"
#include "bench/server_process.hpp"
#include "bench/support.hpp"
#include "bench/workload.hpp"

#include <chrono>
#include <cstdio>
#include <sstream>
#include <thread>

namespace reeve::bench {
namespace {

/// The bar: MiB with 100,000 runs in the log. There is nothing else that does the same.
constexpr double bar_mib = 160;
constexpr std::int64_t events_of_a_run = 4;

struct sizes {
  int starts = 7;
  int idle_s = 60;
  std::int64_t start_runs = 25'000;  // 100,000 events
  std::int64_t runs = 100'000;
  int asked = 20'000;
};

double mib_of(const server_process& server) {
  const auto bytes = pss_bytes_of(server.pid());
  if (bytes == 0) give_up("the server's memory cannot be read: that needs root");
  return static_cast<double>(bytes) / (1024 * 1024);
}

/// Median of the starts on a database that is there.
double start_ms(const settings& s, const std::string& name, int starts) {
  std::vector<double> times;
  for (int i = 0; i < starts; ++i) {
    const server_process server(s, name, "simulated", server_process::database::use);
    times.push_back(server.ready_ms());
  }
  std::fprintf(stderr, "%s: ready after %.0f ms\n", name.c_str(), median(times));
  return median(times);
}

/// Asks for runs that are spread over the log, so that caches fill, and for lists.
void read_around(const server_process& server, int count) {
  std::vector<std::string> requests;
  std::istringstream ids(query(server.database_url(),
                               "SELECT string_agg(id::text, ' ') FROM (SELECT id FROM"
                               " reeve_read.runs ORDER BY md5(id::text) LIMIT " +
                                   std::to_string(count) + ") AS picked"));
  for (std::string id; ids >> id;) requests.push_back(server.request("GET /api/runs/" + id));
  requests.push_back(server.request("GET /api/runs"));
  std::size_t next = 0;
  while (next < requests.size()) {
    load(server.port(), 16, 0.2,
         [&]() -> const std::string& { return requests[next++ % requests.size()]; });
  }
}

int run(const settings& s) {
  sizes z;
  if (s.quick) z = {3, 3, 1'000, 4'000, 1'000};
  { const server_process first(s, "idle", "simulated"); }
  const double start = start_ms(s, "idle", z.starts);
  double idle = 0;
  {
    const server_process server(s, "idle", "simulated", server_process::database::use);
    std::this_thread::sleep_for(std::chrono::seconds(z.idle_s));
    idle = mib_of(server);
    std::fprintf(stderr, "idle after %d s: %.1f MiB\n", z.idle_s, idle);
  }

  // Its first start makes the tenant that its token reads.
  { const server_process first(s, "long", "simulated"); }
  const auto db = open_database(s, "long");
  const auto tenant =
      parse_uuid(query(db.owner_url, "SELECT tenant FROM reeve_read.tokens WHERE tenant <> '" +
                                         to_string(system_tenant) + "'"));
  if (!tenant) give_up("the server made no token");
  write_log(db, *tenant, z.start_runs * events_of_a_run);
  const double start_long = start_ms(s, "long", z.starts);
  const auto events = write_log(db, *tenant, (z.runs - z.start_runs) * events_of_a_run);
  const server_process server(s, "long", "simulated", server_process::database::use);
  const double fresh = mib_of(server);
  read_around(server, z.asked);
  const double read = mib_of(server);

  report line("memory", 1, read, "MiB of PSS", bar_mib, bar_mib / read);
  line.at_most("mib", read, bar_mib).at_most("idle_mib", idle, 64);
  line.at_most("start_ms", start, 1000).at_most("start_long_ms", start_long, 2000);
  line.add("fresh_mib", fresh).add("runs", z.runs).add("events", events);
  line.add("idle_mib", idle).add("idle_s", static_cast<std::int64_t>(z.idle_s));
  line.add("start_ms", start).add("start_long_ms", start_long);
  line.add("start_long_events", z.start_runs * events_of_a_run);
  line.print();
  return 0;
}

}  // namespace
}  // namespace reeve::bench

int main(int argc, char** argv) {
  return reeve::bench::run(reeve::bench::read_settings(argc, argv));
}
