#include "api/routes/common.hpp"
#include "api/services.hpp"
#include "api/task_json.hpp"
#include "domain/documents.hpp"

namespace reeve::api {
namespace {

using persistence::collection;
using directive_slot = command_port::slot<domain::directive_state>;

std::string version_tag(domain::version version) {
  return "\"" + std::to_string(version) + "\"";
}

directive_slot answer_with(int status, const responder& answer) {
  return directive_slot([status, answer](outcome<changed<domain::directive_state>> r) {
    // Everything else of a directive has small limits of its own.
    if (!r) return answer.answer(of_field(r.error(), "/tasks"));
    const auto& state = *r->state;
    auto made = written(status, codec::encode_document(domain::document_of(state)), r->at);
    made.headers.emplace_back("ETag", version_tag(state.stream_version));
    if (status == 201) {
      made.headers.emplace_back("Location", "/api/directives/" + to_string(state.id));
    }
    answer.answer(std::move(made));
  });
}

outcome<domain::directive_spec> spec_of(const request& r) {
  auto body = body_of<directive_body>(r);
  if (!body) return body.error();
  return decode_directive(*body, "");
}

void create(services& s, const request& r, const responder& answer) {
  auto spec = spec_of(r);
  if (!spec) return answer.answer(spec.error());
  s.commands->create_directive(meta_of(r, "POST /api/directives"), std::move(*spec),
                               answer_with(201, answer));
}

/// Goes on if the directive is there: 404 comes before whatever is wrong with the request.
void with_directive(services& s, const request& r, const responder& answer,
                    std::function<void(uuid)> go) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  s.reads->get(collection::directives, r.who.tenant, to_string(*id),
               reply_slot<persistence::document>(
                   [answer, id, go = std::move(go)](outcome<persistence::document> d) {
                     if (!d) return answer.answer(d.error());
                     go(*id);
                   }));
}

void revise(services& s, const request& r, const responder& answer, const char* route) {
  with_directive(s, r, answer, [&s, r, answer, route](uuid id) {
    auto spec = spec_of(r);
    if (!spec) return answer.answer(spec.error());
    auto version = version_of_if_match(r);
    if (!version) return answer.answer(version.error());
    auto meta = meta_of(r, route);
    meta.if_match = *version;
    s.commands->revise_directive(std::move(meta), id, std::move(*spec), answer_with(200, answer));
  });
}

void put(services& s, const request& r, const responder& answer) {
  revise(s, r, answer, "PUT /api/directives/{id}");
}

void add_version(services& s, const request& r, const responder& answer) {
  revise(s, r, answer, "POST /api/directives/{id}/versions");
}

void archive(services& s, const request& r, const responder& answer) {
  with_directive(s, r, answer, [&s, r, answer](uuid id) {
    if (auto ok = body_of<nothing>(r); !ok) return answer.answer(ok.error());
    auto version = version_of_if_match(r);
    if (!version) return answer.answer(version.error());
    auto meta = meta_of(r, "POST /api/directives/{id}/archive");
    meta.if_match = *version;
    s.commands->archive_directive(std::move(meta), id, answer_with(200, answer));
  });
}

/// The ETag of a directive is the version of its stream, so that what a reader got can stand in
/// If-Match. Each version of the directive is one event, and archiving, the last one, is another.
void show(services& s, const request& r, const responder& answer) {
  s.reads->get(collection::directives, r.who.tenant, std::string(r.param("id")),
               reply_slot<persistence::document>([answer](outcome<persistence::document> d) {
                 if (!d) return answer.answer(d.error());
                 const auto doc = codec::parse_strict(*d->body, document_limits());
                 const auto version = doc ? doc->root().find("version") : std::nullopt;
                 const auto archived = doc ? doc->root().find("is_archived") : std::nullopt;
                 if (!version || !archived) {
                   return answer.answer(reject(errc::internal, "the directive cannot be read"));
                 }
                 response made;
                 made.body = d->body;
                 made.headers.emplace_back(
                     "ETag", version_tag(version->as_int() + (archived->as_bool() ? 1 : 0)));
                 answer.answer(std::move(made));
               }));
}

void list(services& s, const request& r, const responder& answer) {
  persistence::list_query query;
  query.what = collection::directives;
  query.tenant = r.who.tenant;
  if (const auto name = r.query_value("name")) query.equals.emplace_back("name", *name);
  if (auto ok = add_flag(r, "is_archived", query); !ok) return answer.answer(ok.error());
  if (auto ok = page_of(r, query); !ok) return answer.answer(ok.error());
  s.reads->list(std::move(query), list_slot(answer));
}

void versions(services& s, const request& r, const responder& answer) {
  with_directive(s, r, answer, [&s, r, answer](uuid id) {
    persistence::list_query query;
    query.what = collection::directive_versions;
    query.tenant = r.who.tenant;
    query.equals.emplace_back("directive_id", to_string(id));
    if (auto ok = page_of(r, query); !ok) return answer.answer(ok.error());
    s.reads->list(std::move(query), list_slot(answer));
  });
}

void show_version(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  const auto version = parse_number(r.param("version"));
  if (!id || !version) return answer.answer(no_such());
  s.reads->get(collection::directive_versions, r.who.tenant,
               to_string(*id) + "-" + std::to_string(*version), document_slot(answer));
}

}  // namespace

std::vector<route> directive_routes(services& s) {
  const auto one = codec::json_schema<domain::directive_document>();
  const auto many = list_schema<domain::directive_document>();
  const auto body = codec::json_schema<directive_body>();
  const std::string all = "/api/directives";
  const std::string each = all + "/{id}";
  return {
      row(s, method::post, all, "Create a directive", access::operator_, create)
          .takes(body)
          .gives(one, {201}),
      row(s, method::get, all, "List directives, newest first", access::viewer, list)
          .gives(many)
          .query({"name", "is_archived", "limit", "cursor"}),
      row(s, method::get, each, "Show a directive", access::viewer, show).gives(one),
      row(s, method::put, each, "Make a new version", access::operator_, put)
          .takes(body)
          .gives(one, {200, 409, 412}),
      row(s, method::post, each + "/versions", "Make a new version", access::operator_, add_version)
          .takes(body)
          .gives(one, {200, 409, 412}),
      row(s, method::get, each + "/versions", "List the versions", access::viewer, versions)
          .gives(many)
          .query({"limit", "cursor"}),
      row(s, method::get, each + "/versions/{version}", "Show one version", access::viewer,
          show_version)
          .gives(one),
      row(s, method::post, each + "/archive", "Archive a directive", access::operator_, archive)
          .gives(one, {200, 409, 412}),
  };
}

}  // namespace reeve::api
