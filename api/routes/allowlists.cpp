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

template <collection What>
void list(services& s, const request& r, const responder& answer) {
  persistence::list_query query;
  query.what = What;
  query.tenant = r.who.tenant;
  if (auto ok = add_flag(r, "is_active", query); !ok) return answer.answer(ok.error());
  if (auto ok = page_of(r, query); !ok) return answer.answer(ok.error());
  s.reads->list(std::move(query), list_slot(answer));
}

template <collection What>
void show(services& s, const request& r, const responder& answer) {
  s.reads->get(What, r.who.tenant, std::string(r.param("id")), document_slot(answer));
}

/// DELETE and POST …/deactivate do the same under two names.
template <collection What>
void deny(services& s, const request& r, const responder& answer) {
  constexpr bool images = What == collection::image_allowlist;
  const std::string list = images ? "/api/allowlists/images" : "/api/allowlists/containers";
  const std::string route = r.method == method::delete_ ? "DELETE " + list + "/{id}"
                                                        : "POST " + list + "/{id}/deactivate";
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  const auto read = [&s, &r, id](auto slot) {
    s.reads->get(What, r.who.tenant, to_string(*id), slot);
  };
  when_matched(r, answer, read, [&s, r, id, route, answer] {
    if (auto ok = body_of<nothing>(r); !ok) return answer.answer(ok.error());
    if constexpr (images) {
      s.commands->deny_image(meta_of(r, route), *id,
                             answer_with<domain::image_list_state>(200, id, "", answer));
    } else {
      s.commands->deny_container(meta_of(r, route), *id,
                                 answer_with<domain::container_list_state>(200, id, "", answer));
    }
  });
}

/// What is alike for both lists.
template <collection What, class Document>
void add_common(services& s, std::vector<route>& all, const std::string& path) {
  const auto one = codec::json_schema<Document>();
  const std::string each = path + "/{id}";
  all.push_back(
      row(s, method::get, path, "List the entries, newest first", access::viewer, list<What>)
          .gives(list_schema<Document>())
          .query({"is_active", "limit", "cursor"}));
  all.push_back(row(s, method::get, each, "Show an entry", access::viewer, show<What>).gives(one));
  all.push_back(row(s, method::delete_, each, "Deactivate an entry", access::admin, deny<What>)
                    .gives(one, {200, 412}));
  all.push_back(
      row(s, method::post, each + "/deactivate", "Deactivate an entry", access::admin, deny<What>)
          .gives(one, {200, 412}));
}

}  // namespace

std::vector<route> allowlist_routes(services& s) {
  const std::string images = "/api/allowlists/images";
  const std::string containers = "/api/allowlists/containers";
  std::vector<route> all;
  all.push_back(
      row(s, method::post, images, "Allow an image to be started", access::admin, allow_image)
          .takes(codec::json_schema<image_body>())
          .gives(codec::json_schema<domain::image_document>(), {201, 409}));
  add_common<collection::image_allowlist, domain::image_document>(s, all, images);
  all.push_back(row(s, method::post, containers, "Allow tasks to touch a container", access::admin,
                    allow_container)
                    .takes(codec::json_schema<container_body>())
                    .gives(codec::json_schema<domain::container_document>(), {201, 409}));
  add_common<collection::container_allowlist, domain::container_document>(s, all, containers);
  return all;
}

}  // namespace reeve::api
