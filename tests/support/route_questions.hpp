#pragma once
// How every route of the server is asked about something that a tenant has: for tests that hold
// what one tenant is told against what another one has.

#include <map>
#include <string>
#include <vector>

namespace support {

/// What a tenant has, by the names that stand in questions as {run}, {job}, {directive_name} …
using things = std::map<std::string, std::string>;

struct question {
  std::string target;
  std::string body{};
  /// Whether its owner gets 200 for it (of reads).
  bool is_found = true;

  /// With what these things are called in its place.
  question about(const things& those) const;
  /// What of these things stands in it.
  std::vector<std::string> named(const things& those) const;
};

/// By route as the API's description has it ("GET /api/runs/{id}"). A route without an entry is one
/// that nobody has thought about.
const std::map<std::string, std::vector<question>>& route_questions();

}  // namespace support
