// RUN14: readings of an output that an engine rotates are joined without a line lost unsaid.

#include "adapters/docker/log_place.hpp"

#include <algorithm>
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

/// What is left of a reading that begins behind the place: of each stream what is later than all
/// that was taken of it.
std::string surely_new(std::size_t count, std::size_t begin) {
  const auto place = behind(mixed, count);
  lines later;
  for (const auto& one : from(mixed, begin)) {
    if (one.at_ns > place.latest_ns(one.stream)) later.push_back(one);
  }
  return texts(later);
}

}  // namespace

TEST(RUN14_log_place, is_found_wherever_it_is_and_wherever_a_reading_begins) {
  for (std::size_t count = 1; count <= mixed.size(); ++count) {
    const auto place = behind(mixed, count);
    for (std::size_t begin = 0; begin <= mixed.size(); ++begin) {
      for (const bool is_whole : {true, false}) {
        const auto reading = from(mixed, begin);
        const bool is_there = place.has_anchor()
                                  ? std::any_of(reading.begin(), reading.end(),
                                                [&](auto& one) { return place.is_anchor(one); })
                                  : is_whole && begin == 0;
        log_join join(place, is_whole);
        const auto fresh = new_of(join, reading);
        EXPECT_EQ(join.has_all(), is_there) << count << " " << begin;
        EXPECT_EQ(fresh, is_there ? texts(from(mixed, count)) : surely_new(count, begin))
            << count << " " << begin;
      }
    }
  }
}

TEST(RUN14_log_place, is_a_line_whose_stamp_no_other_of_its_stream_has) {
  EXPECT_FALSE(behind(mixed, 1).has_anchor()) << "another one may have it as well";
  EXPECT_TRUE(behind(mixed, 2).is_anchor(mixed[0]));
  EXPECT_TRUE(behind(mixed, 5).is_anchor(mixed[0])) << "20 is no stamp of its own";
  EXPECT_TRUE(behind(mixed, 6).is_anchor(mixed[2]));
  EXPECT_TRUE(behind(mixed, 8).is_anchor(mixed[6])) << "the end of a line in parts";
  EXPECT_FALSE(behind(mixed, 8).is_anchor(mixed[4]));
}

TEST(RUN14_log_place, is_known_to_be_gone_by_the_first_later_line_of_either_stream) {
  log_join join(behind(mixed, 2), true);
  EXPECT_EQ(new_of(join, from(mixed, 2)), "B|long +C|line|d|D|");
  EXPECT_EQ(join.state(), phase::lost);
  log_join other(behind(mixed, 6), true);
  EXPECT_EQ(new_of(other, {mixed[5], mixed[6]}), "") << "perhaps they were taken";
  EXPECT_EQ(other.state(), phase::searching);
  EXPECT_FALSE(other.has_all());
}

TEST(RUN14_log_place, trusts_no_part_of_a_long_line) {
  const lines long_line{said("w", 5),
                        said("x", 10, log_stream::out, false),
                        said("x", 10, log_stream::out, false),
                        said("x", 10, log_stream::out, false),
                        said("end", 10),
                        said("next", 20)};
  log_join join(behind(long_line, 3), true);
  EXPECT_EQ(new_of(join, from(long_line, 1)), "next|");
  EXPECT_EQ(join.state(), phase::lost) << "that it begins with the same says nothing";
}

TEST(RUN14_log_place, is_found_by_the_other_stream_within_a_line_that_is_the_first_of_its_own) {
  const lines all{said("a", 10), said("p1", 15, log_stream::err, false),
                  said("b", 90), said("p2", 15, log_stream::err, false),
                  said("c", 95), said("p3", 15, log_stream::err, false)};
  for (std::size_t count = 3; count <= all.size(); ++count) {
    log_join join(behind(all, count), false);
    EXPECT_EQ(new_of(join, all), texts(from(all, count))) << count;
    EXPECT_TRUE(join.has_all());
  }
}

TEST(RUN14_log_place, goes_on_within_an_entry) {
  const lines taken{said("a", 10), said("half", 20, log_stream::out, false)};
  log_join join(behind(taken, 2), false);
  EXPECT_EQ(new_of(join, {said("a", 10), said("half of it", 20), said("b", 30)}), " of it|b|");
  EXPECT_TRUE(join.has_all());
}

TEST(RUN14_log_place, is_found_where_a_clock_was_set_back) {
  const lines all{said("a", 110), said("b", 120), said("c", 5), said("d", 6), said("e", 7)};
  for (std::size_t count = 2; count <= all.size(); ++count) {
    log_join join(behind(all, count), false);
    EXPECT_EQ(new_of(join, all), texts(from(all, count))) << count;
  }
}

TEST(RUN14_log_place, remembers_stamps_where_something_is_missing) {
  auto place = behind(mixed, 8);
  place.restart();
  EXPECT_TRUE(place.is_empty());
  EXPECT_FALSE(place.has_anchor());
  EXPECT_EQ(place.latest_ns(log_stream::out), 40);
  EXPECT_EQ(place.latest_ns(log_stream::err), 25);
}
