#pragma once
// What all requests to upstreams of language models have in common (libcurl inside): the address
// that was looked at and no other, no redirects, no proxies, the upstream's own key.

#include "adapters/curl_handle.hpp"
#include "adapters/pinned_address.hpp"
#include "base/outcome.hpp"
#include "domain/runs/llm_settings.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace reeve::adapters {

/// Stays where it is: the handle points into it.
struct upstream_request {
  pinned_address pinned;
  text_list fields;  // of the head
  text_list place;   // where the name is connected to
  easy_handle easy;
};

/// A GET of <url><path> that has everything but what is done with the answer. `pinned` is where the
/// URL's host is, with its port. A key goes over plain HTTP to this machine only, unless
/// `may_send_plain`. Errors in words that are for everybody: `invalid`, `unavailable`.
outcome<std::unique_ptr<upstream_request>> make_upstream_request(
    const domain::llm_upstream& upstream, const pinned_address& pinned, std::string_view path,
    bool may_send_plain);

void add_field(upstream_request& to, const std::string& line);

}  // namespace reeve::adapters
