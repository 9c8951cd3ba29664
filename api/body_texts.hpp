#pragma once
// What the API's description says of the bodies that it takes: each member's meaning and range, in
// one place, so that one name means one thing. A member that means something else in one route is
// told by `row::says` there.

#include "api/route.hpp"

#include <string>

namespace reeve::api {

/// The route's request schema with a description at every member that has a text, and with the
/// elements of `tasks`, of which no list of fields can tell, as #/components/schemas/task.
std::string described_body(const route& of);

/// #/components/schemas/task: the name of a kind that needs no parameters, or an object with the
/// parameters of its kind.
std::string task_schema();

}  // namespace reeve::api
