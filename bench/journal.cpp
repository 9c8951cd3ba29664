// journal: durable appends a second through the journal's worker, with everything on, against plain
// INSERTs of such an event by pgbench into a table of the same DDL in the same cluster.

#include "persistence/journal.hpp"

#include "actors/journal_port.hpp"
#include "api/event_feed.hpp"
#include "bench/support.hpp"
#include "bench/workload.hpp"
#include "persistence/journal_plan.hpp"
#include "persistence/read_store.hpp"
#include "persistence/token_table.hpp"

#include <atomic>
#include <caf/actor_system_config.hpp>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <future>
#include <memory>
#include <thread>

namespace reeve::bench {
namespace {

constexpr int producers = 64;

struct timing {
  int rounds = 5;
  double together_s = 10;
  double alone_s = 3;
};

// ---- Reeve: the actor with what a server hangs behind every commit ------------------------------

struct sample {
  std::int64_t appended = 0;
  std::int64_t batches = 0;
  double seconds = 0;
  std::vector<double> waits_us;
  double rate() const { return static_cast<double>(appended) / seconds; }
};

class journal_side {
 public:
  explicit journal_side(const bench_database& db) : reads_(reading(db)), feed_(reads_) {
    persistence::journal_config config;
    config.url = db.logins.writer_url;
    config.server = real_ids().next();
    config.on_commit = [this](const persistence::commit_notice& notice) {
      reads_.on_commit(notice);
      tokens_.on_commit(notice);
      feed_.publish(notice.events);
      ++batches_;
    };
    auto log = std::make_shared<persistence::journal>(std::move(config));
    need(log->open(), "the journal does not open");
    start(std::move(log));
  }
  ~journal_side() {
    worker_->stop(false);
    worker_->join();
  }

  /// `count` closed loops for `seconds`; everything that was sent is answered at the end.
  sample run(int count, double seconds);

  std::int64_t batches() const { return batches_; }

 private:
  static persistence::read_store_config reading(const bench_database& db) {
    persistence::read_store_config config;
    config.url = db.logins.reader_url;
    return config;
  }

  void start(std::shared_ptr<persistence::journal> log) {
    actors::journal_worker_args args;
    args.opened = std::move(log);
    args.on_fenced = [] { give_up("the journal was fenced"); };
    args.on_available = [](bool available) {
      if (!available) give_up("the database went away");
    };
    worker_ = std::make_shared<actors::journal_worker>(std::move(args));
    port_.attach(worker_);
  }

  persistence::read_store reads_;
  persistence::token_table tokens_;
  api::event_feed feed_;
  std::atomic<std::int64_t> batches_{0};
  actors::journal_port port_;
  std::shared_ptr<actors::journal_worker> worker_;
};

/// Producers live on a thread of their own, as run actors do: the journal's thread hands answers
/// over and goes on.
class producer_group {
 public:
  producer_group(actors::journal_port& port, int count) : port_(port) {
    for (int i = 0; i < count; ++i) loops_.push_back({run_author(tenant_), 0});
  }

  sample run(double seconds) {
    const auto begin = mono_us();
    const auto end = begin + static_cast<std::int64_t>(seconds * 1e6);
    sample out;
    for (std::size_t i = 0; i < loops_.size(); ++i) submit(i);
    std::size_t open = loops_.size();
    while (open > 0) {
      for (auto it = wait(); it; it.reset(std::exchange(it->next, nullptr))) {
        if (!it->result) give_up("an append was refused: " + it->result.error().detail);
        auto& loop = loops_[it->index];
        const auto now = mono_us();
        out.waits_us.push_back(static_cast<double>(now - loop.sent_at));
        ++out.appended;
        loop.author.appended(*it->result);
        if (now < end) {
          submit(it->index);
        } else {
          --open;
        }
      }
    }
    out.seconds = static_cast<double>(mono_us() - begin) / 1e6;
    return out;
  }

 private:
  struct answer {
    std::size_t index;
    outcome<persistence::append_result> result;
    answer* next;
  };
  struct loop {
    run_author author;
    std::int64_t sent_at = 0;
  };

  void submit(std::size_t index) {
    auto request = loops_[index].author.next();
    loops_[index].sent_at = mono_us();
    port_.append(std::move(request), actors::lane::internal,
                 reply_slot<persistence::append_result>(
                     [this, index](outcome<persistence::append_result> result) {
                       push(new answer{index, std::move(result), nullptr});
                     }));
  }

  /// Without a lock: the journal's thread and this one would mostly wait for each other.
  void push(answer* made) {
    made->next = answers_.load(std::memory_order_relaxed);
    while (!answers_.compare_exchange_weak(made->next, made, std::memory_order_release,
                                           std::memory_order_relaxed)) {
    }
    if (made->next == nullptr) answers_.notify_one();
  }

