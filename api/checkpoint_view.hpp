#pragma once
// A signed head of the chain, as the API shows it.

#include "base/ids.hpp"
#include "domain/event.hpp"
#include "domain/fields.hpp"

#include <cstdint>
#include <string>
#include <tuple>

namespace reeve::api {

/// Hash in hexadecimal; `key_id` is the public key and, like the signature, base64url without
/// padding, as in the file of heads and in exports (docs/log-format.md).
struct checkpoint_view {
  domain::position position = 0;
  std::int64_t epoch = 0;
  uuid origin;
  std::string hash;
  std::string key_id;
  std::string signature;
  domain::timestamp created_at;
  static constexpr auto fields() {
    using domain::field;
    return std::tuple{field("position", &checkpoint_view::position),
                      field("epoch", &checkpoint_view::epoch),
                      field("origin", &checkpoint_view::origin),
                      field("hash", &checkpoint_view::hash),
                      field("key_id", &checkpoint_view::key_id),
                      field("signature", &checkpoint_view::signature),
                      field("created_at", &checkpoint_view::created_at)};
  }
};

}  // namespace reeve::api
