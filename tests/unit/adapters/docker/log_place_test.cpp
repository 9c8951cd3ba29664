// RUN14: readings of an output that an engine rotates are joined without a line lost unsaid.

#include "adapters/docker/log_place.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace {

using namespace reeve::adapters;
using lines = std::vector<log_line>;

log_line said(std::string text, std::int64_t at, log_stream of = log_stream::out,
              bool is_ended = true) {
  return {of, at, std::move(text), is_ended};
}

log_place behind(const lines& all, std::size_t count) {
  log_place place;
  for (std::size_t i = 0; i < count; ++i) place.took(all[i]);
  return place;
}

std::string texts(const lines& some) {
  std::string all;
  for (const auto& one : some) all += one.text + (one.is_ended ? "|" : "+");
  return all;
}

lines from(const lines& all, std::size_t at) {
  return {all.begin() + static_cast<std::ptrdiff_t>(at), all.end()};
}

std::string new_of(log_join& join, lines reading) {
  lines fresh;
  for (auto& one : reading) {
    if (join.is_new(one)) fresh.push_back(one);
  }
  return texts(fresh);
}

/// Equal stamps, of both streams and out of order, and a line in parts.
const lines mixed{said("a", 10),
                  said("b", 20),
                  said("B", 20, log_stream::err),
                  said("b2", 20),
                  said("long ", 30, log_stream::out, false),
                  said("C", 25, log_stream::err),
                  said("line", 30),
                  said("d", 40),
                  said("D", 39, log_stream::err)};
using phase = log_join::phase;

}  // namespace

TEST(RUN14_log_place, is_found_wherever_it_is_and_wherever_a_reading_begins) {
  for (std::size_t count = 1; count <= mixed.size(); ++count) {
    const auto place = behind(mixed, count);
    for (std::size_t begin = 0; begin <= mixed.size(); ++begin) {
      log_join join(place);
      const auto fresh = new_of(join, from(mixed, begin));
      // Nothing is lost unsaid, and nothing comes twice.
      if (join.state() == phase::found) {
        EXPECT_EQ(fresh, texts(from(mixed, count))) << count << " " << begin;
        EXPECT_LT(begin, count) << count << " " << begin;
      } else {
        EXPECT_GT(begin, 0U) << count;
        EXPECT_EQ(texts(from(mixed, begin)).ends_with(fresh), true) << count << " " << begin;
      }
    }
  }
}

TEST(RUN14_log_place, is_known_to_be_gone_by_the_first_later_line_of_its_stream) {
  const auto place = behind(mixed, 2);
  log_join join(place);
  EXPECT_EQ(new_of(join, from(mixed, 4)), "long +C|line|d|D|");
  EXPECT_EQ(join.state(), phase::lost);
  log_join other(place);
  EXPECT_EQ(new_of(other, {said("C", 25, log_stream::err)}), "");
  EXPECT_EQ(other.state(), phase::searching);
}

TEST(RUN14_log_place, trusts_no_part_of_a_long_line) {
  const lines long_line{said("x", 10, log_stream::out, false),
                        said("x", 10, log_stream::out, false),
                        said("x", 10, log_stream::out, false), said("end", 10), said("next", 20)};
  log_join join(behind(long_line, 2));
  EXPECT_EQ(new_of(join, from(long_line, 1)), "next|");
  EXPECT_EQ(join.state(), phase::lost) << "that it begins with the same says nothing";
}

TEST(RUN14_log_place, goes_on_within_a_line) {
  log_place place;
  place.took(said("a", 10));
  place.took(said("half", 20, log_stream::out, false));
  log_join join(place);
  EXPECT_EQ(new_of(join, {said("a", 10), said("half of it", 20), said("b", 30)}), " of it|b|");
  EXPECT_EQ(join.state(), phase::found);
}

TEST(RUN14_log_place, is_found_where_a_clock_was_set_back) {
  const lines all{said("a", 110), said("b", 120), said("c", 5), said("d", 6), said("e", 7)};
  for (std::size_t count = 3; count <= all.size(); ++count) {
    log_join join(behind(all, count));
    EXPECT_EQ(new_of(join, all), texts(from(all, count))) << count;
  }
  log_join set_back_behind(behind(all, 2));
  EXPECT_EQ(new_of(set_back_behind, all), "c|d|e|");
}

TEST(RUN14_log_place, is_read_from_a_line_before_it) {
  constexpr std::int64_t s = 1'000'000'000;
  EXPECT_EQ(log_place().since_ns(), 0);
  EXPECT_EQ(behind({said("a", 100 * s)}, 1).since_ns(), 95 * s);
  EXPECT_EQ(behind({said("a", 50 * s), said("b", 100 * s)}, 2).since_ns(), 50 * s);
  EXPECT_EQ(behind({said("a", 99 * s), said("b", 100 * s)}, 2).since_ns(), 95 * s);
  EXPECT_EQ(behind({said("a", 3 * s)}, 1).since_ns(), 0);
}
