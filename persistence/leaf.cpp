#include "persistence/leaf.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace reeve::persistence {
namespace {

// One buffer and one digest call: the incremental hasher costs a call for each of 32 pieces.
class field_buffer {
 public:
  explicit field_buffer(std::string& out) : out_(out) {}

  void raw(std::string_view bytes) { out_.append(bytes); }
  void byte(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void text(std::string_view bytes) {
    big_endian(static_cast<std::uint32_t>(bytes.size()), 4);
    raw(bytes);
  }
  void integer(std::int64_t value) {
    big_endian(8, 4);
    big_endian(static_cast<std::uint64_t>(value), 8);
  }
  void id(const uuid& value) {
    text({reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()});
  }
  void null() { big_endian(0xFFFFFFFFU, 4); }

 private:
  void big_endian(std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) byte(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  std::string& out_;
};

}  // namespace

digest leaf_of(const domain::event_record& event) {
  return leaf_of(event, sha256(event.payload));
}

digest leaf_of(const domain::event_record& event, const digest& payload_digest) {
  std::string bytes;
  bytes.reserve(512);
  field_buffer out(bytes);
  out.byte(0x00);
  out.byte(static_cast<std::uint8_t>(event.payload_format));
  out.integer(event.position);
  out.integer(event.epoch);
  out.text(event.stream);
  out.integer(event.version);
  out.text(event.type);
  out.integer(event.schema_version);
  out.id(event.tenant);
  event.key_id ? out.id(*event.key_id) : out.null();
  out.text(event.meta.principal);
  out.id(event.meta.command_id);
  event.meta.request_digest ? out.text(as_view(*event.meta.request_digest)) : out.null();
  out.id(event.meta.correlation_id);
  event.meta.causation_id ? out.integer(*event.meta.causation_id) : out.null();
  out.text(event.meta.traceparent);
  out.integer(event.recorded_at_us);
  out.raw(as_view(payload_digest));
  return sha256(bytes);
}

digest chain_hash(const digest& previous, const digest& leaf) {
  std::string bytes;
  bytes.reserve(65);
  bytes.push_back('\x01');
  bytes.append(as_view(previous));
  bytes.append(as_view(leaf));
  return sha256(bytes);
}

digest genesis_hash(const uuid& origin) {
  std::string bytes(1, '\x02');
  bytes.append(reinterpret_cast<const char*>(origin.bytes.data()), origin.bytes.size());
  return sha256(bytes);
}

}  // namespace reeve::persistence
