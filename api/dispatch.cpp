#include "api/dispatch.hpp"

#include "api/header_values.hpp"
#include "api/problem.hpp"
#include "api/uri.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace reeve::api {
namespace {

constexpr std::string_view all_methods = "GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE";

/// What jobs may ask for.
constexpr std::string_view jobs_paths = "/llm/v1/";

response allow_only(std::string_view methods) {
  response made;
  made.status = 204;
  made.headers.emplace_back("Allow", methods);
  return made;
}

bool bodyless(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

std::optional<rejection> check_query_names(const call& it) {
  const auto& known = it.to->query_names;
  for (const auto& [name, value] : it.asked.query) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return reject(errc::unknown_field, "this query parameter is not known here",
                    query_pointer(name));
    }
  }
  return std::nullopt;
}

/// The others are reads: they change nothing, so no key and no precondition of a change is theirs.
bool changes_something(method verb) {
  return verb != method::get && verb != method::head && verb != method::options;
}

rejection malformed(std::string_view name) {
  return reject(errc::invalid, "the header field is malformed", "/headers/" + std::string(name));
}

std::string_view header_of(const response& answer, std::string_view lower_name) {
  for (const auto& [name, value] : answer.headers) {
    if (equals_lower(name, lower_name)) return value;
  }
  return {};
}

/// Anonymous reads (probes, the API's description) are answered from memory; a server that is
/// busy must not look dead.
bool is_probe(const route& to) {
  return to.needs == access::anonymous && to.method == method::get;
}

bool answers_json(const route& to) {
  return !to.response_schema.empty() && !to.streams && !to.relays;
}

}  // namespace

bool may(const caller& who, access needs) {
  if (needs == access::anonymous) return true;
  switch (who.has) {
    case role::admin:
      return needs != access::server || who.is_of_first_tenant;
    case role::operator_:
      return needs <= access::operator_;
    case role::viewer:
      return needs == access::viewer;
    case role::auditor:
      return needs == access::viewer || needs == access::auditor || needs == access::server;
    case role::node:
      return false;
  }
  return false;
}

