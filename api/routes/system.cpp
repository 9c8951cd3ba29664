#include "api/routes/common.hpp"
#include "api/services.hpp"

#include <iterator>

namespace reeve::api {
namespace {

void engine(services& s, const request&, const responder& answer) {
  answer.answer(json_response(200, codec::encode_document(s.engine())));
}

/// The server's own parts are everybody's to see, a tenant's runs are not.
void agents(services& s, const request& r, const responder& answer) {
  const bool all = r.who.tenant == system_tenant || r.who.has == role::auditor;
  auto rows = s.agents(all ? std::nullopt : std::optional(r.who.tenant));
  answer.answer(json_response(200, codec::encode_document(agent_list{std::move(rows)})));
}

/// A read that names a position wants to see what was written there. This server has either come
/// to it or says so, and the client asks again.
void hold_to_position(services& s, route& r) {
  if (r.method != method::get) return;
  r.handle = [&s, go = std::move(r.handle)](request asked, responder answer) {
    if (asked.min_position && *asked.min_position > s.reads->head()) {
      return answer.answer(
          reject(errc::unavailable, "this server has not come to Reeve-Min-Position yet"));
    }
    go(std::move(asked), std::move(answer));
  };
}

}  // namespace

std::vector<route> system_routes(services& s) {
  return {
      row(s, method::get, "/api/engine", "The container engine", access::viewer, engine)
          .gives(codec::json_schema<engine_view>()),
      row(s, method::get, "/api/agents", "The supervision tree", access::viewer, agents)
          .gives(codec::json_schema<agent_list>()),
  };
}

std::vector<route> all_routes(services& s) {
  std::vector<route> all;
  for (auto* some : {run_routes, job_routes, directive_routes, allowlist_routes, event_routes,
                     checkpoint_routes, token_routes, system_routes}) {
    auto routes = some(s);
    all.insert(all.end(), std::make_move_iterator(routes.begin()),
               std::make_move_iterator(routes.end()));
  }
  for (auto& one : all) hold_to_position(s, one);
  return all;
}

}  // namespace reeve::api
