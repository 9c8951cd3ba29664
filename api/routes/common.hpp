#pragma once
// What handlers of all resources do alike.

#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/command_port.hpp"
#include "api/route.hpp"
#include "codec/codec.hpp"
#include "codec/schema.hpp"
#include "persistence/read_ports.hpp"

namespace reeve::api {

inline response json_response(int status, std::string body) {
  response r;
  r.status = status;
  r.body = std::make_shared<const std::string>(std::move(body));
  return r;
}

/// `route` is "POST /api/…", as the idempotency key is kept under it.
inline command_meta meta_of(const request& r, std::string route) {
  command_meta m;
  m.who = r.who;
  m.route = std::move(route);
  m.idempotency_key = r.idempotency_key;
  m.body_digest = r.body_digest;
  m.correlation_id = r.correlation_id;
  m.traceparent = r.traceparent;
  return m;
}

/// Nothing = 404: an id that is none names nothing.
inline std::optional<uuid> id_param(const request& r, std::string_view name = "id") {
  return parse_uuid(r.param(name));
}

inline rejection no_such() { return reject(errc::not_found, "there is no such resource"); }

template <class T>
outcome<T> body_of(const request& r) {
  if (r.body.empty()) return codec::decode_text<T>("{}");
  return codec::decode_text<T>(r.body);
}

/// The slot of a read whose document is the answer.
inline reply_slot<persistence::document> document_slot(const responder& answer) {
  return reply_slot<persistence::document>([answer](outcome<persistence::document> d) {
    if (!d) return answer.answer(d.error());
    response r;
    r.body = d->body;
    r.headers.emplace_back("ETag", d->etag);
    answer.answer(std::move(r));
  });
}

/// Adds what every successful write says.
inline response written(int status, std::string body, domain::position at) {
  auto r = json_response(status, std::move(body));
  if (at > 0) r.headers.emplace_back("Reeve-Position", std::to_string(at));
  return r;
}

/// The schema of a list whose rows are `Row`.
template <class Row>
std::string list_schema() {
  return R"({"additionalProperties":false,"properties":{"next":{"type":["string","null"]},)"
         R"("results":{"items":)" +
         codec::json_schema<Row>() + R"(,"type":"array"}},"required":["results","next"],)" +
         R"("type":"object"})";
}

/// `limit` and `cursor` of a list.
outcome<done> page_of(const request& r, persistence::list_query& query);
/// 0..2^62 in decimal; `invalid` with the query's name.
outcome<std::optional<std::int64_t>> number_of(const request& r, std::string_view name);
outcome<std::optional<time_us>> time_of(const request& r, std::string_view name);
/// "3", W/"3" or 3: the version that If-Match names; nothing without the field.
outcome<std::optional<domain::version>> version_of_if_match(const request& r);

/// Bytes of a blob as a stream, read piece by piece.
std::shared_ptr<body_stream> blob_stream(persistence::read_port& reads, uuid tenant,
                                         const digest& sha256, std::int64_t bytes);

}  // namespace reeve::api
