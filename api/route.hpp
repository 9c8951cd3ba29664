#pragma once
// One row of the route table, and what a handler sees. Handlers are thin: take apart, call a pure
// function or a port, answer. 404, 405, OPTIONS and the OpenAPI document come from the same rows.

#include "base/attempt_token.hpp"
#include "base/call_stopper.hpp"
#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/outcome.hpp"
#include "base/secret.hpp"
#include "base/slot.hpp"
#include "domain/access/access.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reeve::api {

/// The first three in rising order of what they may do. An `auditor` reads what a viewer does, and
/// every tenant's events; a `node` may nothing yet.
using role = domain::token_role;

/// Who calls, as the token said.
struct caller {
  uuid tenant;
  uuid token_id;
  std::string principal;  // "token:<id>" or "job:<id>", as events name it
  role has = role::viewer;
  bool is_of_first_tenant = false;  // whose the server is
  /// Of a job that calls language models (llm_attempt.hpp).
  std::optional<attempt_name> attempt = {};
};

enum class method { get, head, post, put, patch, delete_, options };

struct request {
  api::method method = method::get;
  /// Else a stream that is cut would look whole where it came in (takes_streams, dispatch.hpp).
  bool takes_streams = true;
  std::string path;   // decoded, without query and trailing slash
  std::string route;  // the row that it came to: "POST /api/runs/{id}/cancel"
  std::vector<std::pair<std::string, std::string>> params;  // {name} segments of the pattern
  std::vector<std::pair<std::string, std::string>> query;   // decoded; no name stands twice
  wiped_text body;
  std::string request_id;  // made by us; also in the answer's X-Request-Id
  uuid correlation_id;
  std::string traceparent;      // valid or empty
  std::string idempotency_key;  // valid or empty
  std::string if_match, if_none_match, last_event_id, accept;
  std::optional<std::int64_t> min_position;  // Reeve-Min-Position
  digest body_digest{};                      // SHA-256 of the body; of a POST only
  std::shared_ptr<call_stopper> stopper;     // of a route that `relays`: the client has gone
  caller who;                                // meaningless on anonymous routes

  std::string_view param(std::string_view name) const;
  /// Nothing if it was not given.
  std::optional<std::string_view> query_value(std::string_view name) const;
};

/// Bytes that are not all there yet (SSE, downloads). The gateway pulls: it asks for the next
/// chunk when the last one is written, so a slow client slows nobody else down and holds at most
/// one chunk in memory.
class body_stream {
 public:
  virtual ~body_stream() = default;
  /// Answers with the next chunk (1 B..256 KiB), or with an empty one when everything was told. An
  /// error cuts the answer, and the client can see that it is not whole. At most one call is open
  /// at a time; it may stay open for ever (SSE).
  virtual void next(reply_slot<std::string> slot) = 0;
  /// The client has gone, or may have no more; an open next() is answered or dropped soon, and
  /// answers from then on are errors where something was left to tell.
  virtual void cancel() = 0;
};

/// What a stream answers with that was cancelled.
inline rejection cut_off() {
  return reject(errc::unavailable, "the stream was cut");
}

/// What a problem document says, for whom it is told in other words.
struct refusal {
  std::string code, text;
};

struct response {
  int status = 200;
  std::string content_type = "application/json";
  std::shared_ptr<const std::string> body;   // null = no body
  std::shared_ptr<body_stream> stream;       // instead of body
  std::optional<std::int64_t> stream_bytes;  // Content-Length of the stream, if known
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<refusal> refused;  // of a problem document
};

/// The answer to a request; may be called on any thread; the gateway posts it to the connection.
using responder = reply_slot<response>;
using handler = std::function<void(request, responder)>;

/// `auditor`: the auditor's and the admin's. `server`: of what tells about every tenant, the
/// auditor's and, of the tenant whose the server is, the admin's.
enum class access { anonymous, viewer, operator_, auditor, admin, server };

/// JSON Schema texts come from codec/schema.hpp; empty = none.
struct route {
  api::method method = method::get;
  std::string pattern;  // "/api/runs/{id}"; literal segments win over parameters
  std::string summary;
  access needs = access::viewer;
  std::string request_schema;
  std::string response_schema;
  std::vector<std::string> query_names;  // others are refused with 422
  /// What the description says of a parameter that this route alone has.
  std::vector<std::pair<std::string, std::string>> parameter_texts;
  std::vector<int> statuses;  // what it answers besides the errors of every route
  api::handler handle;
  std::size_t max_body_bytes = std::size_t{256} * 1024;
  bool minds_if_match = false;  // else a write that names a state is refused with 412
  bool takes_key = true;        // of a write; else one with an Idempotency-Key is refused with 422
  bool has_etag = true;         // of a read: its 200 names a state, so that 304 can answer it
  bool streams = false;         // answers with a stream; no handler timeout
  bool always = false;          // also by a server that does not lead (gateway_hooks::closed)
  /// Hands a call on to somebody else, in OpenAI's protocol: errors are told in its words
  /// (openai_error.hpp), it has no handler timeout, and a client who goes away stops it.
  bool relays = false;
};

}  // namespace reeve::api
