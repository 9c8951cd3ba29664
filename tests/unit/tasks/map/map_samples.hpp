#pragma once
// Containers and connections for tests of the service map.

#include "tasks/map/service_map.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace map_samples {

using namespace reeve;
using namespace reeve::tasks;
using adapters::net_socket;

/// One that runs on networks, each with its address.
inline map_container container(const std::string& name,
                               const std::vector<std::pair<std::string, std::string>>& networks) {
  map_container made;
  made.what.name = name;
  made.what.id = std::string(64, 'a');
  made.what.image = "localhost:1/" + name + ":1";
  made.what.image_id = "sha256:0011";
  made.what.status = "running";
  for (const auto& [network, address] : networks) {
    made.what.networks.push_back({network, "id-" + network, address, ""});
  }
  made.sockets.emplace();
  return made;
}

inline net_socket listening(std::int64_t port) {
  return {"0.0.0.0", port, "0.0.0.0", 0, true, false};
}

inline net_socket connected(const std::string& local, std::int64_t local_port,
                            const std::string& remote, std::int64_t remote_port) {
  return {local, local_port, remote, remote_port, false, true};
}

inline service_map map_of(std::vector<map_container> containers, const map_limits& limits = {}) {
  map_input input;
  input.engine = "docker";
  input.containers = std::move(containers);
  return build_map(input, redactor(), limits);
}

inline std::string name_in(const service_map& map, const std::string& id) {
  const auto found = std::find_if(map.nodes.begin(), map.nodes.end(),
                                  [&](const auto& node) { return node.id == id; });
  return found == map.nodes.end() ? "?" : found->name;
}

/// "web connects db :5432 x2", sorted.
inline std::vector<std::string> edges_of(const service_map& map, map_edge_kind kind) {
  std::vector<std::string> all;
  for (const auto& edge : map.edges) {
    if (edge.kind != kind) continue;
    auto text = name_in(map, edge.from) + " " + std::string(domain::name_of(kind)) + " " +
                name_in(map, edge.to);
    if (edge.port) text += " :" + std::to_string(*edge.port);
    if (edge.count) text += " x" + std::to_string(*edge.count);
    if (edge.detail) text += " (" + *edge.detail + ")";
    all.push_back(std::move(text));
  }
  std::sort(all.begin(), all.end());
  return all;
}

inline std::vector<std::string> nodes_of(const service_map& map, map_node_kind kind) {
  std::vector<std::string> all;
  for (const auto& node : map.nodes) {
    if (node.kind == kind) all.push_back(node.name);
  }
  return all;
}

}  // namespace map_samples
