#include "persistence/read_store.hpp"

#include "persistence/llm_usage_sql.hpp"
#include "persistence/page_reader.hpp"
#include "persistence/pg_values.hpp"
#include "persistence/read_cache.hpp"
#include "persistence/read_pool.hpp"
#include "persistence/reader_rights.hpp"
#include "persistence/stored_logs.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <initializer_list>
#include <thread>
#include <utility>

namespace reeve::persistence {
namespace {

constexpr std::int64_t chunk_bytes = std::int64_t{256} * 1024;

rejection absent() {
  return reject(errc::not_found, "there is no such resource");
}

usage_totals usage_of(const pqxx::row& row, int first) {
  return {row[first].as<std::int64_t>(0), row[first + 1].as<std::int64_t>(0),
          row[first + 2].as<std::int64_t>(0), row[first + 3].as<std::int64_t>(0)};
}

std::string job_with_usage(const pqxx::row& row, int doc, int usage) {
  return with_members(view_of(row[doc]), "\"llm_usage\":" + render_usage(usage_of(row, usage)));
}

// The run, its jobs and the token counts in one statement, so of one snapshot.
constexpr std::string_view run_detail_sql =
    "SELECT 0 AS kind, 0 AS ordinal, r.doc, r.snapshot, sum(u.calls)::bigint,"
    " sum(u.prompt_tokens)::bigint, sum(u.completion_tokens)::bigint, sum(u.total_tokens)::bigint"
    " FROM reeve_read.runs r LEFT JOIN reeve_read.llm_usage u"
    " ON u.tenant = r.tenant AND u.run_id = r.id"
    " WHERE r.tenant = $1::uuid AND r.id = $2::uuid GROUP BY r.tenant, r.id"
    " UNION ALL SELECT 1, j.ordinal, j.doc, '', u.calls, u.prompt_tokens, u.completion_tokens,"
    " u.total_tokens FROM reeve_read.jobs j LEFT JOIN reeve_read.llm_usage u"
    " ON u.tenant = j.tenant AND u.job_id = j.id"
    " WHERE j.tenant = $1::uuid AND j.run_id = $2::uuid ORDER BY 1, 2";

constexpr std::string_view job_detail_sql =
    "SELECT j.doc, u.calls, u.prompt_tokens, u.completion_tokens, u.total_tokens"
    " FROM reeve_read.jobs j LEFT JOIN reeve_read.llm_usage u"
    " ON u.tenant = j.tenant AND u.job_id = j.id"
    " WHERE j.tenant = $1::uuid AND j.id = $2::uuid";

constexpr std::string_view run_of_job_sql =
    "SELECT run_id FROM reeve_read.jobs WHERE tenant = $1::uuid AND id = $2::uuid";

// Looked for among the newest 5,000 successes, one after the other until one fits: a run that was
// launched with other tasks names the directive as well. Documents write null for what is not
// there, snapshots of an older program nothing.
constexpr std::string_view last_success_sql =
    "SELECT r.id, r.created_position, r.started_at_us FROM (SELECT tenant, id, directive_id,"
    " created_position, started_at_us, snapshot::jsonb AS snapshot FROM reeve_read.runs"
    " WHERE tenant = $1::uuid AND directive_id = $2::uuid AND status = 'success'"
    " AND NOT is_simulated ORDER BY created_position DESC, id DESC LIMIT 5000) r"
    " WHERE jsonb_strip_nulls(r.snapshot -> 'tasks') ="
    " (SELECT jsonb_strip_nulls(v.doc::jsonb -> 'tasks') FROM reeve_read.directive_versions v"
    " WHERE v.tenant = r.tenant"
    " AND v.id = r.directive_id::text || '-' || (r.snapshot ->> 'version'))"
    " ORDER BY r.created_position DESC, r.id DESC LIMIT 1";

constexpr std::string_view command_sql =
    "SELECT c.request_digest, c.first_position, c.count, e.stream, e.version"
    " FROM reeve.commands c"
    " JOIN reeve.events e ON e.position = c.first_position AND e.tenant = c.tenant"
    " WHERE c.tenant = $1::uuid AND c.principal = $2::text AND c.route = $3::text"
    " AND c.key = $4::text";

constexpr std::string_view blob_sql =
    "SELECT b.bytes, c.ordinal, c.data FROM reeve.blobs b LEFT JOIN reeve.blob_chunks c"
    " ON c.tenant = b.tenant AND c.sha256 = b.sha256"
    " AND c.ordinal BETWEEN $3::int AND $4::int"
    " WHERE b.tenant = $1::uuid AND b.sha256 = $2::bytea ORDER BY c.ordinal";

std::string render_run(const pqxx::result& rows) {
  std::string jobs;
  for (const auto& row : rows) {
    if (row[0].as<int>() == 0) continue;
    if (!jobs.empty()) jobs += ',';
    jobs += job_with_usage(row, 2, 4);
  }
  const auto run = rows[0];
  return with_members(view_of(run[2]), "\"directive_snapshot\":" + std::string(view_of(run[3])) +
                                           ",\"jobs\":[" + jobs +
                                           "],\"llm_usage\":" + render_usage(usage_of(run, 4)));
}

}  // namespace

struct read_store::impl {
  explicit impl(read_store_config given)
      : config(std::move(given)),
        rights(config.url),
        cache(config.cache_bytes),
        pool(config.url, config.readers, config.max_queue, config.statement_timeout_ms) {}
  ~impl() { rights.stop(); }

