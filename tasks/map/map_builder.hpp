#pragma once
// The graph while it grows: nodes by what they are, edges by what they join, each once.

#include "tasks/map/service_map.hpp"

#include <map>
#include <tuple>

namespace reeve::tasks {

class map_builder {
 public:
  explicit map_builder(const redactor& rules) : rules_(rules) {}

  /// A node's number; the one that is there if there is one of this kind and key.
  std::size_t node(map_node_kind kind, const std::string& key, const std::string& name);
  map_node& at(std::size_t number) { return nodes_[number]; }
  /// Counts are added up; nothing changes an edge that is there otherwise.
  map_edge& edge(std::size_t from, std::size_t to, map_edge_kind kind,
                 std::optional<std::int64_t> port = std::nullopt);
  /// Text from outside, as it may stand in a map: valid UTF-8 of one line, without characters that
  /// steer a terminal or turn text round, redacted, cut. Empty for empty.
  std::string clean(std::string_view text) const;

  /// Nodes by rank and name, with their numbers as ids, and the edges between them in their order.
  void finish(const map_limits& limits, service_map& into) const;

 private:
  using edge_key = std::tuple<std::size_t, std::size_t, map_edge_kind, std::int64_t>;

  std::vector<std::size_t> ranked() const;

  const redactor& rules_;
  std::vector<map_node> nodes_;
  std::map<std::pair<map_node_kind, std::string>, std::size_t> by_key_;
  std::map<edge_key, map_edge> edges_;
};

}  // namespace reeve::tasks
