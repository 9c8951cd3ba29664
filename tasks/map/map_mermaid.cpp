#include "base/utf8.hpp"
#include "tasks/map/code_point.hpp"
#include "tasks/map/map_drawing.hpp"

#include <algorithm>
#include <set>

namespace reeve::tasks {
namespace {

constexpr char32_t replacement = 0xfffd;

bool is_plain(char32_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ' ' ||
         c == '.' || c == '_' || c == '-';
}

struct shape {
  std::string_view open;
  std::string_view close;
};

shape shape_of(map_node_kind kind) {
  switch (kind) {
    case map_node_kind::container:
      return {"[\"", "\"]"};
    case map_node_kind::network:
      return {"{{\"", "\"}}"};
    case map_node_kind::volume:
      return {"[(\"", "\")]"};
    case map_node_kind::port:
      return {"([\"", "\"])"};
    case map_node_kind::image:
      return {"[[\"", "\"]]"};
    case map_node_kind::address:
      break;
  }
  return {"(\"", "\")"};
}

std::string_view arrow_of(map_edge_kind kind) {
  switch (kind) {
    case map_edge_kind::connects:
    case map_edge_kind::publishes:
      return " -->";
    case map_edge_kind::depends_on:
    case map_edge_kind::runs:
      return " -.->";
    case map_edge_kind::joins:
    case map_edge_kind::mounts:
      break;
  }
  return " ---";
}

std::string label_of(const map_edge& edge) {
  switch (edge.kind) {
    case map_edge_kind::connects:
      return (edge.port ? std::to_string(*edge.port) : "") + (edge.detail ? "?" : "");
    case map_edge_kind::publishes:
      return edge.port ? std::to_string(*edge.port) : "";
    case map_edge_kind::depends_on:
      return "needs";
    default:
      return "";
  }
}

}  // namespace

std::string mermaid_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto next = first_sequence(text);
    const auto c = next.valid ? code_point(text.substr(0, next.size)) : replacement;
    text.remove_prefix(next.size);
    if (is_plain(c)) {
      out += static_cast<char>(c);
    } else {
      const bool is_control = c < 0x20 || c == 0x7f;
      out += "#" + std::to_string(static_cast<std::uint32_t>(is_control ? replacement : c));
      out += ";";
    }
  }
  return out;
}

std::string to_mermaid(const service_map& map) {
  std::string out = "flowchart LR\n";
  std::set<std::string> drawn;
  for (const auto& node : map.nodes) {
    if (drawn.size() == most_drawn_nodes) break;
    drawn.insert(node.id);
    const auto [open, close] = shape_of(node.kind);
    out.append("  ").append(node.id).append(open).append(mermaid_text(node.name));
    const bool is_up = node.state == "running";
    if (node.state && !is_up) out.append(" - ").append(mermaid_text(*node.state));
    out.append(close).append("\n");
  }
  std::size_t edges = 0;
  for (const auto& edge : map.edges) {
    if (!drawn.contains(edge.from) || !drawn.contains(edge.to)) continue;
    if (edges == most_drawn_edges) break;
    ++edges;
    const auto label = label_of(edge);
    out.append("  ").append(edge.from).append(arrow_of(edge.kind));
    if (!label.empty()) out.append("|\"").append(label).append("\"|");
    out.append(" ").append(edge.to).append("\n");
  }
  const auto nodes = static_cast<std::int64_t>(map.nodes.size() - drawn.size());
  const auto others = static_cast<std::int64_t>(map.edges.size() - edges);
  const auto more_nodes = nodes + map.nodes_left_out, more_edges = others + map.edges_left_out;
  if (more_nodes + more_edges > 0) {
    out += "  more[\"not drawn - " + std::to_string(more_nodes) + " nodes and " +
           std::to_string(more_edges) + " edges\"]\n";
  }
  return out;
}

}  // namespace reeve::tasks
