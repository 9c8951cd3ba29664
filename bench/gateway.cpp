// gateway: CPU of GET /api/runs/{id} with keep-alive and a token, against a bare Beast server that
// sends the same bytes. Both servers are children of this process, which is their client.

#include "api/event_feed.hpp"
#include "api/http_server.hpp"
#include "api/services.hpp"
#include "bench/bare_server.hpp"
#include "bench/http_load.hpp"
#include "bench/support.hpp"
#include "bench/workload.hpp"
#include "domain/access/token_text.hpp"
#include "persistence/journal.hpp"
#include "persistence/read_store.hpp"
#include "persistence/token_table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <future>
#include <random>
#include <signal.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace reeve::bench {
namespace {

constexpr int runs = 1000;
constexpr int connections = 32;
constexpr double cold_share = 0.10;

struct world {
  bench_database db;
  uuid tenant;
  std::vector<uuid> ids;
  persistence::token_row token;
  std::string token_text;
};

world make_world(const settings& s) {
  world w;
  w.db = make_database(s, "gateway");
  w.tenant = real_ids().next();
  persistence::journal_config config;
  config.url = w.db.logins.writer_url;
  persistence::journal journal(std::move(config));
  need(journal.open(), "the journal does not open");
  std::vector<run_author> authors(runs, run_author(w.tenant));
  for (int step = 0; step < 4; ++step) {
    std::vector<persistence::append_request> requests;
    for (auto& author : authors) requests.push_back(author.next());
    auto answers = journal.append_batch(requests);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      authors[i].appended(need(std::move(answers[i]), "an append"));
    }
  }
  std::istringstream ids(query(w.db.owner_url,
                               "SELECT string_agg(id::text, ' ' ORDER BY created_position)"
                               " FROM reeve_read.runs"));
  for (std::string id; ids >> id;) w.ids.push_back(*parse_uuid(id));
  const std::string secret = "a-secret-of-the-benchmark-0123456789";
  w.token.tenant = w.tenant;
  w.token.id = real_ids().next();
  w.token.role = domain::token_role::viewer;
  w.token.secret_hash = sha256(secret);
  w.token_text = domain::token_text(w.token.id, secret);
  return w;
}

/// Which run is asked for next: zipf with exponent 1, the same sequence for everybody.
class zipf {
 public:
  zipf() : random_(7) {
    std::vector<double> weights;
    for (int rank = 1; rank <= runs; ++rank) weights.push_back(1.0 / rank);
    pick_ = std::discrete_distribution<std::size_t>(weights.begin(), weights.end());
  }
  std::size_t next() { return pick_(random_); }

 private:
  std::mt19937_64 random_;
  std::discrete_distribution<std::size_t> pick_;
};

// ---- our server ---------------------------------------------------------------------------------

persistence::read_store_config reading(const world& w, std::size_t cache_bytes) {
  persistence::read_store_config config;
  config.url = w.db.logins.reader_url;
  config.cache_bytes = cache_bytes;
  return config;
}

/// The share of documents that the store does not have in memory, with a cache of this size.
double measure_cold(const world& w, std::size_t cache_bytes) {
  constexpr int warm_up = 4000, measured = 6000;
  persistence::read_store reads(reading(w, cache_bytes));
  zipf next;
  int cold = 0;
  for (int i = 0; i < warm_up + measured; ++i) {
    auto promise = std::make_shared<std::promise<void>>();
    auto answered = promise->get_future();
    reads.run_detail(w.tenant, w.ids[next.next()],
                     reply_slot<persistence::document>([promise](auto document) {
                       need(std::move(document), "a document");
                       promise->set_value();
                     }));
    const bool hot = answered.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    if (!hot && i >= warm_up) ++cold;
    answered.wait();
  }
  return static_cast<double>(cold) / measured;
}

/// The size of the cache with which a tenth of the requests finds nothing there.
std::size_t calibrate(const world& w, double& cold) {
  std::size_t low = std::size_t{64} * 1024, high = 8 * 1024 * 1024;
  for (int i = 0; i < 12; ++i) {
    const auto middle = (low + high) / 2;
    cold = measure_cold(w, middle);
    if (std::abs(cold - cold_share) < 0.005) return middle;
    (cold > cold_share ? low : high) = middle;
  }
  return high;
}

void serve_ours(const world& w, std::size_t cache_bytes,
                const std::function<void(std::uint16_t)>& listening) {
  persistence::read_store reads(reading(w, cache_bytes));
  reads.set_head(4 * runs + 1);
  persistence::token_table tokens;
  tokens.load({w.token});
  api::event_feed feed(reads);
  api::services services;
  services.reads = &reads;
  services.feed = &feed;
  services.ids = &real_ids();
  services.clock = &real_clock();
  const auto table = need(api::router::make(api::all_routes(services)), "the routes");
  api::server_options options;
  options.max_requests_per_connection = std::size_t{1} << 40;
  options.limits.requests_per_s = options.limits.burst = 1e9;
  api::gateway_hooks hooks;
  hooks.authenticate = [&tokens](std::string_view text) -> std::optional<api::caller> {
    const auto row = tokens.find(text);
    if (!row) return std::nullopt;
    return api::caller{row->tenant, row->id, "token:" + to_string(row->id), api::role::viewer};
  };
  api::http_server server(options, table, hooks);
  listening(need(server.listen(), "the gateway does not listen"));
  server.run();
}

// ---- children -----------------------------------------------------------------------------------

