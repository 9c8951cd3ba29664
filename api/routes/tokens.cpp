#include <random>

#include "api/routes/common.hpp"
#include "api/services.hpp"
#include "domain/documents.hpp"

namespace reeve::api {
namespace {

using persistence::collection;
using access_slot = command_port::slot<domain::access_state>;

struct token_body {
  std::string name;
  domain::token_role role = domain::token_role::viewer;
  static constexpr auto fields() {
    return std::tuple{domain::field("name", &token_body::name),
                      domain::field("role", &token_body::role)};
  }
};

struct caller_document {
  uuid tenant;
  uuid token_id;
  std::string principal;
  domain::token_role role = domain::token_role::viewer;
  static constexpr auto fields() {
    using domain::field;
    return std::tuple{field("tenant", &caller_document::tenant),
                      field("token_id", &caller_document::token_id),
                      field("principal", &caller_document::principal),
                      field("role", &caller_document::role)};
  }
};

std::string make_secret() {
  std::random_device random;  // the operating system's random numbers
  std::string bytes;
  for (int i = 0; i < 32; ++i) bytes += static_cast<char>(random() & 0xff);
  return to_base64url(bytes);
}

std::string text_of(const uuid& id, const std::string& secret) {
  const std::string_view bytes(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
  return "rv_" + to_hex(bytes) + "_" + secret;
}

/// The token's document with its text in front: the only time that it is seen.
std::string with_text(std::string document, const std::string& text) {
  document.pop_back();
  return document + ",\"token\":\"" + text + "\"}";
}

void create(services& s, const request& r, const responder& answer) {
  auto body = body_of<token_body>(r);
  if (!body) return answer.answer(body.error());
  if (!r.idempotency_key.empty()) {
    return answer.answer(reject(errc::invalid,
                                "a token is shown once, so this request cannot be repeated",
                                "/headers/Idempotency-Key"));
  }
  const auto secret = make_secret();
  domain::token_created token;
  token.id = s.ids->next();
  token.name = body->name;
  token.role = body->role;
  token.secret_hash = sha256(secret);
  s.commands->create_token(
      meta_of(r, "POST /api/tokens"), token,
      access_slot([answer, token, secret](outcome<changed<domain::access_state>> c) {
        if (!c) return answer.answer(c.error());
        const auto* made = c->state->find(token.id);
        if (made == nullptr) return answer.answer(no_such());
        auto document = codec::encode_document(domain::document_of(*made));
        answer.answer(
            written(201, with_text(std::move(document), text_of(token.id, secret)), c->at));
      }));
}

void revoke(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  s.commands->revoke_token(meta_of(r, "POST /api/tokens/{id}/revoke"), *id,
                           access_slot([answer, id](outcome<changed<domain::access_state>> c) {
                             if (!c) return answer.answer(c.error());
                             const auto* token = c->state->find(*id);
                             if (token == nullptr) return answer.answer(no_such());
                             answer.answer(written(
                                 200, codec::encode_document(domain::document_of(*token)), c->at));
                           }));
}

void list(services& s, const request& r, const responder& answer) {
  persistence::list_query query;
  query.what = collection::tokens;
  query.tenant = r.who.tenant;
  if (auto ok = page_of(r, query); !ok) return answer.answer(ok.error());
  s.reads->list(std::move(query), document_slot(answer));
}

}  // namespace

std::vector<route> token_routes(services& s) {
  const auto one = codec::json_schema<domain::token_document>();
  std::vector<route> all;
  all.push_back({method::post, "/api/tokens", "Create a token; its text is shown once",
                 access::admin, codec::json_schema<token_body>(), R"({"type":"object"})", {}, {201},
                 [&s](request r, responder a) { create(s, r, a); }});
  all.push_back({method::get, "/api/tokens", "List tokens", access::admin, "",
                 list_schema<domain::token_document>(), {"limit", "cursor"}, {200},
                 [&s](request r, responder a) { list(s, r, a); }});
  all.push_back({method::post, "/api/tokens/{id}/revoke", "Revoke a token", access::admin, "", one,
                 {}, {200, 409}, [&s](request r, responder a) { revoke(s, r, a); }});
  all.push_back({method::get, "/api/whoami", "Who the token is", access::viewer, "",
                 codec::json_schema<caller_document>(), {}, {200}, [](request r, responder a) {
                   caller_document d{r.who.tenant, r.who.token_id, r.who.principal,
                                     static_cast<domain::token_role>(r.who.has)};
                   a.answer(json_response(200, codec::encode_document(d)));
                 }});
  return all;
}

}  // namespace reeve::api
