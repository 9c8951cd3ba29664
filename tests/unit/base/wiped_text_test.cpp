// ACC4: texts that may hold a secret leave nothing behind in memory.

#include "base/secret.hpp"
#include "tests/support/own_memory.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace reeve;

std::string marked_with(const support::marked_text& marked) {
  std::string text;
  text.reserve(100);
  marked.append_to(text);
  return text;
}

}  // namespace

TEST(ACC4_wiped_text, stays_nowhere_however_it_goes) {
  const support::marked_text marked;
  {
    std::vector<wiped_text> all;
    wiped_text first(marked_with(marked));
    EXPECT_GE(marked.count(), 1);
    wiped_text copied = first;
    const wiped_text moved = std::move(first);
    EXPECT_TRUE(first.empty());
    EXPECT_EQ(moved.view(), copied.view());
    for (int i = 0; i < 20; ++i) all.push_back(copied);
    copied = wiped_text();
    copied.append("0123456789");
    copied.append(moved);
    for (int i = 0; i < 10; ++i) copied.append(std::string(100, 'x'));
    EXPECT_EQ(copied.size(), 10 + 32 + 1000U);
    copied = std::string("short");
    EXPECT_EQ(copied.view(), "short");
  }
  EXPECT_EQ(marked.count(), 0);
}

TEST(ACC4_wiped_text, that_is_short_is_wiped_inside_of_itself) {
  alignas(wiped_text) char room[2 * sizeof(wiped_text)];
  auto* const text = new (room) wiped_text(std::string("Zqx7Zqx7"));
  auto* const other = new (room + sizeof(wiped_text)) wiped_text(std::move(*text));
  EXPECT_EQ(other->view(), "Zqx7Zqx7");
  const auto is_in = [&room](std::size_t at) {
    return std::string_view(room + at, sizeof(wiped_text)).find("Zqx7") != std::string_view::npos;
  };
  EXPECT_FALSE(is_in(0)) << "it was moved away";
  EXPECT_TRUE(is_in(sizeof(wiped_text)));
  const std::string taken = std::move(*other);
  EXPECT_EQ(taken, "Zqx7Zqx7");
  EXPECT_FALSE(is_in(sizeof(wiped_text))) << "it was taken";
  std::destroy_at(text);
  std::destroy_at(other);
}