  /// At least one, the newest first.
  std::unique_ptr<answer> wait() {
    answers_.wait(nullptr, std::memory_order_acquire);
    return std::unique_ptr<answer>(answers_.exchange(nullptr, std::memory_order_acquire));
  }

  actors::journal_port& port_;
  const uuid tenant_ = real_ids().next();
  std::vector<loop> loops_;
  std::atomic<answer*> answers_{nullptr};
};

sample journal_side::run(int count, double seconds) {
  const auto before = batches_.load();
  auto out = producer_group(port_, count).run(seconds);
  out.batches = batches_ - before;
  return out;
}

// ---- baseline: pgbench --------------------------------------------------------------------------

/// Mean payload of the events that the authors write, so that both sides store the same bytes.
std::size_t mean_payload() {
  run_author author(real_ids().next());
  std::size_t bytes = 0;
  for (std::int64_t i = 0; i < 4; ++i) {
    const auto request = author.next();
    bytes += request.events.front().payload.size();
    persistence::append_result result;
    result.stamps = {{i + 1, i + 1, real_clock().now_us()}};
    result.first_position = result.last_position = i + 1;
    author.appended(result);
  }
  return bytes / 4;
}

class pgbench_side {
 public:
  pgbench_side(const settings& s, const bench_database& db)
      : socket_(s.cluster),
        database_(db.name),
        user_(db.logins.writer_role),
        script_(s.folder + "/insert.sql"),
        errors_(s.folder + "/pgbench.log") {
    query(db.owner_url, "CREATE SEQUENCE reeve.bench_position CACHE 1");
    query(db.owner_url, "GRANT USAGE ON SEQUENCE reeve.bench_position TO \"" + user_ + '"');
    std::string payload = "{\"text\":\"";
    payload.append(mean_payload() - payload.size() - 2, 'x');
    payload += "\"}";
    const std::string hash(64, 'a');
    std::ofstream(script_)
        << "INSERT INTO reeve.events (position, epoch, stream, version, type, schema_version,"
           " tenant, payload, payload_format, principal, command_id, correlation_id, traceparent,"
           " recorded_at_us, leaf, hash) SELECT p, 1, 'run-0190b3f2-7d3e-7c4a-9b1f-' || "
           ":client_id::text, p, 'attempt_intended', 1, '0190b3f2-7d3e-7c4a-9b1f-0c2d3e4f5a6b', '"
        << payload
        << "', 0, 'token:0190b3f2-7d3e-7c4a-9b1f-0c2d3e4f5a6b',"
           " '0190b3f2-7d3e-7c4a-9b1f-0c2d3e4f5a6b', '0190b3f2-7d3e-7c4a-9b1f-0c2d3e4f5a6b', '',"
           " p, '\\x"
        << hash << "', '\\x" << hash << "' FROM nextval('reeve.bench_position') AS p;\n";
  }

  /// Transactions a second.
  double run(int clients, double seconds) const {
    const std::string command = "pgbench -n -M prepared -c " + std::to_string(clients) + " -j " +
                                std::to_string(std::min(clients, 2)) + " -T " +
                                std::to_string(std::max(3, static_cast<int>(seconds))) + " -f '" +
                                script_ + "' -h '" + socket_ + "' -U '" + user_ + "' " + database_ +
                                " 2>>'" + errors_ + "'";
    FILE* out = ::popen(command.c_str(), "r");
    if (out == nullptr) give_up("pgbench does not start");
    double rate = 0;
    char line[512];
    while (std::fgets(line, sizeof line, out) != nullptr) std::sscanf(line, "tps = %lf", &rate);
    if (::pclose(out) != 0 || rate <= 0) give_up("pgbench failed, see " + errors_);
    return rate;
  }

 private:
  std::string socket_, database_, user_, script_, errors_;
};

// ---- the same SQL with canned rows --------------------------------------------------------------

/// Statements as the journal composes them, ahead of the clock.
class canned_side {
 public:
  explicit canned_side(const bench_database& db) : session_(db.logins.writer_url) {
    {
      persistence::journal_config config;
      config.url = db.logins.writer_url;
      persistence::journal journal(std::move(config));
      tail_.position = need(journal.open(), "the journal does not open").position;
      tail_.epoch = journal.head().epoch;
      tail_.hash = journal.head().hash;
      tail_.recorded_at_us = journal.head().recorded_at_us;
    }
    if (!session_.lock_within(5000)) give_up("the writer's lock is taken");
    const auto tenant = real_ids().next();
    for (int i = 0; i < producers; ++i) authors_.emplace_back(tenant);
  }