  /// Why nothing can be read of these projections now.
  std::optional<rejection> refusal(std::initializer_list<std::string_view> names) const {
    if (config.board == nullptr) return std::nullopt;
    for (const auto name : names) {
      if (auto why = config.board->refusal(projection_named(name))) return why;
    }
    return std::nullopt;
  }
  /// Goes on when the token totals are those of every call that was acknowledged.
  void when_counted(reply_slot<document> slot, std::function<void()> go_on) {
    if (config.board == nullptr) return go_on();
    config.board->when_current(projection_named("llm_usage"), [slot, go_on](outcome<done> ready) {
      ready ? go_on() : slot.answer(ready.error());
    });
  }

  using query_fn = std::function<outcome<document>(read_session&)>;
  /// From memory, or through `query` with the fill guarded by the cache.
  void cached(const uuid& tenant, const std::string& subject, rendering which,
              reply_slot<document> slot, query_fn query);
  void hold_back() const {
    if (config.delay_ms > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(config.delay_ms));
    }
  }

  read_store_config config;
  reader_rights rights;
  read_cache cache;
  std::atomic<domain::position> head{0};
  read_pool pool;  // last: its threads use what is above
};

void read_store::impl::cached(const uuid& tenant, const std::string& subject, rendering which,
                              reply_slot<document> slot, query_fn query) {
  if (auto found = cache.find(subject, which)) return slot.answer(std::move(*found));
  pool.submit<document>({tenant}, slot, [this, subject, which, query](read_session& session) {
    const auto ticket = cache.begin_fill(subject);
    outcome<document> answer = document{};
    try {
      answer = query(session);
      hold_back();
    } catch (...) {
      cache.end_fill(ticket, subject, which, {});
      throw;
    }
    cache.end_fill(ticket, subject, which, answer ? *answer : document{});
    return answer;
  });
}

read_store::read_store(read_store_config config)
    : impl_(std::make_unique<impl>(std::move(config))) {}
read_store::~read_store() = default;

void read_store::on_commit(const commit_notice& notice) {
  impl_->cache.touch(notice.rows);
  if (!notice.events.empty()) set_head(notice.events.back().position);
}

void read_store::set_head(domain::position head) {
  auto seen = impl_->head.load();
  while (seen < head && !impl_->head.compare_exchange_weak(seen, head)) {
  }
}

void read_store::forget() {
  impl_->cache.clear();
}

std::size_t read_store::cached_bytes() const {
  return impl_->cache.bytes();
}
domain::position read_store::head() const {
  return impl_->head.load();
}

void read_store::get(collection what, uuid tenant, const std::string& id,
                     reply_slot<document> slot) {
  auto query = get_query(what, tenant, id);
  if (!query) return slot.answer(query.error());
  const auto source = source_of(what);
  if (source.of != nullptr) {
    if (auto why = impl_->refusal({source.of->name})) return slot.answer(*why);
  }
  const auto run = [tenant, q = *query](read_session& session) -> outcome<document> {
    const auto rows = session.query(tenant, q);
    if (rows.empty()) return absent();
    return make_document(rows[0][0].c_str());
  };
  const auto kind = source.kind;
  if (kind.empty()) return impl_->pool.submit<document>({tenant}, std::move(slot), run);
  // One spelling of an id, so that a commit finds the document.
  const auto parsed = parse_uuid(id);
  impl_->cached(tenant, subject_of(kind, tenant, parsed ? to_string(*parsed) : id),
                rendering::plain, std::move(slot), run);
}

