#pragma once
// From a checked head to a handler, and from its answer to what is sent. The order in which a
// request is refused is here and nowhere else:
//
//   400 (guard, path) · 401 · 404 · 403 · 405 · 406 · 415 · 417 · 413 · 422 · 412 · 429 · 503
//
// 412 of a write that minds no If-Match; else 412 and 409 are the handlers'. An unknown path
// without a token is 401, so that a stranger learns nothing about the table. One thread only.

#include "api/http_guard.hpp"
#include "api/rate_limit.hpp"
#include "api/route.hpp"
#include "api/router.hpp"
#include "api/shares.hpp"
#include "base/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::api {

/// A refusal that is to be audited: 401 and 403, the gateway's own and those of handlers.
struct denial {
  errc code = errc::unauthenticated;
  std::optional<caller> who;  // nothing if unauthenticated
  std::string peer;           // address of the client, without port; empty if a handler refused
  std::string route;          // "GET /api/runs/{id}", or empty if no route was found
};

/// Where a connection came in. What comes from jobs knows language models, and nothing else.
enum class listener { open, jobs };

struct gateway_hooks {
  /// Who has this token; compares in constant time, from memory: it runs on the I/O thread.
  std::function<std::optional<caller>(std::string_view token)> authenticate;
  /// The same of what came from jobs, who have tokens of another kind. May be empty: nobody has.
  std::function<std::optional<caller>(std::string_view token)> authenticate_job = {};
  /// May be empty. Must only hand over.
  std::function<void(const denial&)> denied;
  /// May be empty. While it gives a reason, a 503, everything but the routes that are `always`
  /// answered gets it, whoever asks and whether it exists or not.
  std::function<std::optional<rejection>()> closed;
};

struct dispatch_limits {
  double requests_per_s = 2000;  // of one token
  double burst = 4000;
  std::size_t in_flight = 512;  // handlers that have not answered yet
  share_percents shares;        // of these, and of all else that callers may hold
};

/// Too much of something is held or wanted, for the metrics; `what` is a literal.
struct shed_reason {
  std::string_view what;
  share_verdict why;
};

/// One request on its way.
struct call {
  const route* to = nullptr;  // null if it was refused before a route was found
  std::size_t route_index = 0;
  listener from = listener::open;
  bool head_only = false;  // HEAD: the handler sees a GET
  std::string request_id;
  std::string if_none_match;
  std::string traceresponse;        // of the answer, whatever it is; empty without a traceparent
  request asked;                    // moved into the handler by `run`
  caller who;                       // stays; from the moment on that the token is known
  std::optional<shed_reason> shed;  // why `admit` refused it, if it was for that
};

/// Whether a client is told where a stream of unknown length was cut: HTTP/1.1 has a last chunk. Of
/// one without chunks the connection is reset, as TCP can and a socket of jobs cannot.
bool takes_streams(const request_head& head, listener from);

/// The role of who calls, for metrics; "none" without a valid token.
std::string_view kind_of_caller(const call& it);

class dispatcher {
 public:
  /// The table, the hooks and the ids outlive the dispatcher.
  dispatcher(const router& table, dispatch_limits limits, gateway_hooks hooks, id_source& ids);

  /// Starts `out` and decides what the head alone decides. Nothing: read the body (at most
  /// `out.to->max_body_bytes`) and go on with `run`; else the answer.
  std::optional<response> admit(const request_head& head, std::string_view peer,
                                std::int64_t now_us, call& out, listener from = listener::open);

  /// Whoever was admitted by the head alone may have lost his token while the body or the answer
  /// came: a 401 then; or its role may have come to be too low, which is a 403 as at first. `head`
  /// is still the one of the call.
  std::optional<response> refuse_revoked(const request_head& head, std::string_view peer,
                                         const call& it) const;

  /// Whether its handler may begin; `pass` is held until it has answered. `address`: as in a
  /// share_holder.
  share_verdict enter(const call& it, std::string_view address, share& pass);
  std::size_t in_flight() const { return in_flight_.held(); }

  /// Calls the handler. What it throws becomes a 500; false then, so that it is counted.
  bool run(call& it, wiped_text body, const responder& slot);

  /// The answer as it is sent: problems for rejections, 304, checked headers.
  response finish(const call& it, outcome<response> answer);

  /// An answer to bytes of which no request could be made. The call gets the answer's id.
  response refuse(const rejection& why, call* it);

 private:
  bool has_room_for(const route& to) const;
  std::optional<response> find_route(const request_head& head, std::string_view peer, call& out);
  std::optional<response> authorize(const request_head& head, const router::match& found,
                                    std::string_view peer, call& out);
  std::optional<caller> authenticate(const request_head& head, listener from) const;
  std::optional<response> refuse_role(const caller& who, access needs, std::string_view peer,
                                      const call& it) const;
  std::optional<rejection> check_body(const request_head& head, const call& it) const;
  std::optional<rejection> check_promises(const request_head& head, const call& it) const;
  static void take_trace(const request_head& head, call& out);
  std::optional<rejection> take_query(const request_head& head, call& out) const;
  std::optional<rejection> take_fields(const request_head& head, call& out) const;
  void deny(denial what, const call& it) const;

  const router& table_;
  dispatch_limits limits_;
  gateway_hooks hooks_;
  id_source& ids_;
  rate_limiter rates_;
  share_ledger in_flight_;
};

/// Whether a caller may use what needs this access. An auditor reads like a viewer; a node's token
/// opens nothing of the resources.
bool may(const caller& who, access needs);
/// "operator or admin": the roles that may, in words.
std::string roles_for(access needs);

}  // namespace reeve::api
