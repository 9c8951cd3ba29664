#pragma once
// Calls of a language model's server. To the address that was looked at and to no other; no
// redirects, no proxies; certificates are checked against the system's authorities.

#include "adapters/pinned_address.hpp"
#include "base/outcome.hpp"
#include "domain/runs/llm_settings.hpp"

#include <cstdint>

namespace reeve::adapters {

/// Asks what models it has (GET <url>/models), which every such server answers without any work;
/// how many ms that took. `pinned` is where its host is. At most 1 MiB of the answer is read, and
/// nothing of it is kept or told. A key goes over plain HTTP to this machine only, unless
/// `may_send_plain`. Errors, in words that are for everybody: `invalid`, `unavailable`, `timed_out`
/// (2 s to connect, 4 s in all).
outcome<std::int64_t> look_at_upstream(const domain::llm_upstream& upstream,
                                       const pinned_address& pinned, bool may_send_plain);

}  // namespace reeve::adapters
