#include "api/routes/common.hpp"
#include "api/services.hpp"

namespace reeve::api {
namespace {

using persistence::event_query;

/// An auditor may name any tenant or none; everybody else has his own.
outcome<std::optional<uuid>> tenant_of(const request& r) {
  const auto named = r.query_value("tenant");
  if (r.who.has != role::auditor) {
    if (named && parse_uuid(*named) != r.who.tenant) return no_such();
    return std::optional<uuid>(r.who.tenant);
  }
  if (!named) return std::optional<uuid>();
  const auto id = parse_uuid(*named);
  if (!id) return reject(errc::invalid, "an id is a UUID", "/query/tenant");
  return std::optional<uuid>(*id);
}

std::optional<std::string> text_of(const request& r, std::string_view name) {
  const auto value = r.query_value(name);
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

outcome<done> add_range(const request& r, event_query& query) {
  auto after = number_of(r, "after");
  auto before = number_of(r, "before");
  auto limit = number_of(r, "limit");
  auto from = time_of(r, "from");
  auto to = time_of(r, "to");
  for (const auto* e : {after ? nullptr : &after.error(), before ? nullptr : &before.error(),
                        limit ? nullptr : &limit.error()}) {
    if (e != nullptr) return *e;
  }
  if (!from) return from.error();
  if (!to) return to.error();
  query.after = after->value_or(0);
  query.before = before->value_or(0);
  query.from_us = *from;
  query.to_us = *to;
  const auto most = limit->value_or(50);
  if (most < 1 || most > 500) return reject(errc::invalid, "limit is 1..500", "/query/limit");
  query.limit = static_cast<int>(most);
  return done{};
}

outcome<event_query> query_of(const request& r) {
  event_query query;
  auto tenant = tenant_of(r);
  if (!tenant) return tenant.error();
  query.tenant = *tenant;
  query.stream = text_of(r, "stream");
  query.type = text_of(r, "type");
  query.principal = text_of(r, "principal");
  if (const auto id = r.query_value("correlation_id")) {
    query.correlation_id = parse_uuid(*id);
    if (!query.correlation_id) {
      return reject(errc::invalid, "an id is a UUID", "/query/correlation_id");
    }
  }
  if (const auto order = r.query_value("order")) {
    if (*order != "asc" && *order != "desc") {
      return reject(errc::invalid, "order is asc or desc", "/query/order");
    }
    query.newest_first = *order == "desc";
  }
  if (auto ok = add_range(r, query); !ok) return ok.error();
  return query;
}

/// The cursor of events is a position: `next` goes into `after`, or `before` in descending order.
std::string page_json(const persistence::event_page& page) {
  std::string text = "{\"head\":" + std::to_string(page.head) + ",\"next\":";
  const bool more = page.more && !page.events.empty();
  text += more ? "\"" + std::to_string(page.events.back().at) + "\"" : std::string("null");
  text += ",\"results\":[";
  for (std::size_t i = 0; i < page.events.size(); ++i) {
    if (i > 0) text += ',';
    text += page.events[i].json;
  }
  return text + "]}";
}

void list(services& s, const request& r, const responder& answer) {
  auto query = query_of(r);
  if (!query) return answer.answer(query.error());
  s.reads->events(std::move(*query), reply_slot<persistence::event_page>(
                                         [answer](outcome<persistence::event_page> page) {
                                           if (!page) return answer.answer(page.error());
                                           answer.answer(json_response(200, page_json(*page)));
                                         }));
}

void show(services& s, const request& r, const responder& answer) {
  const auto text = r.param("position");
  std::int64_t at = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), at);
  if (error != std::errc{} || end != text.data() + text.size() || at < 1) {
    return answer.answer(no_such());
  }
  auto tenant = tenant_of(r);
  if (!tenant) return answer.answer(tenant.error());
  s.reads->event(*tenant, at, document_slot(answer));
}

void stream(services& s, const request& r, const responder& answer) {
  auto tenant = tenant_of(r);
  if (!tenant) return answer.answer(tenant.error());
  auto after = number_of(r, "after");
  if (!after) return answer.answer(after.error());
  domain::position from = after->value_or(s.reads->head());
  if (!r.last_event_id.empty()) {
    std::int64_t at = 0;
    const auto* last = r.last_event_id.data() + r.last_event_id.size();
    const auto [end, error] = std::from_chars(r.last_event_id.data(), last, at);
    if (error != std::errc{} || end != last || at < 0) {
      return answer.answer(
          reject(errc::invalid, "Last-Event-ID is a position", "/headers/Last-Event-ID"));
    }
    from = at;
  }
  if (from > s.reads->head()) {
    return answer.answer(reject(errc::position_ahead, "the position is beyond the head of the log",
                                "/query/after"));
  }
  feed_filter filter{*tenant, text_of(r, "stream"), text_of(r, "type")};
  response made;
  made.content_type = "text/event-stream";
  made.headers.emplace_back("Cache-Control", "no-store");
  made.stream = s.feed->subscribe(std::move(filter), from);
  answer.answer(std::move(made));
}

}  // namespace

std::vector<route> event_routes(services& s) {
  const std::string object = R"({"type":"object"})";
  std::vector<route> all;
  all.push_back({method::get, "/api/events", "Read the log", access::viewer, "", object,
                 {"stream", "type", "tenant", "principal", "correlation_id", "after", "before",
                  "from", "to", "order", "limit"},
                 {200}, [&s](request r, responder a) { list(s, r, a); }});
  all.push_back({method::get, "/api/events/{position}", "Show an event", access::viewer, "", object,
                 {"tenant"}, {200}, [&s](request r, responder a) { show(s, r, a); }});
  route live{method::get, "/api/events/stream", "Events as they happen (SSE)", access::viewer, "",
             "", {"stream", "type", "tenant", "after"}, {200},
             [&s](request r, responder a) { stream(s, r, a); }};
  live.streams = true;
  all.push_back(std::move(live));
  all.push_back({method::get, "/api/checkpoints", "Signed heads of the chain", access::viewer, "",
                 object, {"limit", "cursor"}, {200}, [&s](request r, responder a) {
                   persistence::list_query query;
                   query.what = persistence::collection::checkpoints;
                   query.tenant = r.who.tenant;
                   if (auto ok = page_of(r, query); !ok) return a.answer(ok.error());
                   s.reads->list(std::move(query), document_slot(a));
                 }});
  return all;
}

}  // namespace reeve::api
