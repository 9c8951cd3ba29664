// Tenants and their tokens.

#include "codec/codec.hpp"
#include "domain/aggregates.hpp"
#include "persistence/projections/rows.hpp"
#include "persistence/projections_port.hpp"

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
                             .shape = projection_shape::ledger,
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

projection_list access_projections() {
  return {&tenants(), &tokens()};
}

void project(const domain::access_state& after, std::span<const domain::access_event> events,
             std::span<const domain::event_stamp>, row_sink& to) {
  const auto token_row = [&](const uuid& id) {
    const auto* token = after.find(id);
    if (token == nullptr) return;
    add(to, tokens(),
        {text(after.tenant), text(id), std::string(name_of(token->what.role)),
         to_hex(token->what.secret_hash), text(token->created_position), text(token->is_active),
         text(token->last_position), codec::encode_document(document_of(*token))});
  };
  for (const auto& event : events) {
    std::visit(domain::overloaded{[&](const domain::tenant_created& e) {
                                    add(to, tenants(),
                                        {text(e.id), e.name, text(after.created_position),
                                         text(e.default_directive)});
                                  },
                                  [&](const domain::token_created& e) { token_row(e.id); },
                                  [&](const domain::token_revoked& e) { token_row(e.id); }},
               event);
  }
}

}  // namespace reeve::persistence
