// Token counts of calls to language models. No prompt or completion text exists: there is no column
// for it, and none may be added.

#include "codec/codec.hpp"
#include "persistence/projections/rows.hpp"

namespace reeve::persistence {
namespace {

using namespace rows;

constexpr auto source = domain::aggregate_of<domain::llm_usage_state>::prefix;

const projection& llm_calls() {
  static const projection of{.name = "llm_calls",
                             .source = source,
                             .columns = {{"tenant", "uuid", key},
                                         {"id", "uuid", key},
                                         {"job_id", "uuid"},
                                         {"created_position", "bigint"},
                                         {"doc", "text"}},
                             .filters = {"job_id"},
                             .indexed = {{"job_id"}},
                             .subjects = {{"llm_call", "id"}}};
  return of;
}

const projection& llm_usage() {
  static const projection of{.name = "llm_usage",
                             .source = source,
                             .columns = {{"tenant", "uuid", key},
                                         {"job_id", "uuid", key},
                                         {"run_id", "uuid"},
                                         {"created_position", "bigint"},
                                         {"last_position", "bigint"},
                                         {"calls", "bigint"},
                                         {"prompt_tokens", "bigint"},
                                         {"completion_tokens", "bigint"},
                                         {"total_tokens", "bigint"}},
                             .kind = projection_kind::follower,
                             .subjects = {{"job", "job_id"}, {"run", "run_id"}}};
  return of;
}

}  // namespace

projection_list projections_of(rows_of<domain::llm_usage_state>) {
  return {&llm_calls(), &llm_usage()};
}

void project(const happened<domain::llm_usage_state>& what, row_sink& to) {
  const auto& after = what.after;
  for (std::size_t i = 0; i < what.events.size(); ++i) {
    std::visit(
        domain::overloaded{[&](const domain::llm_call_recorded& call) {
          add(to, llm_calls(), text(after.tenant), text(call.id), text(call.job),
              text(what.stamps[i].at),
              codec::encode_document(domain::document_of(call, what.stamps[i].recorded_at_us)));
        }},
        what.events[i]);
  }
  const auto& totals = after.totals;
  add(to, llm_usage(), text(after.tenant), text(after.job), text(after.run),
      text(after.created_position), text(after.last_position), text(totals.calls),
      text(totals.prompt_tokens), text(totals.completion_tokens), text(totals.total_tokens));
}

}  // namespace reeve::persistence