std::string roles_for(access needs) {
  if (needs == access::server) return "auditor, or admin in the tenant whose the server is";
  constexpr std::array all{role::viewer, role::operator_, role::auditor, role::admin, role::node};
  std::vector<std::string_view> names;
  for (const auto one : all) {
    caller who;
    who.has = one;
    if (may(who, needs)) names.push_back(domain::name_of(one));
  }
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

bool takes_streams(const request_head& head, listener from) {
  return from == listener::open || head.minor > 0;
}

std::string_view kind_of_caller(const call& it) {
  return it.who.token_id == uuid{} ? "none" : domain::name_of(it.who.has);
}

dispatcher::dispatcher(const router& table, dispatch_limits limits, gateway_hooks hooks,
                       id_source& ids)
    : table_(table),
      limits_(limits),
      hooks_(std::move(hooks)),
      ids_(ids),
      rates_(limits.requests_per_s, limits.burst),
      in_flight_(limits_of(limits.in_flight, limits.shares)) {}

std::optional<response> dispatcher::admit(const request_head& head, std::string_view peer,
                                          std::int64_t now_us, call& out, listener from) {
  out = call{};
  out.from = from;
  out.head_only = head.method == "HEAD";
  const uuid id = ids_.next();
  out.request_id = to_string(id);
  out.asked.request_id = out.request_id;
  out.asked.correlation_id = id;
  out.asked.takes_streams = takes_streams(head, from);
  take_trace(head, out);
  if (auto refused = find_route(head, peer, out)) return refused;
  const auto refuse = [&](const rejection& why) { return problem(why, out.request_id); };
  const std::string accept = head.list("accept").value_or("");
  if (answers_json(*out.to) && !accepts(accept, "application/json")) {
    return refuse(reject(errc::not_acceptable, "this resource answers with application/json",
                         "/headers/Accept"));
  }
  out.asked.accept = accept;
  if (head.unknown_expectation) {
    return problem_of_status(417, "expectation_failed", "The expectation is not supported.",
                             "/headers/Expect", out.request_id);
  }
  if (auto why = check_body(head, out)) return refuse(*why);
  if (auto why = take_query(head, out)) return refuse(*why);
  if (auto why = take_fields(head, out)) return refuse(*why);
  if (auto why = check_promises(head, out)) return refuse(*why);
  if (out.to->needs != access::anonymous && !rates_.take(out.asked.who.token_id, now_us)) {
    out.shed = {"rate", share_verdict::token_is_full};
    return refuse(reject(errc::rate_limited, "this token sends too many requests"));
  }
  if (!has_room_for(*out.to)) {
    out.shed = {"requests", share_verdict::all_is_full};
    return refuse(reject(errc::overloaded, "too many requests are being worked on"));
  }
  return std::nullopt;
}

std::optional<response> dispatcher::find_route(const request_head& head, std::string_view peer,
                                               call& out) {
  const auto refuse = [&](const rejection& why) { return problem(why, out.request_id); };
  if (head.has_body() && bodyless(head.method)) {
    return refuse(reject(errc::bad_request, "this method takes no body"));
  }
  const bool asterisk = head.target == "*";
  auto path = decode_path(asterisk ? "/" : split(head.target).path);
  if (!path) return refuse(path.error());
  out.asked.path = std::move(path).value();

  const auto verb = parse_method(head.method);
  router::match found;
  const bool is_hidden = out.from == listener::jobs && !out.asked.path.starts_with(jobs_paths);
  if (!asterisk && !is_hidden) found = table_.find(verb, out.asked.path);
  if (found.index) {
    out.route_index = *found.index;
    out.to = &table_.routes()[*found.index];
  }
  if (hooks_.closed && !(out.to && out.to->always)) {
    if (const auto why = hooks_.closed()) return refuse(*why);
  }
  if (auto refused = authorize(head, found, peer, out)) return refused;
  if (asterisk) return allow_only(all_methods);
  if (!found.index) {
    if (verb == method::options) return allow_only(found.allow);
    response refused = refuse(reject(errc::method_not_allowed, "see the Allow field"));
    refused.headers.emplace_back("Allow", found.allow);
    return refused;
  }
  out.asked.method = out.head_only ? method::get : *verb;
  out.asked.params.assign(found.params.begin(), found.params.end());
  return std::nullopt;
}

/// 401, 404, 403, in this order.
std::optional<response> dispatcher::authorize(const request_head& head, const router::match& found,
                                              std::string_view peer, call& out) {
  const bool known = found.path_known || head.target == "*";
  const access needs = out.to ? out.to->needs : found.path_known ? found.lowest : access::viewer;
  if (found.path_known && needs == access::anonymous) return std::nullopt;
  auto who = authenticate(head, out.from);
  if (!who) {
    deny({errc::unauthenticated, std::nullopt, std::string(peer), {}}, out);
    return problem(reject(errc::unauthenticated, "send Authorization: Bearer <token>"),
                   out.request_id);
  }
  out.asked.who = out.who = *std::move(who);
  if (!known) return problem(reject(errc::not_found, ""), out.request_id);
  return refuse_role(out.who, needs, peer, out);
}

std::optional<response> dispatcher::refuse_role(const caller& who, access needs,
                                                std::string_view peer, const call& it) const {
  if (may(who, needs)) return std::nullopt;
  deny({errc::forbidden, who, std::string(peer), {}}, it);
  return problem(
      reject(errc::forbidden, "it takes the role " + roles_for(needs) + ", and this token's is " +
                                  std::string(domain::name_of(who.has))),
      it.request_id);
}

std::optional<caller> dispatcher::authenticate(const request_head& head, listener from) const {
  const std::string_view token = bearer_token(head.field("authorization"));
  const auto& ask = from == listener::jobs ? hooks_.authenticate_job : hooks_.authenticate;
  return token.empty() || !ask ? std::nullopt : ask(token);
}

std::optional<response> dispatcher::refuse_revoked(const request_head& head, std::string_view peer,
                                                   const call& it) const {
  if (it.to->needs == access::anonymous) return std::nullopt;
  const auto who = authenticate(head, it.from);
  if (who && who->token_id == it.who.token_id) {
    return refuse_role(*who, it.to->needs, peer, it);
  }
  deny({errc::unauthenticated, std::nullopt, std::string(peer), {}}, it);
  return problem(reject(errc::unauthenticated, "the token was revoked, or has expired"),
                 it.request_id);
}

void dispatcher::deny(denial what, const call& it) const {
  if (!hooks_.denied) return;
  if (it.to != nullptr) {
    what.route.append(name_of(it.to->method)).append(" ").append(it.to->pattern);
  }
  hooks_.denied(what);
}

/// 415 and 413.
std::optional<rejection> dispatcher::check_body(const request_head& head, const call& it) const {
  if (!head.has_body()) return std::nullopt;
  const std::string_view type = head.field("content-type");
  const bool patch = it.asked.method == method::patch;
  if (!is_media_type(type, "application/json") &&
      !(patch && is_media_type(type, "application/merge-patch+json"))) {
    return reject(errc::unsupported_media_type, "the body must be application/json",
                  "/headers/Content-Type");
  }
  if (!is_identity(head.list("content-encoding").value_or(""))) {
    return reject(errc::unsupported_media_type, "send the body as it is, without Content-Encoding",
                  "/headers/Content-Encoding");
  }
  if (head.content_length.value_or(0) > it.to->max_body_bytes) {
    return reject(errc::too_large, "the body is larger than this resource takes");
  }
  return std::nullopt;
}

std::optional<rejection> dispatcher::take_query(const request_head& head, call& out) const {
  auto query = decode_query(split(head.target).query);
  if (!query) return query.error();
  out.asked.query = std::move(query).value();
  return check_query_names(out);
}

/// The guard lets a field that is no list stand only once; the lines of a list are one list.
std::optional<rejection> dispatcher::take_fields(const request_head& head, call& out) const {
  request& asked = out.asked;
  for (const head_field& field : head.fields) {
    if (equals_lower(field.name, "reeve-min-position")) {
      asked.min_position = parse_position(field.value);
      if (!asked.min_position) return malformed("Reeve-Min-Position");
    } else if (equals_lower(field.name, "last-event-id")) {
      asked.last_event_id = field.value;
    } else if (equals_lower(field.name, "idempotency-key") && changes_something(asked.method)) {
      const auto key = idempotency_key(field.value);
      if (!key) return malformed("Idempotency-Key");
      asked.idempotency_key = *key;
    }
  }
  if (auto tags = head.list("if-match"); tags && changes_something(asked.method)) {
    if (!valid_etag_list(*tags)) return malformed("If-Match");
    asked.if_match = *std::move(tags);
  }
  if (auto tags = head.list("if-none-match"); tags && valid_etag_list(*tags)) {
    asked.if_none_match = out.if_none_match = *std::move(tags);
  }
  return std::nullopt;
}

/// W3C: a malformed one is as if there were none. It is no list, so two are malformed. Refusals are
/// part of the trace as well.
void dispatcher::take_trace(const request_head& head, call& out) {
  const auto given = head.list("traceparent");
  auto trace = given ? traceparent_of(*given) : std::nullopt;
  if (!trace) return;
  out.traceresponse = traceresponse_to(*trace, out.request_id);
  out.asked.traceparent = *std::move(trace);
}

/// A field on which a client relies is minded or refused, never ignored, also where RFC 9110 would
/// have it ignored (decision 21). Of reads none was taken. If-Unmodified-Since beside an If-Match
/// is for servers that do not know the latter (section 13.1.4).
std::optional<rejection> dispatcher::check_promises(const request_head& head,
                                                    const call& it) const {
  if (!it.to->takes_key && !it.asked.idempotency_key.empty()) {
    return reject(errc::invalid, "requests to this resource are not known again by a key",
                  "/headers/Idempotency-Key");
  }
  if (!it.to->minds_if_match && !it.asked.if_match.empty()) {
    return reject(errc::precondition_failed, "this request changes no resource that If-Match names",
                  "/headers/If-Match");
  }
  if (!changes_something(it.asked.method)) return std::nullopt;
  if (head.list("if-none-match")) {
    return reject(errc::precondition_failed, "writes mind no If-None-Match",
                  "/headers/If-None-Match");
  }
  if (it.asked.if_match.empty() && head.list("if-unmodified-since")) {
    return reject(errc::precondition_failed, "writes mind If-Match, not If-Unmodified-Since",
                  "/headers/If-Unmodified-Since");
  }
  return std::nullopt;
}

bool dispatcher::has_room_for(const route& to) const {
  return is_probe(to) || in_flight() < limits_.in_flight;
}

share_verdict dispatcher::enter(const call& it, std::string_view address, share& pass) {
  share_holder who{std::nullopt, address};
  if (it.to->needs != access::anonymous) who.token = it.asked.who.token_id;
  const auto verdict = in_flight_.take(who, 1, pass);
  return is_probe(*it.to) ? share_verdict::granted : verdict;
}

bool dispatcher::run(call& it, wiped_text body, const responder& slot) {
  if (it.to->method == method::post) it.asked.body_digest = sha256(body);
  it.asked.body = std::move(body);
  it.who = it.asked.who;
  try {
    it.to->handle(std::move(it.asked), slot);
    return true;
  } catch (...) {
    slot.answer(reject(errc::internal, "a handler threw"));
    return false;
  }
}

response dispatcher::finish(const call& it, outcome<response> answer) {
  if (!answer) {
    const rejection& why = answer.error();
    if (why.code == errc::internal) {
      log_error("a request failed", {{"request_id", it.request_id}, {"detail", why.detail}});
    }
    // A job's token that its attempt is over for is told by the handler.
    const bool is_over = it.from == listener::jobs && status_of(why.code) == 401;
    if (is_over || status_of(why.code) == 403) deny({why.code, it.who, {}, {}}, it);
    return problem(why, it.request_id);
  }
  response made = std::move(answer).value();
  bool safe = safe_header("content-type", made.content_type);
  for (const auto& [name, value] : made.headers) safe = safe && safe_header(name, value);
  if (!safe) {
    log_error("an answer had an unsafe header field", {{"request_id", it.request_id}});
    return problem(reject(errc::internal, ""), it.request_id);
  }
  if (made.status == 204) made.body.reset();
  const bool reads = it.to && it.to->method == method::get;
  if (reads && made.status == 200 && !it.if_none_match.empty()) {
    const std::string_view etag = header_of(made, "etag");
    if (!etag.empty() && etag_listed(it.if_none_match, etag)) {
      made.status = 304;
      made.body.reset();
      made.stream.reset();
    }
  }
  return made;
}

response dispatcher::refuse(const rejection& why, call* it) {
  const std::string id = to_string(ids_.next());
  if (it != nullptr) it->request_id = id;
  return problem(why, id);
}

}  // namespace reeve::api
