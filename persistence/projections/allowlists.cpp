// What may be started, and what a task may touch.

#include "codec/codec.hpp"
#include "domain/aggregates.hpp"
#include "persistence/projections/rows.hpp"
#include "persistence/projections_port.hpp"

namespace reeve::persistence {
namespace {

using namespace rows;

/// Alike but for their names.
projection allowlist(std::string_view name, std::string_view source, std::string_view subject) {
  return {.name = name,
          .source = source,
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
  static const auto of =
      allowlist("image_allowlist", domain::aggregate_of<domain::image_list_state>::prefix, "image");
  return of;
}

const projection& containers() {
  static const auto of =
      allowlist("container_allowlist", domain::aggregate_of<domain::container_list_state>::prefix,
                "container");
  return of;
}

template <class List, class Event>
void project_list(const List& after, std::span<const Event> events, const projection& which,
                  row_sink& to) {
  for (const auto& event : events) {
    const uuid& id = std::visit([](const auto& e) -> const uuid& { return e.id; }, event);
    const auto* entry = after.find(id);
    if (entry == nullptr) continue;
    add(to, which,
        {text(after.tenant), text(id), text(entry->created_position), text(entry->is_active),
         text(entry->last_position), codec::encode_document(document_of(*entry))});
  }
}

}  // namespace

projection_list allowlist_projections() {
  return {&images(), &containers()};
}

void project(const domain::image_list_state& after,
             std::span<const domain::image_list_event> events, std::span<const domain::event_stamp>,
             row_sink& to) {
  project_list(after, events, images(), to);
}

void project(const domain::container_list_state& after,
             std::span<const domain::container_list_event> events,
             std::span<const domain::event_stamp>, row_sink& to) {
  project_list(after, events, containers(), to);
}

}  // namespace reeve::persistence
