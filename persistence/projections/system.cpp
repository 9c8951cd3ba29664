// Small facts about the whole, such as the engine that was seen last.

#include "codec/codec.hpp"
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
                             .past = projection_past::none,
                             .is_built_first = true};
  return of;
}

}  // namespace

projection_list projections_of(rows_of<domain::system_state>) {
  return {&singletons()};
}

void project(const happened<domain::system_state>& what, row_sink& to) {
  for (std::size_t i = 0; i < what.events.size(); ++i) {
    const auto* seen = std::get_if<domain::engine_seen>(&what.events[i]);
    if (seen == nullptr) continue;
    add(to, singletons(), text(what.after.tenant), "engine_" + seen->engine,
        text(what.stamps[i].at), codec::encode_document(*seen));
  }
}

/// Elections and what else the log says of itself have no rows.
projection_list projections_of(rows_of<domain::log_state>) {
  return {};
}
void project(const happened<domain::log_state>&, row_sink&) {}

}  // namespace reeve::persistence
