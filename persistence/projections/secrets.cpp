// Named secrets, without their values.

#include "codec/codec.hpp"
#include "persistence/projections/rows.hpp"

namespace reeve::persistence {
namespace {

using namespace rows;

/// Its documents are not kept in memory: a name may look like an id, of which there they know one
/// spelling.
const projection& secrets() {
  static const projection of{.name = "secrets",
                             .source = domain::aggregate_of<domain::secret_list_state>::prefix,
                             .columns = {{"tenant", "uuid", key},
                                         {"id", "text", key},
                                         {"created_position", "bigint"},
                                         {"is_active", "boolean"},
                                         {"last_position", "bigint"},
                                         {"kept", "text"},
                                         {"doc", "text"}},
                             .filters = {"is_active"}};
  return of;
}

std::string kept_of(const domain::secret_state& secret) {
  std::string ids;
  for (const auto& value : secret.kept) ids += (ids.empty() ? "" : " ") + to_string(value.id);
  return ids;
}

}  // namespace

projection_list projections_of(rows_of<domain::secret_list_state>) {
  return {&secrets()};
}

void project(const happened<domain::secret_list_state>& what, row_sink& to) {
  for (const auto& event : what.events) {
    const auto& name =
        std::visit([](const auto& e) -> const std::string& { return e.name; }, event);
    const auto* secret = what.after.find(name);
    if (secret == nullptr) continue;
    add(to, secrets(), text(what.after.tenant), name, text(secret->created_position),
        text(secret->is_active), text(secret->last_position), kept_of(*secret),
        codec::encode_document(document_of(*secret)));
  }
}

}  // namespace reeve::persistence
