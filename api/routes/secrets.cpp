#include "api/routes/common.hpp"
#include "api/services.hpp"
#include "base/redact.hpp"
#include "codec/secret_json.hpp"
#include "domain/name.hpp"

namespace reeve::api {
namespace {

constexpr persistence::collection secrets{"secrets"};
using secrets_slot = actors::state_slot<domain::secret_list_state>;
using secrets_answer = outcome<actors::executed<domain::secret_list_state>>;

/// What is described; it is read by codec::read_secret.
struct value_body {
  std::string value;
  static constexpr auto fields() { return std::tuple{domain::field("value", &value_body::value)}; }
};

/// What cannot be looked for in a job's output is no secret that can be kept.
outcome<done> check_value(const secret_text& value) {
  const auto text = value.view();
  const bool fits = text.size() <= max_secret_bytes && text.find('\0') == text.npos;
  if (fits && can_be_redacted(text)) return done{};
  return reject(errc::invalid,
                "a value has 6 to 8,192 bytes without the line ends behind it, at most 512 lines, "
                "and no NUL; blanks around it, and all but one of those between two words, do not "
                "count for the 6",
                "/value");
}

document_read reading_secret(services& s, const request& r) {
  return [&s, tenant = r.who.tenant, name = std::string(r.param("name"))](auto slot) {
    s.reads->get(secrets, tenant, name, slot);
  };
}

/// Without the digest of the body, which anybody could try out values with.
actors::command_context context_without_digest(services& s, const request& r) {
  auto context = context_without_body(s, r);
  context.before = matching(r, reading_secret(s, r));
  return context;
}

void answer_with(const secrets_answer& made, const std::string& name, const responder& answer) {
  const auto* secret = made->state->find(name);
  if (secret == nullptr) return answer.answer(no_such());
  answer.answer(
      written_document(200, codec::encode_document(domain::document_of(*secret)), made->at));
}

/// No copy of the value stays behind in memory, whatever comes of it: it stands in the request, in
/// its secret_text, and nowhere else.
///
/// The value lies sealed before the event that names it. One that no event came to name is
/// destroyed; where that is not known it is left to the sweep.
void put(services& s, const request& r, const responder& answer) {
  const std::string name(r.param("name"));
  auto read = codec::read_secret(r.body.empty() ? std::string_view("{}") : r.body.view(), "value");
  if (!read) return answer.answer(read.error());
  const auto value = std::make_shared<const secret_text>(std::move(*read));
  if (!domain::is_name(name)) {
    return answer.answer(
        reject(errc::invalid, "a secret's name has 1..64 letters, digits and ._-", "/name"));
  }
  if (auto ok = check_value(*value); !ok) return answer.answer(ok.error());
  const auto id = s.ids->next();
  const auto tenant = r.who.tenant;
  const auto kept = [&s, name, id, tenant, answer,
                     context = context_without_digest(s, r)](outcome<digest> made) mutable {
    if (!made) return answer.answer(made.error());
    // It says the same as the path and the body would.
    if (context.command) context.command->request_digest = *made;
    s.commands->execute(
        std::move(context), domain::put_secret{name, id, *made},
        secrets_slot([&s, name, id, tenant, answer](secrets_answer c) {
          if (!c) return answer.answer(c.error());
          const auto* secret = c->state->find(name);
          const bool is_used =
              secret != nullptr && !secret->kept.empty() && secret->kept.back().id == id;
          const auto gone = is_used ? secret->gone : std::vector{id};
          if (gone.empty()) return answer_with(c, name, answer);
          s.destroy_secrets(tenant, gone, reply_slot<done>([c, name, answer](outcome<done>) {
                              answer_with(c, name, answer);
                            }));
        }));
  };
  s.keep_secret(tenant, name, id, value, reply_slot<digest>(kept));
}

/// A repeat destroys what the first one, perhaps, could not.
void end(services& s, const request& r, const responder& answer) {
  const std::string name(r.param("name"));
  if (auto ok = body_of<nothing>(r); !ok) return refuse(reading_secret(s, r), answer, ok.error());
  auto context = context_of(s, r);
  context.before = matching(r, reading_secret(s, r));
  s.commands->execute(std::move(context), domain::delete_secret{name},
                      secrets_slot([&s, name, tenant = r.who.tenant, answer](secrets_answer c) {
                        if (!c) return answer.answer(c.error());
                        const auto* secret = c->state->find(name);
                        if (secret == nullptr) return answer.answer(no_such());
                        s.destroy_secrets(tenant, secret->gone,
                                          reply_slot<done>([c, name, answer](outcome<done> ok) {
                                            if (!ok) return answer.answer(ok.error());
                                            answer_with(c, name, answer);
                                          }));
                      }));
}

void show_secret(services& s, const request& r, const responder& answer) {
  reading_secret(s, r)(document_slot(answer));
}

void list_secrets(services& s, const request& r, const responder& answer) {
  persistence::list_query query;
  query.what = secrets;
  query.tenant = r.who.tenant;
  if (auto ok = add_flag(r, "is_active", query); !ok) return answer.answer(ok.error());
  if (auto ok = page_of(r, query); !ok) return answer.answer(ok.error());
  s.reads->list(std::move(query), list_slot(answer));
}

}  // namespace

std::vector<route> secrets_routes(services& s) {
  const auto one = codec::json_schema<domain::secret_document>();
  const std::string all = "/api/secrets";
  const std::string each = all + "/{name}";
  const char* name_text = "Name of the secret: 1 to 64 letters, digits and ._-";
  return {
      row(s, method::get, all, "List named secrets, newest first, without their values",
          access::operator_, list_secrets)
          .gives(list_schema<domain::secret_document>())
          .query({"is_active", "limit", "cursor"}),
      row(s, method::get, each, "Show a named secret without its value", access::operator_,
          show_secret)
          .gives(one)
          .says("name", name_text),
      row(s, method::put, each,
          "Keep a secret, or a new version of one; its value is never shown again", access::admin,
          put)
          .takes(codec::json_schema<value_body>())
          .gives(one, {200, 409})
          .says("name", name_text)
          .minds_if_match(),
      row(s, method::delete_, each, "Delete a secret: its values are destroyed", access::admin, end)
          .gives(one, {200})
          .says("name", name_text)
          .minds_if_match(),
  };
}

}  // namespace reeve::api
