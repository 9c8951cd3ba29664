#include "api/routes/common.hpp"
#include "api/services.hpp"
#include "api/task_json.hpp"

namespace reeve::api {
namespace {

using persistence::collection;
using directive_slot = actors::state_slot<domain::directive_state>;
using directive_answer = outcome<actors::executed<domain::directive_state>>;

/// The ETag of a directive is the version of its stream, so that what a reader got can stand in
/// If-Match. Each version of the directive is one event, and archiving, the last one, is another.
std::string version_tag(domain::version version) {
  return "\"" + std::to_string(version) + "\"";
}

directive_slot answer_with(int status, const responder& answer) {
  return directive_slot([status, answer](directive_answer r) {
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

document_read reading(services& s, const request& r, const uuid& id) {
  return [&s, tenant = r.who.tenant, id](auto slot) {
    s.reads->get(collection::directives, tenant, to_string(id), slot);
  };
}

void create_directive(services& s, const request& r, const responder& answer) {
  auto spec = spec_of(r);
  if (!spec) return answer.answer(spec.error());
  s.commands->execute(context_of(s, r),
                      domain::create_directive{s.ids->next(), std::move(*spec), false},
                      answer_with(201, answer));
}

/// Goes on if the directive is there: 404 comes before whatever is wrong with the request.
void with_directive(services& s, const request& r, const responder& answer,
                    std::function<void(uuid)> go) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  reading(s, r, *id)(reply_slot<persistence::document>(
      [answer, id, go = std::move(go)](outcome<persistence::document> d) {
        if (!d) return answer.answer(d.error());
        go(*id);
      }));
}

/// Only the tag of a directive's newest state: what If-Match is compared with.
document_read tag_of(services& s, const request& r, const uuid& id) {
  return [&s, tenant = r.who.tenant, id](auto slot) {
    s.commands->fetch(tenant, id, directive_slot([slot](directive_answer found) {
                        if (!found) return slot.answer(found.error());
                        const auto version = found->state->stream_version;
                        if (version == 0) return slot.answer(no_such());
                        slot.answer(persistence::document{{}, version_tag(version)});
                      }));
  };
}

void change(services& s, const request& r, const responder& answer,
            domain::command_of<domain::directive_state> command, const uuid& id) {
  auto context = context_of(s, r);
  context.before = matching(r, tag_of(s, r, id));
  s.commands->execute(std::move(context), std::move(command), answer_with(200, answer));
}

void revise(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  auto spec = spec_of(r);
  if (!spec) return refuse(reading(s, r, *id), answer, spec.error());
  change(s, r, answer, domain::revise_directive{*id, std::move(*spec)}, *id);
}

void archive(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  if (auto ok = body_of<nothing>(r); !ok) return refuse(reading(s, r, *id), answer, ok.error());
  change(s, r, answer, domain::archive_directive{*id}, *id);
}

void show_directive(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  s.commands->fetch(r.who.tenant, *id, directive_slot([answer](directive_answer found) {
                      if (!found) return answer.answer(found.error());
                      const auto& state = *found->state;
                      if (state.stream_version == 0) return answer.answer(no_such());
                      auto made =
                          json_response(200, codec::encode_document(domain::document_of(state)));
                      made.headers.emplace_back("ETag", version_tag(state.stream_version));
                      answer.answer(std::move(made));
                    }));
}

void list_directives(services& s, const request& r, const responder& answer) {
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

std::vector<route> directives_routes(services& s) {
  const auto one = codec::json_schema<domain::directive_document>();
  const auto many = list_schema<domain::directive_document>();
  const auto body = codec::json_schema<directive_body>();
  const std::string all = "/api/directives";
  const std::string each = all + "/{id}";
  return {
      row(s, method::post, all, "Create a directive", access::operator_, create_directive)
          .takes(body)
          .gives(one, {201}),
      row(s, method::get, all, "List directives, newest first", access::viewer, list_directives)
          .gives(many)
          .query({"name", "is_archived", "limit", "cursor"}),
      row(s, method::get, each, "Show the newest version of a directive", access::viewer,
          show_directive)
          .gives(one),
      row(s, method::put, each, "Make a new version of a directive", access::operator_, revise)
          .takes(body)
          .gives(one, {200, 409})
          .minds_if_match(),
      row(s, method::post, each + "/versions", "Make a new version of a directive",
          access::operator_, revise)
          .takes(body)
          .gives(one, {200, 409})
          .minds_if_match(),
      row(s, method::get, each + "/versions", "List the versions of a directive", access::viewer,
          versions)
          .gives(many)
          .query({"limit", "cursor"}),
      row(s, method::get, each + "/versions/{version}", "Show one version of a directive",
          access::viewer, show_version)
          .gives(one),
      row(s, method::post, each + "/archive",
          "Archive a directive: nothing is launched from it any more", access::operator_, archive)
          .gives(one, {200, 409})
          .minds_if_match(),
  };
}

}  // namespace reeve::api
