#pragma once
// Request targets taken apart (RFC 3986). Decoding is strict, because a path that two parts of the
// server read differently is a way around a check: bad escapes, encoded slashes and control
// characters, dot segments and invalid UTF-8 are refused, never repaired.

#include "base/outcome.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reeve::api {

inline constexpr std::size_t max_query_pairs = 64;
inline constexpr std::size_t max_query_name_bytes = 64;
inline constexpr std::size_t max_path_segments = 24;

/// `path` with its query (without '?'), still encoded.
struct split_target {
  std::string_view path, query;
};
split_target split(std::string_view target);

/// "/api/runs/a%20b/" gives "/api/runs/a b": decoded, without the trailing slash. The root is "/".
/// bad_request says what is wrong; since an encoded slash is among that, the decoded path may be
/// cut at its slashes.
outcome<std::string> decode_path(std::string_view path);

/// Decoded pairs in their order; '+' is a space, as forms write it (write a plus as %2B). An
/// undecodable one is bad_request; too many and a name given twice are `invalid`.
outcome<std::vector<std::pair<std::string, std::string>>> decode_query(std::string_view query);

/// A JSON pointer to a query parameter, for `rejection::field`: "/query/limit". A name with
/// unusual characters is left out ("/query"), so that nothing foreign gets into an answer.
std::string query_pointer(std::string_view name);

}  // namespace reeve::api
