#pragma once
// An event as readers get it: one JSON object, the same from the database and live.

#include "domain/event.hpp"

#include <string>

namespace reeve::codec {

/// {"position", "epoch", "stream", "version", "type", "schema_version", "tenant", "payload", …}. A
/// sealed payload is text.
std::string event_json(const domain::event_record& event);

}  // namespace reeve::codec
