#include "api/problem.hpp"
#include "api/routes/common.hpp"
#include "api/services.hpp"

namespace reeve::api {
namespace {

void list_checkpoints(services& s, const request& r, const responder& answer) {
  persistence::list_query query;
  query.what = persistence::collection::checkpoints;
  query.tenant = r.who.tenant;
  if (auto ok = page_of(r, query); !ok) return answer.answer(ok.error());
  s.reads->list(std::move(query), list_slot(answer));
}

/// Of a key or of earlier heads that do not fit: somebody has to mend them.
constexpr int long_wait_s = 60;

/// Why a head was not signed names files and what the database said. Whoever asked can do nothing
/// about it, whatever it is: the server's log tells it to who can.
response not_signed(const rejection& why, std::string_view request_id) {
  if (why.code == errc::overloaded) return problem(why, request_id);
  return problem(reject(errc::unavailable, "the head was not signed: the server's log says why"),
                 request_id, why.code == errc::unavailable ? retry_after_s : long_wait_s);
}

/// The head as it is now, signed: what was acknowledged before is in it. A head that was signed
/// already is given again, so a repeated request needs no idempotency key; one that has a key would
/// ask for the first time's answer, which is kept nowhere.
void sign(services& s, const request& r, const responder& answer) {
  if (auto body = body_of<nothing>(r); !body) return answer.answer(body.error());
  s.sign_head(
      reply_slot<checkpoint_view>([answer, id = r.request_id](outcome<checkpoint_view> made) {
        if (!made) return answer.answer(not_signed(made.error(), id));
        answer.answer(written(201, codec::encode_document(*made), made->position));
      }));
}

}  // namespace

std::vector<route> checkpoints_routes(services& s) {
  return {
      row(s, method::get, "/api/checkpoints", "Signed heads of the chain, newest first",
          access::viewer, list_checkpoints)
          .gives(list_schema<checkpoint_view>())
          .query({"limit", "cursor"}),
      row(s, method::post, "/api/checkpoints", "Sign the head of the chain now", access::auditor,
          sign)
          .takes(codec::json_schema<nothing>())
          .gives(codec::json_schema<checkpoint_view>(), {201})
          .takes_no_key(),
  };
}

}  // namespace reeve::api
