#pragma once
// Where the boxes and lines of a drawing go: layers from left to right along the edges, so that
// most of them point the same way. The same graph has the same drawing. Boxes never overlap, and
// lines run between them: an edge over several layers has a place of its own in each.

#include <cstddef>
#include <vector>

namespace reeve::tasks {

struct layout_point {
  double x = 0;
  double y = 0;
};

struct layout_size {
  double width = 0;
  double height = 0;
};

struct layout_edge {
  std::size_t from = 0;
  std::size_t to = 0;  // not the same
};

struct graph_layout {
  std::vector<layout_point> corners;  // of each box, at its left and top
  /// Of each edge, from the side of one box to that of the other: straight within a layer (each
  /// second piece), bent between two.
  std::vector<std::vector<layout_point>> routes;
  layout_size size;  // of all of it; it begins at (0, 0)
};

/// Boxes without an edge stand below, in rows.
graph_layout lay_out(const std::vector<layout_size>& boxes, const std::vector<layout_edge>& edges);

}  // namespace reeve::tasks
