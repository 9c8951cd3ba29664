#include "persistence/replay.hpp"

#include "persistence/log_reader.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/projections.hpp"
#include "persistence/read_ahead.hpp"
#include "persistence/replay_tables.hpp"

#include <future>
#include <unordered_map>

namespace reeve::persistence {
namespace {

constexpr std::size_t most_differences = 100;
constexpr std::size_t flush_every = 8'192;  // events; a run's events then make one row together

std::optional<std::string> text_of(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return std::string(field.c_str(), field.size());
}

class replayer {
 public:
  explicit replayer(const replay_options& options)
      : options_(options),
        tables_(replay_tables()),
        rows_(tables_),
        connection_(connect_session(options.owner_url, "reeve_replay")) {}

  outcome<replay_result> run() {
    {
      pqxx::work tx(*connection_);
      make_scratch(tx, tables_);
      tx.commit();
    }
    const auto until = last_position();
    if (!until) return until.error();
    if (auto ok = fold_to(*until); !ok) return ok.error();
    if (options_.until || options_.until_time) {
      merge_and_count();
      return std::move(result_);
    }
    // What was appended during that, so that the snapshot has little left to read at once.
    if (auto ok = fold_to(head_now()); !ok) return ok.error();
    if (auto ok = catch_up_and_compare(); !ok) return ok.error();
    return std::move(result_);
  }

 private:
  outcome<domain::position> last_position() {
    pqxx::nontransaction tx(*connection_);
    const auto head = tx.exec1("SELECT reeve.head()")[0].as<std::int64_t>();
    if (options_.until && *options_.until > head) {
      return reject(errc::position_ahead, "the log ends at position " + std::to_string(head));
    }
    if (options_.until) return *options_.until;
    if (!options_.until_time) return head;
    return tx.exec("SELECT reeve.position_at(" + std::to_string(*options_.until_time) + ")")[0][0]
        .as<std::int64_t>();
  }

  domain::position head_now() {
    pqxx::nontransaction tx(*connection_);
    return tx.exec1("SELECT reeve.head()")[0].as<std::int64_t>();
  }

  outcome<done> apply(const domain::event_record& e) {
    if (auto ok = fold_.apply(e); !ok) return ok;
    streams_[e.stream] = {e.tenant, e.version, e.position};
    result_.head = e.position;
    ++result_.events;
    return done{};
  }

  void flush() {
    row_sink sink;
    fold_.flush(sink);
    for (const auto& row : sink) rows_.add(static_cast<std::size_t>(row.table), row.cells);
    for (const auto& [stream, at] : streams_) {
      rows_.add(tables_.size() - 1, {stream, to_string(at.tenant), std::to_string(at.version),
                                     std::to_string(at.position)});
    }
    streams_.clear();
  }

  /// Waits for what is written and throws if that has failed; the connection is then ours again.
  void await_written() {
    if (writing_.valid()) writing_.get();
  }

  /// Writes in the background: PostgreSQL takes rows in while the next ones are made.
  void spill() {
    await_written();
    rows_.set_aside();
    writing_ = std::async(std::launch::async, [this] {
      pqxx::work tx(*connection_);
      rows_.write(tx);
      tx.commit();
    });
  }

  outcome<done> fold_to(domain::position until) {
    if (until <= result_.head) return done{};
    log_range range;
    range.after = result_.head;
    range.until = until;
    auto reader = log_reader::open(options_.owner_url, range);
    if (!reader) return reader.error();
    read_ahead pages(std::move(*reader), until);
    read_ahead::page page;
    std::size_t pending = 0;
    for (;;) {
      const auto more = pages.next(page);
      if (!more) return more.error();
      if (!*more) break;
      for (const auto& e : page) {
        if (auto ok = apply(e); !ok) return ok;
      }
      pending += page.size();
      if (pending < flush_every) continue;
      pending = 0;
      flush();
      if (rows_.is_full()) spill();
    }
    flush();
    spill();
    await_written();
    return done{};
  }

  /// One snapshot: what was written meanwhile is folded in, then both sides are compared in it.
  outcome<done> catch_up_and_compare() {
    pqxx::transaction<pqxx::isolation_level::repeatable_read> tx(*connection_);
    const auto rest = tx.exec(
        "SELECT position, stream, version, type, schema_version, tenant, payload, payload_format,"
        " principal, recorded_at_us FROM reeve.events WHERE position > " +
        std::to_string(result_.head) + " ORDER BY position");
    for (const auto& r : rest) {
      if (auto ok = apply(event_of_rest(r)); !ok) return ok;
    }
    flush();
    rows_.set_aside();
    rows_.write(tx);
    rows_.merge(tx);
    for (const auto& table : tables_) compare(tx, table);
    return done{};
  }

