#pragma once
// The guard in front of Beast's parser: it reads the head of a request (request line and fields)
// as raw bytes and lets through only what every HTTP parser understands in the same way. Beast
// 1.81 takes `Transfer-Encoding: xchunked` as "no body" and answers the rest as a next request;
// it also accepts two lengths, two hosts, folded lines and HTTP/1.0 with chunks. Each of these
// desynchronises a proxy in front from the server behind it. Here each is a 400, and the
// connection is closed, because nobody knows where the next request would begin.
//
// Std only, the check allocates nothing but the vector of fields: it is the one parser of heads,
// and its fields are what authentication sees, so a trailer can never change them.

#include "base/outcome.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::api {

/// Longer heads are 431; browsers and proxies stay below 8 KiB.
inline constexpr std::size_t max_head_bytes = std::size_t{16} * 1024;
/// Longer targets are 414 (RFC 9110 section 4.1 asks for at least 8,000).
inline constexpr std::size_t max_target_bytes = std::size_t{8} * 1024;
inline constexpr std::size_t max_head_fields = 100;

struct head_field {
  std::string_view name;
  std::string_view value;  // without the white space around it
};

/// The views point into the checked text.
struct request_head {
  std::string_view method;
  std::string_view target;  // starts with '/', or is "*" (OPTIONS only)
  int minor = 1;            // HTTP/1.<minor>
  std::vector<head_field> fields;

  bool chunked = false;
  std::optional<std::uint64_t> content_length;  // below 2^63
  bool expects_continue = false;                // HTTP/1.1 only
  bool unknown_expectation = false;             // to be answered with 417
  bool keep_alive = true;

  /// The value of the first field of this name (given in lower case), or an empty one.
  std::string_view field(std::string_view lower_name) const;
  /// All lines of a field whose value is a list, as the one list that they are (RFC 9110 section
  /// 5.3). Nothing if there is no such field.
  std::optional<std::string> list(std::string_view lower_name) const;
  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

/// Where the head ends, in a text that is still growing.
struct head_end {
  enum class state { incomplete, complete, malformed };
  state is = state::incomplete;
  std::size_t bytes = 0;   // complete: size of the head with its empty line
  std::size_t resume = 0;  // incomplete: where the next search may start
};

/// A line feed without a carriage return before it makes the text malformed at once: no more of
/// it is waited for.
head_end find_head_end(std::string_view text, std::size_t from);

/// Checks one head, which ends with its empty line. Nothing if it is sound; else the reason, of
/// code bad_request, uri_too_long or headers_too_large. `out` is reused from request to request.
std::optional<rejection> check_head(std::string_view head, request_head& out);

/// Why a text is refused that has grown beyond `max_head_bytes` and has no end yet.
rejection overlong_head(std::string_view text);

/// Compares ASCII without regard to case; `lower` is in lower case already.
bool equals_lower(std::string_view text, std::string_view lower);
/// Whether a comma-separated list holds this token, in any case.
bool list_has(std::string_view list, std::string_view lower);
/// RFC 9110 section 5.6.2.
bool is_token(std::string_view text);

}  // namespace reeve::api
