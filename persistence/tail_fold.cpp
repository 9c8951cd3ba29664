#include "persistence/tail_fold.hpp"

#include "persistence/log_reader.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/pg_values.hpp"
#include "persistence/projection_fold.hpp"
#include "persistence/read_sql.hpp"

#include <algorithm>
#include <exception>

namespace reeve::persistence {
namespace {

// Of the log, a look; so no snapshot is held for long.
constexpr domain::position positions_a_look = 50'000;
constexpr int events_a_look = 2'000;
// States that are kept between looks; a stream that comes again is read again.
constexpr std::size_t most_streams = 10'000;

}  // namespace

struct tail_fold::impl {
  impl(std::string given, std::vector<const projection*> list, domain::position after)
      : url(std::move(given)),
        wanted(std::move(list)),
        filter(of_sources(sources_of(wanted))),
        taken(after) {
    forget();
  }

  void forget() {
    fold = std::make_unique<projection_fold>(
        [this](const domain::event_record& next) { return before(next); });
  }

  void connect() {
    if (connection) return;
    connection = connect_session(url, "reeve-tail");
    connection->set_variable("reeve.auditor", "on");
  }

  std::vector<domain::event_record> query(const std::string& where) {
    pqxx::nontransaction tx(*connection);
    std::vector<domain::event_record> events;
    for (const auto& row :
         tx.exec("SELECT " + std::string(event_columns()) + " FROM reeve.events WHERE " + where)) {
      events.push_back(event_of(row));
    }
    return events;
  }

  /// The stream of an event, up to it: its state is not in memory.
  std::vector<domain::event_record> before(const domain::event_record& next) {
    return query("tenant = '" + to_string(next.tenant) +
                 "' AND stream = " + connection->quote(next.stream) + " AND version < " +
                 std::to_string(next.version) + " ORDER BY version");
  }

  outcome<bool> look(const take_fn& take) {
    connect();
    const auto head =
        pqxx::nontransaction(*connection).exec1("SELECT reeve.head()")[0].as<domain::position>();
    auto until = std::min(head, taken + positions_a_look);
    if (until <= taken) return false;
    const auto events =
        query("position > " + std::to_string(taken) + " AND position <= " + std::to_string(until) +
              " AND (" + filter + ") ORDER BY position LIMIT " + std::to_string(events_a_look));
    if (events.size() == events_a_look) until = events.back().position;
    for (const auto& event : events) {
      if (auto ok = fold->apply(event); !ok) return ok.error();
    }
    row_sink rows;
    fold->flush(rows);
    std::erase_if(rows, [this](const projection_row& row) {
      return std::find(wanted.begin(), wanted.end(), row.of) == wanted.end();
    });
    if (!events.empty()) {
      if (auto ok = take({events, rows}); !ok) return ok.error();
    }
    taken = until;
    if (fold->streams() > most_streams) forget();
    return until < head;
  }

  std::string url;
  std::vector<const projection*> wanted;
  std::string filter;
  domain::position taken;
  std::unique_ptr<pqxx::connection> connection;
  std::unique_ptr<projection_fold> fold;
};

tail_fold::tail_fold(std::string url, std::vector<const projection*> wanted, domain::position after)
    : impl_(std::make_unique<impl>(std::move(url), std::move(wanted), after)) {}
tail_fold::~tail_fold() = default;
tail_fold::tail_fold(tail_fold&&) noexcept = default;

outcome<bool> tail_fold::advance(const take_fn& take) {
  outcome<bool> more = false;
  std::exception_ptr of_taker;
  const auto guarded = [&](const commit_notice& notice) -> outcome<done> {
    try {
      return take(notice);
    } catch (const std::exception&) {
      of_taker = std::current_exception();
      return reject(errc::unavailable, "it was not taken");
    }
  };
  try {
    more = impl_->look(guarded);
  } catch (const std::exception&) {
    more = impl_->connection ? rejection_of_try(trouble_of_current(*impl_->connection))
                             : reject(errc::unavailable, "the database cannot be reached");
    impl_->connection.reset();
  }
  // Its states are ahead of what was taken.
  if (!more) impl_->forget();
  if (of_taker) std::rethrow_exception(of_taker);
  return more;
}

domain::position tail_fold::position() const {
  return impl_->taken;
}

}  // namespace reeve::persistence
