#pragma once
// The envelope of an event: what is known of it before the journal has stamped it (`new_event`) and
// afterwards (`event_record`). The columns are frozen by the first event ever written.

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reeve::domain {

using position = std::int64_t;  // 1.. in the whole log, without gaps
using version = std::int64_t;   // 1.. in one stream, without gaps; 0 = the stream does not exist

/// Who caused an event and how it hangs together with others.
struct event_meta {
  /// "token:<id>", "system", "system:<part>"; at most 128 bytes.
  std::string principal;
  /// One id per command; the events of one command share it.
  uuid command_id;
  /// SHA-256 of the request that led to it, when a client sent one.
  std::optional<digest> request_digest;
  /// Groups everything that one request set going.
  uuid correlation_id;
  /// Position of the event that caused this one.
  std::optional<position> causation_id;
  /// W3C traceparent as received; empty = none. At most 55 bytes.
  std::string traceparent;
  bool operator==(const event_meta&) const = default;
};

struct new_event {
  std::string stream;  // "<aggregate>-<uuid>", at most 128 bytes
  std::string type;    // past tense, snake_case
  int schema_version = 1;
  uuid tenant;
  std::string payload;  // canonical JSON, at most 64 KiB
  event_meta meta;
  /// The event of the same append that caused it, by its place there, which is an earlier one. Its
  /// position is not known yet; it becomes `causation_id`.
  std::optional<std::size_t> caused_by;
};

/// What the journal adds to each event.
struct event_stamp {
  position at = 0;
  version version_in_stream = 0;
  time_us recorded_at_us = 0;
  bool operator==(const event_stamp&) const = default;
};

inline constexpr int payload_json = 0;    // `payload` is canonical JSON
inline constexpr int payload_sealed = 1;  // base64url of nonce and XChaCha20-Poly1305 ciphertext

struct event_record {
  domain::position position = 0;
  std::int64_t epoch = 0;
  std::string stream;
  domain::version version = 0;
  std::string type;
  int schema_version = 1;
  uuid tenant;
  std::string payload;
  int payload_format = payload_json;
  std::optional<uuid> key_id;
  event_meta meta;
  time_us recorded_at_us = 0;
  digest leaf{};
  digest hash{};
  bool operator==(const event_record&) const = default;
};

inline constexpr std::size_t max_payload_bytes = std::size_t{64} * 1024;

}  // namespace reeve::domain
