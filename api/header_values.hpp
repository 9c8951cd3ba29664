#pragma once
// Values of single header fields, checked. Std only and pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::api {

/// The token of `Authorization: Bearer <token>` (RFC 6750: 1..4096 characters of token68), or an
/// empty view: another scheme, odd characters, more than one word.
std::string_view bearer_token(std::string_view authorization);

/// 1..128 characters out of [A-Za-z0-9._:~-]; the quotes of the IETF draft's form are taken off.
std::optional<std::string_view> idempotency_key(std::string_view value);

/// W3C Trace Context, with trace id and parent id that are not zero, as version 00. A later version
/// begins as 00 does and may go on after a dash; it is read by what it has in common.
std::optional<std::string> traceparent_of(std::string_view value);
/// What answers it (W3C Trace Context, level 2): the caller's trace and flags, and as our part of
/// the trace the end of the request's id, the random half of a UUID.
std::string traceresponse_to(std::string_view traceparent, std::string_view request_id);

/// A position of the log: digits, 0..2^63-1.
std::optional<std::int64_t> parse_position(std::string_view value);

/// "*" or a list of at least one entity tag, at most 1 KiB. Empty elements of a list count for
/// nothing here and below (RFC 9110 section 5.6.1).
bool valid_etag_list(std::string_view value);
/// Whether If-None-Match names this tag (weak comparison, RFC 9110 section 8.8.3.2).
bool etag_listed(std::string_view list, std::string_view etag);
/// Whether If-Match names this tag (strong comparison): a weak one is equal to none.
bool etag_matches(std::string_view list, std::string_view etag);

/// Whether a Content-Encoding leaves a body as it is: "identity", or none.
bool is_identity(std::string_view codings);

/// Whether an Accept header admits this media type ("application/json"); an empty one admits all.
/// The range that names it most closely decides; with q=0 it admits nothing.
bool accepts(std::string_view accept, std::string_view media_type);

/// Whether a Content-Type is this media type; parameters other than charset=utf-8 are ignored.
bool is_media_type(std::string_view content_type, std::string_view media_type);

/// Whether a name and value of ours may stand in a response head: no line ends, no controls.
bool safe_header(std::string_view name, std::string_view value);

}  // namespace reeve::api
