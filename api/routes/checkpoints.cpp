#include "api/routes/common.hpp"
#include "api/services.hpp"

namespace reeve::api {
namespace {

void list(services& s, const request& r, const responder& answer) {
  persistence::list_query query;
  query.what = persistence::collection::checkpoints;
  query.tenant = r.who.tenant;
  if (auto ok = page_of(r, query); !ok) return answer.answer(ok.error());
  s.reads->list(std::move(query), list_slot(answer));
}

/// Why a head was not signed names files and what the database said. Whoever asked can do nothing
/// about it, whatever it is: the server's log tells it to who can.
rejection not_signed(const rejection& why) {
  if (why.code == errc::overloaded) return why;
  return reject(errc::unavailable, "the head was not signed: the server's log says why");
}

/// The head as it is now, signed: what was acknowledged before is in it. A head that was signed
/// already is given again, so a repeated request needs no idempotency key; one that has a key would
/// ask for the first time's answer, which is kept nowhere.
void sign(services& s, const request& r, const responder& answer) {
  if (auto body = body_of<nothing>(r); !body) return answer.answer(body.error());
  s.sign_head(reply_slot<checkpoint_view>([answer](outcome<checkpoint_view> made) {
    if (!made) return answer.answer(not_signed(made.error()));
    answer.answer(written(201, codec::encode_document(*made), made->position));
  }));
}

}  // namespace

std::vector<route> checkpoints_routes(services& s) {
  return {
      row(s, method::get, "/api/checkpoints", "Signed heads of the chain, newest first",
          access::viewer, list)
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
