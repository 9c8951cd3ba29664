#pragma once
// The blob store behind its port, on a thread of its own. Once an hour, while this server leads, it
// also sweeps: blobs that nothing names and idempotency keys that have had their time.

#include "base/leadership.hpp"
#include "persistence/blob_port.hpp"

#include <memory>
#include <string>

namespace reeve::persistence {

class blob_writer final : public blob_port {
 public:
  /// `url`: the writer's login.
  blob_writer(std::string url, const leadership& lead);
  ~blob_writer() override;
  void put(uuid tenant, std::shared_ptr<const std::string> bytes, reply_slot<digest> slot) override;
  /// Whether blobs cannot be stored: since one failed, until another try could. Attempts whose
  /// output waits for it hang meanwhile. Never blocks; any thread.
  bool is_failing() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace reeve::persistence
