#pragma once
// What the Docker Engine API tells of how containers are connected, read into plain structs. As
// docker_answers.hpp: no text of an error leaves here.

#include "adapters/engine_port.hpp"

#include <string_view>
#include <vector>

namespace reeve::adapters {

/// Of GET /containers/{id}/json. Environment, command and paths of the host are not looked at.
outcome<container_details> parse_details(std::string_view body);
/// Of GET /networks.
outcome<std::vector<network_summary>> parse_networks(std::string_view body);

}  // namespace reeve::adapters
