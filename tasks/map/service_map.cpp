#include "tasks/map/service_map.hpp"

#include "tasks/map/map_builder.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace reeve::tasks {
namespace {

using adapters::net_socket;

constexpr std::string_view project_label = "com.docker.compose.project";
constexpr std::string_view service_label = "com.docker.compose.service";
constexpr std::string_view depends_label = "com.docker.compose.depends_on";
// Of one label: compose files with more services than that do not exist.
constexpr std::size_t most_dependencies = 256;

std::string label_of(const map_container& one, std::string_view name) {
  const auto found = one.what.labels.find(std::string(name));
  return found == one.what.labels.end() ? std::string() : found->second;
}

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

std::string with_port(const std::string& address, std::int64_t port) {
  const bool is_v6 = address.find(':') != std::string::npos;
  return (is_v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

/// A server that listens no more still has its connections: its port is none that the kernel gives
/// to clients, the other one is.
bool is_answered(const net_socket& socket) {
  constexpr std::int64_t first_of_clients = 32'768;
  return socket.local_port < first_of_clients && socket.remote_port >= first_of_clients;
}

std::optional<std::string> said(std::string text) {
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

class map_maker {
 public:
  map_maker(const map_input& input, const redactor& rules) : input_(input), graph_(rules) {
    for (const auto& one : input.networks) networks_[one.id] = &one;
    for (const auto& one : input.containers) containers_.push_back(&one);
    std::sort(containers_.begin(), containers_.end(), [](const auto* a, const auto* b) {
      return std::tie(a->what.name, a->what.id) < std::tie(b->what.name, b->what.id);
    });
  }

  service_map make(const map_limits& limits) {
    for (const auto* one : containers_) add_container(*one);
    for (std::size_t i = 0; i < containers_.size(); ++i) add_dependencies(i);
    for (std::size_t i = 0; i < containers_.size(); ++i) add_connections(i);
    for (const auto& [key, seen] : seen_) {
      const auto [from, to, port] = key;
      auto& edge = graph_.edge(from, to, map_edge_kind::connects, port);
      edge.count = std::max(seen.out, seen.in);
      edge.detail = seen.doubt();
    }
    service_map map;
    map.made_at = {input_.now};
    map.engine = input_.engine;
    map.nodes_left_out = input_.containers_left_out;
    for (const auto& one : input_.problems) {
      map.problems.push_back({graph_.clean(one.source), one.problem});
    }
    graph_.finish(limits, map);
    return map;
  }

 private:
  void add_container(const map_container& one) {
    const auto& what = one.what;
    const auto self = graph_.node(map_node_kind::container, what.name + " " + what.id, what.name);
    numbers_.push_back(self);
    graph_.at(self).state = said(graph_.clean(what.status));
    graph_.at(self).project = said(graph_.clean(label_of(one, project_label)));
    const auto image = what.image.empty() ? what.image_id : what.image;
    if (!image.empty()) {
      const auto node = graph_.node(map_node_kind::image, image + " " + what.image_id, image);
      graph_.at(node).detail = said(graph_.clean(what.image_id));
      graph_.edge(self, node, map_edge_kind::runs);
    }
    for (const auto& network : what.networks) add_network(self, network);
    for (const auto& volume : what.volumes) {
      if (volume.name.empty()) continue;
      const auto node = graph_.node(map_node_kind::volume, volume.name, volume.name);
      graph_.edge(self, node, map_edge_kind::mounts).detail =
          said(graph_.clean(volume.target + (volume.read_only ? " read-only" : "")));
    }
    for (const auto& port : what.ports) add_port(self, port);
  }

  void add_network(std::size_t self, const adapters::joined_network& network) {
    // "none" is no network.
    if (network.name == "none") return;
    const auto key = network.id.empty() ? network.name : network.id;
    const auto node = graph_.node(map_node_kind::network, key, network.name);
    if (const auto known = networks_.find(network.id); known != networks_.end()) {
      const auto& is = *known->second;
      graph_.at(node).detail = said(graph_.clean(is.driver + (is.internal ? " internal" : "")));
    }
    const auto address = network.address.empty() ? network.address6 : network.address;
    graph_.edge(self, node, map_edge_kind::joins).detail = said(graph_.clean(address));
  }

  /// The bindings to every address of IPv4 and of IPv6 are one.
  void add_port(std::size_t self, const adapters::published_port& port) {
    if (port.host_port == 0) return;
    const bool is_any =
        port.host_address.empty() || port.host_address == "0.0.0.0" || port.host_address == "::";
    const auto name =
        is_any ? std::to_string(port.host_port) : with_port(port.host_address, port.host_port);
    const auto node =
        graph_.node(map_node_kind::port, name + "/" + port.protocol, name + "/" + port.protocol);
    graph_.at(node).detail = said(graph_.clean(port.protocol));
    graph_.edge(node, self, map_edge_kind::publishes, port.container_port);
  }

  /// "db:service_healthy:false,cache:service_started:false", of the same project.
  void add_dependencies(std::size_t index) {
    const auto& one = *containers_[index];
    const auto project = label_of(one, project_label);
    std::string rest = label_of(one, depends_label);
    for (std::size_t n = 0; !rest.empty() && n < most_dependencies; ++n) {
      const auto part = rest.substr(0, rest.find(','));
      rest.erase(0, part.size() + 1);
      const auto colon = std::min(part.find(':'), part.size());
      const auto service = part.substr(0, colon);
      auto condition = part.substr(std::min(colon + 1, part.size()));
      condition = condition.substr(0, condition.find(':'));
      for (std::size_t other = 0; other < containers_.size() && !service.empty(); ++other) {
        const bool is_it = other != index &&
                           label_of(*containers_[other], project_label) == project &&
                           label_of(*containers_[other], service_label) == service;
        if (!is_it) continue;
        graph_.edge(numbers_[index], numbers_[other], map_edge_kind::depends_on).detail =
            said(graph_.clean(condition));
      }
    }
  }

  using ways = std::vector<const adapters::joined_network*>;

  /// The networks that a connection from this address of a container can have gone over: two of
  /// them may use the same addresses.
  static ways ways_from(const map_container& one, const std::string& local) {
    ways here, all;
    for (const auto& network : one.what.networks) {
      all.push_back(&network);
      if (has_address(network, local)) here.push_back(&network);
    }
    return here.empty() ? all : here;
  }

  static bool has_address(const adapters::joined_network& network, const std::string& address) {
    return !address.empty() && (network.address == address || network.address6 == address);
  }

  static bool is_on(const map_container& one, const ways& over, const std::string& address) {
    for (const auto& network : one.what.networks) {
      if (!has_address(network, address)) continue;
      for (const auto* way : over) {
        if (way->name == network.name && way->id == network.id) return true;
      }
    }
    return false;
  }

  /// One that is not up has its address no more, though the engine may tell it still.
  static bool is_up(const map_container& one) {
    const auto& status = one.what.status;
    return status != "exited" && status != "dead" && status != "created";
  }

  /// Whether this end of the connection was seen too.
  static bool tells_of(const map_container& one, const net_socket& other_end) {
    if (!one.sockets) return false;
    const auto& all = one.sockets->all;
    return std::any_of(all.begin(), all.end(), [&](const net_socket& its) {
      return its.is_established && its.local == other_end.remote &&
             its.local_port == other_end.remote_port && its.remote == other_end.local &&
             its.remote_port == other_end.local_port;
    });
  }

  template <class Is>
  static void keep_those_if_any(std::vector<std::size_t>& all, const Is& is) {
    const auto rest = std::stable_partition(all.begin(), all.end(), is);
    if (rest != all.begin()) all.erase(rest, all.end());
  }

  /// All whose the other address of a connection can be, as that container sees it: on the network
  /// that it went over, and of several those that are up and tell of it themselves.
  std::vector<std::size_t> peers_of(const net_socket& socket, const map_container& seen_by) const {
    std::vector<std::size_t> all;
    const auto over = ways_from(seen_by, socket.local);
    for (std::size_t i = 0; i < containers_.size(); ++i) {
      const auto& one = *containers_[i];
      if (&one != &seen_by && is_on(one, over, socket.remote)) all.push_back(i);
    }
    if (all.size() < 2) return all;
    keep_those_if_any(all, [this](std::size_t i) { return is_up(*containers_[i]); });
    keep_those_if_any(all, [&](std::size_t i) { return tells_of(*containers_[i], socket); });
    return all;
  }

  void add_connections(std::size_t index) {
    const auto& one = *containers_[index];
    if (!one.sockets) return;
    std::set<std::int64_t> listens;
    for (const auto& socket : one.sockets->all) {
      if (socket.is_listening) listens.insert(socket.local_port);
    }
    for (const auto& socket : one.sockets->all) {
      if (!socket.is_established || is_loopback(socket.remote)) continue;
      const bool is_served = listens.contains(socket.local_port) || is_answered(socket);
      is_served ? add_incoming(index, socket) : add_outgoing(index, socket);
    }
  }

  void add_outgoing(std::size_t index, const net_socket& socket) {
    const auto peers = peers_of(socket, *containers_[index]);
    for (const auto peer : peers) {
      auto& seen = seen_[{numbers_[index], numbers_[peer], socket.remote_port}];
      ++seen.out;
      seen.note(peers.size());
    }
    if (!peers.empty()) return;
    const auto to = address_node(socket.remote, socket.remote_port);
    ++seen_[{numbers_[index], to, socket.remote_port}].out;
  }

  /// Both ends may have told of the same connection. Clients that are no containers of the map are
  /// one node: their own ports say nothing.
  void add_incoming(std::size_t index, const net_socket& socket) {
    const auto peers = peers_of(socket, *containers_[index]);
    for (const auto peer : peers) {
      auto& seen = seen_[{numbers_[peer], numbers_[index], socket.local_port}];
      ++seen.in;
      seen.note(peers.size());
    }
    if (!peers.empty()) return;
    const auto from = graph_.node(map_node_kind::address, "clients", "other clients");
    ++seen_[{from, numbers_[index], socket.local_port}].in;
  }

  std::size_t address_node(const std::string& address, std::int64_t port) {
    const auto name = with_port(address, port);
    return graph_.node(map_node_kind::address, name, name);
  }

  struct seen_connections {
    std::int64_t out = 0;
    std::int64_t in = 0;
    std::size_t candidates = 1;  // the most that a connection of these can have been of
    bool is_certain = false;     // of one of them at least there was one alone

    void note(std::size_t peers) {
      candidates = std::max(candidates, peers);
      is_certain = is_certain || peers == 1;
    }
    std::optional<std::string> doubt() const {
      if (candidates == 1) return std::nullopt;
      return (is_certain ? "in part one of " : "one of ") + std::to_string(candidates) +
             " with this address";
    }
  };

  const map_input& input_;
  map_builder graph_;
  std::map<std::string, const adapters::network_summary*> networks_;
  std::vector<const map_container*> containers_;  // by name
  std::vector<std::size_t> numbers_;              // of their nodes
  std::map<std::tuple<std::size_t, std::size_t, std::int64_t>, seen_connections> seen_;
};

}  // namespace

service_map build_map(const map_input& input, const redactor& rules, const map_limits& limits) {
  return map_maker(input, rules).make(limits);
}

}  // namespace reeve::tasks
