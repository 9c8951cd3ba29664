// Directives as they are, and every version of them.

#include "codec/codec.hpp"
#include "persistence/projections/rows.hpp"

namespace reeve::persistence {
namespace {

using namespace rows;

constexpr auto source = domain::aggregate_of<domain::directive_state>::prefix;

const projection& directives() {
  static const projection of{.name = "directives",
                             .source = source,
                             .version = 2,
                             .columns = {{"tenant", "uuid", key},
                                         {"id", "uuid", key},
                                         {"created_position", "bigint"},
                                         {"name", "text"},
                                         {"version", "bigint"},
                                         {"is_archived", "boolean"},
                                         {"last_position", "bigint"},
                                         {"doc", "text"}},
                             .filters = {"name", "is_archived"},
                             .subjects = {{"directive", "id"}}};
  return of;
}

/// The id is <directive>-<version>.
const projection& directive_versions() {
  static const projection of{.name = "directive_versions",
                             .source = source,
                             .version = 2,
                             .columns = {{"tenant", "uuid", key},
                                         {"id", "text", key},
                                         {"directive_id", "uuid"},
                                         {"version", "bigint"},
                                         {"created_position", "bigint"},
                                         {"doc", "text"}},
                             .past = projection_past::states,
                             .filters = {"directive_id", "version"},
                             .indexed = {{"directive_id"}},
                             .subjects = {{"directive_version", "id"}}};
  return of;
}

}  // namespace

projection_list projections_of(rows_of<domain::directive_state>) {
  return {&directives(), &directive_versions()};
}

/// What has a spec makes a version.
void project(const happened<domain::directive_state>& what, row_sink& to) {
  const auto& after = what.after;
  const auto document = codec::encode_document(document_of(after));
  add(to, directives(), text(after.tenant), text(after.id), text(after.created_position),
      after.spec.name, text(after.version), text(after.is_archived), text(after.last_position),
      document);
  for (std::size_t i = 0; i < what.events.size(); ++i) {
    const bool has_spec = std::visit(
        [](const auto& e) {
          return requires {
            e.spec;
          };
        },
        what.events[i]);
    if (!has_spec) continue;
    add(to, directive_versions(), text(after.tenant),
        to_string(after.id) + "-" + std::to_string(after.version), text(after.id),
        text(after.version), text(what.stamps[i].at), document);
  }
}

}  // namespace reeve::persistence
