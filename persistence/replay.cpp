#include "persistence/replay.hpp"

#include "persistence/bulk_fold.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/pg_values.hpp"
#include "persistence/read_sql.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace reeve::persistence {
namespace {

constexpr std::size_t most_differences = 100;
std::optional<std::string> text_of(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return std::string(field.c_str(), field.size());
}

class replayer {
 public:
  explicit replayer(const replay_options& options)
      : options_(options),
        tables_(replay_tables()),
        connection_(connect_session(options.owner_url, "reeve_replay")),
        fold_(options.owner_url, *connection_, {projections().begin(), projections().end()},
              tables_) {
    fold_.on_event = [this](const domain::event_record& e) {
      streams_[e.stream] = {e.tenant, e.version, e.position};
    };
    fold_.on_flush = [this](replay_rows& rows) {
      for (const auto& [stream, at] : streams_) {
        rows.add(tables_.size() - 1, {stream, to_string(at.tenant), std::to_string(at.version),
                                      std::to_string(at.position)});
      }
      streams_.clear();
    };
  }

  outcome<replay_result> run() {
    {
      pqxx::work tx(*connection_);
      // It folds in a transaction too, and holds a snapshot only.
      tx.exec0("SET idle_in_transaction_session_timeout = '60s'");
      make_scratch(tx, tables_);
      tx.commit();
    }
    const auto until = last_position();
    if (!until) return until.error();
    if (options_.until || options_.until_time) {
      if (auto ok = fold_.fold_to(*until); !ok) return ok.error();
      merge_and_count();
    } else {
      // Twice, so that the snapshot has little left to read at once.
      for (const auto at : {*until, head_now()}) {
        if (auto ok = fold_.fold_to(at); !ok) return ok.error();
      }
      if (auto ok = catch_up_and_compare(); !ok) return ok.error();
    }
    result_.head = fold_.position();
    result_.events = fold_.events();
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
    if (!options_.until_time) return comparable(tx);
    return tx.exec("SELECT reeve.position_at(" + std::to_string(*options_.until_time) + ")")[0][0]
        .as<std::int64_t>();
  }

  domain::position head_now() {
    pqxx::nontransaction tx(*connection_);
    return comparable(tx);
  }

  /// The head, or where the slowest follower is: its rows are those of the log up to there. The
  /// checkpoint of one that is idle lies seconds behind.
  static domain::position comparable(pqxx::transaction_base& tx) {
    auto at = tx.exec1("SELECT reeve.head()")[0].as<domain::position>();
    for (const auto& [of, checkpoint] : followers(tx)) at = std::min(at, checkpoint);
    return at;
  }

  static std::map<const projection*, domain::position> followers(pqxx::transaction_base& tx) {
    std::map<const projection*, domain::position> found;
    for (const auto* of : projections()) {
      if (of->kind != projection_kind::follower) continue;
      const auto rows = tx.exec_params("SELECT checkpoint FROM reeve.projections WHERE name = $1",
                                       std::string(of->name));
      found.emplace(of, rows.empty() ? 0 : rows[0][0].as<domain::position>());
    }
    return found;
  }

  /// One snapshot: what was written meanwhile is folded in, then both sides are compared in it. A
  /// follower's rows are not looked for beyond its checkpoint.
  outcome<done> catch_up_and_compare() {
    pqxx::transaction<pqxx::isolation_level::repeatable_read> tx(*connection_);
    const auto checkpoints = followers(tx);
    const auto flush = [&] {
      fold_.flush([&](const projection& of) {
        const auto found = checkpoints.find(&of);
        return found == checkpoints.end() || fold_.position() <= found->second;
      });
    };
    for (;;) {
      const auto rest = tx.exec("SELECT " + std::string(event_columns()) +
                                " FROM reeve.events WHERE position > " +
                                std::to_string(fold_.position()) + " ORDER BY position LIMIT 5000");
      for (const auto& r : rest) {
        if (auto ok = fold_.apply(event_of(r)); !ok) return ok;
        for (const auto& [of, checkpoint] : checkpoints) {
          if (fold_.position() == checkpoint) flush();
        }
      }
      flush();
      if (rest.empty()) break;
    }
    fold_.rows().set_aside();
    fold_.rows().write(tx);
    fold_.rows().merge(tx);
    for (const auto& table : tables_) compare(tx, table);
    return done{};
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
    fold_.rows().merge(tx);
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
  std::unique_ptr<pqxx::connection> connection_;
  bulk_fold fold_;
  std::unordered_map<std::string, stream_row> streams_;  // touched since the last flush
  replay_result result_;
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
