#include "base/time.hpp"
#include "base/utf8.hpp"
#include "tasks/map/graph_layout.hpp"
#include "tasks/map/map_drawing.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace reeve::tasks {
namespace {

constexpr double margin = 24;
constexpr double head_height = 58;
constexpr double line_height = 17;
constexpr double letter = 7.0;  // of the usual sizes, on average
constexpr std::size_t most_letters = 30;
constexpr std::size_t networks_in_a_box = 4;
constexpr std::size_t networks_in_the_legend = 24;
// Colours that people with any eyes tell apart (Okabe and Ito), less the black.
constexpr std::array<std::string_view, 7> colours{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                  "#e69f00", "#56b4e9", "#8a7d00"};

constexpr std::string_view style =
    "<style>text{font-family:'DejaVu Sans',Verdana,Arial,sans-serif;font-size:12px;fill:#1e293b}"
    ".h{font-size:18px;font-weight:bold}.n{font-size:13px;font-weight:bold}"
    ".s{font-size:11px;fill:#64748b}.w{font-size:11px;fill:#b91c1c}"
    ".l{font-size:11px;fill:#334155;stroke:#ffffff;stroke-width:4px;paint-order:stroke}"
    "rect{stroke-width:1.2}path{fill:none;stroke-width:1.5}"
    ".container{fill:#ffffff;stroke:#475569}.port{fill:#e0f2fe;stroke:#0284c7}"
    ".volume{fill:#fef3c7;stroke:#d97706}"
    ".address{fill:#f1f5f9;stroke:#94a3b8;stroke-dasharray:4 3}"
    ".connects{stroke:#334155}.depends_on{stroke:#94a3b8;stroke-dasharray:6 4}"
    ".publishes{stroke:#0284c7}.mounts{stroke:#d97706;stroke-dasharray:2 3}</style>\n";

std::string number(double value) {
  const auto tenths = std::llround(value * 10);
  std::string text = std::to_string(tenths / 10);
  if (tenths % 10 != 0) text += "." + std::to_string(std::abs(tenths % 10));
  return tenths < 0 && tenths > -10 ? "-" + text : text;
}

std::size_t letters_in(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

/// At most so many letters; of a longer one its end counts as much as its beginning ("…db-1").
std::string shortened(const std::string& text, std::size_t most = most_letters) {
  if (letters_in(text) <= most) return text;
  std::vector<std::string_view> letters;
  for (std::string_view rest = text; !rest.empty();) {
    const auto size = first_sequence(rest).size;
    letters.push_back(rest.substr(0, size));
    rest.remove_prefix(size);
  }
  const auto half = most / 2;
  std::string out;
  for (std::size_t i = 0; i + half + 1 < most; ++i) out += letters[i];
  out += "…";
  for (std::size_t i = letters.size() - half; i < letters.size(); ++i) out += letters[i];
  return out;
}

struct text_line {
  std::string_view look;
  std::string text;
  std::optional<std::size_t> network;  // a dot of its colour stands in front
};

struct drawn_box {
  const map_node* node = nullptr;
  std::vector<text_line> lines;
};

struct drawn_edge {
  const map_edge* edge = nullptr;
  std::string label;
};

class picture {
 public:
  explicit picture(const service_map& map) : map_(map) {
    for (const auto& node : map.nodes) by_id_[node.id] = &node;
    for (const auto& node : map.nodes) {
      if (node.kind == map_node_kind::network) networks_.push_back(&node);
    }
    choose_boxes();
    choose_edges();
    std::vector<layout_size> sizes;
    for (const auto& box : boxes_) sizes.push_back(size_of(box));
    std::vector<layout_edge> edges;
    for (const auto& [ends, edge] : edges_) edges.push_back({ends.first, ends.second});
    layout_ = lay_out(sizes, edges);
    sizes_ = std::move(sizes);
  }

  std::string draw() {
    const auto lines = legend();
    const double legend_height = static_cast<double>(lines) * (line_height + 2) + 20;
    const double width = std::max(layout_.size.width, 640.0) + 2 * margin;
    const double height = head_height + layout_.size.height + legend_height + 2 * margin;
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(width) +
                      "\" height=\"" + number(height) + "\" viewBox=\"0 0 " + number(width) + " " +
                      number(height) + "\" role=\"img\">\n<title>Service map</title>\n";
    out += style;
    out += markers();
    out += "<rect x=\"0\" y=\"0\" width=\"" + number(width) + "\" height=\"" + number(height) +
           "\" fill=\"#f8fafc\" stroke=\"none\"/>\n";
    write(out, margin, margin + 14, "h", "Service map");
    write(out, margin, margin + 34, "s", subtitle());
    draw_edges(out);
    for (std::size_t i = 0; i < boxes_.size(); ++i) draw_box(out, i);
    out += "<g transform=\"translate(" + number(margin) + " " +
           number(head_height + layout_.size.height + 2 * margin) + ")\">\n" + legend_ + "</g>\n";
    return out + "</svg>\n";
  }

 private:
  static bool is_box(map_node_kind kind) {
    return kind != map_node_kind::network && kind != map_node_kind::image;
  }

  void choose_boxes() {
    for (const auto& node : map_.nodes) {
      if (!is_box(node.kind)) continue;
      if (boxes_.size() == most_drawn_nodes) {
        ++nodes_left_out_;
        continue;
      }
      number_of_[node.id] = boxes_.size();
      boxes_.push_back({&node, {{"n", shortened(node.name), {}}}});
    }
    for (const auto& edge : map_.edges) add_to_box(edge);
    for (auto& box : boxes_) {
      const auto& node = *box.node;
      const bool is_up = !node.state || node.state == "running";
      if (!is_up) box.lines.push_back({"w", shortened(*node.state), {}});
      if (node.kind == map_node_kind::volume) box.lines.push_back({"s", "volume", {}});
      if (more_networks_[&node] > 0) {
        box.lines.push_back({"s", "and " + std::to_string(more_networks_[&node]) + " more", {}});
      }
    }
  }

  /// Images and networks stand in the boxes of their containers.
  void add_to_box(const map_edge& edge) {
    const auto box = number_of_.find(edge.from);
    if (box == number_of_.end()) return;
    auto& lines = boxes_[box->second].lines;
    const auto& to = *by_id_.at(edge.to);
    if (edge.kind == map_edge_kind::runs) {
      lines.insert(lines.begin() + 1, {"s", shortened(to.name), {}});
    }
    if (edge.kind != map_edge_kind::joins) return;
    const auto its = std::count_if(lines.begin(), lines.end(),
                                   [](const auto& line) { return line.network.has_value(); });
    if (static_cast<std::size_t>(its) == networks_in_a_box) {
      ++more_networks_[boxes_[box->second].node];
      return;
    }
    const auto at = std::find(networks_.begin(), networks_.end(), &to) - networks_.begin();
    lines.push_back({"s", shortened(to.name, most_letters - 2), static_cast<std::size_t>(at)});
  }

  /// One line from one box to another: what was seen wins over what was declared.
  void choose_edges() {
    for (const auto& edge : map_.edges) {
      const auto from = number_of_.find(edge.from), to = number_of_.find(edge.to);
      const bool is_line = edge.kind != map_edge_kind::runs && edge.kind != map_edge_kind::joins;
      if (!is_line) continue;
      if (from == number_of_.end() || to == number_of_.end() || from == to) {
        ++edges_left_out_;
        continue;
      }
      const auto ends = std::pair(from->second, to->second);
      if (!edges_.contains(ends) && edges_.size() == most_drawn_edges) {
        ++edges_left_out_;
        continue;
      }
      auto& drawn = edges_[ends];
      if (drawn.edge == nullptr) drawn.edge = &edge;
      const bool has_port = edge.port && (edge.kind == map_edge_kind::connects ||
                                          edge.kind == map_edge_kind::publishes);
      if (!has_port || letters_in(drawn.label) > 12) continue;
      drawn.label += (drawn.label.empty() ? ":" : ", :") + std::to_string(*edge.port);
      if (edge.kind == map_edge_kind::connects && edge.detail) {
        drawn.label += "?";
        has_doubt_ = true;
      }
    }
  }

  static layout_size size_of(const drawn_box& box) {
    std::size_t widest = 8;
    for (const auto& line : box.lines) {
      const std::size_t dot = line.network ? 2 : 0;
      widest = std::max(widest, letters_in(line.text) + dot + (line.look == "n" ? 2 : 0));
    }
    return {static_cast<double>(widest) * letter + 24,
            static_cast<double>(box.lines.size()) * line_height + 14};
  }

  static void write(std::string& out, double x, double y, std::string_view look,
                    const std::string& text, std::string_view anchor = "start") {
    out += "<text class=\"" + std::string(look) + "\" x=\"" + number(x) + "\" y=\"" + number(y) +
           "\" text-anchor=\"" + std::string(anchor) + "\">" + xml_text(text) + "</text>\n";
  }

  static void dot(std::string& out, double x, double y, std::size_t network) {
    out += "<circle cx=\"" + number(x) + "\" cy=\"" + number(y) + "\" r=\"4.5\" fill=\"" +
           std::string(colours[network % colours.size()]) + "\"/>\n";
  }

  void draw_box(std::string& out, std::size_t i) const {
    const auto& box = boxes_[i];
    const auto x = layout_.corners[i].x + margin;
    const auto y = layout_.corners[i].y + margin + head_height;
    const bool is_round = box.node->kind == map_node_kind::port;
    out += "<g><title>" + xml_text(box.node->name) + "</title>\n<rect class=\"" +
           std::string(domain::name_of(box.node->kind)) + "\" x=\"" + number(x) + "\" y=\"" +
           number(y) + "\" width=\"" + number(sizes_[i].width) + "\" height=\"" +
           number(sizes_[i].height) + "\" rx=\"" + (is_round ? "15" : "7") + "\"/>\n";
    double at = y + line_height + 3;
    for (const auto& line : box.lines) {
      if (line.network) dot(out, x + 16, at - 4, *line.network);
      write(out, x + (line.network ? 26 : 12), at, line.look, line.text);
      at += line_height;
    }
    out += "</g>\n";
  }

  static std::string markers() {
    std::string out = "<defs>\n";
    const std::array<std::pair<const char*, const char*>, 3> all{
        std::pair{"connects", "#334155"}, {"depends_on", "#94a3b8"}, {"publishes", "#0284c7"}};
    for (const auto& [name, colour] : all) {
      out += "<marker id=\"" + std::string(name) +
             "\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" "
             "orient=\"auto-start-reverse\"><path d=\"M0 0L10 5L0 10z\" style=\"fill:" +
             colour + ";stroke:none\"/></marker>\n";
    }
    return out + "</defs>\n";
  }

  static std::string path_of(const std::vector<layout_point>& route, double dx, double dy) {
    const auto at = [&](double x, double y) { return number(x + dx) + " " + number(y + dy); };
    std::string d = "M" + at(route.front().x, route.front().y);
    for (std::size_t n = 1; n < route.size(); ++n) {
      const auto& from = route[n - 1];
      const auto& to = route[n];
      if (n % 2 == 1) {
        d += "L" + at(to.x, to.y);
      } else {
        const auto middle = (from.x + to.x) / 2;
        d += "C" + at(middle, from.y) + " " + at(middle, to.y) + " " + at(to.x, to.y);
      }
    }
    return d;
  }

  /// Labels over all lines, each in the gap behind the box that it comes from.
  void draw_edges(std::string& out) const {
    std::string labels;
    std::size_t n = 0;
    for (const auto& [ends, drawn] : edges_) {
      const auto& route = layout_.routes[n++];
      const auto kind = std::string(domain::name_of(drawn.edge->kind));
      const bool has_head = drawn.edge->kind != map_edge_kind::mounts;
      out += "<path class=\"" + kind + "\" d=\"" + path_of(route, margin, margin + head_height) +
             "\"" + (has_head ? " marker-end=\"url(#" + kind + ")\"" : "") + "/>\n";
      if (drawn.label.empty()) continue;
      write(labels, (route[1].x + route[2].x) / 2 + margin,
            (route[1].y + route[2].y) / 2 + margin + head_height + 4, "l", drawn.label, "middle");
    }
    out += labels;
  }

  std::string subtitle() const {
    std::size_t containers = 0;
    for (const auto& node : map_.nodes) containers += node.kind == map_node_kind::container;
    const auto seconds = format_time(map_.made_at.at).substr(0, 19);
    auto text = seconds.substr(0, 10) + " " + seconds.substr(11) + " UTC, engine: " + map_.engine +
                ", containers: " + std::to_string(containers) +
                ", networks: " + std::to_string(networks_.size());
    if (!map_.problems.empty()) {
      text += ", not everything could be read (" + std::to_string(map_.problems.size()) + ")";
    }
    return text;
  }

  void legend_line(std::string_view look, const std::string& text, std::size_t line) {
    const double y = static_cast<double>(line) * (line_height + 2) + 8;
    legend_ += "<path class=\"" + std::string(look) + "\" d=\"M0 " + number(y) + "L36 " +
               number(y) + "\"" +
               (look == "mounts" ? "" : " marker-end=\"url(#" + std::string(look) + ")\"") + "/>\n";
    write(legend_, 46, y + 4, "s", text);
  }

  /// What the lines mean, and the networks beside it; how many lines of text it has.
  std::size_t legend() {
    legend_line("connects",
                std::string("connection that was seen, with the server's port") +
                    (has_doubt_ ? "; ?: of one of several with this address" : ""),
                0);
    legend_line("depends_on", "declared dependency, no connection seen", 1);
    legend_line("publishes", "port of the host, to the container's port", 2);
    legend_line("mounts", "volume", 3);
    const auto shown = std::min(networks_.size(), networks_in_the_legend);
    for (std::size_t i = 0; i < shown; ++i) {
      const double y = static_cast<double>(i) * (line_height + 2) + 8;
      const auto& network = *networks_[i];
      dot(legend_, 380, y, i);
      write(legend_, 392, y + 4, "s",
            "network " + shortened(network.name) +
                (network.detail ? " (" + shortened(*network.detail, 24) + ")" : ""));
    }
    auto lines = std::max<std::size_t>(4, shown);
    const auto nodes = nodes_left_out_ + map_.nodes_left_out;
    const auto edges = edges_left_out_ + map_.edges_left_out;
    if (nodes + edges > 0) {
      const double y = static_cast<double>(lines++) * (line_height + 2) + 12;
      write(legend_, 0, y, "w",
            "Not drawn: " + std::to_string(nodes) + " nodes and " + std::to_string(edges) +
                " edges. See service_map.json.");
    }
    return lines;
  }

  const service_map& map_;
  std::map<std::string, const map_node*> by_id_;
  std::map<std::string, std::size_t> number_of_;  // of the boxes
  std::map<const map_node*, std::size_t> more_networks_;
  std::vector<const map_node*> networks_;
  std::vector<drawn_box> boxes_;
  std::map<std::pair<std::size_t, std::size_t>, drawn_edge> edges_;
  std::int64_t nodes_left_out_ = 0;
  std::int64_t edges_left_out_ = 0;
  bool has_doubt_ = false;  // some edge is of one of several
  std::vector<layout_size> sizes_;
  graph_layout layout_;
  std::string legend_;
};

}  // namespace

std::string xml_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto next = first_sequence(text);
    const auto bytes = text.substr(0, next.size);
    text.remove_prefix(next.size);
    const auto byte = static_cast<unsigned char>(bytes[0]);
    const bool is_control = bytes.size() == 1 && (byte < 0x20 || byte == 0x7f);
    const bool is_none = bytes == "\xef\xbf\xbe" || bytes == "\xef\xbf\xbf";
    if (!next.valid || is_control || is_none) {
      out += "\xef\xbf\xbd";
    } else if (bytes == "&") {
      out += "&amp;";
    } else if (bytes == "<") {
      out += "&lt;";
    } else if (bytes == ">") {
      out += "&gt;";
    } else if (bytes == "\"") {
      out += "&quot;";
    } else if (bytes == "'") {
      out += "&#39;";
    } else {
      out += bytes;
    }
  }
  return out;
}

std::string to_svg(const service_map& map) {
  return picture(map).draw();
}

}  // namespace reeve::tasks
