// Copies share what they have in common, and nobody sees another one's changes.

#include "base/persistent_map.hpp"

#include <gtest/gtest.h>
#include <map>
#include <random>
#include <string>

namespace {

using reeve::persistent_map;

template <class K, class V>
std::map<K, V> plain(const persistent_map<K, V>& map) {
  return {map.begin(), map.end()};
}

TEST(ACC_persistent_map, does_what_an_ordered_map_does) {
  std::mt19937 random(7);
  persistent_map<int, int> map;
  std::map<int, int> model;
  for (int i = 0; i < 20'000; ++i) {
    const int key = static_cast<int>(random() % 500);
    if (random() % 3 == 0) {
      map.erase(key);
      model.erase(key);
    } else {
      map.set(key, i);
      model[key] = i;
    }
    ASSERT_EQ(map.size(), model.size());
    const int asked = static_cast<int>(random() % 500);
    const auto expected = model.lower_bound(asked);
    const auto found = map.lower_bound(asked);
    ASSERT_EQ(found == map.end(), expected == model.end());
    if (found != map.end()) {
      ASSERT_EQ(*found, *expected);
    }
    ASSERT_EQ(map.find(asked) != nullptr, model.contains(asked));
    if (i % 1000 == 0) {
      ASSERT_EQ(plain(map), model);
    }
  }
  EXPECT_EQ(plain(map), model);
}

TEST(ACC_persistent_map, leaves_its_copies_alone_and_shares_the_values) {
  persistent_map<std::string, int> map;
  for (int i = 0; i < 1000; ++i) map.set("key " + std::to_string(i), i);
  const auto before = map;
  EXPECT_EQ(before, map);
  map.set("key 500", -1);
  map.erase("key 7");
  map.set("one more", 1);
  EXPECT_EQ(*before.find("key 500"), 500);
  EXPECT_NE(before.find("key 7"), nullptr);
  EXPECT_EQ(before.find("one more"), nullptr);
  EXPECT_EQ(*map.find("key 500"), -1);
  EXPECT_EQ(map.size(), 1000U);
  EXPECT_NE(before, map);
  EXPECT_EQ(before.find("key 0"), map.find("key 0")) << "not copied: the very same value";
  auto same = before;
  same.erase("key 7");
  same.set("key 7", 7);
  EXPECT_EQ(same, before);
}

TEST(ACC_persistent_map, stays_flat_whatever_the_order) {
  persistent_map<int, int> map;
  // A path of 100,000 nodes would end the stack here.
  for (int i = 0; i < 100'000; ++i) map.set(i, i);
  for (int i = 0; i < 100'000; i += 2) map.erase(i);
  int expected = 1;
  for (const auto& [key, value] : map) {
    ASSERT_EQ(key, expected);
    ASSERT_EQ(value, expected);
    expected += 2;
  }
  EXPECT_EQ(map.size(), 50'000U);
}

}  // namespace