struct child {
  pid_t pid = 0;
  std::uint16_t port = 0;
};

/// A server in a process of its own, so that its CPU time is nobody else's. It dies with us.
child start(const std::function<void(const std::function<void(std::uint16_t)>&)>& serve) {
  int ends[2];
  if (::pipe(ends) != 0) give_up("no pipe");
  child c;
  c.pid = ::fork();
  if (c.pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close(ends[0]);
    serve([&ends](std::uint16_t port) {
      if (::write(ends[1], &port, sizeof port) != sizeof port) std::_Exit(1);
    });
    std::_Exit(0);
  }
  ::close(ends[1]);
  if (::read(ends[0], &c.port, sizeof c.port) != sizeof c.port) give_up("a server did not start");
  ::close(ends[0]);
  return c;
}

void stop(const child& c) {
  ::kill(c.pid, SIGKILL);
  ::waitpid(c.pid, nullptr, 0);
}

std::unordered_map<std::string, bare_answer> record(const world& w, std::uint16_t port,
                                                    const std::vector<std::string>& requests) {
  std::unordered_map<std::string, bare_answer> answers;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto got = ask(port, requests[i]);
    if (got.status != 200) give_up("a run was not answered: " + got.head + got.body);
    bare_answer answer;
    answer.body = got.body;
    std::istringstream lines(got.head);
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line) && line.size() > 1) {
      const auto colon = line.find(": ");
      if (line.starts_with("Content-Length")) continue;
      answer.fields.emplace_back(line.substr(0, colon),
                                 line.substr(colon + 2, line.size() - colon - 3));
    }
    answers.emplace("/api/runs/" + to_string(w.ids[i]), std::move(answer));
  }
  return answers;
}

struct measured {
  std::vector<double> cpu_us, rates;
};

void measure(const child& c, double seconds, const std::vector<std::string>& requests, zipf& next,
             measured& out) {
  const auto before = cpu_us_of(c.pid);
  const auto result = load(c.port, connections, seconds,
                           [&]() -> const std::string& { return requests[next.next()]; });
  out.cpu_us.push_back(static_cast<double>(cpu_us_of(c.pid) - before) /
                       static_cast<double>(result.answered));
  out.rates.push_back(static_cast<double>(result.answered) / result.seconds);
}

int run(const settings& s) {
  const int rounds = s.quick ? 3 : 7;
  const double seconds = s.quick ? 1 : 4;
  const auto w = make_world(s);
  std::vector<std::string> requests;
  for (const auto& id : w.ids) {
    requests.push_back("GET /api/runs/" + to_string(id) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" +
                       "Authorization: Bearer " + w.token_text +
                       "\r\nAccept: application/json\r\nUser-Agent: bench\r\n\r\n");
  }
  // Threads do not survive a fork: calibration runs in a child as well.
  double cold = 0;
  int ends[2];
  if (::pipe(ends) != 0) give_up("no pipe");
  std::size_t cache = 0;
  const auto helper = ::fork();
  if (helper == 0) {
    cache = calibrate(w, cold);
    const bool told = ::write(ends[1], &cache, sizeof cache) == sizeof cache &&
                      ::write(ends[1], &cold, sizeof cold) == sizeof cold;
    std::_Exit(told ? 0 : 1);
  }
  if (::read(ends[0], &cache, sizeof cache) != sizeof cache ||
      ::read(ends[0], &cold, sizeof cold) != sizeof cold) {
    give_up("the cache could not be calibrated");
  }
  ::waitpid(helper, nullptr, 0);

  const auto ours = start([&](const auto& listening) { serve_ours(w, cache, listening); });
  const auto recorded = record(w, ours.port, requests);
  const auto bare = start([&](const auto& listening) { serve_bare(recorded, listening); });
  const auto hot = start([&](const auto& listening) { serve_ours(w, 64 << 20, listening); });
  measured of_ours, of_bare, of_hot, ignored;
  zipf next;
  for (const auto& c : {ours, bare, hot}) measure(c, seconds / 2, requests, next, ignored);
  for (int round = 0; round < rounds; ++round) {
    measure(bare, seconds, requests, next, of_bare);
    measure(ours, seconds, requests, next, of_ours);
    measure(hot, seconds / 2, requests, next, of_hot);
    std::fprintf(stderr, "round %d: bare %.1f us, reeve %.1f us, all hot %.1f us\n", round + 1,
                 of_bare.cpu_us.back(), of_ours.cpu_us.back(), of_hot.cpu_us.back());
  }
  for (const auto& c : {ours, bare, hot}) stop(c);

  const double value = median(of_ours.cpu_us), base = median(of_bare.cpu_us);
  report line("gateway", of_ours.cpu_us.size(), value, "CPU us/request", base, base / value);
  line.at_most("times_baseline", value / base, 2);
  line.add("times_baseline", value / base).add("all_hot_us", median(of_hot.cpu_us));
  line.add("cold_share", cold).add("cache_bytes", static_cast<std::int64_t>(cache));
  line.add("requests_per_s", median(of_ours.rates)).add("baseline_per_s", median(of_bare.rates));
  line.add("body_bytes", static_cast<std::int64_t>(recorded.begin()->second.body.size()));
  line.add("runs", static_cast<std::int64_t>(runs));
  line.add("connections", static_cast<std::int64_t>(connections));
  line.print();
  return 0;
}

}  // namespace
}  // namespace reeve::bench

int main(int argc, char** argv) {
  return reeve::bench::run(reeve::bench::read_settings(argc, argv));
}
