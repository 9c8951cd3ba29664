#pragma once
// What the API's description says of parameters, in one place, so that one name means one thing.

#include <string>
#include <string_view>

namespace reeve::api {

/// `where` is path, query or header. Empty for a parameter that nobody has described; a test keeps
/// every route from having one.
std::string parameter_text(std::string_view pattern, std::string_view where, std::string_view name);

}  // namespace reeve::api
