// A session is silent when nothing of it has changed for long by the clock of who looks (P33).

#include "persistence/silence_watch.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve::persistence;

constexpr std::int64_t long_enough = 6'000'000;

lock_holder holder(const std::string& last_word, bool asks_nothing = true) {
  return {{7, "2026-01-01 00:00:00+00"}, last_word, asks_nothing};
}

class P33_silence : public ::testing::Test {
 protected:
  std::size_t at(std::int64_t mono_us, std::vector<lock_holder> holders) {
    return watch.look(holders, mono_us, long_enough).size();
  }
  silence_watch watch;
};

TEST_F(P33_silence, is_counted_from_the_first_look_whatever_the_databases_clock_says) {
  for (const char* last : {"1970-01-01 00:00:00+00", "2999-01-01 00:00:00+00"}) {
    EXPECT_EQ(at(10, {holder(last)}), 0U) << "it may have been said a moment ago";
    EXPECT_EQ(at(10 + long_enough - 1, {holder(last)}), 0U);
    EXPECT_EQ(at(10 + long_enough, {holder(last)}), 1U);
    EXPECT_EQ(at(0, {}), 0U);
  }
}

TEST_F(P33_silence, ends_with_a_word_even_one_that_is_older_by_that_clock) {
  EXPECT_EQ(at(0, {holder("2026-01-01 12:00:00+00")}), 0U);
  EXPECT_EQ(at(long_enough, {holder("2026-01-01 11:00:00+00")}), 0U);
  EXPECT_EQ(at(2 * long_enough, {holder("2026-01-01 11:00:00+00", false)}), 0U) << "it works";
  EXPECT_EQ(at(3 * long_enough, {holder("2026-01-01 11:00:00+00")}), 0U) << "since just now";
  EXPECT_EQ(at(4 * long_enough, {holder("2026-01-01 11:00:00+00")}), 1U);
}

TEST_F(P33_silence, is_of_one_session_and_of_nobody_else) {
  auto other = holder("2026-01-01 12:00:00+00");
  other.started = "2026-01-01 00:00:01+00";
  EXPECT_EQ(at(0, {holder("2026-01-01 12:00:00+00")}), 0U);
  EXPECT_EQ(at(long_enough, {other}), 0U) << "a later one with the same pid";
  EXPECT_EQ(at(2 * long_enough, {other, holder("2026-01-01 12:00:00+00")}), 1U);
}

}  // namespace
