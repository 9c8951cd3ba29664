// RUN8: what the miner knows of lines that it has looked up.
#include "tasks/triage/log_settled_lines.hpp"

#include <gtest/gtest.h>
#include <string>

namespace {

using reeve::tasks::settled_line;
using reeve::tasks::settled_lines;

void settle(settled_lines& lines, std::size_t hash, const std::string& text, std::size_t number) {
  auto* const kept = lines.keep(hash, text);
  ASSERT_NE(kept, nullptr) << text;
  kept->version = 1;
  kept->number = number;
}

constexpr auto any_line = [](const settled_line&) { return true; };

TEST(RUN8_settled_lines, are_found_by_their_whole_text) {
  settled_lines lines;
  EXPECT_EQ(lines.keep(7, "a"), nullptr) << "not before it is open";
  EXPECT_EQ(lines.find(7, "a", any_line), nullptr);
  lines.open();
  EXPECT_EQ(lines.find(0, "", any_line), nullptr) << "nothing is known yet";
  settle(lines, 7, "a", 1);
  ASSERT_NE(lines.find(7, "a", any_line), nullptr);
  EXPECT_EQ(lines.find(7, "a", any_line)->number, 1U);
  EXPECT_EQ(lines.find(7, "b", any_line), nullptr) << "of the same hash";
  EXPECT_EQ(lines.find(7 + settled_lines::most, "a", any_line), nullptr) << "of the same place";
  EXPECT_EQ(lines.find(7, "a", [](const settled_line&) { return false; }), nullptr);
}

TEST(RUN8_settled_lines, of_one_place_the_last_two_stay) {
  settled_lines lines;
  lines.open();
  for (std::size_t i = 0; i < 3; ++i) {
    settle(lines, 7 + i * settled_lines::most, std::string(1, static_cast<char>('a' + i)), i);
  }
  EXPECT_EQ(lines.find(7, "a", any_line), nullptr);
  for (std::size_t i = 1; i < 3; ++i) {
    const auto* const one = lines.find(7 + i * settled_lines::most,
                                       std::string(1, static_cast<char>('a' + i)), any_line);
    ASSERT_NE(one, nullptr);
    EXPECT_EQ(one->number, i);
  }
}

TEST(RUN8_settled_lines, of_long_texts_are_not_kept) {
  settled_lines lines;
  lines.open();
  settle(lines, 7, std::string(settled_lines::most_bytes, 'x'), 1);
  EXPECT_EQ(lines.keep(7, std::string(settled_lines::most_bytes + 1, 'x')), nullptr);
}

}  // namespace
