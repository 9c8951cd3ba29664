#include "persistence/journal_plan.hpp"

#include "base/invariant.hpp"
#include "base/utf8.hpp"
#include "persistence/leaf.hpp"
#include "persistence/projection.hpp"

#include <algorithm>

namespace reeve::persistence {
namespace {

struct text_limit {
  std::string_view name;
  std::size_t min = 0;
  std::size_t max = 0;
};

outcome<done> check_text(std::string_view text, const text_limit& limit) {
  const std::string field = "/" + std::string(limit.name);
  if (text.size() < limit.min || text.size() > limit.max) {
    return reject(errc::invalid,
                  std::string(limit.name) + " has " + std::to_string(text.size()) +
                      " bytes; allowed are " + std::to_string(limit.min) + " to " +
                      std::to_string(limit.max),
                  field);
  }
  if (text.find('\0') != text.npos) {
    return reject(errc::invalid, std::string(limit.name) + " holds a NUL", field);
  }
  if (first_invalid_utf8(text) != text.npos) {
    return reject(errc::invalid, std::string(limit.name) + " is not valid UTF-8", field);
  }
  return done{};
}

outcome<done> check_event(const domain::new_event& event) {
  const std::pair<std::string_view, text_limit> texts[] = {
      {event.stream, {"stream", 1, 128}},
      {event.type, {"type", 1, 64}},
      {event.payload, {"payload", 1, domain::max_payload_bytes}},
      {event.meta.principal, {"principal", 1, 128}},
      {event.meta.traceparent, {"traceparent", 0, 55}},
  };
  for (const auto& [text, limit] : texts) {
    if (auto checked = check_text(text, limit); !checked) return checked;
  }
  if (event.schema_version < 1) {
    return reject(errc::invalid, "schema_version begins at 1", "/schema_version");
  }
  return done{};
}

outcome<done> check_command(const command_key& command) {
  const std::pair<std::string_view, text_limit> texts[] = {
      {command.principal, {"principal", 1, 128}},
      {command.route, {"route", 1, 200}},
      {command.key, {"key", 1, 255}},
  };
  for (const auto& [text, limit] : texts) {
    if (auto checked = check_text(text, limit); !checked) return checked;
  }
  const auto printable = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (!std::all_of(command.key.begin(), command.key.end(), printable)) {
    return reject(errc::invalid, "an idempotency key is printable ASCII", "/key");
  }
  return done{};
}

rejection conflict(errc code, const stream_version& wanted, domain::version actual) {
  return reject(code, "stream " + wanted.stream + " is at version " + std::to_string(actual) +
                          ", expected was version " + std::to_string(wanted.version));
}

bool is_row(const projection_row& row) {
  if (row.of == nullptr) return false;
  const auto& columns = row.of->columns;
  return std::equal(columns.begin(), columns.end(), row.cells.begin(), row.cells.end(),
                    [](const column& c, const auto& cell) { return fits(oid_of(c.type), cell); });
}

auto key_of(const command_key& c) {
  return std::tuple<uuid, std::string_view, std::string_view, std::string_view>{
      c.tenant, c.principal, c.route, c.key};
}

}  // namespace

outcome<done> check_request(const append_request& request) {
  if (is_key_alone(request)) return check_command(*request.command);
  if (request.events.empty() || request.events.size() > max_events_per_append) {
    return reject(errc::invalid, "an append has 1 to 512 events", "/events");
  }
  if (bytes_of(request) > max_append_bytes) {
    return reject(errc::too_large, "the events of one append exceed 8 MiB", "/events");
  }
  std::map<std::string_view, const uuid*> tenants;
  for (const auto& wanted : request.expect) {
    if (!tenants.emplace(wanted.stream, nullptr).second) {
      return reject(errc::invalid, "a stream is expected twice", "/expect");
    }
  }
  for (std::size_t i = 0; i < request.events.size(); ++i) {
    const auto& event = request.events[i];
    if (auto checked = check_event(event); !checked) return checked;
    if (event.caused_by && *event.caused_by >= i) {
      return reject(errc::invalid, "a cause comes before what it causes", "/caused_by");
    }
    const auto expected = tenants.find(event.stream);
    if (expected == tenants.end()) {
      return reject(errc::invalid, "a stream is written and its version not expected", "/expect");
    }
    if (expected->second != nullptr && *expected->second != event.tenant) {
      return reject(errc::invalid, "one stream has one tenant", "/tenant");
    }
    expected->second = &event.tenant;
  }
  for (const auto* list : {&request.expect, &request.guard}) {
    for (const auto& named : *list) {
      if (auto checked = check_text(named.stream, {"stream", 1, 128}); !checked) return checked;
    }
  }
  return request.command ? check_command(*request.command) : outcome<done>(done{});
}

bool is_key_alone(const append_request& request) {
  return request.events.empty() && request.command && request.expect.size() == 1 &&
         request.expect[0].version > 0 && request.guard.empty();
}

std::size_t bytes_of(const append_request& request) {
  std::size_t bytes = 0;
  for (const auto& event : request.events) bytes += event.payload.size();
  return bytes;
}

batch_content batch_plan::content() const {
  return {before.position, before.hash, before.epoch, events, moves, commands, rows, stale};
}

log_tail batch_plan::after() const {
  const auto& last = events.back();
  return {last.position, last.epoch, last.hash, last.recorded_at_us};
}

batch_planner::batch_planner(version_map& versions, const loaded_streams& loaded,
                             const log_tail& tail, time_us now)
    : versions_(versions),
      loaded_(loaded),
      // Of the whole batch: its events are one microsecond apart.
      now_(std::max(now, tail.recorded_at_us + 1)),
      tail_(tail) {
  plan_.before = tail;
}

version_map::entry batch_planner::at(std::string_view stream) const {
  if (const auto moved = moves_.find(stream); moved != moves_.end()) return moved->second.now;
  if (const auto known = versions_.find(stream)) return *known;
  if (const auto found = loaded_.find(stream); found != loaded_.end()) {
    return found->second;
  }
  return {};
}

outcome<done> batch_planner::check_versions(const append_request& request) const {
  const std::pair<const std::vector<stream_version>*, errc> lists[] = {
      {&request.expect, errc::version_conflict}, {&request.guard, errc::guard_conflict}};
  for (const auto& [list, code] : lists) {
    for (const auto& wanted : *list) {
      if (const auto actual = at(wanted.stream).version; actual != wanted.version) {
        return conflict(code, wanted, actual);
      }
    }
  }
  for (const auto& event : request.events) {
    const auto known = at(event.stream);
    if (known.version > 0 && known.tenant != event.tenant) {
      return reject(errc::invalid, "the stream belongs to another tenant", "/tenant");
    }
  }
  return done{};
}

outcome<done> batch_planner::add(std::size_t index, const append_request& request,
                                 const projection_refs& without) {
  if (auto checked = check_versions(request); !checked) return checked;
  const auto first = plan_.events.size();
  if (request.command) {
    keys_.emplace(key_of(*request.command), plan_.appends.size());
    plan_.commands.push_back(
        {&*request.command, tail_.position + 1, static_cast<std::int64_t>(request.events.size())});
  }
  stamp(request);
  plan_.appends.push_back({index, first, request.events.size()});
  project(request, first, without);
  return done{};
}

bool batch_planner::follow(std::size_t index, const append_request& request) {
  if (!request.command) return false;
  const auto found = keys_.find(key_of(*request.command));
  if (found == keys_.end()) return false;
  plan_.followers.push_back({index, found->second});
  return true;
}

void batch_planner::stamp(const append_request& request) {
  const auto first = tail_.position + 1;
  for (const auto& event : request.events) {
    auto [moved, fresh] = moves_.try_emplace(event.stream);
    if (fresh) {
      moves_.erase(moved);
      const auto known = at(event.stream);
      moved = moves_.emplace(event.stream, move{known.version, known, 0}).first;
    }
    auto& move = moved->second;
    move.now.tenant = event.tenant;
    ++move.now.version;
    move.position = tail_.position + 1;

    domain::event_record record;
    record.position = tail_.position + 1;
    record.epoch = tail_.epoch;
    record.stream = event.stream;
    record.version = move.now.version;
    record.type = event.type;
    record.schema_version = event.schema_version;
    record.tenant = event.tenant;
    record.payload = event.payload;
    record.meta = event.meta;
    if (event.caused_by) {
      record.meta.causation_id = first + static_cast<domain::position>(*event.caused_by);
    }
    record.recorded_at_us = now_++;
    record.leaf = leaf_of(record);
    record.hash = chain_hash(tail_.hash, record.leaf);
    tail_.position = record.position;
    tail_.hash = record.hash;
    plan_.events.push_back(std::move(record));
  }
}

void batch_planner::project(const append_request& request, std::size_t first,
                            const projection_refs& without) {
  if (!request.project) return;
  const auto at = plan_.events[first].position;
  std::vector<domain::event_stamp> stamps;
  for (auto i = first; i < plan_.events.size(); ++i) {
    const auto& event = plan_.events[i];
    stamps.push_back({event.position, event.version, event.recorded_at_us});
  }
  row_sink rows;
  try {
    request.project(stamps, rows);
  } catch (...) {
    // Events are facts, projections can be rebuilt: the append goes on.
    ++plan_.stale_appends;
    return mark_stale(request, at);
  }
  bool is_whole = true;
  for (auto& row : rows) {
    if (is_row(row) && std::find(without.begin(), without.end(), row.of) == without.end()) {
      // A follower makes its own rows.
      if (row.of->kind == projection_kind::in_append) plan_.rows.push_back(std::move(row));
      continue;
    }
    is_whole = false;
    row.of != nullptr ? mark_stale(*row.of, at) : mark_stale(request, at);
  }
  if (!is_whole) ++plan_.stale_appends;
}

void batch_planner::mark_stale(const projection& of, domain::position at) {
  const auto known = std::find_if(plan_.stale.begin(), plan_.stale.end(),
                                  [&of](const stale_mark& m) { return m.of == &of; });
  if (known == plan_.stale.end()) plan_.stale.push_back({&of, at});
}

void batch_planner::mark_stale(const append_request& request, domain::position at) {
  for (const auto* of : projections()) {
    const auto& all = request.events;
    if (of->kind != projection_kind::in_append) continue;
    if (std::any_of(all.begin(), all.end(),
                    [of](const auto& event) { return is_made_of(*of, event.stream); })) {
      mark_stale(*of, at);
    }
  }
}

batch_plan batch_planner::finish() {
  // The database would take these for good: it looks at the predecessor, not inside a batch.
  const auto count = static_cast<domain::position>(plan_.events.size());
  REEVE_INVARIANT(tail_.position == plan_.before.position + count,
                  "the positions of a batch follow each other and its predecessor");
  REEVE_INVARIANT(tail_.epoch == plan_.before.epoch, "a batch is of one epoch");
  plan_.moves.reserve(moves_.size());
  for (const auto& event : plan_.events) {
    const auto moved = moves_.find(event.stream);
    // The last event of a stream carries its final version.
    if (moved->second.now.version != event.version) continue;
    plan_.moves.push_back(
        {event.stream, event.tenant, moved->second.base, event.version, event.position});
  }
  return std::move(plan_);
}

}  // namespace reeve::persistence