void read_store::list(list_query query, reply_slot<document> slot) {
  // What is wrong with it is told by who asks, without a reader.
  if (auto composed = compose_list(query, {}); !composed) return slot.answer(composed.error());
  if (query.what != collection::checkpoints) {
    if (auto why = impl_->refusal({query.what.name()})) return slot.answer(*why);
    const auto labels = projection_named(query.what.name()).labels;
    if (!query.labels.empty() && !labels.empty()) {
      if (auto why = impl_->refusal({labels})) return slot.answer(*why);
    }
  }
  const auto turn = turn_of(query);
  impl_->pool.submit<document>(
      turn, std::move(slot),
      [query = std::move(query)](read_session& session) { return read_list(session, query); });
}

void read_store::run_detail(uuid tenant, uuid run, reply_slot<document> slot) {
  if (auto why = impl_->refusal({"runs", "jobs", "llm_usage"})) return slot.answer(*why);
  impl_->when_counted(slot, [in = impl_.get(), tenant, run, slot] {
    in->cached(tenant, subject_of("run", tenant, to_string(run)), rendering::detail, slot,
               [tenant, run](read_session& session) -> outcome<document> {
                 const auto rows = session.query(
                     tenant, {std::string(run_detail_sql), {to_string(tenant), to_string(run)}});
                 if (rows.empty() || rows[0][0].as<int>() != 0) return absent();
                 return make_document(render_run(rows));
               });
  });
}

void read_store::job_detail(uuid tenant, uuid job, reply_slot<document> slot) {
  if (auto why = impl_->refusal({"jobs", "llm_usage"})) return slot.answer(*why);
  impl_->when_counted(slot, [in = impl_.get(), tenant, job, slot] {
    in->cached(tenant, subject_of("job", tenant, to_string(job)), rendering::detail, slot,
               [tenant, job](read_session& session) -> outcome<document> {
                 const auto rows = session.query(
                     tenant, {std::string(job_detail_sql), {to_string(tenant), to_string(job)}});
                 if (rows.empty()) return absent();
                 return make_document(job_with_usage(rows[0], 0, 1));
               });
  });
}

void read_store::run_of_job(uuid tenant, uuid job, reply_slot<std::optional<uuid>> slot) {
  if (auto why = impl_->refusal({"jobs"})) return slot.answer(*why);
  impl_->pool.submit<std::optional<uuid>>(
      {tenant}, std::move(slot),
      [tenant, job](read_session& session) -> outcome<std::optional<uuid>> {
        const auto rows = session.query(
            tenant, {std::string(run_of_job_sql), {to_string(tenant), to_string(job)}});
        if (rows.empty()) return std::optional<uuid>{};
        return std::optional(uuid_of(rows[0][0]));
      });
}

void read_store::llm_usage(llm_usage_query query, reply_slot<document> slot) {
  if (auto composed = compose_usage(query, {}, 1); !composed) {
    return slot.answer(composed.error());
  }
  if (auto why = impl_->refusal({"llm_days"})) return slot.answer(*why);
  const auto turn = turn_of(query);
  impl_->pool.submit<document>(
      turn, std::move(slot),
      [query = std::move(query)](read_session& session) { return read_usage(session, query); });
}

void read_store::llm_spent(llm_spent_query query, reply_slot<domain::llm_sums> slot) {
  if (auto why = impl_->refusal({"llm_days"})) return slot.answer(*why);
  // All lines of a month are added up.
  const read_turn turn{query.tenant, true};
  impl_->pool.submit<domain::llm_sums>(
      turn, std::move(slot),
      [query = std::move(query)](read_session& session) { return read_spent(session, query); });
}

void read_store::look_at_rights() {
  impl_->rights.look(impl_->pool);
}

std::string read_store::missing_rights() const {
  return impl_->rights.missing();
}

std::string read_store::refused_login() const {
  return impl_->rights.refused();
}

void read_store::events(event_query query, reply_slot<event_page> slot) {
  const auto turn = turn_of(query);
  impl_->pool.submit<event_page>(
      turn, std::move(slot),
      [query = std::move(query)](read_session& session) { return read_events(session, query); });
}

