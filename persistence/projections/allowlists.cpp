// What may be started, and what a task may touch.

#include "codec/codec.hpp"
#include "persistence/projections/rows.hpp"

namespace reeve::persistence {
namespace {

using namespace rows;

/// Alike but for their names.
projection allowlist(std::string_view name, std::string_view source, std::string_view subject,
                     int version) {
  return {.name = name,
          .source = source,
          .version = version,
          .columns = {{"tenant", "uuid", key},
                      {"id", "uuid", key},
                      {"created_position", "bigint"},
                      {"is_active", "boolean"},
                      {"last_position", "bigint"},
                      {"doc", "text"}},
          .filters = {"is_active"},
          .subjects = {{subject, "id"}},
          .is_built_first = true};
}

const projection& images() {
  static const auto of = allowlist(
      "image_allowlist", domain::aggregate_of<domain::image_list_state>::prefix, "image", 3);
  return of;
}

const projection& containers() {
  static const auto of =
      allowlist("container_allowlist", domain::aggregate_of<domain::container_list_state>::prefix,
                "container", 1);
  return of;
}

template <class List>
void project_list(const happened<List>& what, const projection& which, row_sink& to) {
  for (const auto& event : what.events) {
    const uuid& id = std::visit([](const auto& e) -> const uuid& { return e.id; }, event);
    const auto* entry = what.after.find(id);
    if (entry == nullptr) continue;
    add(to, which, text(what.after.tenant), text(id), text(entry->created_position),
        text(entry->is_active), text(entry->last_position),
        codec::encode_document(document_of(*entry)));
  }
}

}  // namespace

projection_list projections_of(rows_of<domain::image_list_state>) {
  return {&images()};
}
projection_list projections_of(rows_of<domain::container_list_state>) {
  return {&containers()};
}

void project(const happened<domain::image_list_state>& what, row_sink& to) {
  project_list(what, images(), to);
}
void project(const happened<domain::container_list_state>& what, row_sink& to) {
  project_list(what, containers(), to);
}

}  // namespace reeve::persistence
