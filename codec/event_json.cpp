#include "codec/event_json.hpp"

#include "codec/json.hpp"
#include "codec/json_writer.hpp"
#include "domain/event_sight.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace reeve::codec {
namespace {

/// What cannot be taken apart is not shown at all. Whether something was left out.
bool add_part(json_writer& json, const domain::event_record& e,
              const std::vector<std::string_view>& seen) {
  bool is_partial = e.payload_format != domain::payload_json;
  json.begin_object();
  if (!is_partial) {
    const auto payload = parse_strict(e.payload);
    is_partial = !payload || !payload->root().is_object();
    const auto members = is_partial ? 0 : payload->root().member_count();
    for (std::size_t i = 0; i < members; ++i) {
      const auto key = payload->root().member_key(i);
      if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
        json.key(key).raw(payload->root().member_value(i).text());
      } else {
        is_partial = true;
      }
    }
  }
  json.end_object();
  if (is_partial) json.key("is_partial").value(true);
  return is_partial;
}

}  // namespace

std::string event_json(const domain::event_record& e, domain::event_reader reader) {
  json_writer json;
  json.begin_object();
  json.key("position").value(e.position).key("epoch").value(e.epoch);
  json.key("stream").value(e.stream).key("version").value(e.version);
  json.key("type").value(e.type).key("schema_version").value(e.schema_version);
  json.key("tenant").value(to_string(e.tenant)).key("payload");
  bool is_partial = false;
  if (const auto seen = domain::members_seen(e.type, reader)) {
    is_partial = add_part(json, e, *seen);
  } else {
    e.payload_format == domain::payload_json ? json.raw(e.payload) : json.value(e.payload);
  }
  json.key("payload_format").value(e.payload_format).key("key_id");
  e.key_id ? json.value(to_string(*e.key_id)) : json.null();
  json.key("principal").value(e.meta.principal);
  json.key("command_id").value(to_string(e.meta.command_id)).key("request_digest");
  // By the digest of a request who does not see all of it could tell what it guesses rightly.
  e.meta.request_digest && !is_partial ? json.value(to_hex(*e.meta.request_digest)) : json.null();
  json.key("correlation_id").value(to_string(e.meta.correlation_id)).key("causation_id");
  e.meta.causation_id ? json.value(*e.meta.causation_id) : json.null();
  json.key("traceparent");
  e.meta.traceparent.empty() ? json.null() : json.value(e.meta.traceparent);
  json.key("recorded_at").value(format_time(e.recorded_at_us));
  json.key("leaf").value(to_hex(e.leaf)).key("hash").value(to_hex(e.hash));
  return json.end_object().take();
}

}  // namespace reeve::codec
