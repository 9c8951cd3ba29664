// RUN13: what is looked for once a line is found wherever looking anew each time finds it.
#include "base/redact_scan.hpp"
#include "base/redact_text.hpp"
#include "base/redact_words.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace reeve;

std::string some_text(std::mt19937& random, std::size_t parts) {
  static const std::vector<std::string> words = {"echo ", "ech", "o ", "e", "Sudo", "su", "do",
                                                 " ",     "\"",  "x",  "|", "é",    "\\"};
  std::string text;
  for (std::size_t i = 0; i < parts; ++i) text += words[random() % words.size()];
  return text;
}

}  // namespace

TEST(RUN13_redact_look_back, the_last_place_of_a_word_is_that_of_a_search_from_behind) {
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    const auto text = some_text(random, 60);
    const std::string_view line = text;
    last_place place;
    for (std::size_t at = 0; at <= line.size(); ++at) {
      // Now and then the place moves back.
      const auto asked = random() % 8 == 0 ? random() % (at + 1) : at;
      const auto within = random() % 40;
      const auto from = asked > within ? asked - within : 0;
      const auto near = line.substr(from, asked - from).rfind("echo ");
      ASSERT_EQ(place.before(line, "echo ", asked, within), near == line.npos ? near : from + near)
          << text << " before " << asked << " within " << within;
    }
  }
}

TEST(RUN13_redact_look_back, words_in_either_case_are_seen_as_far_back_as_asked) {
  const near_words words({"sudo", "echo"});
  std::mt19937 random(2);
  for (int i = 0; i < 300; ++i) {
    const auto text = some_text(random, 60);
    near_words::seen known;
    for (std::size_t at = 0; at <= text.size(); at += random() % 4) {
      const auto near = lower(left_of(text, at, 12));
      const bool stands = near.find("sudo") != near.npos || near.find("echo") != near.npos;
      ASSERT_EQ(words.stand_before(text, at, 12, known), stands) << text << " before " << at;
    }
  }
}

TEST(RUN13_redact_look_back, the_next_quote_is_found_from_any_place) {
  std::mt19937 random(3);
  for (int i = 0; i < 300; ++i) {
    const auto text = some_text(random, 40);
    std::vector<secret_span> spans;
    line_scan scan(text, spans);
    for (int places = 0; places < 40; ++places) {
      const auto from = random() % (text.size() + 1);
      ASSERT_EQ(scan.next_quote(from), std::min(text.size(), text.find_first_of("\"'\\", from)));
    }
  }
}

TEST(RUN13_redact_look_back, a_set_holds_its_words_and_no_others) {
  static constexpr word_set words(std::to_array<std::string_view>({"can't", "n/a", "no", "none"}));
  for (const std::string_view word : {"can't", "n/a", "no", "none"}) {
    EXPECT_TRUE(words.holds(word)) << word;
    EXPECT_TRUE(words.holds_lower(word)) << word;
  }
  EXPECT_TRUE(words.holds_lower("NoNe"));
  EXPECT_FALSE(words.holds("NoNe"));
  for (const std::string_view word :
       {"", "n", "nona", "Can", "\xee", "\x0eo", "a word of more than thirty-one bytes is none"}) {
    EXPECT_FALSE(words.holds(word)) << word;
    EXPECT_FALSE(words.holds_lower(word)) << word;
  }
}
