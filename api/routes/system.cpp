#include "api/routes/common.hpp"
#include "api/services.hpp"

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

}  // namespace

std::vector<route> system_routes(services& s) {
  return {
      row(s, method::get, "/api/engine", "The container engine, and whether it answers",
          access::viewer, engine)
          .gives(codec::json_schema<engine_view>())
          .has_no_etag(),
      row(s, method::get, "/api/agents",
          "The supervision tree: the server's parts and their restarts", access::viewer, agents)
          .gives(codec::json_schema<agent_list>())
          .has_no_etag(),
  };
}

}  // namespace reeve::api
