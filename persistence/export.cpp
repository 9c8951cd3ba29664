#include "persistence/export.hpp"

#include "codec/codec.hpp"
#include "persistence/log_reader.hpp"
#include "persistence/stored_heads.hpp"

#include <utility>
#include <vector>

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
                   field("payload_format", &self::payload_format), field("key_id", &self::key_id)},
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
  // Written again it shows what was read over: spaces, another order, capitals in a digest.
  if (doc->root().find("payload")) {
    auto event = codec::decode<exported_event>(doc->root());
    if (!event || codec::encode_document(*event) != line) return std::nullopt;
    if (!std::in_range<int>(event->schema_version) || !std::in_range<int>(event->payload_format)) {
      return std::nullopt;
    }
    made.position = event->position;
    made.leaf = event->leaf;
    made.event = record_of(std::move(*event));
    return made;
  }
  auto leaf = codec::decode<exported_leaf>(doc->root());
  if (!leaf || codec::encode_document(*leaf) != line) return std::nullopt;
  made.position = leaf->position;
  made.leaf = leaf->leaf;
  return made;
}

namespace {

/// Lines on their way to the sink, in pieces of about 1 MiB.
class line_writer {
 public:
  explicit line_writer(const text_sink& sink) : sink_(sink) {}

  bool add(std::string_view line) {
    text_ += line;
    text_ += '\n';
    return text_.size() < (std::size_t{1} << 20) || flush();
  }
  bool flush() {
    const bool taken = text_.empty() || sink_(text_);
    text_.clear();
    return taken;
  }

 private:
  const text_sink& sink_;
  std::string text_;
};

class exporter {
 public:
  exporter(const std::optional<uuid>& tenant, head_stream heads, const text_sink& sink)
      : tenant_(tenant), heads_(std::move(heads)), out_(sink) {}

  /// Reads up to the head of the moment; writers may go on.
  outcome<export_result> run(log_reader& reader) {
    const auto refused = reject(errc::unavailable, "the export cannot be written");
    if (!expect_next()) return *trouble_;
    if (!out_.add(codec::encode(export_header{1, reader.origin(), tenant_}))) return refused;
    std::vector<domain::event_record> page;
    for (bool more = reader.head() > 0; more && result_.head < reader.head();) {
      const auto next = reader.next(page);
      if (!next) return next.error();
      more = *next;
      for (const auto& e : page) {
        if (e.position > reader.head()) break;
        if (!add(e)) return trouble_.value_or(refused);
      }
    }
    // What was signed behind the last event shows that the end was cut off: it goes along.
    if (!add_heads(INT64_MAX) || !add_trailer() || !out_.flush()) return trouble_.value_or(refused);
    return result_;
  }

 private:
  bool add(const domain::event_record& e) {
    const bool whole = !tenant_ || e.tenant == *tenant_;
    if (!out_.add(whole ? export_line(e)
                        : codec::encode_document(exported_leaf{e.position, e.leaf}))) {
      return false;
    }
    ++result_.events;
    if (!whole) ++leaves_;
    result_.head = e.position;
    return add_heads(e.position);
  }

  bool add_heads(domain::position until) {
    for (; head_ && head_->position <= until; ++heads_done_) {
      if (!out_.add(codec::encode(export_checkpoint{*head_})) || !expect_next()) return false;
    }
    return true;
  }

  bool expect_next() {
    auto next = heads_.next();
    if (next) {
      head_ = std::move(*next);
    } else {
      trouble_ = next.error();
    }
    return !trouble_;
  }

  bool add_trailer() {
    return out_.add(codec::encode(export_trailer{{heads_done_, result_.events, leaves_}}));
  }

  std::optional<uuid> tenant_;
  head_stream heads_;
  std::optional<signed_head> head_;  // the next one
  std::optional<rejection> trouble_;
  std::int64_t heads_done_ = 0;
  std::int64_t leaves_ = 0;
  line_writer out_;
  export_result result_;
};

}  // namespace

outcome<export_result> export_log(const std::string& url, const std::string& heads_file,
                                  const std::optional<uuid>& tenant, const text_sink& sink) {
  // Before the events: a head that is signed meanwhile would lie behind the last one of them.
  auto heads = head_stream::open(url, heads_file);
  if (!heads) return heads.error();
  log_range range;
  range.after = INT64_MIN + 1;  // a row below position 1 is exported as well, and then found
  auto reader = log_reader::open(url, range);
  if (!reader) return reader.error();
  return exporter(tenant, std::move(*heads), sink).run(*reader);
}

}  // namespace reeve::persistence
