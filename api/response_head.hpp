#pragma once
// The head of an answer as bytes. Appends to a string that a connection reuses.

#include "api/route.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace reeve::api {

struct head_context {
  std::string_view date;           // "Sat, 21 Nov 2026 04:20:00 GMT"
  std::string_view request_id;     // no X-Request-Id if empty
  std::string_view traceresponse;  // none if empty
  bool keep_alive = true;
  bool chunked = false;  // the stream's length is not known and the client speaks HTTP/1.1
};

/// Every answer says nosniff. Cache-Control, unless the handler set it: an answer with an ETag may
/// be kept by the client alone and is asked for again each time; all else is not kept.
/// There is no Server field: versions are nobody's business.
void append_head(std::string& out, const response& answer, const head_context& about);

/// RFC 9110 section 5.6.7, without the C library's locale.
std::string http_date(std::int64_t unix_seconds);

}  // namespace reeve::api
