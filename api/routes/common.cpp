#include "api/routes/common.hpp"

#include "api/header_values.hpp"
#include "api/router.hpp"
#include "api/services.hpp"
#include "base/time.hpp"

#include <algorithm>
#include <charconv>

namespace reeve::api {
namespace {

constexpr std::int64_t most_number = std::int64_t{1} << 62;

std::string pointer_of(std::string_view name) {
  return "/query/" + std::string(name);
}

/// The gateway asks for the next piece when the last one is written, so at most one is in memory.
class blob_reader final : public body_stream {
 public:
  blob_reader(persistence::read_port& reads, uuid tenant, const digest& sha256, std::int64_t bytes)
      : reads_(reads), tenant_(tenant), sha256_(sha256), bytes_(bytes) {}

  void next(reply_slot<std::string> slot) override {
    const auto left = bytes_ - offset_;
    if (left <= 0) return slot.answer(std::string());
    constexpr std::int64_t most = std::int64_t{256} * 1024;
    const auto size = std::min(left, most);
    const auto from = offset_;
    offset_ += size;
    reads_.blob(tenant_, sha256_, from, size, slot);
  }
  void cancel() override {}

 private:
  persistence::read_port& reads_;
  uuid tenant_;
  digest sha256_;
  std::int64_t bytes_;
  std::int64_t offset_ = 0;
};

}  // namespace

row::row(services& s, api::method verb, std::string pattern, std::string summary, access needs,
         action act) {
  made_.method = verb;
  made_.pattern = std::move(pattern);
  made_.summary = std::move(summary);
  made_.needs = needs;
  made_.statuses = {200};
  made_.handle = [&s, act, label = std::string(name_of(verb)) + " " + made_.pattern](
                     request r, const responder& answer) {
    r.route = label;
    act(s, r, answer);
  };
}

row& row::takes(std::string schema) {
  made_.request_schema = std::move(schema);
  return *this;
}

row& row::gives(std::string schema, std::vector<int> statuses) {
  made_.response_schema = std::move(schema);
  made_.statuses = std::move(statuses);
  return *this;
}

row& row::query(std::vector<std::string> names) {
  made_.query_names = std::move(names);
  return *this;
}

row& row::says(std::string name, std::string text) {
  made_.parameter_texts.emplace_back(std::move(name), std::move(text));
  return *this;
}

row& row::minds_if_match() {
  made_.minds_if_match = true;
  return *this;
}

row& row::takes_no_key() {
  made_.takes_key = false;
  return *this;
}

row& row::has_no_etag() {
  made_.has_etag = false;
  return *this;
}

row& row::relays(std::size_t most_body_bytes) {
  made_.relays = true;
  made_.max_body_bytes = most_body_bytes;
  return takes_no_key();
}

row& row::streams(std::string schema, std::vector<int> statuses) {
  made_.streams = true;
  return gives(std::move(schema), std::move(statuses)).has_no_etag();
}

response json_response(int status, std::string body) {
  response r;
  r.status = status;
  r.body = std::make_shared<const std::string>(std::move(body));
  return r;
}

std::string etag_of(std::string_view body) {
  const auto hash = sha256(body);
  return "\"" + to_hex(as_view(hash).substr(0, 16)) + "\"";
}

namespace {

/// The path with its ids in the one form that they have elsewhere: one in upper case names the same
/// resource.
std::string meant_path(std::string_view path) {
  std::string meant;
  while (!path.empty()) {
    const auto end = std::min(path.find('/', 1), path.size());
    const auto segment = path.substr(0, end);
    const auto id = parse_uuid(segment.substr(1));
    meant += id ? "/" + to_string(*id) : std::string(segment);
    path.remove_prefix(end);
  }
  return meant;
}

/// No body says what `{}` says. One that is no JSON is refused before its key is looked up.
digest meaning_of(const request& r) {
  const auto text = codec::canonical(r.body.empty() ? std::string_view("{}") : r.body.view());
  const auto body = sha256(text ? std::string_view(*text) : r.body.view());
  return r.params.empty() ? body : sha256(meant_path(r.path) + "\n" + std::string(as_view(body)));
}

}  // namespace

actors::command_context context_without_body(services& s, const request& r) {
  actors::command_context c;
  c.tenant = r.who.tenant;
  c.meta.principal = r.who.principal;
  c.meta.command_id = s.ids->next();
  c.meta.correlation_id = r.correlation_id;
  c.meta.traceparent = r.traceparent;
  if (!r.idempotency_key.empty()) {
    c.command =
        persistence::command_key{r.who.tenant, r.who.principal, r.route, r.idempotency_key, {}};
  }
  return c;
}

actors::command_context context_of(services& s, const request& r) {
  auto c = context_without_body(s, r);
  c.meta.request_digest = r.method == method::post ? r.body_digest : sha256(r.body);
  if (c.command) c.command->request_digest = meaning_of(r);
  return c;
}

reply_slot<persistence::document> document_slot(const responder& answer) {
  return reply_slot<persistence::document>([answer](outcome<persistence::document> d) {
    if (!d) return answer.answer(d.error());
    response r;
    r.body = d->body;
    r.headers.emplace_back("ETag", d->etag);
    answer.answer(std::move(r));
  });
}

reply_slot<persistence::document> list_slot(const responder& answer) {
  const auto rest = document_slot(answer);
  return reply_slot<persistence::document>([rest](outcome<persistence::document> d) {
    if (d || d.error().code != errc::invalid) return rest.answer(std::move(d));
    auto why = d.error();
    why.field = "/query" + why.field;
    rest.answer(std::move(why));
  });
}

rejection of_field(rejection why, std::string_view pointer) {
  if (why.code != errc::invalid || why.field != "/payload") return why;
  return reject(errc::invalid, "this is too large for one event: its " + why.detail,
                std::string(pointer));
}

response written(int status, std::string body, domain::position at) {
  auto r = json_response(status, std::move(body));
  if (at > 0) r.headers.emplace_back("Reeve-Position", std::to_string(at));
  return r;
}

response written_document(int status, std::string body, domain::position at) {
  auto etag = etag_of(body);
  auto r = written(status, std::move(body), at);
  r.headers.emplace_back("ETag", std::move(etag));
  return r;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = end == text.data() + text.size() && !text.empty();
  if (error != std::errc{} || !whole || number < 0 || number > most_number) return std::nullopt;
  return number;
}

outcome<std::optional<std::int64_t>> number_of(const request& r, std::string_view name) {
  const auto text = r.query_value(name);
  if (!text) return std::optional<std::int64_t>();
  const auto number = parse_number(*text);
  if (!number) return reject(errc::invalid, "a whole number is needed", pointer_of(name));
  return std::optional<std::int64_t>(*number);
}

rejection no_time(const request& r, std::string_view name, std::string detail) {
  auto text = std::string(r.query_value(name).value_or(""));
  const auto space = text.rfind(' ');
  if (space != text.npos) text[space] = '+';
  if (space != text.npos && parse_time(text)) {
    detail += "; a + in a query is a space: write the + of the offset as %2B";
  }
  return reject(errc::invalid, std::move(detail), pointer_of(name));
}

outcome<std::optional<time_us>> time_of(const request& r, std::string_view name) {
  const auto text = r.query_value(name);
  if (!text) return std::optional<time_us>();
  const auto at = parse_time(*text);
  if (!at) return no_time(r, name, "an RFC 3339 time is needed");
  return std::optional<time_us>(*at);
}

outcome<std::optional<uuid>> uuid_of(const request& r, std::string_view name) {
  const auto text = r.query_value(name);
  if (!text) return std::optional<uuid>();
  const auto id = parse_uuid(*text);
  if (!id) return reject(errc::invalid, "an id is a UUID", pointer_of(name));
  return std::optional<uuid>(*id);
}

outcome<done> add_flag(const request& r, const char* name, persistence::list_query& query) {
  const auto text = r.query_value(name);
  if (!text) return done{};
  if (*text != "true" && *text != "false") {
    return reject(errc::invalid, "true or false is needed", pointer_of(name));
  }
  query.equals.emplace_back(name, *text);
  return done{};
}

outcome<done> page_of(const request& r, persistence::list_query& query) {
  query.asked_by = r.who.token_id;
  auto limit = number_of(r, "limit");
  if (!limit) return limit.error();
  if (*limit) {
    if (**limit < 1 || **limit > 500) {
      return reject(errc::invalid, "limit is 1..500", pointer_of("limit"));
    }
    query.limit = static_cast<int>(**limit);
  }
  if (const auto cursor = r.query_value("cursor")) query.cursor = std::string(*cursor);
  return done{};
}

std::function<void(reply_slot<done>)> matching(const request& r, document_read read) {
  if (r.if_match.empty()) return {};
  return [wanted = r.if_match, read = std::move(read)](reply_slot<done> slot) {
    read(reply_slot<persistence::document>([wanted, slot](outcome<persistence::document> d) {
      if (!d) return slot.answer(d.error());
      if (etag_matches(wanted, d->etag)) return slot.answer(done{});
      slot.answer(reject(errc::precondition_failed, "If-Match does not name the resource as it is",
                         "/headers/If-Match"));
    }));
  };
}

void refuse(const document_read& read, const responder& answer, rejection why) {
  read(reply_slot<persistence::document>(
      [answer, why](outcome<persistence::document> d) { answer.answer(d ? why : d.error()); }));
}

codec::json_limits document_limits() {
  codec::json_limits limits;
  limits.bytes = 64 << 20;
  limits.nodes = 1'000'000;
  return limits;
}

std::shared_ptr<body_stream> blob_stream(persistence::read_port& reads, uuid tenant,
                                         const digest& sha256, std::int64_t bytes) {
  return std::make_shared<blob_reader>(reads, tenant, sha256, bytes);
}

}  // namespace reeve::api
