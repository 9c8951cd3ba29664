// RUN14: the lines of a stored log, for who has some of them.

#include "api/stored_lines.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::api;

/// "number:text|" of what is given when the log comes in pieces of `size`; "+" where a line goes
/// on.
std::string told(const std::string& log, std::int64_t has, std::size_t size,
                 bool truncated = false) {
  stored_lines lines({{}, static_cast<std::int64_t>(log.size()), truncated}, has);
  std::string all;
  for (;;) {
    while (const auto one = lines.next()) {
      all += std::to_string(one->number) + ":" + one->text + (one->is_ended ? "|" : "+|");
    }
    if (lines.is_over()) return all;
    const auto at = static_cast<std::size_t>(lines.offset());
    lines.add(std::string_view(log).substr(at, size));
  }
}

}  // namespace

TEST(RUN14_stored_lines, are_the_same_however_they_come) {
  const std::string log = "one\n\nthree\nfour";
  for (std::size_t size = 1; size <= log.size(); ++size) {
    EXPECT_EQ(told(log, 0, size), "1:one|2:|3:three|4:four|") << size;
    EXPECT_EQ(told(log, 2, size), "3:three|4:four|") << size;
    EXPECT_EQ(told(log, 4, size), "") << size;
  }
  EXPECT_EQ(told("", 0, 1), "");
  EXPECT_EQ(told("one\n", 0, 100), "1:one|");
}

TEST(RUN14_stored_lines, of_which_a_part_is_missing_are_all_given_from_there_on) {
  const std::string log = "one\ntwo\n[reeve: 9000 bytes left out]\nlast but one\nlast\n";
  const std::string rest = "3:[reeve: 9000 bytes left out]|4:last but one|5:last|";
  for (const std::size_t size : {1, 7, 1000}) {
    EXPECT_EQ(told(log, 700, size, true), rest) << size;
    EXPECT_EQ(told(log, 1, size, true), "2:two|" + rest) << size;
    EXPECT_EQ(told(log, 4, size, false), "5:last|") << "the job printed that line itself";
  }
  EXPECT_EQ(told("[reeve: the engine may have lost what came before]\nrest\n", 50, 9, true),
            "1:[reeve: the engine may have lost what came before]|2:rest|");
  EXPECT_EQ(told("a\nb\n[reeve: the engine has lost what came here]\n", 1, 9, true),
            "2:b|3:[reeve: the engine has lost what came here]|");
}

TEST(RUN14_stored_lines, that_are_long_come_in_pieces) {
  const std::string euros = [] {
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += "\xe2\x82\xac";
    return text;
  }();
  for (const std::size_t size : {1000, 16'384, 65'536, 100'000}) {
    const auto all = told(euros + "\nnext", 0, size);
    std::string text;
    for (std::size_t at = 0; at < all.size();) {
      const auto end = all.find('|', at);
      auto one = all.substr(at, end - at);
      at = end + 1;
      if (one == "2:next") break;
      EXPECT_EQ(one.substr(0, 2), "1:");
      if (one.ends_with('+')) one.pop_back();
      EXPECT_LE(one.size(), 2U + 16'384);
      EXPECT_EQ(one.size() % 3, 2U) << "no character is cut";
      text += one.substr(2);
    }
    EXPECT_TRUE(text == euros) << size;
    EXPECT_TRUE(all.ends_with("|2:next|")) << size;
    EXPECT_EQ(told(euros + "\nnext", 1, size), "2:next|") << size;
  }
}
