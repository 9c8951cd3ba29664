#pragma once
// Logs, artifacts and uploads: bytes by (tenant, SHA-256) in chunks of 256 KiB. A blob is committed
// before the event that names its digest, over a connection of its own, so a large upload never
// holds up the log. Reading is read_port::blob. Calls block; the caller is a thread that may.
// Safe to call from any thread, one call at a time goes on.

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/outcome.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace reeve::persistence {

inline constexpr std::size_t blob_chunk_bytes = std::size_t{256} * 1024;
/// 1 GiB; whoever takes bytes from outside has a smaller limit of its own.
inline constexpr std::size_t max_blob_bytes = std::size_t{1} << 30;

struct blob_store_config {
  /// libpq URL or key=value text of the writer's login.
  std::string url;
  clock_port* clock = nullptr;  // nullptr = the real one
  /// For whoever stores the same bytes at this moment; then it is `unavailable`. Longer than
  /// another server that stands still may hold them.
  std::int64_t lock_wait_ms = 5'000;
};

class blob_store {
 public:
  explicit blob_store(blob_store_config config);
  ~blob_store();

  /// The same bytes again are the same blob; putting them again keeps them from the sweep for
  /// another day. Errors: `too_large`, `unavailable`.
  outcome<digest> put(const uuid& tenant, std::string_view bytes);

  /// Whether a blob could be stored now: does so and takes it back. Errors: those of `put`.
  outcome<done> try_put();

  /// Removes what has been there for `older_than_us` and no projection names; at most `limit`
  /// blobs a call. Gives how many: none while the projection of what is named cannot be relied on.
  outcome<std::int64_t> sweep(time_us older_than_us = us_per_second * 3600 * 24,
                              std::int64_t limit = 100);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace reeve::persistence
