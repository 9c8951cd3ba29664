#include "persistence/page_walk.hpp"

#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace {

using reeve::persistence::page_walk;

struct row {
  bool fits = true;
  std::size_t bytes = 1;
};

struct page {
  std::vector<int> shown;
  std::optional<int> next;
  std::int64_t walked = 0;
  int steps = 0;
};

/// Reads one page behind a place as the database answers a step: of the next rows those that fit,
/// as long as there is room, and the last one.
page read(const std::vector<row>& list, std::optional<int> behind, int limit, std::size_t bytes,
          bool is_filtered, std::int64_t us_a_step = 0) {
  page made;
  std::int64_t now = 1000;
  page_walk<int> walk(limit, bytes, is_filtered, now);
  do {
    const auto begin = behind.value_or(-1) + 1;
    const auto step = walk.step_rows();
    EXPECT_GT(step, 0);
    EXPECT_LE(step, page_walk<int>::largest_step);
    const int most = walk.step_most();
    const auto room = walk.step_bytes();
    int came = 0;
    std::size_t sum = 0;
    for (std::int64_t n = 1; n <= step && begin + n <= static_cast<int>(list.size()); ++n) {
      const int at = begin + static_cast<int>(n) - 1;
      const auto& one = list[static_cast<std::size_t>(at)];
      ++made.walked;
      const bool is_last = n == step;
      const bool has_room = one.fits && sum < room;
      if (one.fits) sum += one.bytes;
      if (!has_room && !is_last) continue;
      if (came++ == most) break;
      if (walk.take(at, one.fits, is_last, one.bytes)) made.shown.push_back(at);
    }
    ++made.steps;
    now += us_a_step;
    behind = walk.go_on(now);
  } while (behind);
  made.next = walk.next();
  return made;
}

std::vector<int> read_all(const std::vector<row>& list, int limit, std::size_t bytes,
                          bool is_filtered, std::int64_t us_a_step = 0) {
  std::vector<int> shown;
  std::optional<int> behind;
  do {
    const auto one = read(list, behind, limit, bytes, is_filtered, us_a_step);
    EXPECT_LE(one.shown.size(), static_cast<std::size_t>(limit));
    EXPECT_TRUE(!one.next || !behind || *one.next > *behind) << "every page goes on";
    shown.insert(shown.end(), one.shown.begin(), one.shown.end());
    behind = one.next;
  } while (behind);
  return shown;
}

TEST(GW3_walk, of_a_whole_list_is_one_step_and_knows_whether_there_is_more) {
  const std::vector<row> list(7);
  const auto first = read(list, {}, 3, 1000, false);
  EXPECT_EQ(first.shown, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(first.next, 2);
  EXPECT_EQ(first.steps, 1);
  EXPECT_EQ(first.walked, 4);
  const auto last = read(list, 3, 3, 1000, false);
  EXPECT_EQ(last.shown, (std::vector<int>{4, 5, 6}));
  EXPECT_FALSE(last.next);
  EXPECT_FALSE(read({}, {}, 3, 1000, false).next);
}

TEST(GW3_walk, a_page_ends_where_it_has_its_bytes) {
  std::vector<row> list(10, {true, 40});
  list[4].bytes = 500;
  EXPECT_EQ(read(list, {}, 50, 100, false).shown, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(read(list, {}, 50, 100, false).next, 2);
  EXPECT_EQ(read(list, 3, 50, 100, false).shown, std::vector<int>{4}) << "one however large";
  EXPECT_EQ(read_all(list, 50, 100, false).size(), list.size());
}

TEST(GW3_walk, ends_after_its_rows_with_an_empty_page_that_goes_on) {
  std::vector<row> list(120'000, {false, 1});
  list[110'000].fits = true;
  const auto first = read(list, {}, 50, 1000, true);
  EXPECT_TRUE(first.shown.empty());
  EXPECT_EQ(first.next, 49'999);
  EXPECT_EQ(first.walked, 50'000);
  EXPECT_EQ(read(list, first.next, 50, 1000, true).next, 99'999);
  const auto last = read(list, 99'999, 50, 1000, true);
  EXPECT_EQ(last.shown, std::vector<int>{110'000});
  EXPECT_FALSE(last.next);
}

TEST(GW3_walk, ends_after_its_time) {
  std::vector<row> list(120'000, {false, 1});
  const auto slow = read(list, {}, 50, 1000, true, 60'000);
  EXPECT_EQ(slow.steps, 4);
  EXPECT_LT(slow.walked, 10'000);
  EXPECT_EQ(slow.next, slow.walked - 1);
  EXPECT_EQ(read(list, {}, 50, 1000, true, 1'000'000).steps, 1) << "one step is always made";
}

TEST(GW3_walk, stops_as_soon_as_the_page_is_full) {
  std::vector<row> list(120'000, {true, 1});
  const auto first = read(list, {}, 50, 1000, true);
  EXPECT_EQ(first.shown.size(), 50U);
  EXPECT_EQ(first.steps, 1);
  EXPECT_EQ(first.next, 49);
}

TEST(GW3_walk, shows_each_row_that_fits_once_whatever_ends_its_pages) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    const bool is_filtered = round % 2 == 0;
    std::vector<row> list(random() % 9000);
    std::vector<int> wanted;
    const auto rare = 1 + random() % 400;
    for (std::size_t i = 0; i < list.size(); ++i) {
      list[i] = {!is_filtered || random() % rare == 0, 1 + random() % 300};
      if (list[i].fits) wanted.push_back(static_cast<int>(i));
    }
    const int limit = 1 + static_cast<int>(random() % 500);
    const std::size_t bytes = 1 + random() % 20'000;
    const auto us = static_cast<std::int64_t>(random() % 150'000);
    EXPECT_EQ(read_all(list, limit, bytes, is_filtered, us), wanted) << "round " << round;
  }
}

}  // namespace
