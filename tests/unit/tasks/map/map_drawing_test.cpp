// The drawings: names stay text whatever they are made of, nothing overlaps, and what is too much
// is told.

#include "tasks/map/map_drawing.hpp"

#include "tasks/map/graph_layout.hpp"
#include "tests/unit/tasks/map/map_samples.hpp"

#include <algorithm>
#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

namespace {

using namespace map_samples;
using testing::HasSubstr;
using testing::Not;

const std::string hostile = "<script>alert('x')</script>\"]&#]]> end; click n1 %% \x01 \xc3\x28";

/// Every < that is there opens or closes an element of ours.
void expect_well_formed(const std::string& svg) {
  std::vector<std::string> open;
  for (std::size_t at = svg.find('<'); at != std::string::npos; at = svg.find('<', at + 1)) {
    const auto end = svg.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const auto tag = svg.substr(at + 1, end - at - 1);
    const auto name = tag.substr(0, tag.find_first_of(" /", tag.starts_with('/') ? 1 : 0));
    if (tag.starts_with('/')) {
      ASSERT_FALSE(open.empty());
      EXPECT_EQ("/" + open.back(), name);
      open.pop_back();
    } else if (!tag.ends_with('/')) {
      open.push_back(name);
    }
    EXPECT_THAT((std::set<std::string>{"svg", "title", "style", "defs", "marker", "path", "rect",
                                       "text", "g", "circle"}),
                testing::Contains(tag.starts_with('/') ? name.substr(1) : name));
  }
  EXPECT_TRUE(open.empty());
}

service_map doubtful(bool is_doubtful) {
  auto web = container("web", {{"net", "10.1.0.2"}});
  auto first = container("db-1", {{"net", "10.1.0.3"}}), second = first;
  second.what.name = "db-2";
  if (!is_doubtful) second.what.networks.clear();
  web.sockets->all = {connected("10.1.0.2", 40000, "10.1.0.3", 5432)};
  return map_of({web, first, second});
}

std::vector<map_container> chain(int count) {
  std::vector<map_container> all;
  for (int i = 0; i < count; ++i) {
    const auto address = [](int n) {
      return "10.0." + std::to_string(n / 200) + "." + std::to_string(n % 200);
    };
    auto one = container("c" + std::to_string(1000 + i), {{"net", address(i)}});
    for (const int to : {(i + 1) % count, (i * 7 + 3) % count, i / 2}) {
      one.sockets->all.push_back(connected(address(i), 40000, address(to), 80));
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace

TEST(RUN10_svg, takes_names_for_text_whatever_they_are) {
  auto one = container("web", {{hostile, "10.0.0.1"}});
  one.what.image = hostile;
  one.what.status = hostile;
  one.what.volumes = {{hostile, hostile, false}};
  one.what.ports = {{hostile, 80, hostile, 8080}};
  auto map = map_of({one});
  map.engine = hostile;
  map.nodes.at(0).name = hostile;  // as if it had not been cleaned
  const auto svg = to_svg(map);
  expect_well_formed(svg);
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
  EXPECT_THAT(svg, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(svg, Not(HasSubstr("\x01")));
  EXPECT_THAT(svg, Not(HasSubstr("\xc3\x28")));
  EXPECT_THAT(svg, Not(HasSubstr("href")));
}

TEST(RUN10_mermaid, takes_names_for_text_whatever_they_are) {
  EXPECT_EQ(mermaid_text("a-b_1.c d"), "a-b_1.c d");
  EXPECT_EQ(mermaid_text("\"]\n#é"), "#34;#93;#65533;#35;#233;");
  auto one = container(hostile, {{hostile, "10.0.0.1"}});
  one.what.image = hostile;
  const auto text = to_mermaid(map_of({one}));
  for (std::string_view rest = text; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    EXPECT_EQ(std::count(line.begin(), line.end(), '"') % 2, 0) << line;
    EXPECT_THAT(std::string(line), Not(HasSubstr("<")));
    EXPECT_THAT(std::string(line), Not(HasSubstr("%%")));
    const bool is_ours = line == "flowchart LR" || line.starts_with("  n");
    EXPECT_TRUE(is_ours) << line;
  }
}

TEST(RUN10_mermaid, draws_every_kind) {
  auto web = container("web", {{"front", "10.1.0.2"}});
  web.what.ports = {{"tcp", 80, "0.0.0.0", 8080}};
  web.what.volumes = {{"pages", "/srv", false}};
  web.sockets->all = {connected("10.1.0.2", 40000, "192.0.2.1", 443)};
  EXPECT_EQ(to_mermaid(map_of({web})),
            "flowchart LR\n"
            "  n1[\"web\"]\n"
            "  n2{{\"front\"}}\n"
            "  n3[(\"pages\")]\n"
            "  n4([\"8080#47;tcp\"])\n"
            "  n5[[\"localhost#58;1#47;web#58;1\"]]\n"
            "  n6(\"192.0.2.1#58;443\")\n"
            "  n1 --- n2\n"
            "  n1 --- n3\n"
            "  n1 -.-> n5\n"
            "  n1 -->|\"443\"| n6\n"
            "  n4 -->|\"80\"| n1\n");
}

TEST(RUN10_drawings, of_much_say_what_is_missing) {
  const auto map = map_of(chain(150));
  const auto svg = to_svg(map);
  expect_well_formed(svg);
  EXPECT_THAT(svg, HasSubstr("Not drawn: "));
  EXPECT_THAT(to_mermaid(map), HasSubstr("not drawn - "));
  EXPECT_EQ(svg, to_svg(map));
  EXPECT_THAT(to_svg(map_of(chain(5))), Not(HasSubstr("Not drawn: ")));
  const auto nothing = to_svg(map_of({}));
  expect_well_formed(nothing);
  EXPECT_THAT(nothing, HasSubstr("containers: 0"));
}

TEST(RUN10_layout, has_no_boxes_over_each_other_and_lines_that_begin_at_theirs) {
  std::vector<layout_size> boxes;
  std::vector<layout_edge> edges;
  for (std::size_t i = 0; i < 60; ++i) {
    boxes.push_back(
        {80.0 + static_cast<double>(i % 5) * 20, 30.0 + static_cast<double>(i % 3) * 15});
  }
  for (std::size_t i = 0; i < 50; ++i) {
    for (const auto to : {(i * 7 + 1) % 50, (i * i + 3) % 50, (i + 25) % 50}) {
      if (to != i) edges.push_back({i, to});
    }
  }
  const auto drawn = lay_out(boxes, edges);
  ASSERT_EQ(drawn.corners.size(), boxes.size());
  ASSERT_EQ(drawn.routes.size(), edges.size());
  for (std::size_t a = 0; a < boxes.size(); ++a) {
    EXPECT_GE(drawn.corners[a].x, 0);
    EXPECT_GE(drawn.corners[a].y, -0.001);
    EXPECT_LE(drawn.corners[a].x + boxes[a].width, drawn.size.width + 0.001);
    EXPECT_LE(drawn.corners[a].y + boxes[a].height, drawn.size.height + 0.001);
    for (std::size_t b = 0; b < a; ++b) {
      const bool apart = drawn.corners[a].x >= drawn.corners[b].x + boxes[b].width ||
                         drawn.corners[b].x >= drawn.corners[a].x + boxes[a].width ||
                         drawn.corners[a].y >= drawn.corners[b].y + boxes[b].height ||
                         drawn.corners[b].y >= drawn.corners[a].y + boxes[a].height;
      EXPECT_TRUE(apart) << a << " and " << b;
    }
  }
  for (std::size_t e = 0; e < edges.size(); ++e) {
    const auto touches = [&](const layout_point& p, std::size_t box) {
      const auto& at = drawn.corners[box];
      const bool on_side =
          std::abs(p.x - at.x) < 0.001 || std::abs(p.x - at.x - boxes[box].width) < 0.001;
      return on_side && p.y >= at.y && p.y <= at.y + boxes[box].height;
    };
    ASSERT_GE(drawn.routes[e].size(), 4U);
    EXPECT_EQ(drawn.routes[e].size() % 2, 0U);
    EXPECT_TRUE(touches(drawn.routes[e].front(), edges[e].from)) << e;
    EXPECT_TRUE(touches(drawn.routes[e].back(), edges[e].to)) << e;
  }
}

TEST(RUN10_layout, of_nothing_and_of_circles_ends) {
  EXPECT_TRUE(lay_out({}, {}).corners.empty());
  const auto two = lay_out({{10, 10}, {10, 10}}, {{0, 1}, {1, 0}});
  EXPECT_LT(two.corners[0].x, two.corners[1].x);
  EXPECT_GT(two.routes[1].front().x, two.routes[1].back().x) << "the way back leads back";
}

TEST(RUN10_drawing, says_what_is_not_certain) {
  EXPECT_THAT(to_mermaid(doubtful(true)), HasSubstr("|\"5432?\"|"));
  EXPECT_THAT(to_mermaid(doubtful(false)), HasSubstr("|\"5432\"|"));
  const auto svg = to_svg(doubtful(true));
  expect_well_formed(svg);
  EXPECT_THAT(svg, HasSubstr(":5432?"));
  EXPECT_THAT(svg, HasSubstr("?: of one of several with this address"));
  EXPECT_THAT(to_svg(doubtful(false)), Not(HasSubstr("one of several")));
}
