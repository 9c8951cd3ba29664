#pragma once
// The one builder of error answers: RFC 9457 problem documents.
//
//   {"type":"urn:reeve:error:invalid","title":…,"status":422,"detail":…,"code":"invalid",
//    "instance":"urn:uuid:<request id>","request_id":…,
//    "errors":[{"pointer":"/tasks/0/kind","detail":…}]}
//
// Nothing of the server's inside gets into it: no SQL, path, version or exception text, and no
// value that was sent (`instance` is the request's id and not its path for that reason). What a
// rejection of code `internal` says is for the log; its problem keeps the title only.

#include "api/route.hpp"
#include "base/outcome.hpp"

#include <string>
#include <string_view>

namespace reeve::api {

/// Seconds that 429 and 503 ask a client to wait, unless it is known to take longer.
inline constexpr int retry_after_s = 1;

/// With Retry-After (429, 503, in_progress) and WWW-Authenticate (401) where they belong.
response problem(const rejection& why, std::string_view request_id, int wait_s = retry_after_s);

/// For the few statuses that no error code has (417); `code` is snake_case, `title` a sentence,
/// `field` the pointer to what caused it, empty for nothing.
response problem_of_status(int status, std::string_view code, std::string_view title,
                           std::string_view field, std::string_view request_id);

/// The JSON Schema of the document, for OpenAPI.
std::string_view problem_schema();

/// The reason phrase of a status line; "Unknown" for statuses that Reeve does not use.
std::string_view reason_of(int status);

}  // namespace reeve::api
