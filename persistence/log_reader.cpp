#include "persistence/log_reader.hpp"

#include "persistence/copy_line.hpp"
#include "persistence/pg_session.hpp"

#include <utility>

namespace reeve::persistence {
namespace {

// Few enough that a consumer at 1,000 events a second ends a run within a minute; many enough that
// planning the query costs nothing.
constexpr int events_per_copy = 50'000;

// What a fold needs comes first, in both.
constexpr const char* columns_for_fold =
    "position, epoch, stream, version, type, schema_version, tenant, payload, payload_format,"
    " principal, recorded_at_us";
constexpr const char* more_columns =
    ", key_id, command_id, request_digest, correlation_id, causation_id, traceparent, leaf, hash";

bool parse(std::string_view text, bool is_for_fold, domain::event_record& e) {
  copy_line line(text);
  line.integer(e.position);
  line.integer(e.epoch);
  line.text(e.stream);
  line.integer(e.version);
  line.text(e.type);
  line.integer(e.schema_version);
  line.id(e.tenant);
  line.text(e.payload);
  line.integer(e.payload_format);
  line.text(e.meta.principal);
  line.integer(e.recorded_at_us);
  if (is_for_fold) return line.good();
  line.id(e.key_id);
  line.id(e.meta.command_id);
  line.bytes(e.meta.request_digest);
  line.id(e.meta.correlation_id);
  line.integer(e.meta.causation_id);
  line.text(e.meta.traceparent);
  line.bytes(e.leaf);
  line.bytes(e.hash);
  return line.good();
}

}  // namespace

std::string of_sources(const std::vector<std::string_view>& sources) {
  std::string sql;
  for (const auto source : sources) {
    const std::string name(source);
    sql += sql.empty() ? "" : " OR ";
    sql += "(stream >= '" + name + "-' AND stream < '" + name + ".')";
  }
  return sql.empty() ? "true" : sql;
}

struct log_reader::impl {
  log_range range;
  uuid origin;
  domain::position head = 0;
  domain::position last = 0;
  std::unique_ptr<pqxx::connection> connection;
  std::unique_ptr<pqxx::nontransaction> transaction;
  std::unique_ptr<pqxx::stream_from> copy;
  std::string line;

  /// In this order: each lives inside the one after it.
  void close() {
    copy.reset();
    transaction.reset();
  }

  void start() {
    connection->set_variable("reeve.auditor", "on");
    pqxx::nontransaction tx(*connection);
    const auto row = tx.exec1(
        "SELECT (SELECT origin FROM reeve.log), (SELECT COALESCE(max(position), 0)"
        " FROM reeve.events)");
    if (!row[0].is_null()) origin = parse_uuid(row[0].c_str()).value_or(uuid{});
    head = row[1].as<domain::position>();
  }

  void begin_copy() {
    transaction = std::make_unique<pqxx::nontransaction>(*connection);
    std::string query = std::string("(SELECT ") + columns_for_fold;
    if (!range.is_for_fold) query += more_columns;
    query += " FROM reeve.events WHERE position > " + std::to_string(last);
    if (range.until) query += " AND position <= " + std::to_string(*range.until);
    if (!range.sources.empty()) query += " AND (" + of_sources(range.sources) + ")";
    query += " ORDER BY position LIMIT " + std::to_string(events_per_copy) + ")";
    copy = std::make_unique<pqxx::stream_from>(*transaction, query);
  }

  /// The number of events that were read into the page; stops before a bad row.
  outcome<std::size_t> fill(std::vector<domain::event_record>& page) {
    std::size_t count = 0;
    while (count < range.page && copy->get_raw_line(line)) {
      if (page.size() <= count) page.emplace_back();
      if (!parse(line, range.is_for_fold, page[count])) {
        const auto at = std::to_string(page[count].position);
        return reject(errc::invalid, "the row of position " + at + " cannot be read", at);
      }
      last = page[count++].position;
    }
    return count;
  }

  outcome<bool> next(std::vector<domain::event_record>& page) {
    for (const bool is_fresh : {copy == nullptr, true}) {
      if (copy == nullptr) begin_copy();
      auto count = fill(page);
      if (!count) return count.error();
      if (*count < range.page) close();
      if (*count == 0 && !is_fresh) continue;
      page.resize(*count);
      return *count > 0;
    }
    return false;
  }
};

log_reader::log_reader(std::unique_ptr<impl> made) : impl_(std::move(made)) {}
log_reader::log_reader(log_reader&&) noexcept = default;
log_reader& log_reader::operator=(log_reader&&) noexcept = default;
log_reader::~log_reader() {
  if (impl_) impl_->close();
}

outcome<log_reader> log_reader::open(const std::string& url, const log_range& range) {
  auto made = std::make_unique<impl>();
  made->range = range;
  made->last = range.after;
  try {
    made->connection = connect_session(url, "reeve-log");
    made->start();
  } catch (const std::exception&) {
    if (!made->connection) return reject(errc::unavailable, "the database cannot be reached");
    return rejection_of(trouble_of_current(*made->connection));
  }
  return log_reader(std::move(made));
}

outcome<bool> log_reader::next(std::vector<domain::event_record>& page) {
  try {
    return impl_->next(page);
  } catch (const std::exception&) {
    const auto trouble = trouble_of_current(*impl_->connection);
    impl_->close();
    return rejection_of(trouble);
  }
}

const uuid& log_reader::origin() const {
  return impl_->origin;
}

domain::position log_reader::head() const {
  return impl_->head;
}

}  // namespace reeve::persistence
