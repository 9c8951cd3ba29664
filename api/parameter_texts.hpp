#pragma once
// What the API's description says of parameters, in one place, so that one name means one thing;
// what a single route has may stand in its row.

#include "api/route.hpp"

#include <string>
#include <string_view>

namespace reeve::api {

/// `where` is path, query or header. The route's own word comes first. Empty for a parameter that
/// nobody has described; a test keeps every route from having one.
std::string parameter_text(const route& of, std::string_view where, std::string_view name);

}  // namespace reeve::api
