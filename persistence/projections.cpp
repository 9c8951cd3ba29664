#include "persistence/projections.hpp"

#include "codec/codec.hpp"
#include "domain/documents.hpp"
#include "persistence/projection_tables.hpp"

#include <set>
#include <string>
#include <utility>

namespace reeve::persistence {
namespace {

using cell = std::optional<std::string>;

cell text(bool value) {
  return value ? "true" : "false";
}
cell text(std::int64_t value) {
  return std::to_string(value);
}
cell text(const uuid& id) {
  return to_string(id);
}
cell text(const std::optional<uuid>& id) {
  return id ? cell(to_string(*id)) : cell();
}
cell text(const std::optional<time_us>& at) {
  return at ? cell(std::to_string(*at)) : cell();
}
cell text(const digest& d) {
  return "\\x" + to_hex(d);
}

void add(row_sink& rows, table which, std::vector<cell> cells) {
  rows.push_back({index_of(which), std::move(cells)});
}

template <class List, class Event, class Allowed, class Denied>
void project_list(const List& after, std::span<const Event> events, table which, row_sink& rows) {
  for (const auto& event : events) {
    const uuid& id = std::visit([](const auto& e) -> const uuid& { return e.id; }, event);
    const auto* entry = after.find(id);
    if (entry == nullptr) continue;
    add(rows, which,
        {text(after.tenant), text(id), text(entry->is_active), text(entry->created_position),
         codec::encode_document(document_of(*entry))});
  }
}

void add_job(const domain::run_state& run, const domain::job_state& job, row_sink& rows) {
  add(rows, table::jobs,
      {text(run.tenant), text(job.id), text(run.id), text(static_cast<std::int64_t>(job.ordinal)),
       std::string(name_of(job.status)), std::string(name_of(run.task_of(job).kind)),
       text(run.created_position), codec::encode_document(document_of(run, job))});
}

void add_run(const domain::run_state& run, row_sink& rows) {
  const auto& directive = run.launch->directive;
  add(rows, table::runs,
      {text(run.tenant), text(run.id), std::string(name_of(run.status)), text(directive.id),
       directive.name, text(is_simulated(run)), text(run.launch->retry_of),
       text(run.created_position), text(run.created_at), text(run.started_at),
       text(run.finished_at), codec::encode_document(document_of(run)),
       codec::encode_document(directive)});
}

void add_blob(const domain::run_state& run, const uuid& job, std::string name,
              const domain::blob_ref& blob, row_sink& rows) {
  add(rows, table::blob_refs,
      {text(run.tenant), text(job), std::move(name), text(blob.sha256), text(blob.bytes)});
}

}  // namespace

void project(const domain::directive_state& after, std::span<const domain::directive_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& rows) {
  const auto document = codec::encode_document(document_of(after));
  add(rows, table::directives,
      {text(after.tenant), text(after.id), after.spec.name, text(after.version),
       text(after.is_archived), text(after.created_position), document});
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (std::holds_alternative<domain::directive_archived>(events[i])) continue;
    add(rows, table::directive_versions,
        {text(after.tenant), to_string(after.id) + "-" + std::to_string(after.version),
         text(after.id), text(after.version), text(stamps[i].at), document});
  }
}

void project(const domain::image_list_state& after,
             std::span<const domain::image_list_event> events, std::span<const domain::event_stamp>,
             row_sink& rows) {
  project_list<domain::image_list_state, domain::image_list_event, domain::image_allowed,
               domain::image_denied>(after, events, table::image_allowlist, rows);
}

void project(const domain::container_list_state& after,
             std::span<const domain::container_list_event> events,
             std::span<const domain::event_stamp>, row_sink& rows) {
  project_list<domain::container_list_state, domain::container_list_event,
               domain::container_allowed, domain::container_denied>(
      after, events, table::container_allowlist, rows);
}

void project(const domain::llm_usage_state& after, std::span<const domain::llm_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& rows) {
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& call = std::get<domain::llm_call_recorded>(events[i]);
    add(rows, table::llm_calls,
        {text(after.tenant), text(call.id), text(call.job), text(stamps[i].at),
         codec::encode_document(domain::document_of(call, stamps[i].recorded_at_us))});
  }
  add(rows, table::llm_usage,
      {text(after.tenant), text(after.job), text(after.run), text(after.totals.calls),
       text(after.totals.prompt_tokens), text(after.totals.completion_tokens),
       text(after.totals.total_tokens)});
}

void project(const domain::access_state& after, std::span<const domain::access_event> events,
             std::span<const domain::event_stamp>, row_sink& rows) {
  const auto token_row = [&](const uuid& id) {
    const auto* token = after.find(id);
    if (token == nullptr) return;
    add(rows, table::tokens,
        {text(after.tenant), text(id), text(token->is_active),
         std::string(name_of(token->what.role)), to_hex(token->what.secret_hash),
         text(token->created_position), codec::encode_document(document_of(*token))});
  };
  for (const auto& event : events) {
    std::visit(domain::overloaded{[&](const domain::tenant_created& e) {
                                    add(rows, table::tenants,
                                        {text(e.id), e.name, text(after.created_position),
                                         text(e.default_directive)});
                                  },
                                  [&](const domain::token_created& e) { token_row(e.id); },
                                  [&](const domain::token_revoked& e) { token_row(e.id); }},
               event);
  }
}

void project(const domain::run_state& after, std::span<const domain::run_event> events,
             std::span<const domain::event_stamp>, row_sink& rows) {
  std::set<uuid> touched;
  for (const auto& event : events) {
    std::visit(
        [&](const auto& e) {
          using type = std::decay_t<decltype(e)>;
          if constexpr (requires { e.job; }) touched.insert(e.job);
          if constexpr (std::is_same_v<type, domain::run_launched>) {
            touched.insert(e.jobs.begin(), e.jobs.end());
            for (const auto& [key, value] : e.labels) {
              add(rows, table::run_labels, {text(after.tenant), key, value, text(after.id)});
            }
          }
          if constexpr (std::is_same_v<type, domain::attempt_ended>) {
            if (e.log) {
              add_blob(after, e.job, "log-" + std::to_string(e.attempt), *e.log, rows);
            }
          }
          if constexpr (std::is_same_v<type, domain::artifact_stored>) {
            add_blob(after, e.job, "artifact-" + e.name, e.content, rows);
          }
        },
        event);
  }
  add_run(after, rows);
  for (const auto& id : touched) {
    if (const auto* job = after.find(id)) add_job(after, *job, rows);
  }
}

void project(const domain::system_event& event, const uuid& tenant,
             const domain::event_stamp& stamp, row_sink& rows) {
  if (const auto* seen = std::get_if<domain::engine_seen>(&event)) {
    add(rows, table::singletons,
        {text(tenant), "engine_" + seen->engine, text(stamp.at), codec::encode_document(*seen)});
  }
}

}  // namespace reeve::persistence
