#include "api/routes/common.hpp"
#include "api/services.hpp"
#include "domain/documents.hpp"

namespace reeve::api {
namespace {

using persistence::collection;

struct image_body {
  std::string reference;
  std::string reason;
  bool allow_host_network = false;
  static constexpr auto fields() {
    using domain::field;
    using domain::maybe;
    return std::tuple{field("reference", &image_body::reference),
                      maybe("reason", &image_body::reason),
                      maybe("allow_host_network", &image_body::allow_host_network)};
  }
};

struct container_body {
  std::string name;
  std::optional<std::string> container_id;
  std::string reason;
  static constexpr auto fields() {
    using domain::field;
    using domain::maybe;
    return std::tuple{field("name", &container_body::name),
                      field("container_id", &container_body::container_id),
                      maybe("reason", &container_body::reason)};
  }
};

/// The entry that a command made is the newest, the one it ended is named.
template <class List>
command_port::slot<List> answer_with(int status, std::optional<uuid> id, std::string path,
                                     const responder& answer) {
  return command_port::slot<List>([=](outcome<changed<List>> r) {
    if (!r) return answer.answer(r.error());
    const auto& entries = r->state->entries;
    const auto* entry = id ? r->state->find(*id) : (entries.empty() ? nullptr : &entries.back());
    if (entry == nullptr) return answer.answer(no_such());
    auto made = written(status, codec::encode_document(domain::document_of(*entry)), r->at);
    if (status == 201) {
      made.headers.emplace_back("Location", path + "/" + to_string(entry->what.id));
    }
    answer.answer(std::move(made));
  });
}

void allow_image(services& s, const request& r, const responder& answer) {
  auto body = body_of<image_body>(r);
  if (!body) return answer.answer(body.error());
  domain::image_allowed entry;
  entry.reference = body->reference;
  entry.reason = body->reason;
  entry.allow_host_network = body->allow_host_network;
  s.commands->allow_image(
      meta_of(r, "POST /api/allowlists/images"), std::move(entry),
      answer_with<domain::image_list_state>(201, {}, "/api/allowlists/images", answer));
}

void allow_container(services& s, const request& r, const responder& answer) {
  auto body = body_of<container_body>(r);
  if (!body) return answer.answer(body.error());
  domain::container_allowed entry;
  entry.name = body->name;
  entry.container_id = body->container_id;
  entry.reason = body->reason;
  s.commands->allow_container(
      meta_of(r, "POST /api/allowlists/containers"), std::move(entry),
      answer_with<domain::container_list_state>(201, {}, "/api/allowlists/containers", answer));
}

void list(services& s, collection what, const request& r, const responder& answer) {
  persistence::list_query query;
  query.what = what;
  query.tenant = r.who.tenant;
  if (const auto value = r.query_value("is_active")) query.equals.emplace_back("is_active", *value);
  if (auto ok = page_of(r, query); !ok) return answer.answer(ok.error());
  s.reads->list(std::move(query), document_slot(answer));
}

void deny_image(services& s, const request& r, const responder& answer, const char* route) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  s.commands->deny_image(meta_of(r, route), *id,
                         answer_with<domain::image_list_state>(200, id, "", answer));
}

void deny_container(services& s, const request& r, const responder& answer, const char* route) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  s.commands->deny_container(meta_of(r, route), *id,
                             answer_with<domain::container_list_state>(200, id, "", answer));
}

/// List, show: the same for both lists.
void add_reads(services& s, std::vector<route>& all, const std::string& path, collection what,
               const std::string& one, const std::string& many) {
  all.push_back({method::get, path, "List the entries", access::viewer, "", many,
                 {"is_active", "limit", "cursor"}, {200},
                 [&s, what](request r, responder a) { list(s, what, r, a); }});
  all.push_back({method::get, path + "/{id}", "Show an entry", access::viewer, "", one, {}, {200},
                 [&s, what](request r, responder a) {
                   s.reads->get(what, r.who.tenant, std::string(r.param("id")), document_slot(a));
                 }});
}

}  // namespace

std::vector<route> allowlist_routes(services& s) {
  const std::string images = "/api/allowlists/images";
  const std::string containers = "/api/allowlists/containers";
  const auto image = codec::json_schema<domain::image_document>();
  const auto container = codec::json_schema<domain::container_document>();
  std::vector<route> all;
  all.push_back({method::post, images, "Allow an image to be started", access::admin,
                 codec::json_schema<image_body>(), image, {}, {201},
                 [&s](request r, responder a) { allow_image(s, r, a); }});
  add_reads(s, all, images, collection::images, image, list_schema<domain::image_document>());
  all.push_back({method::delete_, images + "/{id}", "Deactivate an entry", access::admin, "", image,
                 {}, {200}, [&s](request r, responder a) {
                   deny_image(s, r, a, "DELETE /api/allowlists/images/{id}");
                 }});
  all.push_back({method::post, images + "/{id}/deactivate", "Deactivate an entry", access::admin, "",
                 image, {}, {200}, [&s](request r, responder a) {
                   deny_image(s, r, a, "POST /api/allowlists/images/{id}/deactivate");
                 }});
  all.push_back({method::post, containers, "Allow tasks to touch a container", access::admin,
                 codec::json_schema<container_body>(), container, {}, {201},
                 [&s](request r, responder a) { allow_container(s, r, a); }});
  add_reads(s, all, containers, collection::containers, container,
            list_schema<domain::container_document>());
  all.push_back({method::delete_, containers + "/{id}", "Deactivate an entry", access::admin, "",
                 container, {}, {200}, [&s](request r, responder a) {
                   deny_container(s, r, a, "DELETE /api/allowlists/containers/{id}");
                 }});
  all.push_back({method::post, containers + "/{id}/deactivate", "Deactivate an entry",
                 access::admin, "", container, {}, {200}, [&s](request r, responder a) {
                   deny_container(s, r, a, "POST /api/allowlists/containers/{id}/deactivate");
                 }});
  return all;
}

}  // namespace reeve::api
