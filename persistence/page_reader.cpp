#include "persistence/page_reader.hpp"

#include "persistence/llm_usage_sql.hpp"
#include "persistence/page_walk.hpp"
#include "persistence/pg_values.hpp"
#include "persistence/read_sql.hpp"

#include <utility>

namespace reeve::persistence {
namespace {

// Behind the columns of an event: whether it fits, and whether it is the last of its step.
constexpr int event_fits = 19;
constexpr int event_is_last = 20;

read_turn turn_of(const uuid& asked_by, const std::optional<uuid>& tenant, bool is_heavy) {
  return {asked_by == uuid{} ? tenant.value_or(system_tenant) : asked_by, is_heavy};
}

/// `llm_sums`, from that column on.
domain::llm_sums sums_of(const pqxx::row& row, int first) {
  const auto sum = [&](int at) { return row[first + at].as<std::int64_t>(); };
  return {sum(0), sum(1), sum(2), sum(3), sum(4), sum(5)};
}

template <class Place>
list_step step_of(const page_walk<Place>& page) {
  list_step step;
  step.rows = page.step_rows();
  step.most = page.step_most();
  step.bytes = page.step_bytes();
  return step;
}

}  // namespace

read_turn turn_of(const list_query& query) {
  return turn_of(query.asked_by, query.tenant, walks_far(query));
}

read_turn turn_of(const event_query& query) {
  return turn_of(query.asked_by, query.tenant, walks_far(query));
}

read_turn turn_of(const llm_usage_query& query) {
  return turn_of(query.asked_by, query.tenant, !query.run);
}

outcome<document> read_list(read_session& session, const list_query& query, clock_port& clock) {
  page_walk<list_place> page(query.limit, most_page_bytes, walks_far(query), clock.mono_us());
  std::string body = "{\"results\":[";
  bool has_rows = false;
  std::optional<list_place> behind;
  do {
    auto step = step_of(page);
    step.behind = std::move(behind);
    const auto composed = compose_list(query, step);
    if (!composed) return composed.error();
    for (const auto& row : session.query(query.tenant, *composed)) {
      const list_place at{row[0].as<domain::position>(), row[1].c_str()};
      const auto doc = view_of(row[2]);
      if (!page.take(at, row[3].as<bool>(false), row[4].as<bool>(), doc.size())) continue;
      if (std::exchange(has_rows, true)) body += ',';
      body += doc;
    }
    behind = page.go_on(clock.mono_us());
  } while (behind);
  body += "],\"next\":";
  body += page.next() ? '"' + cursor_of(query, *page.next()) + '"' : std::string("null");
  return make_document(body + "}");
}

outcome<domain::llm_sums> read_spent(read_session& session, const llm_spent_query& query) {
  return sums_of(session.query(query.tenant, compose_spent(query))[0], 0);
}

outcome<document> read_usage(read_session& session, const llm_usage_query& query,
                             clock_port& clock) {
  usage_walk page(query.limit, clock.mono_us());
  std::optional<std::string> behind = std::string();
  while (behind) {
    const auto composed = compose_usage(query, *behind, page.step_lines());
    if (!composed) return composed.error();
    usage_step step;
    for (const auto& row : session.query(query.tenant, *composed)) {
      step.parts.push_back({row[0].c_str(), row[1].as<std::int64_t>(), sums_of(row, 2)});
      if (!row[8].is_null()) step.last = row[8].c_str();
    }
    behind = page.take(step, clock.mono_us());
  }
  std::string body = "{\"results\":[";
  for (const auto& group : page.groups()) {
    if (body.back() == '}') body += ',';
    body += render_usage_group(query.by, group);
  }
  body += "],\"next\":";
  body += page.next().empty() ? "null" : '"' + usage_cursor(query, page.next()) + '"';
  return make_document(body + "}");
}

outcome<event_page> read_events(read_session& session, const event_query& query,
                                clock_port& clock) {
  // The log's own: what this process has heard of a commit may be later than what a document has
  // shown of it.
  const auto head = session.query(query.tenant, head_query())[0][0].as<domain::position>();
  // What is not there yet looks like what is not there: a client that knows of more than the log
  // holds has to hear of it.
  if (query.after > head) {
    return reject(errc::position_ahead, "the position is beyond the head of the log", "/after");
  }
  page_walk<domain::position> page(query.limit, query.most_bytes, walks_far(query),
                                   clock.mono_us());
  event_page made;
  made.head = head;
  auto from = query;
  for (;;) {
    const auto composed = compose_events(from, head, step_of(page));
    if (!composed) return composed.error();
    for (const auto& row : session.query(query.tenant, *composed)) {
      const auto event = event_of(row);
      const bool is_on_it =
          page.take(event.position, row[event_fits].as<bool>(false), row[event_is_last].as<bool>(),
                    event.payload.size() + event_overhead_bytes);
      if (is_on_it)
        made.events.push_back({event.position, event.type, render_event(event, query.reader)});
    }
    const auto behind = page.go_on(clock.mono_us());
    if (!behind) break;
    if (query.newest_first) {
      from.before = *behind;
    } else {
      from.after = *behind;
    }
  }
  made.next = page.next();
  return made;
}

}  // namespace reeve::persistence
