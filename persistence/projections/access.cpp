// Tenants and their tokens.

#include "codec/codec.hpp"
#include "persistence/projections/rows.hpp"

namespace reeve::persistence {
namespace {

using namespace rows;

const projection& tenants() {
  static const projection of{.name = "tenants",
                             .source = domain::aggregate_of<domain::access_state>::prefix,
                             .columns = {{"id", "uuid", key},
                                         {"name", "text"},
                                         {"created_position", "bigint"},
                                         {"default_directive", "uuid"}},
                             .is_built_first = true};
  return of;
}

const projection& tokens() {
  static const projection of{.name = "tokens",
                             .source = domain::aggregate_of<domain::access_state>::prefix,
                             .columns = {{"tenant", "uuid", key},
                                         {"id", "uuid", key},
                                         {"role", "text"},
                                         {"secret_hash", "text"},
                                         {"created_position", "bigint"},
                                         {"is_active", "boolean"},
                                         {"last_position", "bigint"},
                                         {"doc", "text"}},
                             .filters = {"is_active", "role"},
                             .subjects = {{"token", "id"}},
                             .is_built_first = true};
  return of;
}

}  // namespace

projection_list projections_of(rows_of<domain::access_state>) {
  return {&tenants(), &tokens()};
}

void project(const happened<domain::access_state>& what, row_sink& to) {
  const auto& after = what.after;
  const auto tenant_row = [&] {
    add(to, tenants(), text(after.tenant), after.name, text(after.created_position),
        text(after.default_directive));
  };
  const auto token_row = [&](const uuid& id) {
    const auto* token = after.find(id);
    if (token == nullptr) return;
    add(to, tokens(), text(after.tenant), text(id), std::string(name_of(token->what.role)),
        to_hex(token->what.secret_hash), text(token->created_position), text(token->is_active),
        text(token->last_position), codec::encode_document(document_of(*token)));
  };
  for (const auto& event : what.events) {
    std::visit(domain::overloaded{[&](const domain::tenant_created&) { tenant_row(); },
                                  [&](const auto& e) { token_row(e.id); }},
               event);
  }
}

}  // namespace reeve::persistence
