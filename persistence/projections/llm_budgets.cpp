// Budgets for calls of language models.

#include "codec/codec.hpp"
#include "persistence/projections/rows.hpp"

namespace reeve::persistence {
namespace {

using namespace rows;

/// As named secrets are, its documents are not kept in memory: a name may look like an id.
const projection& llm_budgets() {
  static const projection of{.name = "llm_budgets",
                             .source = domain::aggregate_of<domain::llm_budget_list_state>::prefix,
                             .columns = {{"tenant", "uuid", key},
                                         {"id", "text", key},
                                         {"created_position", "bigint"},
                                         {"is_active", "boolean"},
                                         {"last_position", "bigint"},
                                         {"doc", "text"}},
                             .filters = {"is_active"}};
  return of;
}

}  // namespace

projection_list projections_of(rows_of<domain::llm_budget_list_state>) {
  return {&llm_budgets()};
}

void project(const happened<domain::llm_budget_list_state>& what, row_sink& to) {
  for (const auto& event : what.events) {
    const auto& name =
        std::visit([](const auto& e) -> const std::string& { return e.name; }, event);
    const auto* budget = what.after.find(name);
    if (budget == nullptr) continue;
    add(to, llm_budgets(), text(what.after.tenant), name, text(budget->created_position),
        text(budget->is_active), text(budget->last_position),
        codec::encode_document(document_of(*budget)));
  }
}

}  // namespace reeve::persistence
