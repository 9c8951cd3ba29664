#pragma once
// Blobs stored without blocking the caller.

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/slot.hpp"

#include <memory>
#include <string>

namespace reeve::persistence {

class blob_port {
 public:
  virtual ~blob_port() = default;
  /// Answers with the digest when the bytes are durable. Errors: too_large, unavailable, overloaded
  /// (256 MiB are waiting).
  virtual void put(uuid tenant, std::shared_ptr<const std::string> bytes,
                   reply_slot<digest> slot) = 0;
};

}  // namespace reeve::persistence
