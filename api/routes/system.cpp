#include "api/routes/common.hpp"
#include "api/services.hpp"

namespace reeve::api {

std::vector<route> system_routes(services& s) {
  std::vector<route> all;
  all.push_back({method::get, "/api/engine", "The container engine", access::viewer, "",
                 codec::json_schema<engine_view>(), {}, {200}, [&s](request, responder a) {
                   a.answer(json_response(200, codec::encode_document(s.engine())));
                 }});
  all.push_back({method::get, "/api/agents", "The supervision tree", access::viewer, "",
                 codec::json_schema<agent_list>(), {}, {200}, [&s](request, responder a) {
                   a.answer(json_response(200, codec::encode_document(agent_list{s.agents()})));
                 }});
  return all;
}

std::vector<route> all_routes(services& s) {
  std::vector<route> all;
  for (auto* some : {run_routes, job_routes, directive_routes, allowlist_routes, event_routes,
                     token_routes, system_routes}) {
    auto routes = some(s);
    all.insert(all.end(), std::make_move_iterator(routes.begin()),
               std::make_move_iterator(routes.end()));
  }
  return all;
}

}  // namespace reeve::api
