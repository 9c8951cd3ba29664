#pragma once
// Whether what is stored beside the log has the bytes of the SHA-256 under which it is stored, and
// whether all is there that the read model of blobs names. That this is what the log's events name
// is not looked at here: `replay` compares that read model with the log.

#include "base/outcome.hpp"

#include <cstdint>
#include <string>

namespace reeve::persistence {

struct blobs_result {
  std::int64_t blobs = 0;    // that were read
  std::int64_t bytes = 0;    // of them, as they are
  std::int64_t changed = 0;  // whose bytes are not those of their name, or not as many
  std::int64_t missing = 0;  // named and not there (a digest of a tenant counts once)
  std::string first;         // of these two: "tenant …, SHA-256 …"
  bool knows_names = false;  // what is named was known; `missing` is 0 else
  bool good() const { return changed == 0 && missing == 0; }
};

/// Reads all of them, in pieces of at most 1 MiB; those that are removed meanwhile count as
/// nothing. `url`: the owner's login. `unavailable`: the database went away.
outcome<blobs_result> verify_blobs(const std::string& url);

}  // namespace reeve::persistence
