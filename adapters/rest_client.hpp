#pragma once
// Calls of a Reeve server's API, for the command line. Blocking; http and https only, no
// redirects, no proxies (a token would pass through them), bounded answers. Certificates are
// checked against the system's authorities.

#include "base/outcome.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace reeve::adapters {

struct rest_request {
  std::string method = "GET";
  std::string url;
  std::string token;            // empty = anonymous
  std::string body;             // JSON; empty = none
  std::string idempotency_key;  // empty = none
  long timeout_s = 30;          // from connecting to the end of the answer; not for streams
  std::size_t max_bytes = 64 << 20;
};

struct rest_response {
  int status = 0;
  std::string content_type;
  std::string output_state;  // of `Reeve-Log`, with the output of a job
  std::string body;
};

/// Every status is an answer. Errors: `invalid` (no http or https URL, or a line end in a header
/// field), `unavailable` (nobody answers there, or the answer was cut), `timed_out`, `too_large`.
outcome<rest_response> call_rest(const rest_request& request);

/// The bytes of a 2xx answer as they come, until `receive` answers false or the server ends it.
/// The body of any other status, at most `max_bytes` of it, is in the result. A stream has no
/// end but the server's; one that is silent for 60 s (a server says something every 15 s) is
/// `timed_out`.
outcome<rest_response> stream_rest(const rest_request& request,
                                   const std::function<bool(std::string_view)>& receive);

/// One segment of a path, percent-encoded.
std::string path_segment(std::string_view text);

}  // namespace reeve::adapters
