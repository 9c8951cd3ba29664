#pragma once
// The hashes of the log (docs/log-format.md). FROZEN: every byte of the format is fixed by the
// first event ever written; tests/unit/data holds the vectors that a second implementation checks.
//
//   leaf    = SHA-256( 0x00 | u8 payload_format | field* | SHA-256(payload as stored) )
//   field   = u32 big-endian length | bytes;  null = length 0xFFFFFFFF and no bytes
//   fields  = position, epoch, stream, version, type, schema_version, tenant, key_id, principal,
//             command_id, request_digest, correlation_id, causation_id, traceparent,
//             recorded_at_us, in this order
//   hash    = SHA-256( 0x01 | previous hash | leaf )
//   genesis = SHA-256( 0x02 | origin ), the "previous hash" of position 1
//
// Integers (schema_version too) are 8 bytes, big-endian two's complement; UUIDs 16 bytes; digests
// 32 bytes; text is its UTF-8 bytes. key_id, request_digest and causation_id may be null;
// traceparent is empty when there is none, never null.

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "domain/event.hpp"

namespace reeve::persistence {

/// The leaf of an event; its members `leaf` and `hash` are not looked at.
digest leaf_of(const domain::event_record& event);

/// The same from the digest of the payload, for who does not have the payload itself.
digest leaf_of(const domain::event_record& event, const digest& payload_digest);

digest chain_hash(const digest& previous, const digest& leaf);

digest genesis_hash(const uuid& origin);

}  // namespace reeve::persistence
