// STYLE: an actor that is made for the tree is in it. One that is not compiles, and does nothing.

#include "tests/support/source_dir.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

namespace {

using names = std::vector<std::string>;

names matches_of(const std::string& text, const std::regex& what) {
  names found;
  for (std::sregex_iterator at(text.begin(), text.end(), what), end; at != end; ++at) {
    found.push_back((*at)[1]);
  }
  return found;
}

/// Rows that a source defines.
names children_made_in(const std::string& source) {
  return matches_of(source, std::regex(R"(\bchild_spec\s+(?:\w+::)*(\w+)\s*\(\s*tree_parts\b)"));
}

/// Those that the tree starts.
names children_started_by(const std::string& header) {
  const auto lists = matches_of(header, std::regex(R"(\bwork_children\s*\{([^}]*)\})"));
  return lists.size() != 1 ? names() : matches_of(lists[0], std::regex(R"((\w+))"));
}

std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST(STYLE_children, that_are_made_are_started) {
  const std::filesystem::path actors = support::source_dir() + "/actors";
  const auto started = children_started_by(text_of_file(actors / "tree_children.hpp"));
  ASSERT_FALSE(started.empty());
  names made;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(actors)) {
    if (entry.path().extension() != ".cpp") continue;
    for (auto& name : children_made_in(text_of_file(entry.path()))) {
      made.push_back(std::move(name));
    }
  }
  EXPECT_THAT(made, testing::UnorderedElementsAreArray(started))
      << "an entry in work_children (actors/tree_children.hpp) starts it";
}

TEST(STYLE_children, are_seen_however_they_are_written) {
  EXPECT_EQ(children_made_in("child_spec a_child(tree_parts& tree) {\n}\n"
                             "child_spec\nactors::b_child(tree_parts&) {"),
            (names{"a_child", "b_child"}));
  EXPECT_EQ(children_made_in("child_spec journal_child() {"), names());
  EXPECT_EQ(children_started_by("inline constexpr std::array work_children{a_child,\n  b_child};"),
            (names{"a_child", "b_child"}));
}
