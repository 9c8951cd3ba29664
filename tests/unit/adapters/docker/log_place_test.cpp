// RUN14: readings of an output that an engine rotates are joined without a line lost unsaid.

#include "adapters/docker/log_place.hpp"

#include <gtest/gtest.h>
#include <string>
#include <utility>
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

/// Equal stamps, of both streams, and a line in parts.
const lines mixed{said("a", 10),
                  said("b", 20),
                  said("B", 20, log_stream::err),
                  said("b", 20),
                  said("long ", 30, log_stream::out, false),
                  said("C", 25, log_stream::err),
                  said("line", 30),
                  said("d", 40),
                  said("D", 41, log_stream::err)};

}  // namespace

TEST(RUN14_log_place, is_joined_wherever_it_is_and_wherever_a_reading_begins) {
  for (std::size_t count = 0; count <= mixed.size(); ++count) {
    const auto place = behind(mixed, count);
    for (std::size_t begin = 0; begin <= count; ++begin) {
      log_join join(place);
      const auto rest = join.behind(from(mixed, begin));
      // Nothing is lost unsaid, and nothing comes twice.
      if (!join.may_lack()) EXPECT_EQ(texts(rest), texts(from(mixed, count))) << count << begin;
      if (begin == 0) EXPECT_FALSE(join.may_lack()) << count;
    }
  }
}

TEST(RUN14_log_place, says_what_a_rotated_log_may_lack) {
  const auto place = behind(mixed, 2);
  for (std::size_t begin = 3; begin < mixed.size(); ++begin) {
    log_join join(place);
    join.behind(from(mixed, begin));
    // The line "b" at 20 is told twice: the second one is taken for the first.
    if (begin > 3) EXPECT_TRUE(join.may_lack()) << begin;
  }
}

TEST(RUN14_log_place, trusts_no_part_of_a_long_line) {
  const lines long_line{said("x", 10, log_stream::out, false),
                        said("x", 10, log_stream::out, false),
                        said("x", 10, log_stream::out, false), said("end", 10), said("next", 20)};
  log_join join(behind(long_line, 2));
  join.behind(from(long_line, 1));
  EXPECT_TRUE(join.may_lack()) << "that it begins with the same says nothing";
}

TEST(RUN14_log_place, goes_on_within_a_line) {
  log_place place;
  place.took(said("a", 10));
  place.took(said("half", 20, log_stream::out, false));
  log_join join(place);
  EXPECT_EQ(texts(join.behind({said("a", 10), said("half of it", 20), said("b", 30)})),
            " of it|b|");
  EXPECT_FALSE(join.may_lack());
}

TEST(RUN14_log_place, takes_all_from_a_clock_that_was_set_back) {
  log_join join(behind({said("a", 10), said("b", 20)}, 2));
  EXPECT_EQ(texts(join.behind({said("a", 10), said("b", 20), said("c", 5), said("d", 6)})), "");
}
