// All routes, from the list of the files in api/routes/ that the build makes.

#include "api/services.hpp"
#include "embedded/routes.hpp"

#include <iterator>
#include <utility>

namespace reeve::api {
namespace {

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

std::vector<route> all_routes(services& s) {
  std::vector<route> all;
  for (auto* of_resource : embedded::resources) {
    auto routes = of_resource(s);
    all.insert(all.end(), std::make_move_iterator(routes.begin()),
               std::make_move_iterator(routes.end()));
  }
  for (auto& one : all) hold_to_position(s, one);
  return all;
}

}  // namespace reeve::api