  static domain::event_record event_of_rest(const pqxx::row& r) {
    domain::event_record e;
    e.position = r[0].as<std::int64_t>();
    e.stream = r[1].as<std::string>();
    e.version = r[2].as<std::int64_t>();
    e.type = r[3].as<std::string>();
    e.schema_version = r[4].as<int>();
    e.tenant = parse_uuid(r[5].c_str()).value_or(uuid{});
    e.payload = r[6].as<std::string>();
    e.payload_format = r[7].as<int>();
    e.meta.principal = r[8].as<std::string>();
    e.recorded_at_us = r[9].as<std::int64_t>();
    return e;
  }

  static std::string join_of(const replay_table& table) {
    std::string on;
    for (const auto& c : table.columns) {
      if (!c.is_key) continue;
      const std::string name(c.name);
      on += (on.empty() ? "" : " AND ") + ("l." + name) + " = r." + name;
    }
    return on;
  }

  void compare(pqxx::transaction_base& tx, const replay_table& table) {
    const auto from = " FROM " + table.live + " l FULL JOIN " + table.scratch + " r ON " +
                      join_of(table) + " WHERE l IS DISTINCT FROM r";
    const auto different = tx.exec("SELECT count(*)" + from)[0][0].as<std::int64_t>();
    const auto rows = tx.exec("SELECT count(*) FROM " + table.scratch)[0][0].as<std::int64_t>();
    result_.tables.push_back({table.live, rows});
    result_.different_rows += different;
    if (different == 0 || result_.differences.size() >= most_differences) return;
    std::string columns;
    for (const auto& c : table.columns) {
      const std::string name(c.name);
      columns += (columns.empty() ? "" : ", ") + ("l." + name) + "::text, r." + name + "::text";
    }
    for (const auto& row :
         tx.exec("SELECT " + columns + from + " LIMIT " + std::to_string(most_differences))) {
      tell(table, row);
    }
  }

  void tell(const replay_table& table, const pqxx::row& row) {
    replay_difference base;
    base.table = table.live;
    bool in_live = false;
    bool in_replay = false;
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const auto live = text_of(row[static_cast<int>(2 * c)]);
      const auto replayed = text_of(row[static_cast<int>(2 * c + 1)]);
      if (!table.columns[c].is_key) continue;
      in_live = in_live || live;
      in_replay = in_replay || replayed;
      base.key += (base.key.empty() ? "" : ",") + live.value_or(replayed.value_or(""));
    }
    if (!in_live || !in_replay) {
      base.live = in_live ? std::optional<std::string>("the row") : std::nullopt;
      base.replayed = in_replay ? std::optional<std::string>("the row") : std::nullopt;
      result_.differences.push_back(base);
      return;
    }
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      auto difference = base;
      difference.column = std::string(table.columns[c].name);
      difference.live = text_of(row[static_cast<int>(2 * c)]);
      difference.replayed = text_of(row[static_cast<int>(2 * c + 1)]);
      if (difference.live != difference.replayed) result_.differences.push_back(difference);
    }
  }

  void merge_and_count() {
    pqxx::work tx(*connection_);
    rows_.merge(tx);
    for (const auto& table : tables_) {
      const auto rows = tx.exec("SELECT count(*) FROM " + table.scratch)[0][0].as<std::int64_t>();
      result_.tables.push_back({table.live, rows});
    }
    tx.commit();
  }

  struct stream_row {
    uuid tenant;
    domain::version version = 0;
    domain::position position = 0;
  };

  const replay_options& options_;
  std::vector<replay_table> tables_;
  replay_rows rows_;
  std::unique_ptr<pqxx::connection> connection_;
  projection_fold fold_;
  std::unordered_map<std::string, stream_row> streams_;  // touched since the last flush
  replay_result result_;
  /// Uses rows_ and connection_ until it is over, which its destructor waits for.
  std::future<void> writing_;
};

}  // namespace

outcome<replay_result> replay(const replay_options& options) {
  try {
    return replayer(options).run();
  } catch (const pqxx::sql_error& e) {
    return reject(errc::unavailable, "the replay failed with SQLSTATE " + e.sqlstate());
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the database cannot be reached");
  }
}

}  // namespace reeve::persistence
