// RUN13: a named secret whose text an engine cut within a character, at its border of 16 KiB.

#include "base/redact_named.hpp"

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <time.h>
#include <vector>

namespace {

reeve::redactor hiding_cut(const std::string& value) {
  return reeve::redactor::make({{"s", value}}, false).value();
}

/// As dockerd does it: each byte of the character at `at` is one U+FFFD.
std::string cut_at(std::string text, std::size_t at, std::size_t bytes, std::size_t marks) {
  std::string cut;
  for (; marks > 0; --marks) cut += "\xEF\xBF\xBD";
  return text.replace(at, bytes, cut);
}

double cpu_of_cut_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

}  // namespace

TEST(RUN13_redact_cut, with_a_character_that_a_border_cut) {
  const std::string value =
      "\xC3\xA9Pk\"\xE2\x82\xAC"
      "9\xC3\xBC-rt\xF0\x9F\x98\x80\xD0\x9F";
  const auto rules = hiding_cut(value);
  struct place {
    std::size_t at, bytes;
  };
  for (const auto& [at, bytes] : std::vector<place>{{0, 2}, {5, 3}, {9, 2}, {14, 4}, {18, 2}}) {
    for (std::size_t marks = 1; marks <= bytes; ++marks) {
      const auto text = cut_at(value, at, bytes, marks);
      EXPECT_EQ(rules.redact("a " + text + " b"), "a [redacted:s] b") << at << " " << marks;
    }
    EXPECT_NE(rules.redact(cut_at(value, at, bytes, bytes + 1)), "[redacted:s]") << at;
  }
  EXPECT_EQ(rules.redact("{" + cut_at(value, 9, 2, 2).replace(4, 1, "\\\"") + "}"),
            "{[redacted:s]}");
  EXPECT_EQ(rules.redact(cut_at("Pk\"\xE2\x82\xAC"
                                "9",
                                3, 3, 3)),
            "Pk\"\xEF\xBF\xBD\xEF\xBF\xBD"
            "\xEF\xBF\xBD"
            "9");
}

TEST(RUN13_redact_cut, with_a_character_that_is_cut_early) {
  for (std::size_t at = 0; at < 8; ++at) {
    for (const std::string_view character : {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
      const auto size = character.size();
      const auto value = std::string("abcdefgh").insert(at, character);
      const auto rules = hiding_cut(value);
      for (std::size_t marks = 1; marks <= size; ++marks) {
        const auto text = "\n" + cut_at(value, at, size, marks) + "\n";
        EXPECT_EQ(rules.redact(text), "\n[redacted:s]\n") << at << " " << size << " " << marks;
      }
    }
  }
}

TEST(RUN13_redact_cut, of_several_lines_with_a_character_that_a_border_cut) {
  const std::string value = "k\xC3\xA9y: 1\nand \xE2\x82\xAC\nlast";
  const auto rules = hiding_cut(value);
  EXPECT_EQ(rules.redact(cut_at(value, 1, 2, 2) + "\n"), "[redacted:s]\n\n\n");
  EXPECT_EQ(rules.redact(cut_at(value, 12, 3, 3) + "\n"), "[redacted:s]\n\n\n");
  EXPECT_EQ(rules.redact(cut_at(value, 12, 3, 1) + "\n"), "[redacted:s]\n\n\n");
  reeve::redacting_stream stream(rules);
  std::string out;
  for (const char c : cut_at(value, 12, 3, 3) + "\nx\n") out += stream.write(std::string(1, c));
  EXPECT_EQ(out + stream.finish(), "[redacted:s]\n\n\nx\n");
}

TEST(RUN13_redact_cut, that_many_secrets_share_but_for_the_cut_character) {
  std::vector<reeve::named_secret> secrets;
  for (char c = '\x80'; c < '\xA0'; ++c) {
    secrets.push_back({"s", std::string("shared-\xD0") + c + "-" + static_cast<char>(c - 0x1F)});
  }
  const auto rules = reeve::redactor::make(secrets, false).value();
  EXPECT_EQ(rules.redact("shared-\xEF\xBF\xBD\xEF\xBF\xBD-" + secrets[31].value.substr(10)),
            "[redacted:s]");
}

/// Neither a text of nothing but cut characters nor beginnings of secrets with one behind them.
TEST(P15_redact_cut, costs_little_where_no_secret_stands) {
  std::vector<reeve::named_secret> secrets;
  for (int i = 0; i < 64; ++i) {
    std::string value = "\xD0\x9F\xD0\xB0-shared ";
    for (const int shift : {0, 3}) value += {'\xD0', static_cast<char>(0x90 + (i >> shift & 7))};
    secrets.push_back({"s", value + std::string(4000, 'a')});
  }
  const auto rules = reeve::redactor::make(secrets, false).value();
  std::string marks, begun;
  while (marks.size() < 60'000) marks += "\xEF\xBF\xBD";
  while (begun.size() < 60'000) begun += "\xD0\x9F\xD0\xB0-shared \xEF\xBF\xBD\xEF\xBF\xBD";
  for (const auto& text : {marks, begun}) {
    const auto before = cpu_of_cut_ms();
    EXPECT_EQ(rules.redact(text), text);
    EXPECT_LT(cpu_of_cut_ms() - before, 500) << "of 60 kB";
  }
}
