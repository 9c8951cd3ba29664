#pragma once
// The OpenAPI 3.1 document, made from the route table: what is served is what is described.

#include "api/route.hpp"

#include <string>
#include <vector>

namespace reeve::api {

/// Canonical order of paths and methods; without white space. The schemas of the routes are put
/// in as they are.
std::string openapi_document(const std::vector<route>& routes);

/// The same routes and GET /api/openapi.json (anonymous), which serves the document of them all.
std::vector<route> with_openapi(std::vector<route> routes);

}  // namespace reeve::api
