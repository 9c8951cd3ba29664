#include "codec/event_json.hpp"

#include "codec/json_writer.hpp"

namespace reeve::codec {

std::string event_json(const domain::event_record& e) {
  json_writer json;
  json.begin_object();
  json.key("position").value(e.position).key("epoch").value(e.epoch);
  json.key("stream").value(e.stream).key("version").value(e.version);
  json.key("type").value(e.type).key("schema_version").value(e.schema_version);
  json.key("tenant").value(to_string(e.tenant)).key("payload");
  e.payload_format == domain::payload_json ? json.raw(e.payload) : json.value(e.payload);
  json.key("payload_format").value(e.payload_format).key("key_id");
  e.key_id ? json.value(to_string(*e.key_id)) : json.null();
  json.key("principal").value(e.meta.principal);
  json.key("command_id").value(to_string(e.meta.command_id)).key("request_digest");
  e.meta.request_digest ? json.value(to_hex(*e.meta.request_digest)) : json.null();
  json.key("correlation_id").value(to_string(e.meta.correlation_id)).key("causation_id");
  e.meta.causation_id ? json.value(*e.meta.causation_id) : json.null();
  json.key("traceparent");
  e.meta.traceparent.empty() ? json.null() : json.value(e.meta.traceparent);
  json.key("recorded_at").value(format_time(e.recorded_at_us));
  json.key("leaf").value(to_hex(e.leaf)).key("hash").value(to_hex(e.hash));
  return json.end_object().take();
}

}  // namespace reeve::codec
