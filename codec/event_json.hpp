#pragma once
// An event as readers get it: one JSON object, the same from the database and live.

#include "domain/event.hpp"
#include "domain/event_readers.hpp"

#include <string>

namespace reeve::codec {

/// {"position", "epoch", "stream", "version", "type", "schema_version", "tenant", "payload", …}. A
/// sealed payload is text. Where the reader is not shown all of a payload, `"is_partial":true`
/// follows it: `leaf` is of the whole one.
std::string event_json(const domain::event_record& event, domain::event_reader reader);

}  // namespace reeve::codec
