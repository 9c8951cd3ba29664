// Small facts about the whole, such as the engine that was seen last.

#include "codec/codec.hpp"
#include "persistence/projections/rows.hpp"
#include "persistence/projections_port.hpp"

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
                             .past = projection_past::none,
                             .is_built_first = true};
  return of;
}

}  // namespace

projection_list system_projections() {
  return {&singletons()};
}

void project(const domain::system_state& after, std::span<const domain::system_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& to) {
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto* seen = std::get_if<domain::engine_seen>(&events[i]);
    if (seen == nullptr) continue;
    add(to, singletons(),
        {text(after.tenant), "engine_" + seen->engine, text(stamps[i].at),
         codec::encode_document(*seen)});
  }
}

/// Elections and what else the log says of itself have no rows.
void project(const domain::log_state&, std::span<const domain::log_event>,
             std::span<const domain::event_stamp>, row_sink&) {}

}  // namespace reeve::persistence
