#pragma once
// Calls of a Reeve server's API, for the command line. Blocking; http and https only, no
// redirects, bounded answers.

#include "base/outcome.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace reeve::adapters {

struct rest_request {
  std::string method = "GET";
  std::string url;
  std::string token;  // empty = anonymous
  std::string body;   // JSON; empty = none
  long timeout_s = 30;
  std::size_t max_bytes = 64 << 20;
};

struct rest_response {
  int status = 0;
  std::string content_type;
  std::string body;
};

/// `unavailable`: nobody answers there. `timed_out`. `too_large`. Every status is an answer.
outcome<rest_response> call_rest(const rest_request& request);

/// A stream: each piece as it comes, until `receive` answers false or the server ends it.
outcome<int> stream_rest(const rest_request& request,
                         const std::function<bool(std::string_view)>& receive);

/// One segment of a path, percent-encoded.
std::string path_segment(std::string_view text);

}  // namespace reeve::adapters
