#include "api/routes/common.hpp"
#include "api/routes/views.hpp"
#include "api/services.hpp"
#include "base/bound_cursor.hpp"

#include <algorithm>

namespace reeve::api {
namespace {

using persistence::event_query;

/// An auditor may name any tenant or none; everybody else has his own, and another is 404.
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

struct asked_events {
  event_query query;
  list_parts list;
  std::string lower = "after";  // the name of what `query.after` was taken from
};

/// What was asked for, however it was spelled. `after` and `before` are no part of it: they are
/// places as well, and of two the narrower holds.
list_parts parts_of(const event_query& query) {
  list_parts parts{"events", query.newest_first ? "desc" : "asc",
                   query.tenant ? to_string(*query.tenant) : "all"};
  const auto add = [&parts](const char* name, const std::string& value) {
    parts.push_back(std::string(name).append("=").append(value));
  };
  if (query.stream) add("stream", *query.stream);
  if (query.type) add("type", *query.type);
  if (query.principal) add("principal", *query.principal);
  if (query.correlation_id) add("correlation_id", to_string(*query.correlation_id));
  if (query.from_us) add("from", std::to_string(*query.from_us));
  if (query.to_us) add("to", std::to_string(*query.to_us));
  return parts;
}

/// `cursor` holds the last position of the former page. It goes on within `after` and `before`.
outcome<done> add_bounds(const request& r, asked_events& asked) {
  auto& query = asked.query;
  auto after = number_of(r, "after");
  if (!after) return after.error();
  query.after = after->value_or(0);
  auto before = number_of(r, "before");
  if (!before) return before.error();
  query.before = *before;
  const auto cursor = r.query_value("cursor").value_or("");
  if (cursor.empty()) return done{};
  const auto text = place_in(asked.list, cursor);
  const auto place = text ? parse_number(*text) : std::nullopt;
  if (!place) return reject(errc::invalid, "the cursor is not one of this list", "/query/cursor");
  if (query.newest_first) {
    query.before = std::min(query.before.value_or(*place), *place);
  } else if (*place > query.after) {
    query.after = *place;
    asked.lower = "cursor";
  }
  return done{};
}

outcome<done> add_range(const request& r, event_query& query) {
  auto from = time_of(r, "from");
  if (!from) return from.error();
  query.from_us = *from;
  auto to = time_of(r, "to");
  if (!to) return to.error();
  query.to_us = *to;
  auto limit = number_of(r, "limit");
  if (!limit) return limit.error();
  const auto most = limit->value_or(50);
  if (most < 1 || most > 500) return reject(errc::invalid, "limit is 1..500", "/query/limit");
  query.limit = static_cast<int>(most);
  return done{};
}

outcome<asked_events> query_of(const request& r) {
  asked_events asked;
  auto& query = asked.query;
  query.asked_by = r.who.token_id;
  auto tenant = tenant_of(r);
  if (!tenant) return tenant.error();
  query.tenant = *tenant;
  query.reader = domain::reader_of(r.who.has);
  query.stream = text_of(r, "stream");
  query.type = text_of(r, "type");
  query.principal = text_of(r, "principal");
  auto correlation = uuid_of(r, "correlation_id");
  if (!correlation) return correlation.error();
  query.correlation_id = *correlation;
  if (const auto order = r.query_value("order")) {
    if (*order != "asc" && *order != "desc") {
      return reject(errc::invalid, "order is asc or desc", "/query/order");
    }
    query.newest_first = *order == "desc";
  }
  if (auto ok = add_range(r, query); !ok) return ok.error();
  asked.list = parts_of(query);
  if (auto ok = add_bounds(r, asked); !ok) return ok.error();
  return asked;
}

std::string page_json(const persistence::event_page& page, const list_parts& list) {
  std::string text = "{\"head\":" + std::to_string(page.head) + ",\"next\":";
  if (page.next) {
    text += "\"" + cursor_in(list, std::to_string(*page.next)) + "\"";
  } else {
    text += "null";
  }
  text += ",\"results\":[";
  for (std::size_t i = 0; i < page.events.size(); ++i) {
    if (i > 0) text += ',';
    text += page.events[i].json;
  }
  return text + "]}";
}

void list_events(services& s, const request& r, const responder& answer) {
  auto asked = query_of(r);
  if (!asked) return answer.answer(asked.error());
  using page_answer = outcome<persistence::event_page>;
  s.reads->events(std::move(asked->query),
                  reply_slot<persistence::event_page>(
                      [answer, list = asked->list, lower = asked->lower](page_answer page) {
                        if (page) {
                          answer.answer(json_response(200, page_json(*page, list)));
                          return;
                        }
                        auto why = page.error();
                        if (why.field == "/after") why.field = "/query/" + lower;
                        answer.answer(std::move(why));
                      }));
}

void show_event(services& s, const request& r, const responder& answer) {
  const auto at = parse_number(r.param("position"));
  if (!at || *at < 1) return answer.answer(no_such());
  auto tenant = tenant_of(r);
  if (!tenant) return answer.answer(tenant.error());
  s.reads->event(*tenant, *at, domain::reader_of(r.who.has), document_slot(answer));
}

/// Where a stream begins: after Last-Event-ID (a client that comes back), else after `after`, a
/// position or such an id, else after the head.
outcome<domain::position> start_of(const services& s, const request& r) {
  const auto head = s.reads->head();
  const auto after = r.query_value("after");
  const bool comes_back = !r.last_event_id.empty();
  if (!comes_back && !after) return head;
  const std::string field = comes_back ? "/headers/Last-Event-ID" : "/query/after";
  const std::string_view id = comes_back ? std::string_view(r.last_event_id) : *after;
  // A plain position is a choice; only who gives an event's id says which event it has seen.
  const bool is_id = comes_back || id.find('-') != id.npos;
  const auto number = parse_number(id);
  if (!is_id && !number) return reject(errc::invalid, "a position is a number", field);
  auto from = is_id ? s.feed->position_of(id) : outcome<domain::position>(*number);
  if (!from) return reject(from.error().code, from.error().detail, field);
  if (*from > head) {
    return reject(errc::position_ahead, "the position is beyond the head of the log", field);
  }
  return *from;
}

void stream(services& s, const request& r, const responder& answer) {
  auto tenant = tenant_of(r);
  if (!tenant) return answer.answer(tenant.error());
  auto from = start_of(s, r);
  if (!from) return answer.answer(from.error());
  feed_filter filter{*tenant, domain::reader_of(r.who.has), text_of(r, "stream"),
                     text_of(r, "type")};
  response made;
  made.content_type = "text/event-stream";
  made.headers.emplace_back("Cache-Control", "no-store");
  made.stream = s.feed->subscribe(std::move(filter), *from, r.who.token_id);
  answer.answer(std::move(made));
}

}  // namespace

std::vector<route> events_routes(services& s) {
  return {
      row(s, method::get, "/api/events", "List events of the log, by position", access::viewer,
          list_events)
          .gives(codec::json_schema<event_list>(), {200, 404})
          .has_no_etag()
          .query({"stream", "type", "tenant", "principal", "correlation_id", "after", "before",
                  "from", "to", "order", "limit", "cursor"}),
      row(s, method::get, "/api/events/{position}", "Show an event", access::viewer, show_event)
          .gives(codec::json_schema<event_view>())
          .query({"tenant"}),
      row(s, method::get, "/api/events/stream", "Events as they happen (SSE)", access::viewer,
          stream)
          .streams(R"({"type":"string"})", {200, 404})
          .query({"stream", "type", "tenant", "after"}),
  };
}

}  // namespace reeve::api