  /// Events a second, of the time in PostgreSQL and on the way there, with so many a statement.
  double run(std::size_t size, double seconds) {
    double spent = 0;
    std::int64_t events = 0;
    while (spent < seconds) {
      // Half a second's worth at 40,000 events/s.
      constexpr int statements = 300;
      std::vector<persistence::batch_statement> ready;
      for (int i = 0; i < statements; ++i) ready.push_back(compose(size));
      const auto begin = mono_us();
      for (const auto& statement : ready) session_.append(statement);
      spent += static_cast<double>(mono_us() - begin) / 1e6;
      events += statements * static_cast<std::int64_t>(size);
    }
    return static_cast<double>(events) / spent;
  }

 private:
  persistence::batch_statement compose(std::size_t size) {
    const persistence::loaded_streams none;
    persistence::batch_planner planner(versions_, none, tail_, real_clock().now_us());
    std::vector<persistence::append_request> requests;
    for (std::size_t i = 0; i < size; ++i) requests.push_back(authors_[i].next());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      need(planner.add(i, requests[i]), "a canned append");
    }
    const auto plan = planner.finish();
    for (const auto& move : plan.moves) versions_.put(move.stream, {move.tenant, move.version});
    tail_ = plan.after();
    for (const auto& append : plan.appends) {
      const auto& event = plan.events[append.first_event];
      persistence::append_result result;
      result.stamps = {{event.position, event.version, event.recorded_at_us}};
      authors_[append.request].appended(result);
    }
    return persistence::compose_batch(plan.content(), session_.types());
  }

  persistence::journal_session session_;
  persistence::version_map versions_{65536};
  persistence::log_tail tail_;
  std::vector<run_author> authors_;
};

int run(const settings& s) {
  timing t;
  if (s.quick) t = {3, 1, 1};
  const auto ours = make_database(s, "journal");
  const auto theirs = make_database(s, "baseline");
  const auto canned = make_database(s, "canned");
  journal_side journal(ours);
  const pgbench_side baseline(s, theirs);
  canned_side statements(canned);

  std::vector<double> together, base, one, base_one, sql, sql_all, sql_one, waits, sizes;
  // A first one, so that plans are prepared and files are there.
  std::int64_t acknowledged = journal.run(producers, t.alone_s / 3).appended;
  for (int round = 0; round < t.rounds; ++round) {
    base.push_back(baseline.run(producers, t.together_s));
    const auto many = journal.run(producers, t.together_s);
    base_one.push_back(baseline.run(1, t.alone_s));
    const auto lone = journal.run(1, t.alone_s);
    sizes.push_back(static_cast<double>(many.appended) / static_cast<double>(many.batches));
    const double sql_s = s.quick ? 0.5 : t.alone_s;
    sql.push_back(statements.run(static_cast<std::size_t>(std::lround(sizes.back())), sql_s));
    sql_all.push_back(statements.run(producers, sql_s));
    sql_one.push_back(statements.run(1, sql_s));
    together.push_back(many.rate());
    one.push_back(lone.rate());
    waits.insert(waits.end(), many.waits_us.begin(), many.waits_us.end());
    acknowledged += many.appended + lone.appended;
    std::fprintf(stderr,
                 "round %d: pgbench %.0f/s, journal %.0f/s; one client %.0f/s, one "
                 "producer %.0f/s; the SQL alone %.0f/s, all at once %.0f/s, one %.0f/s\n",
                 round + 1, base.back(), many.rate(), base_one.back(), lone.rate(), sql.back(),
                 sql_all.back(), sql_one.back());
  }
  // The log also holds the event of the writer's election.
  const auto rows = std::stoll(query(ours.owner_url, "SELECT count(*) FROM reeve.events")) - 1;
  const double value = median(together);
  report line("journal", together.size(), value, "events/s", median(base), value / median(base));
  line.at_least("ratio", value / median(base), 1.1);
  line.at_least("ratio_to_sql", value / median(sql), 0.85);
  line.at_least("ratio_alone", median(one) / median(base_one), 0.6);
  line.add("sql_alone", median(sql)).add("ratio_to_sql", value / median(sql));
  line.add("sql_all", median(sql_all)).add("sql_one", median(sql_one));
  line.add("one_producer", median(one)).add("one_client", median(base_one));
  line.add("ratio_alone", median(one) / median(base_one));
  line.add("wait_us_p50", quantile(waits, 0.5)).add("wait_us_p99", quantile(waits, 0.99));
  line.add("events_per_batch", median(sizes));
  line.add("payload_bytes", static_cast<std::int64_t>(mean_payload()));
  line.add("acknowledged", acknowledged).add("rows", static_cast<std::int64_t>(rows));
  line.add("complete", acknowledged == rows);
  line.add("fdatasync_us", fdatasync_us(s.folder)).add("disk", file_system_of(s.folder));
  line.print();
  return acknowledged == rows ? 0 : 1;
}

}  // namespace
}  // namespace reeve::bench

int main(int argc, char** argv) {
  return reeve::bench::run(reeve::bench::read_settings(argc, argv));
}
