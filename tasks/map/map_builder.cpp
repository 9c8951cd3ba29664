#include "tasks/map/map_builder.hpp"

#include "base/utf8.hpp"
#include "tasks/map/code_point.hpp"

#include <algorithm>

namespace reeve::tasks {
namespace {

constexpr std::string_view unknown_character = "\xef\xbf\xbd";  // U+FFFD

/// Controls, separators of lines, marks that change the direction, and what is no character.
bool is_harmful(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff ||
         (c & 0xfffeU) == 0xfffe;
}

}  // namespace

std::string map_builder::clean(std::string_view text) const {
  const auto redacted = rules_.redact(text.substr(0, 16 * max_map_text));
  std::string out;
  std::string_view rest = redacted;
  while (!rest.empty()) {
    const auto next = first_sequence(rest);
    const auto bytes = rest.substr(0, next.size);
    rest.remove_prefix(next.size);
    const bool is_good = next.valid && !is_harmful(code_point(bytes));
    const auto shown = is_good ? bytes : unknown_character;
    if (out.size() + shown.size() > max_map_text) {
      return std::string(utf8_prefix(out, max_map_text - 3)) + "…";
    }
    out += shown;
  }
  return out;
}

std::size_t map_builder::node(map_node_kind kind, const std::string& key, const std::string& name) {
  const auto [found, is_new] = by_key_.try_emplace({kind, key}, nodes_.size());
  if (is_new) {
    auto& made = nodes_.emplace_back();
    made.kind = kind;
    made.name = clean(name);
  }
  return found->second;
}

map_edge& map_builder::edge(std::size_t from, std::size_t to, map_edge_kind kind,
                            std::optional<std::int64_t> port) {
  auto& made = edges_[{from, to, kind, port.value_or(0)}];
  made.kind = kind;
  made.port = port;
  return made;
}

/// Addresses by their connections, the others by their names; kinds in the order of the enum.
std::vector<std::size_t> map_builder::ranked() const {
  std::vector<std::int64_t> connections(nodes_.size());
  for (const auto& [key, edge] : edges_) {
    connections[std::get<0>(key)] += edge.count.value_or(0);
    connections[std::get<1>(key)] += edge.count.value_or(0);
  }
  std::vector<std::size_t> order(nodes_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const auto& left = nodes_[a];
    const auto& right = nodes_[b];
    if (left.kind != right.kind) return left.kind < right.kind;
    const bool is_address = left.kind == map_node_kind::address;
    if (is_address && connections[a] != connections[b]) return connections[a] > connections[b];
    return left.name < right.name;
  });
  return order;
}

void map_builder::finish(const map_limits& limits, service_map& into) const {
  const auto order = ranked();
  const auto kept = std::min(order.size(), limits.nodes);
  into.nodes_left_out += static_cast<std::int64_t>(order.size() - kept);
  constexpr auto none = static_cast<std::size_t>(-1);
  std::vector<std::size_t> place(nodes_.size(), none);
  for (std::size_t i = 0; i < kept; ++i) {
    place[order[i]] = i;
    into.nodes.push_back(nodes_[order[i]]);
    into.nodes.back().id = "n" + std::to_string(i + 1);
  }
  std::map<edge_key, const map_edge*> sorted;
  for (const auto& [key, edge] : edges_) {
    const auto [from, to, kind, port] = key;
    if (place[from] == none || place[to] == none) {
      ++into.edges_left_out;
    } else {
      sorted[{place[from], place[to], kind, port}] = &edge;
    }
  }
  for (const auto& [key, edge] : sorted) {
    if (into.edges.size() >= limits.edges) {
      ++into.edges_left_out;
      continue;
    }
    auto& made = into.edges.emplace_back(*edge);
    made.from = into.nodes[std::get<0>(key)].id;
    made.to = into.nodes[std::get<1>(key)].id;
  }
}

}  // namespace reeve::tasks
