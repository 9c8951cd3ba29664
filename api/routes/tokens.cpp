#include "api/routes/common.hpp"
#include "api/routes/views.hpp"
#include "api/services.hpp"
#include "base/secret.hpp"
#include "domain/access/token_text.hpp"

namespace reeve::api {
namespace {

using persistence::collection;
using access_slot = actors::state_slot<domain::access_state>;
using access_answer = outcome<actors::executed<domain::access_state>>;

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
    return std::tuple{
        field("tenant", &caller_document::tenant), field("token_id", &caller_document::token_id),
        field("principal", &caller_document::principal), field("role", &caller_document::role)};
  }
};

/// A request that is repeated under its key gets the same token, without the text: that was shown
/// once and is kept nowhere.
void create_token(services& s, const request& r, const responder& answer) {
  auto body = body_of<token_body>(r);
  if (!body) return answer.answer(body.error());
  const auto secret = make_secret();
  domain::token_created token;
  token.id = s.ids->next();
  token.name = body->name;
  token.role = body->role;
  token.secret_hash = sha256(secret);
  s.commands->execute(context_of(s, r), domain::create_token{token},
                      access_slot([answer, id = token.id, secret](access_answer c) {
                        if (!c) return answer.answer(c.error());
                        const auto* made = c->state->find(c->replayed ? c->state->newest : id);
                        if (made == nullptr) return answer.answer(no_such());
                        created_token document;
                        static_cast<domain::token_document&>(document) = domain::document_of(*made);
                        if (!c->replayed) document.token = domain::token_text(id, secret);
                        auto told = written(201, codec::encode_document(document), c->at);
                        told.headers.emplace_back("Location",
                                                  "/api/tokens/" + to_string(made->what.id));
                        answer.answer(std::move(told));
                      }));
}

void revoke(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  const auto read = [&s, tenant = r.who.tenant, id](auto slot) {
    s.reads->get(collection::tokens, tenant, to_string(*id), slot);
  };
  if (auto ok = body_of<nothing>(r); !ok) return refuse(read, answer, ok.error());
  auto context = context_of(s, r);
  context.before = matching(r, read);
  s.commands->execute(
      std::move(context), domain::revoke_token{*id}, access_slot([answer, id](access_answer c) {
        if (!c) return answer.answer(c.error());
        const auto* token = c->state->find(*id);
        if (token == nullptr) return answer.answer(no_such());
        answer.answer(
            written_document(200, codec::encode_document(domain::document_of(*token)), c->at));
      }));
}

void show_token(services& s, const request& r, const responder& answer) {
  s.reads->get(collection::tokens, r.who.tenant, std::string(r.param("id")), document_slot(answer));
}

void list_tokens(services& s, const request& r, const responder& answer) {
  persistence::list_query query;
  query.what = collection::tokens;
  query.tenant = r.who.tenant;
  if (auto ok = add_flag(r, "is_active", query); !ok) return answer.answer(ok.error());
  if (auto ok = page_of(r, query); !ok) return answer.answer(ok.error());
  s.reads->list(std::move(query), list_slot(answer));
}

void whoami(services&, const request& r, const responder& answer) {
  const caller_document d{r.who.tenant, r.who.token_id, r.who.principal, r.who.has};
  answer.answer(json_response(200, codec::encode_document(d)));
}

}  // namespace

std::vector<route> tokens_routes(services& s) {
  const auto one = codec::json_schema<domain::token_document>();
  const std::string all = "/api/tokens";
  return {
      row(s, method::post, all, "Create a token; its text is shown once", access::admin,
          create_token)
          .takes(codec::json_schema<token_body>())
          .gives(codec::json_schema<created_token>(), {201, 409}),
      row(s, method::get, all, "List tokens, newest first", access::admin, list_tokens)
          .gives(list_schema<domain::token_document>())
          .query({"is_active", "limit", "cursor"}),
      row(s, method::get, all + "/{id}", "Show a token", access::admin, show_token).gives(one),
      row(s, method::post, all + "/{id}/revoke", "Revoke a token: it opens nothing from then on",
          access::admin, revoke)
          .gives(one, {200, 409})
          .minds_if_match(),
      row(s, method::get, "/api/whoami", "Whose token this is, and its role", access::viewer,
          whoami)
          .gives(codec::json_schema<caller_document>())
          .has_no_etag(),
  };
}

}  // namespace reeve::api
