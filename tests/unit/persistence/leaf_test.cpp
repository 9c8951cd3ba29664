// The frozen format of leaf and hash. The expected values were computed by another implementation
// (Python's hashlib over the format as leaf.hpp describes it).

#include "persistence/leaf.hpp"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <vector>

namespace {

using reeve::parse_uuid;
using reeve::persistence::chain_hash;
using reeve::persistence::genesis_hash;
using reeve::persistence::leaf_of;

reeve::domain::event_record plain_event() {
  reeve::domain::event_record e;
  e.position = 7;
  e.epoch = 3;
  e.stream = "run-01890a5d-ac96-774b-bcce-b302099a8057";
  e.version = 2;
  e.type = "job_started";
  e.tenant = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8058");
  e.payload = "{\"a\":1,\"name\":\"M\xc3\xbcller\"}";
  e.meta.principal = "token:abc";
  e.meta.command_id = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8059");
  e.meta.correlation_id = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a805a");
  e.recorded_at_us = 1700000000000001;
  return e;
}

TEST(EV6_leaf, an_event_without_optional_fields) {
  EXPECT_EQ(reeve::to_hex(leaf_of(plain_event())),
            "b148ffa18fe6a4d1a5fa264c5d8d7062567f208dc943435531b440d2aa78d894");
}

TEST(EV6_leaf, an_event_with_every_field) {
  auto e = plain_event();
  e.payload_format = reeve::domain::payload_sealed;
  e.key_id = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a805b");
  e.meta.request_digest = reeve::sha256("body");
  e.meta.causation_id = 5;
  e.meta.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_EQ(reeve::to_hex(leaf_of(e)),
            "581ff58a8a06cd2abdf0d2b65a1fcbd41052dbf8ed13b32bf6729c08a7a42b51");
}

TEST(EV6_leaf, chain_and_genesis) {
  const auto genesis = genesis_hash(*parse_uuid("01890a5d-ac96-774b-bcce-b302099a805c"));
  EXPECT_EQ(reeve::to_hex(genesis),
            "3c56c0e36b39cb1892a68fad62da271752a9303a8776f02ec7af25d217399e26");
  EXPECT_EQ(reeve::to_hex(chain_hash(genesis, leaf_of(plain_event()))),
            "55bd324e927eedd7ab15eec7364c2f82b3274a4144cf5191cbf73729e4e2a26e");
}

TEST(EV6_leaf, every_field_counts_and_null_is_not_empty) {
  using event = reeve::domain::event_record;
  const std::vector<std::function<void(event&)>> changes{
      [](event& e) { e.position = 8; },
      [](event& e) { e.epoch = 4; },
      [](event& e) { e.stream += "0"; },
      [](event& e) { e.version = 3; },
      [](event& e) { e.type = "job_starte"; },
      [](event& e) { e.schema_version = 2; },
      [](event& e) { e.tenant.bytes[0] ^= 1; },
      [](event& e) { e.payload[0] = ' '; },
      [](event& e) { e.payload_format = 1; },
      [](event& e) { e.key_id = reeve::uuid{}; },
      [](event& e) { e.meta.principal = ""; },
      [](event& e) { e.meta.command_id.bytes[15] ^= 1; },
      [](event& e) { e.meta.request_digest = reeve::digest{}; },
      [](event& e) { e.meta.correlation_id.bytes[15] ^= 1; },
      [](event& e) { e.meta.causation_id = 0; },
      [](event& e) { e.meta.traceparent = "x"; },
      [](event& e) { ++e.recorded_at_us; },
  };
  const auto base = leaf_of(plain_event());
  std::vector<reeve::digest> seen{base};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    auto e = plain_event();
    changes[i](e);
    const auto leaf = leaf_of(e);
    EXPECT_EQ(std::count(seen.begin(), seen.end(), leaf), 0) << "change " << i;
    seen.push_back(leaf);
  }
  auto e = plain_event();
  e.leaf.fill(1);
  e.hash.fill(1);
  EXPECT_EQ(leaf_of(e), base) << "leaf and hash are not part of the leaf";
}

TEST(EV6_leaf, a_field_cannot_flow_into_the_next) {
  auto a = plain_event(), b = plain_event();
  a.stream = "run-1";
  a.type = "x";
  b.stream = "run-";
  b.type = "1x";
  EXPECT_NE(leaf_of(a), leaf_of(b));
}

}  // namespace
