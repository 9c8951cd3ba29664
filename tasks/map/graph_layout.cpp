#include "tasks/map/graph_layout.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>

namespace reeve::tasks {
namespace {

constexpr double layer_gap = 96;  // room for the lines and their labels
constexpr double row_gap = 22;
constexpr double lane_height = 14;  // of an edge that passes a layer
constexpr int ordering_sweeps = 12;
constexpr int placing_sweeps = 8;
constexpr std::size_t least_columns = 4;  // of the rows below

/// A box, or the place of a long edge in one layer.
struct vertex {
  std::size_t layer = 0;
  double height = lane_height;
  double y = 0;  // of its middle
  std::vector<std::size_t> before;
  std::vector<std::size_t> after;
};

class layers {
 public:
  layers(const std::vector<layout_size>& boxes, const std::vector<layout_edge>& edges)
      : boxes_(boxes), edges_(edges), vertices_(boxes.size()), flipped_(edges.size()) {
    for (std::size_t i = 0; i < boxes.size(); ++i) vertices_[i].height = boxes[i].height;
  }

  graph_layout make() {
    break_cycles();
    choose_layers();
    make_lanes();
    order();
    place();
    graph_layout out;
    out.corners.resize(boxes_.size());
    draw_boxes(out);
    draw_edges(out);
    draw_lone(out);
    return out;
  }

 private:
  bool is_lone(std::size_t box) const { return degree_[box] == 0; }
  std::size_t tail(std::size_t edge) const {
    return flipped_[edge] ? edges_[edge].to : edges_[edge].from;
  }
  std::size_t head(std::size_t edge) const {
    return flipped_[edge] ? edges_[edge].from : edges_[edge].to;
  }

  /// Edges that lead back to where a walk came from are laid out the other way round.
  void break_cycles() {
    degree_.assign(boxes_.size(), 0);
    std::vector<std::vector<std::size_t>> out(boxes_.size());
    for (std::size_t e = 0; e < edges_.size(); ++e) {
      out[edges_[e].from].push_back(e);
      ++degree_[edges_[e].from];
      ++degree_[edges_[e].to];
    }
    enum class mark : std::uint8_t { fresh, open, done };
    std::vector<mark> marks(boxes_.size(), mark::fresh);
    for (std::size_t root = 0; root < boxes_.size(); ++root) {
      if (marks[root] != mark::fresh) continue;
      std::vector<std::pair<std::size_t, std::size_t>> walk{{root, 0}};
      marks[root] = mark::open;
      while (!walk.empty()) {
        auto& [at, next] = walk.back();
        if (next == out[at].size()) {
          marks[at] = mark::done;
          walk.pop_back();
          continue;
        }
        const auto edge = out[at][next++];
        const auto to = edges_[edge].to;
        if (marks[to] == mark::open) flipped_[edge] = true;
        if (marks[to] != mark::fresh) continue;
        marks[to] = mark::open;
        walk.emplace_back(to, 0);
      }
    }
  }

  /// As far right as the longest way to it; what nothing leads to stands next to where it leads.
  void choose_layers() {
    std::vector<std::size_t> missing(boxes_.size());
    std::vector<std::vector<std::size_t>> after(boxes_.size());
    for (std::size_t e = 0; e < edges_.size(); ++e) {
      after[tail(e)].push_back(head(e));
      ++missing[head(e)];
    }
    const auto sources = missing;
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < boxes_.size(); ++i) {
      if (missing[i] == 0) ready.push_back(i);
    }
    for (std::size_t n = 0; n < ready.size(); ++n) {
      for (const auto to : after[ready[n]]) {
        vertices_[to].layer = std::max(vertices_[to].layer, vertices_[ready[n]].layer + 1);
        if (--missing[to] == 0) ready.push_back(to);
      }
    }
    for (std::size_t i = 0; i < boxes_.size(); ++i) {
      if (sources[i] != 0 || after[i].empty()) continue;
      std::size_t nearest = SIZE_MAX;
      for (const auto to : after[i]) nearest = std::min(nearest, vertices_[to].layer);
      vertices_[i].layer = nearest - 1;
    }
  }

  void make_lanes() {
    lanes_.resize(edges_.size());
    for (std::size_t e = 0; e < edges_.size(); ++e) {
      auto at = tail(e);
      for (auto layer = vertices_[at].layer + 1; layer < vertices_[head(e)].layer; ++layer) {
        const auto lane = vertices_.size();
        vertices_.emplace_back().layer = layer;
        join(at, lane);
        lanes_[e].push_back(lane);
        at = lane;
      }
      join(at, head(e));
    }
    for (std::size_t v = 0; v < vertices_.size(); ++v) {
      if (v < boxes_.size() && is_lone(v)) continue;
      if (vertices_[v].layer >= columns_.size()) columns_.resize(vertices_[v].layer + 1);
      columns_[vertices_[v].layer].push_back(v);
    }
  }

