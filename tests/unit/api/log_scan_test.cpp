// RUN14: looking for a text in a log that comes in pieces.

#include "api/log_scan.hpp"

#include <chrono>
#include <gtest/gtest.h>

namespace {

using namespace reeve::api;

using lines = std::vector<std::pair<std::int64_t, std::string>>;

/// Everything that is found in pages of `limit`, each with a scanner of its own, when the log comes
/// in pieces of `size` and a page has `pieces` of them at most.
std::vector<found_line> scan_all(const std::string& log, const log_pattern& pattern,
                                 std::size_t size, std::size_t limit = 1000, int pieces = 1 << 20) {
  std::vector<found_line> all;
  scan_place from;
  for (int pages = 0; pages < 100'000; ++pages) {
    log_scanner scanner(pattern, from);
    std::size_t found = 0;
    auto at = static_cast<std::size_t>(from.offset);
    for (int i = 0; i < pieces; ++i) {
      const bool is_last = log.size() - at <= size;
      for (auto& one :
           scanner.take(std::string_view(log).substr(at, size), is_last, limit - found)) {
        all.push_back(std::move(one));
        ++found;
      }
      if (scanner.is_full()) break;
      if (is_last) return all;
      at += size;
    }
    EXPECT_LE(found, limit);
    const auto text = to_string(scanner.place());
    EXPECT_EQ(parse_scan_place(text), scanner.place()) << text;
    from = scanner.place();
  }
  ADD_FAILURE() << "it does not come to an end";
  return all;
}

lines told(const std::vector<found_line>& found) {
  lines all;
  for (const auto& one : found) all.emplace_back(one.line, one.text);
  return all;
}

}  // namespace

TEST(RUN14_log_scan, tells_each_line_once_however_the_log_is_cut) {
  const std::string log = "one\ntwo error, error\n\nthree\nlast error";
  const lines expected{{2, "two error, error"}, {5, "last error"}};
  for (std::size_t size = 1; size <= log.size() + 1; ++size) {
    EXPECT_EQ(told(scan_all(log, {"error"}, size)), expected) << size;
    for (const auto& one : scan_all(log, {"error"}, size)) EXPECT_FALSE(one.is_cut);
  }
  EXPECT_TRUE(scan_all(log, {"Error"}, 7).empty());
  EXPECT_EQ(told(scan_all(log, {"eRRor", true}, 7)), expected);
  EXPECT_TRUE(scan_all("", {"error"}, 7).empty());
  EXPECT_EQ(told(scan_all("aab\naab\n", {"ab"}, 1)), (lines{{1, "aab"}, {2, "aab"}}));
}

TEST(RUN14_log_scan, goes_on_where_another_one_left) {
  std::string log;
  lines expected;
  for (int i = 1; i <= 40; ++i) {
    const bool fits = i % 3 == 0;
    const auto line = std::string(static_cast<std::size_t>(i), 'x') + (fits ? " match" : "");
    log += line + "\n";
    if (fits) expected.emplace_back(i, line);
  }
  for (const std::size_t size : {1, 3, 64, 5000}) {
    for (const std::size_t limit : {1, 2, 5, 100}) {
      EXPECT_EQ(told(scan_all(log, {"match"}, size, limit)), expected) << size << " " << limit;
    }
    EXPECT_EQ(told(scan_all(log, {"match"}, size + 1100, 100, 1)), expected) << size;
  }
}

TEST(RUN14_log_scan, shows_of_a_long_line_what_stands_around_the_hit) {
  const auto log = "first\n" + std::string(5000, 'a') + "NEEDLE" + std::string(5000, 'b') +
                   " NEEDLE\nNEEDLE at last\n";
  for (const std::size_t size : {1, 700, 1024, 4096, 100'000}) {
    const auto found = scan_all(log, {"NEEDLE"}, size);
    ASSERT_EQ(found.size(), 2U) << size;
    EXPECT_EQ(found[0].line, 2);
    EXPECT_TRUE(found[0].is_cut);
    EXPECT_EQ(found[0].text.size(), 1024U) << size;
    EXPECT_EQ(found[0].text.find("NEEDLE"), 256U) << size;
    EXPECT_EQ(found[1].line, 3) << size;
    EXPECT_FALSE(found[1].is_cut);
  }
  // A page that ends within the line that was told does not tell it again.
  EXPECT_EQ(told(scan_all(log, {"NEEDLE"}, 3000, 100, 1)).size(), 2U);
}

TEST(RUN14_log_scan, cuts_no_character_in_half) {
  std::string log;
  for (int i = 0; i < 1000; ++i) log += "\xe2\x82\xac";
  log += "needle";
  for (int i = 0; i < 1000; ++i) log += "\xe2\x82\xac";
  for (const std::size_t size : {1000, 1001, 1002, 100'000}) {
    const auto found = scan_all(log, {"needle"}, size);
    ASSERT_EQ(found.size(), 1U);
    const auto& text = found[0].text;
    EXPECT_EQ(text.substr(0, 3), "\xe2\x82\xac") << size;
    EXPECT_EQ(text.substr(text.size() - 3), "\xe2\x82\xac") << size;
  }
}

TEST(RUN14_log_scan, refuses_places_that_are_none) {
  EXPECT_EQ(parse_scan_place("7.3.2"), (scan_place{7, 3, false, true}));
  for (const char* text : {"", "7", "7.3", "7.3.", "7.3.4", "-7.3.1", "7.0.1", "x.3.1", "7.3.1.2",
                           "99999999999999999999.1.0", "7 .3.1"}) {
    EXPECT_FALSE(parse_scan_place(text)) << text;
  }
}

TEST(RUN14_log_scan, places_beyond_every_log_are_none) {
  EXPECT_TRUE(parse_scan_place("1099511627776.1099511627776.0"));
  EXPECT_FALSE(parse_scan_place("1099511627777.1.0"));
  EXPECT_FALSE(parse_scan_place("0.9223372036854775807.0"));
}

/// With the library's own search the time of this one would grow with the product of both sizes.
TEST(RUN14_log_scan, takes_linear_time_for_the_worst_text) {
  const std::string log(8 << 20, 'a');
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(scan_all(log, {std::string(255, 'a') + "b", true}, 256 << 10).empty());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}
