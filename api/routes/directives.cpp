#include "api/routes/common.hpp"
#include "api/services.hpp"
#include "api/task_json.hpp"
#include "domain/documents.hpp"

namespace reeve::api {
namespace {

using persistence::collection;
using directive_slot = command_port::slot<domain::directive_state>;

directive_slot answer_with(int status, const responder& answer) {
  return directive_slot([status, answer](outcome<changed<domain::directive_state>> r) {
    if (!r) return answer.answer(r.error());
    const auto& state = *r->state;
    auto made = written(status, codec::encode_document(domain::document_of(state)), r->at);
    made.headers.emplace_back("ETag", "\"" + std::to_string(state.stream_version) + "\"");
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

void revise(services& s, const request& r, const responder& answer, const char* route) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  auto spec = spec_of(r);
  if (!spec) return answer.answer(spec.error());
  auto version = version_of_if_match(r);
  if (!version) return answer.answer(version.error());
  auto meta = meta_of(r, route);
  meta.if_match = *version;
  s.commands->revise_directive(std::move(meta), *id, std::move(*spec), answer_with(200, answer));
}

void archive(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  s.commands->archive_directive(meta_of(r, "POST /api/directives/{id}/archive"), *id,
                                answer_with(200, answer));
}

void list(services& s, const request& r, const responder& answer) {
  persistence::list_query query;
  query.what = collection::directives;
  query.tenant = r.who.tenant;
  for (const char* name : {"name", "is_archived"}) {
    if (const auto value = r.query_value(name)) query.equals.emplace_back(name, *value);
  }
  if (auto ok = page_of(r, query); !ok) return answer.answer(ok.error());
  s.reads->list(std::move(query), document_slot(answer));
}

void versions(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  persistence::list_query query;
  query.what = collection::directive_versions;
  query.tenant = r.who.tenant;
  query.equals.emplace_back("directive_id", to_string(*id));
  if (auto ok = page_of(r, query); !ok) return answer.answer(ok.error());
  s.reads->list(std::move(query), document_slot(answer));
}

}  // namespace

std::vector<route> directive_routes(services& s) {
  const auto one = codec::json_schema<domain::directive_document>();
  const auto many = list_schema<domain::directive_document>();
  const auto body = codec::json_schema<directive_body>();
  std::vector<route> all;
  all.push_back({method::post, "/api/directives", "Create a directive", access::operator_, body, one,
                 {}, {201}, [&s](request r, responder a) { create(s, r, a); }});
  all.push_back({method::get, "/api/directives", "List directives", access::viewer, "", many,
                 {"name", "is_archived", "limit", "cursor"}, {200},
                 [&s](request r, responder a) { list(s, r, a); }});
  all.push_back({method::get, "/api/directives/{id}", "Show a directive", access::viewer, "", one,
                 {}, {200}, [&s](request r, responder a) {
                   s.reads->get(collection::directives, r.who.tenant, std::string(r.param("id")),
                                document_slot(a));
                 }});
  all.push_back({method::put, "/api/directives/{id}", "Make a new version", access::operator_, body,
                 one, {}, {200}, [&s](request r, responder a) {
                   revise(s, r, a, "PUT /api/directives/{id}");
                 }});
  all.push_back({method::post, "/api/directives/{id}/versions", "Make a new version",
                 access::operator_, body, one, {}, {200}, [&s](request r, responder a) {
                   revise(s, r, a, "POST /api/directives/{id}/versions");
                 }});
  all.push_back({method::get, "/api/directives/{id}/versions", "List the versions of a directive",
                 access::viewer, "", many, {"limit", "cursor"}, {200},
                 [&s](request r, responder a) { versions(s, r, a); }});
  all.push_back({method::get, "/api/directives/{id}/versions/{version}", "Show one version",
                 access::viewer, "", one, {}, {200}, [&s](request r, responder a) {
                   const auto id = std::string(r.param("id")) + "-" + std::string(r.param("version"));
                   s.reads->get(collection::directive_versions, r.who.tenant, id,
                                document_slot(a));
                 }});
  all.push_back({method::post, "/api/directives/{id}/archive", "Archive a directive",
                 access::operator_, "", one, {}, {200},
                 [&s](request r, responder a) { archive(s, r, a); }});
  return all;
}

}  // namespace reeve::api
