#include "persistence/export.hpp"

#include "codec/codec.hpp"
#include "persistence/log_reader.hpp"

namespace reeve::persistence {
namespace {


/// Columns as an export has them; names and order of the keys are canonical.
struct exported_event {
  domain::position position = 0;
  std::int64_t epoch = 0;
  std::string stream;
  domain::version version = 0;
  std::string type;
  std::int64_t schema_version = 0;
  uuid tenant;
  std::string payload;
  std::int64_t payload_format = 0;
  std::optional<uuid> key_id;
  std::string principal;
  uuid command_id;
  std::optional<digest> request_digest;
  uuid correlation_id;
  std::optional<std::int64_t> causation_id;
  std::string traceparent;
  std::int64_t recorded_at_us = 0;
  digest leaf{};
  digest hash{};
  static constexpr auto fields() {
    using domain::field;
    using self = exported_event;
    return std::tuple_cat(
        std::tuple{field("position", &self::position), field("epoch", &self::epoch),
                   field("stream", &self::stream), field("version", &self::version),
                   field("type", &self::type), field("schema_version", &self::schema_version),
                   field("tenant", &self::tenant), field("payload", &self::payload),
                   field("payload_format", &self::payload_format),
                   field("key_id", &self::key_id)},
        std::tuple{field("principal", &self::principal), field("command_id", &self::command_id),
                   field("request_digest", &self::request_digest),
                   field("correlation_id", &self::correlation_id),
                   field("causation_id", &self::causation_id),
                   field("traceparent", &self::traceparent),
                   field("recorded_at_us", &self::recorded_at_us), field("leaf", &self::leaf),
                   field("hash", &self::hash)});
  }
};

struct exported_leaf {
  domain::position position = 0;
  digest leaf{};
  static constexpr auto fields() {
    return std::tuple{domain::field("position", &exported_leaf::position),
                      domain::field("leaf", &exported_leaf::leaf)};
  }
};

domain::event_record record_of(exported_event x) {
  domain::event_record e;
  e.position = x.position;
  e.epoch = x.epoch;
  e.stream = std::move(x.stream);
  e.version = x.version;
  e.type = std::move(x.type);
  e.schema_version = static_cast<int>(x.schema_version);
  e.tenant = x.tenant;
  e.payload = std::move(x.payload);
  e.payload_format = static_cast<int>(x.payload_format);
  e.key_id = x.key_id;
  e.meta.principal = std::move(x.principal);
  e.meta.command_id = x.command_id;
  e.meta.request_digest = x.request_digest;
  e.meta.correlation_id = x.correlation_id;
  e.meta.causation_id = x.causation_id;
  e.meta.traceparent = std::move(x.traceparent);
  e.recorded_at_us = x.recorded_at_us;
  e.leaf = x.leaf;
  e.hash = x.hash;
  return e;
}

exported_event columns_of(const domain::event_record& e) {
  return {e.position,
          e.epoch,
          e.stream,
          e.version,
          e.type,
          e.schema_version,
          e.tenant,
          e.payload,
          e.payload_format,
          e.key_id,
          e.meta.principal,
          e.meta.command_id,
          e.meta.request_digest,
          e.meta.correlation_id,
          e.meta.causation_id,
          e.meta.traceparent,
          e.recorded_at_us,
          e.leaf,
          e.hash};
}

}  // namespace

std::string export_line(const domain::event_record& e) {
  return codec::encode_document(columns_of(e));
}

std::optional<imported_line> import_line(std::string_view line) {
  codec::json_limits limits;
  limits.bytes = 8 << 20;
  auto doc = codec::parse_strict(line, limits);
  if (!doc || !doc->root().is_object()) return std::nullopt;
  imported_line made;
  if (doc->root().find("payload")) {
    auto event = codec::decode<exported_event>(doc->root());
    if (!event) return std::nullopt;
    made.position = event->position;
    made.leaf = event->leaf;
    made.event = record_of(std::move(*event));
    return made;
  }
  auto leaf = codec::decode<exported_leaf>(doc->root());
  if (!leaf) return std::nullopt;
  made.position = leaf->position;
  made.leaf = leaf->leaf;
  return made;
}

outcome<export_result> export_log(const std::string& url, const std::string& heads_file,
                                  const std::optional<uuid>& tenant, const text_sink& sink) {
  auto reader = log_reader::open(url);
  if (!reader) return reader.error();
  const auto refused = reject(errc::unavailable, "the export cannot be written");
  if (!sink("{\"reeve_export\":1,\"origin\":\"" + to_string(reader->origin()) + "\"}\n")) {
    return refused;
  }
  export_result result;
  std::vector<domain::event_record> page;
  for (;;) {
    auto more = reader->next(page);
    if (!more) return more.error();
    std::string text;
    for (const auto& e : page) {
      text += !tenant || e.tenant == *tenant
                  ? export_line(e)
                  : codec::encode_document(exported_leaf{e.position, e.leaf});
      text += '\n';
      ++result.events;
      result.head = e.position;
    }
    if (!text.empty() && !sink(text)) return refused;
    if (!*more) break;
  }
  auto heads = read_heads(heads_file);
  if (!heads) return heads.error();
  for (const auto& head : *heads) {
    if (head.position > result.head) continue;
    if (!sink("{\"checkpoint\":" + codec::encode(head) + "}\n")) return refused;
  }
  if (!sink("{\"reeve_export_end\":" + std::to_string(result.events) + "}\n")) return refused;
  return result;
}

}  // namespace reeve::persistence
