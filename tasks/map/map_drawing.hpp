#pragma once
// A service map for people: as an SVG, and as text that Mermaid draws. Both take every name for
// text: none can be markup, a link or a script, whatever it is made of. The same map is drawn the
// same way.

#include "tasks/map/service_map.hpp"

#include <string>
#include <string_view>

namespace reeve::tasks {

/// Containers from left to right along their connections, with the image and the networks in the
/// box; published ports, volumes and other addresses beside them. Beyond `most_drawn_nodes` and
/// `most_drawn_edges` it says how many are in the JSON only. No script, no style from outside.
std::string to_svg(const service_map& map);

/// A flowchart; networks and images are nodes of their own.
std::string to_mermaid(const service_map& map);

inline constexpr std::size_t most_drawn_nodes = 120;
inline constexpr std::size_t most_drawn_edges = 300;

/// Text between tags and in attributes. What XML 1.0 cannot hold becomes U+FFFD.
std::string xml_text(std::string_view text);
/// Text between the quotes of a node or an edge: all but plain characters as #number;.
std::string mermaid_text(std::string_view text);

}  // namespace reeve::tasks