  void join(std::size_t from, std::size_t to) {
    vertices_[from].after.push_back(to);
    vertices_[to].before.push_back(from);
  }

  /// Each where its neighbours are on average, from the left and from the right by turns.
  void order() {
    std::vector<double> places(vertices_.size());
    const auto number = [&](const std::vector<std::size_t>& column) {
      for (std::size_t i = 0; i < column.size(); ++i) {
        places[column[i]] = (static_cast<double>(i) + 0.5) / static_cast<double>(column.size());
      }
    };
    for (const auto& column : columns_) number(column);
    for (int sweep = 0; sweep < ordering_sweeps; ++sweep) {
      const bool forward = sweep % 2 == 0;
      for (std::size_t n = 0; n < columns_.size(); ++n) {
        auto& column = columns_[forward ? n : columns_.size() - 1 - n];
        std::vector<std::pair<double, std::size_t>> wanted;
        for (const auto v : column) {
          const auto& near = forward ? vertices_[v].before : vertices_[v].after;
          double sum = 0;
          for (const auto other : near) sum += places[other];
          wanted.emplace_back(near.empty() ? places[v] : sum / static_cast<double>(near.size()), v);
        }
        std::stable_sort(wanted.begin(), wanted.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        for (std::size_t i = 0; i < column.size(); ++i) column[i] = wanted[i].second;
        number(column);
      }
    }
  }

  double distance(std::size_t upper, std::size_t lower) const {
    return (vertices_[upper].height + vertices_[lower].height) / 2 + row_gap;
  }

  /// Heights near those of the neighbours, in the order that is there: the sum of squares is least
  /// when blocks that press on each other move as one (pool adjacent violators).
  void place() {
    for (auto& column : columns_) {
      double y = 0;
      for (std::size_t i = 0; i < column.size(); ++i) {
        if (i > 0) y += distance(column[i - 1], column[i]);
        vertices_[column[i]].y = y;
      }
    }
    for (int sweep = 0; sweep < placing_sweeps; ++sweep) {
      for (std::size_t n = 0; n < columns_.size(); ++n) {
        settle(columns_[sweep % 2 == 0 ? n : columns_.size() - 1 - n]);
      }
    }
  }

  double wanted_y(std::size_t v) const {
    double sum = 0;
    for (const auto other : vertices_[v].before) sum += vertices_[other].y;
    for (const auto other : vertices_[v].after) sum += vertices_[other].y;
    const auto count = vertices_[v].before.size() + vertices_[v].after.size();
    return count == 0 ? vertices_[v].y : sum / static_cast<double>(count);
  }

  void settle(const std::vector<std::size_t>& column) {
    struct block {
      double sum = 0;
      double count = 0;
      std::size_t size = 0;
      double mean() const { return sum / count; }
    };
    std::vector<block> blocks;
    std::vector<double> offsets;
    for (std::size_t i = 0; i < column.size(); ++i) {
      offsets.push_back(i == 0 ? 0 : offsets.back() + distance(column[i - 1], column[i]));
      blocks.push_back({wanted_y(column[i]) - offsets.back(), 1, 1});
      while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() > blocks.back().mean()) {
        const auto last = blocks.back();
        blocks.pop_back();
        blocks.back().sum += last.sum;
        blocks.back().count += last.count;
        blocks.back().size += last.size;
      }
    }
    std::size_t i = 0;
    for (const auto& one : blocks) {
      for (std::size_t n = 0; n < one.size; ++n, ++i) {
        vertices_[column[i]].y = one.mean() + offsets[i];
      }
    }
  }

  void draw_boxes(graph_layout& out) {
    double top = 0;
    bool is_first = true;
    for (const auto& column : columns_) {
      double width = 0;
      for (const auto v : column) {
        if (v < boxes_.size()) width = std::max(width, boxes_[v].width);
        const auto its = vertices_[v].y - vertices_[v].height / 2;
        top = is_first ? its : std::min(top, its);
        is_first = false;
      }
      widths_.push_back(width);
    }
    for (std::size_t n = 0; n < columns_.size(); ++n) {
      lefts_.push_back(n == 0 ? 0 : lefts_.back() + widths_[n - 1] + layer_gap);
      out.size.width = lefts_.back() + widths_[n];
      for (const auto v : columns_[n]) {
        vertices_[v].y -= top;
        out.size.height = std::max(out.size.height, vertices_[v].y + vertices_[v].height / 2);
        if (v >= boxes_.size()) continue;
        out.corners[v] = {lefts_[n] + (widths_[n] - boxes_[v].width) / 2,
                          vertices_[v].y - boxes_[v].height / 2};
      }
    }
  }

