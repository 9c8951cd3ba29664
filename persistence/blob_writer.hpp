#pragma once
// Blobs stored without blocking the caller: a thread of its own over the blob store. Once an hour
// it also sweeps: blobs that nothing names and idempotency keys that have expired. Std only:
// actors/ uses it.

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

class blob_writer final : public blob_port {
 public:
  /// `url`: the writer's login.
  explicit blob_writer(std::string url);
  ~blob_writer() override;
  void put(uuid tenant, std::shared_ptr<const std::string> bytes, reply_slot<digest> slot) override;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace reeve::persistence