void read_store::event(std::optional<uuid> tenant, domain::position at, domain::event_reader reader,
                       reply_slot<document> slot) {
  impl_->pool.submit<document>({tenant.value_or(system_tenant)}, std::move(slot),
                               [tenant, at, reader](read_session& session) -> outcome<document> {
                                 const auto rows =
                                     session.query(tenant, one_event_query(tenant, at));
                                 if (rows.empty()) return absent();
                                 return make_document(render_event(event_of(rows[0]), reader));
                               });
}

void read_store::stream(uuid tenant, const std::string& stream, domain::version after, int limit,
                        reply_slot<std::vector<domain::event_record>> slot) {
  auto composed = stream_query(tenant, stream, after, limit);
  if (!composed) return slot.answer(composed.error());
  impl_->pool.submit<std::vector<domain::event_record>>(
      {tenant}, std::move(slot),
      [tenant, q = std::move(*composed)](
          read_session& session) -> outcome<std::vector<domain::event_record>> {
        std::vector<domain::event_record> events;
        for (const auto& row : session.query(tenant, q)) events.push_back(event_of(row));
        return events;
      });
}

void read_store::last_successful_run(uuid tenant, uuid directive,
                                     reply_slot<std::optional<last_success>> slot) {
  if (auto why = impl_->refusal({"runs", "directive_versions"})) return slot.answer(*why);
  // Of a directive that never succeeds all runs are looked at.
  impl_->pool.submit<std::optional<last_success>>(
      {tenant, true}, std::move(slot),
      [tenant, directive](read_session& session) -> outcome<std::optional<last_success>> {
        const auto rows = session.query(
            tenant, {std::string(last_success_sql), {to_string(tenant), to_string(directive)}});
        if (rows.empty()) return std::optional<last_success>{};
        return std::optional(last_success{uuid_of(rows[0][0]), rows[0][1].as<domain::position>(),
                                          rows[0][2].as<time_us>(0)});
      });
}

void read_store::stored_logs(stored_log_query query, reply_slot<stored_log_page> slot) {
  if (auto why = impl_->refusal({"runs", "jobs", "blob_refs"})) return slot.answer(*why);
  const auto turn = turn_of(query);
  impl_->pool.submit<stored_log_page>(turn, std::move(slot),
                                      [query = std::move(query)](read_session& session) {
                                        return read_stored_logs(session, query);
                                      });
}

void read_store::blob(uuid tenant, const digest& sha256, std::int64_t offset, std::int64_t size,
                      reply_slot<std::string> slot) {
  if (offset < 0 || size < 1 || size > chunk_bytes) {
    return slot.answer(reject(errc::invalid, "1 to 262144 bytes are read at once", "/size"));
  }
  if (auto why = impl_->refusal({"blob_refs"})) return slot.answer(*why);
  const auto first = offset / chunk_bytes;
  const auto last = (offset + size - 1) / chunk_bytes;
  if (last > INT32_MAX) return slot.answer(std::string());
  impl_->pool.submit<std::string>(
      {tenant}, std::move(slot), [=](read_session& session) -> outcome<std::string> {
        const auto rows = session.query(tenant, {std::string(blob_sql),
                                                 {to_string(tenant), "\\x" + to_hex(sha256),
                                                  std::to_string(first), std::to_string(last)}});
        if (rows.empty()) return absent();
        std::string bytes;
        for (const auto& row : rows) bytes += bytes_of(row[2]);
        const auto skip = static_cast<std::size_t>(offset - first * chunk_bytes);
        return skip >= bytes.size() ? std::string()
                                    : bytes.substr(skip, static_cast<std::size_t>(size));
      });
}

void read_store::command(uuid tenant, const std::string& principal, const std::string& route,
                         const std::string& key, reply_slot<std::optional<known_command>> slot) {
  read_query query{std::string(command_sql), {to_string(tenant), principal, route, key}};
  impl_->pool.submit<std::optional<known_command>>(
      {tenant}, std::move(slot),
      [tenant, query](read_session& session) -> outcome<std::optional<known_command>> {
        const auto rows = session.query(tenant, query);
        if (rows.empty()) return std::optional<known_command>{};
        return std::optional(known_command{digest_of(rows[0][0]), rows[0][1].as<domain::position>(),
                                           rows[0][2].as<std::int64_t>(), rows[0][3].c_str(),
                                           rows[0][4].as<domain::version>()});
      });
}

}  // namespace reeve::persistence