  /// Where the edges of one side of a box touch it: spread over its height, by where they go.
  std::vector<double> touches(const graph_layout& out, bool right) const {
    std::vector<std::vector<std::size_t>> by_box(boxes_.size());
    for (std::size_t e = 0; e < edges_.size(); ++e) by_box[right ? tail(e) : head(e)].push_back(e);
    const auto next_y = [&](std::size_t e) {
      const auto other = lanes_[e].empty() ? (right ? head(e) : tail(e))
                                           : (right ? lanes_[e].front() : lanes_[e].back());
      return vertices_[other].y;
    };
    std::vector<double> ys(edges_.size());
    for (std::size_t box = 0; box < by_box.size(); ++box) {
      auto& its = by_box[box];
      std::stable_sort(its.begin(), its.end(),
                       [&](std::size_t a, std::size_t b) { return next_y(a) < next_y(b); });
      for (std::size_t i = 0; i < its.size(); ++i) {
        const auto share = static_cast<double>(i + 1) / static_cast<double>(its.size() + 1);
        ys[its[i]] = out.corners[box].y + boxes_[box].height * share;
      }
    }
    return ys;
  }

  void draw_edges(graph_layout& out) const {
    const auto leaves = touches(out, true);
    const auto arrives = touches(out, false);
    for (std::size_t e = 0; e < edges_.size(); ++e) {
      auto& route = out.routes.emplace_back();
      const auto from = tail(e), to = head(e);
      const auto begin = out.corners[from].x + boxes_[from].width;
      route.push_back({begin, leaves[e]});
      // A narrow box in a wide layer: straight to the layer's side first.
      const auto layer = vertices_[from].layer;
      route.push_back({lefts_[layer] + widths_[layer], leaves[e]});
      for (const auto lane : lanes_[e]) {
        const auto n = vertices_[lane].layer;
        route.push_back({lefts_[n], vertices_[lane].y});
        route.push_back({lefts_[n] + widths_[n], vertices_[lane].y});
      }
      route.push_back({lefts_[vertices_[to].layer], arrives[e]});
      route.push_back({out.corners[to].x, arrives[e]});
      if (flipped_[e]) std::reverse(route.begin(), route.end());
    }
  }

  void draw_lone(graph_layout& out) const {
    std::vector<std::size_t> lone;
    layout_size largest;
    for (std::size_t i = 0; i < boxes_.size(); ++i) {
      if (!is_lone(i)) continue;
      lone.push_back(i);
      largest.width = std::max(largest.width, boxes_[i].width);
      largest.height = std::max(largest.height, boxes_[i].height);
    }
    if (lone.empty()) return;
    const auto fit = static_cast<std::size_t>(out.size.width / (largest.width + row_gap));
    const auto columns = std::max(least_columns, fit);
    const auto top = out.size.height > 0 ? out.size.height + 2 * row_gap : 0;
    for (std::size_t n = 0; n < lone.size(); ++n) {
      auto& at = out.corners[lone[n]];
      at = {static_cast<double>(n % columns) * (largest.width + row_gap),
            top + static_cast<double>(n / columns) * (largest.height + row_gap)};
      out.size.width = std::max(out.size.width, at.x + boxes_[lone[n]].width);
      out.size.height = std::max(out.size.height, at.y + boxes_[lone[n]].height);
    }
  }

  const std::vector<layout_size>& boxes_;
  const std::vector<layout_edge>& edges_;
  std::vector<vertex> vertices_;  // the boxes first
  std::vector<bool> flipped_;
  std::vector<std::size_t> degree_;
  std::vector<std::vector<std::size_t>> lanes_;    // of each edge
  std::vector<std::vector<std::size_t>> columns_;  // of each layer, from top to bottom
  std::vector<double> widths_;
  std::vector<double> lefts_;
};

}  // namespace

graph_layout lay_out(const std::vector<layout_size>& boxes, const std::vector<layout_edge>& edges) {
  return layers(boxes, edges).make();
}

}  // namespace reeve::tasks
