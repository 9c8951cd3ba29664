// Small facts about the whole, such as the engine that was seen last.

#include "codec/codec.hpp"
#include "persistence/projections.hpp"
#include "persistence/projections/rows.hpp"

namespace reeve::persistence {
namespace {

using namespace rows;

const projection& singletons() {
  static const projection of{.name = "singletons",
                             .source = "system",
                             .columns = {{"tenant", "uuid", key},
                                         {"id", "text", key},
                                         {"last_position", "bigint"},
                                         {"doc", "text"}},
                             .past = projection_past::none};
  return of;
}

}  // namespace

projection_list system_projections() {
  return {&singletons()};
}

void project(const domain::system_event& event, const uuid& tenant,
             const domain::event_stamp& stamp, row_sink& to) {
  if (const auto* seen = std::get_if<domain::engine_seen>(&event)) {
    add(to, singletons(),
        {text(tenant), "engine_" + seen->engine, text(stamp.at), codec::encode_document(*seen)});
  }
}

}  // namespace reeve::persistence
