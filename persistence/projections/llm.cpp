// Token counts of calls to language models. No prompt or completion text exists: there is no column
// for it, and none may be added.

#include "codec/codec.hpp"
#include "persistence/projections/rows.hpp"

#include <set>

namespace reeve::persistence {
namespace {

using namespace rows;

constexpr auto source_of_usage = domain::aggregate_of<domain::llm_usage_state>::prefix;

const projection& llm_calls() {
  static const projection of{.name = "llm_calls",
                             .source = source_of_usage,
                             .version = 3,
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
                             .source = source_of_usage,
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

/// What `GET /api/llm-usage` adds up. Written by the append: what was recorded counts at once.
const projection& llm_days() {
  static const projection of{.name = "llm_days",
                             .source = source_of_usage,
                             .columns = {{"tenant", "uuid", key},
                                         {"job_id", "uuid", key},
                                         {"day", "bigint", key},
                                         {"model_name", "text", key},
                                         {"run_id", "uuid"},
                                         {"directive_id", "uuid"},
                                         {"created_position", "bigint"},
                                         {"last_position", "bigint"},
                                         {"calls", "bigint"},
                                         {"prompt_tokens", "bigint"},
                                         {"completion_tokens", "bigint"},
                                         {"total_tokens", "bigint"},
                                         {"cost_micros", "bigint"},
                                         {"over_budget_calls", "bigint"}}};
  return of;
}

/// Calls of a run without a directive have the nil id, which sorts like any other.
void add_day(const domain::llm_usage_state& of, const domain::llm_line_key& line, row_sink& to) {
  const auto* sums = of.lines.find(line);
  if (sums == nullptr) return;
  add(to, llm_days(), text(of.tenant), text(of.job), text(line.day), line.model, text(of.run),
      text(sums->directive.value_or(uuid{})), text(sums->created_position),
      text(sums->last_position), text(sums->totals.calls), text(sums->totals.prompt_tokens),
      text(sums->totals.completion_tokens), text(sums->totals.total_tokens),
      text(sums->cost_micros), text(sums->over_budget_calls));
}

}  // namespace

projection_list projections_of(rows_of<domain::llm_usage_state>) {
  return {&llm_calls(), &llm_usage(), &llm_days()};
}

void project(const happened<domain::llm_usage_state>& what, row_sink& to) {
  const auto& after = what.after;
  std::set<domain::llm_line_key> touched;
  for (std::size_t i = 0; i < what.events.size(); ++i) {
    std::visit(
        domain::overloaded{[&](const domain::llm_call_recorded& call) {
          add(to, llm_calls(), text(after.tenant), text(call.id), text(call.job),
              text(what.stamps[i].at),
              codec::encode_document(domain::document_of(call, what.stamps[i].recorded_at_us)));
          touched.insert(after.line_of(call, what.stamps[i].recorded_at_us));
        }},
        what.events[i]);
  }
  for (const auto& line : touched) add_day(after, line, to);
  const auto& totals = after.totals;
  add(to, llm_usage(), text(after.tenant), text(after.job), text(after.run),
      text(after.created_position), text(after.last_position), text(totals.calls),
      text(totals.prompt_tokens), text(totals.completion_tokens), text(totals.total_tokens));
}

}  // namespace reeve::persistence
