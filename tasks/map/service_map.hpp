#pragma once
// The map of services: containers and what connects them, as a graph. Pure: the caller reads the
// engine and the kernel, says what time it is, and keeps what is drawn.
//
// Only what the given containers say of themselves is in it. A peer of a connection that is none of
// them is an address; a dependency that is none of them is left out, and so are other members of a
// network. An address is looked for on the network that the connection went over; where several
// containers have it there, the edge goes to each and says so. Names are cleaned and redacted, and
// no longer than max_map_text bytes.
//
// Numbers of nodes and edges are bounded; what is left out is told. Containers stay before
// networks, volumes, ports and images, and addresses with many connections before those with few.

#include "adapters/engine_port.hpp"
#include "adapters/proc_port.hpp"
#include "base/redact.hpp"
#include "domain/fields.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace reeve::tasks {

enum class map_node_kind { container, network, volume, port, image, address };
enum class map_edge_kind {
  connects,    // container to container or address, a connection that was seen
  depends_on,  // container to container, as compose wrote it on its labels
  joins,       // container to network
  mounts,      // container to volume
  publishes,   // port of the host to container
  runs         // container to image
};

}  // namespace reeve::tasks

template <>
struct reeve::domain::enum_names<reeve::tasks::map_node_kind> {
  static constexpr std::array<std::string_view, 6> names{"container", "network", "volume",
                                                         "port",      "image",   "address"};
};

template <>
struct reeve::domain::enum_names<reeve::tasks::map_edge_kind> {
  static constexpr std::array<std::string_view, 6> names{"connects", "depends_on", "joins",
                                                         "mounts",   "publishes",  "runs"};
};

namespace reeve::tasks {

using domain::field;

struct map_node {
  std::string id;  // "n1", …; the same in all three artifacts of one map
  map_node_kind kind = map_node_kind::container;
  std::string name;
  std::optional<std::string> state;    // of a container: the engine's word
  std::optional<std::string> project;  // of a container: its compose project
  std::optional<std::string> detail;   // a network's driver, an image's id, a port's protocol
  static constexpr auto fields() {
    return std::tuple{field("id", &map_node::id),           field("kind", &map_node::kind),
                      field("name", &map_node::name),       field("state", &map_node::state),
                      field("project", &map_node::project), field("detail", &map_node::detail)};
  }
};

struct map_edge {
  std::string from;
  std::string to;
  map_edge_kind kind = map_edge_kind::connects;
  std::optional<std::int64_t> port;   // connects: the server's; publishes: the container's
  std::optional<std::int64_t> count;  // connects: how many there were
  /// joins: the container's address; mounts: where, and "read-only"; depends_on: the condition;
  /// connects: "one of 2 with this address" where it may have been each of them, as it is told of
  /// each ("in part one of …" if that is true of some of the connections).
  std::optional<std::string> detail;
  static constexpr auto fields() {
    return std::tuple{field("from", &map_edge::from),   field("to", &map_edge::to),
                      field("kind", &map_edge::kind),   field("port", &map_edge::port),
                      field("count", &map_edge::count), field("detail", &map_edge::detail)};
  }
};

/// What could not be read of whom.
struct map_problem {
  std::string source;
  std::string problem;
  static constexpr auto fields() {
    return std::tuple{field("source", &map_problem::source),
                      field("problem", &map_problem::problem)};
  }
};

/// The JSON artifact.
struct service_map {
  std::int64_t format = 1;
  domain::timestamp made_at;
  std::string engine;  // "docker" or "simulated"
  std::vector<map_node> nodes;
  std::vector<map_edge> edges;
  std::int64_t nodes_left_out = 0;
  std::int64_t edges_left_out = 0;  // those of nodes that are left out included
  std::vector<map_problem> problems;
  static constexpr auto fields() {
    return std::tuple{field("format", &service_map::format),
                      field("made_at", &service_map::made_at),
                      field("engine", &service_map::engine),
                      field("nodes", &service_map::nodes),
                      field("edges", &service_map::edges),
                      field("nodes_left_out", &service_map::nodes_left_out),
                      field("edges_left_out", &service_map::edges_left_out),
                      field("problems", &service_map::problems)};
  }
};

struct map_container {
  adapters::container_details what;
  std::optional<adapters::net_sockets> sockets;  // nothing: they were not read
};

struct map_input {
  std::string engine;
  time_us now = 0;
  std::vector<map_container> containers;  // in any order; names are unique
  std::vector<adapters::network_summary> networks;
  std::vector<map_problem> problems;
  std::int64_t containers_left_out = 0;  // not even read
};

struct map_limits {
  std::size_t nodes = 400;
  std::size_t edges = 1200;
};

inline constexpr std::size_t max_map_text = 128;

service_map build_map(const map_input& input, const redactor& rules, const map_limits& limits = {});

}  // namespace reeve::tasks
