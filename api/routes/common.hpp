#pragma once
// What handlers of all resources do alike.

#include "actors/command_port.hpp"
#include "api/route.hpp"
#include "codec/codec.hpp"
#include "codec/schema.hpp"
#include "persistence/read_port.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace reeve::api {

struct services;

/// What a route does; a plain function, so that nothing but the services is shared.
using action = void (*)(services&, const request&, const responder&);

/// A row of the route table, one call a property.
class row {
 public:
  row(services& s, api::method verb, std::string pattern, std::string summary, access needs,
      action act);
  /// The JSON Schema of the body.
  row& takes(std::string schema);
  /// The JSON Schema of the answer, and its status besides the errors of every route.
  row& gives(std::string schema, std::vector<int> statuses = {200});
  row& query(std::vector<std::string> names);
  /// What the description says of a parameter of the path or the query, or of a member of the body,
  /// that no other route has; the others stand in api/parameter_texts.cpp and body_texts.cpp.
  row& says(std::string name, std::string text);
  /// A write of one resource as it was read: its handler asks `matching`.
  row& minds_if_match();
  /// A write whose repeats are not known again by their key.
  row& takes_no_key();
  /// A read whose answer is made for the moment: it has no ETag, and 304 never answers it.
  row& has_no_etag();
  /// A call that goes on to somebody else (`route::relays`), with a body of at most so many bytes.
  /// None is known again by its key.
  row& relays(std::size_t most_body_bytes);
  /// The answer is an endless stream of this schema, which no ETag names.
  row& streams(std::string schema, std::vector<int> statuses = {200});
  operator route() const { return made_; }

 private:
  route made_;
};

response json_response(int status, std::string body);

/// A strong validator of a rendered document, the same one that reads of it carry.
std::string etag_of(std::string_view body);

/// Who asks, and under which key. A key stands for the path and the canonical body together: used
/// again for another resource or with another meaning it is refused, with another spelling it is
/// not.
actors::command_context context_of(services& s, const request& r);
/// The same where the body may not be read for it: its digest, and that of the key, are left out.
actors::command_context context_without_body(services& s, const request& r);

/// Nothing = 404: an id that is none names nothing.
inline std::optional<uuid> id_param(const request& r, std::string_view name = "id") {
  return parse_uuid(r.param(name));
}

inline rejection no_such() {
  return reject(errc::not_found, "there is no such resource");
}

/// No body is as good as `{}`.
template <class T>
outcome<T> body_of(const request& r) {
  if (r.body.empty()) return codec::decode_text<T>("{}");
  return codec::decode_text<T>(r.body);
}

/// The body of requests that say everything with their path.
struct nothing {
  static constexpr auto fields() { return std::tuple<>{}; }
};

/// The slot of a read whose document is the answer.
reply_slot<persistence::document> document_slot(const responder& answer);
/// The same for a list; what is wrong with a filter or cursor is told as of the query.
reply_slot<persistence::document> list_slot(const responder& answer);

/// What the journal says of an event that is too large, said of the field that made it so.
rejection of_field(rejection why, std::string_view pointer);

/// Adds what every successful write says.
response written(int status, std::string body, domain::position at);
/// The same for an answer that is the resource's document itself: with its ETag.
response written_document(int status, std::string body, domain::position at);

/// The schema of a list whose rows are `Row`.
template <class Row>
std::string list_schema() {
  return R"({"additionalProperties":false,"properties":{"next":{"description":)"
         R"("`cursor` of the next page; null on the last one, and on no other, however few rows )"
         R"(a page has.","type":["string","null"]},"results":{"items":)" +
         codec::json_schema<Row>() + R"(,"type":"array"}},"required":["results","next"],)" +
         R"("type":"object"})";
}

/// 0..2^62 in decimal.
std::optional<std::int64_t> parse_number(std::string_view text);
/// `limit` and `cursor` of a list, and who asks for it.
outcome<done> page_of(const request& r, persistence::list_query& query);
/// `invalid` with the query's name, as the next three.
outcome<std::optional<std::int64_t>> number_of(const request& r, std::string_view name);
outcome<std::optional<time_us>> time_of(const request& r, std::string_view name);
/// What is wrong with a query's value that is no time; says %2B where its plus became a space.
rejection no_time(const request& r, std::string_view name, std::string detail);
outcome<std::optional<uuid>> uuid_of(const request& r, std::string_view name);
/// Adds an equality filter on a column of that name, whose values are true and false.
outcome<done> add_flag(const request& r, const char* name, persistence::list_query& query);

using document_read = std::function<void(reply_slot<persistence::document>)>;

/// For `command_context::before`: the document is there and its ETag is one that If-Match names,
/// else 404 or 412. Empty without If-Match. The command is then decided on the very state that this
/// was asked of; only what the document shows of other streams (token totals) may have moved since.
std::function<void(reply_slot<done>)> matching(const request& r, document_read read);

/// Tells what is wrong with a request about a resource if that is there: 404 comes first.
void refuse(const document_read& read, const responder& answer, rejection why);

/// Documents hold more values than a request may: 100 tasks with all their attempts and artifacts.
codec::json_limits document_limits();

/// Bytes of a blob as a stream, read piece by piece.
std::shared_ptr<body_stream> blob_stream(persistence::read_port& reads, uuid tenant,
                                         const digest& sha256, std::int64_t bytes);

}  // namespace reeve::api
