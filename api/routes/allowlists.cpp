#include "api/routes/common.hpp"
#include "api/services.hpp"

namespace reeve::api {
namespace {

using persistence::collection;

struct image_body {
  std::string reference;
  std::string reason;
  bool allow_host_network = false;
  bool allow_root = false;
  bool llm = false;
  static constexpr auto fields() {
    using domain::field;
    using domain::maybe;
    return std::tuple{field("reference", &image_body::reference),
                      maybe("reason", &image_body::reason),
                      maybe("allow_host_network", &image_body::allow_host_network),
                      maybe("allow_root", &image_body::allow_root), maybe("llm", &image_body::llm)};
  }
};

struct container_body {
  std::string name;
  std::optional<std::string> container_id;
  std::string reason;
  bool by_name = false;  // for whichever container has the name, also later
  static constexpr auto fields() {
    using domain::field;
    using domain::maybe;
    return std::tuple{
        field("name", &container_body::name), field("container_id", &container_body::container_id),
        maybe("reason", &container_body::reason), maybe("by_name", &container_body::by_name)};
  }
};

/// The entry of a command that is repeated under its key was the newest then.
template <class List>
actors::state_slot<List> answer_with(int status, uuid id, std::string path,
                                     const responder& answer) {
  return actors::state_slot<List>([=](outcome<actors::executed<List>> r) {
    if (!r) return answer.answer(r.error());
    const bool made_before = status == 201 && r->replayed;
    const auto* entry = r->state->find(made_before ? r->state->newest : id);
    if (entry == nullptr) return answer.answer(no_such());
    auto made =
        written_document(status, codec::encode_document(domain::document_of(*entry)), r->at);
    if (status == 201) {
      made.headers.emplace_back("Location", path + "/" + to_string(entry->what.id));
    }
    answer.answer(std::move(made));
  });
}

void allow_image(services& s, const request& r, const responder& answer) {
  auto body = body_of<image_body>(r);
  if (!body) return answer.answer(body.error());
  domain::allow_image allow;
  allow.entry.id = s.ids->next();
  allow.entry.reference = body->reference;
  allow.entry.reason = body->reason;
  allow.entry.allow_host_network = body->allow_host_network;
  if (body->allow_root) allow.entry.allow_root = true;
  if (body->llm) allow.entry.llm = true;
  const auto id = allow.entry.id;
  s.commands->execute(
      context_of(s, r), std::move(allow),
      answer_with<domain::image_list_state>(201, id, "/api/allowlists/images", answer));
}

void resolve_image(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  const auto read = [&s, tenant = r.who.tenant, id](auto slot) {
    s.reads->get(collection::image_allowlist, tenant, to_string(*id), slot);
  };
  if (auto ok = body_of<nothing>(r); !ok) return refuse(read, answer, ok.error());
  auto context = context_of(s, r);
  context.before = matching(r, read);
  s.commands->execute(std::move(context), domain::resolve_image{*id, {}},
                      answer_with<domain::image_list_state>(200, *id, "", answer));
}

void allow_container(services& s, const request& r, const responder& answer) {
  auto body = body_of<container_body>(r);
  if (!body) return answer.answer(body.error());
  domain::allow_container allow;
  allow.tenant = r.who.tenant;
  allow.entry.id = s.ids->next();
  allow.entry.name = body->name;
  allow.entry.container_id = body->container_id;
  allow.entry.reason = body->reason;
  allow.by_name = body->by_name;
  const auto id = allow.entry.id;
  s.commands->execute(
      context_of(s, r), std::move(allow),
      answer_with<domain::container_list_state>(201, id, "/api/allowlists/containers", answer));
}

template <collection What>
void list_entries(services& s, const request& r, const responder& answer) {
  persistence::list_query query;
  query.what = What;
  query.tenant = r.who.tenant;
  if (auto ok = add_flag(r, "is_active", query); !ok) return answer.answer(ok.error());
  if (auto ok = page_of(r, query); !ok) return answer.answer(ok.error());
  s.reads->list(std::move(query), list_slot(answer));
}

template <collection What>
void show_entry(services& s, const request& r, const responder& answer) {
  s.reads->get(What, r.who.tenant, std::string(r.param("id")), document_slot(answer));
}

/// DELETE and POST …/deactivate do the same under two names.
template <collection What, class List, class Deny>
void deny(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  const auto read = [&s, tenant = r.who.tenant, id](auto slot) {
    s.reads->get(What, tenant, to_string(*id), slot);
  };
  if (auto ok = body_of<nothing>(r); !ok) return refuse(read, answer, ok.error());
  auto context = context_of(s, r);
  context.before = matching(r, read);
  s.commands->execute(std::move(context), Deny{*id}, answer_with<List>(200, *id, "", answer));
}

/// What is alike for both lists.
template <collection What, class Document, class List, class Deny>
void add_common(services& s, std::vector<route>& all, const std::string& path) {
  const auto one = codec::json_schema<Document>();
  const std::string each = path + "/{id}";
  all.push_back(row(s, method::get, path, "List the entries of this allowlist, newest first",
                    access::viewer, list_entries<What>)
                    .gives(list_schema<Document>())
                    .query({"is_active", "limit", "cursor"}));
  all.push_back(
      row(s, method::get, each, "Show an entry of this allowlist", access::viewer, show_entry<What>)
          .gives(one));
  all.push_back(row(s, method::delete_, each, "Deactivate an entry: it allows nothing from then on",
                    access::admin, deny<What, List, Deny>)
                    .gives(one)
                    .minds_if_match());
  all.push_back(row(s, method::post, each + "/deactivate",
                    "Deactivate an entry: it allows nothing from then on", access::admin,
                    deny<What, List, Deny>)
                    .gives(one)
                    .minds_if_match());
}

}  // namespace

std::vector<route> allowlists_routes(services& s) {
  const std::string images = "/api/allowlists/images";
  const std::string containers = "/api/allowlists/containers";
  std::vector<route> all;
  all.push_back(
      row(s, method::post, images, "Allow an image to be started", access::admin, allow_image)
          .takes(codec::json_schema<image_body>())
          .gives(codec::json_schema<domain::image_document>(), {201, 409}));
  add_common<collection::image_allowlist, domain::image_document, domain::image_list_state,
             domain::deny_image>(s, all, images);
  all.push_back(row(s, method::post, images + "/{id}/resolve",
                    "Let an entry stand for the image that its reference means now", access::admin,
                    resolve_image)
                    .gives(codec::json_schema<domain::image_document>(), {200, 409, 502})
                    .minds_if_match());
  all.push_back(row(s, method::post, containers,
                    "Allow tasks to touch a container: the one that has the name now, or by_name "
                    "whichever has it",
                    access::admin, allow_container)
                    .takes(codec::json_schema<container_body>())
                    .says("name", "In the engine, 1 to 255 letters, digits and . _ -.")
                    .gives(codec::json_schema<domain::container_document>(), {201, 409}));
  add_common<collection::container_allowlist, domain::container_document,
             domain::container_list_state, domain::deny_container>(s, all, containers);
  return all;
}

}  // namespace reeve::api
