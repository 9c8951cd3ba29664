// LLM4: what is passed over is JSON to the last byte, wherever in a word of eight bytes it stands.

#include "codec/json_scanner.hpp"

#include "codec/json.hpp"
#include "tests/support/source_dir.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sstream>
#include <string>

namespace {

using namespace reeve::codec;

bool is_passed_over(std::string_view text) {
  json_scanner scan(text);
  return scan.skip() && scan.peek() == '\0' && scan.offset() == text.size();
}

/// The same by its other way, which keeps what a string says.
bool is_taken(std::string_view text, std::string& decoded) {
  json_scanner scan(text);
  return scan.take_string(decoded) && scan.peek() == '\0' && scan.offset() == text.size();
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

TEST(LLM4_scanner, agrees_with_the_json_test_suite) {
  const auto suite = std::filesystem::path(support::source_dir()) / ".." /
                     "shared/corpora/JSONTestSuite/test_parsing";
  if (!std::filesystem::exists(suite)) return;  // the samples below stand in for it
  int good = 0, bad = 0;
  for (const auto& entry : std::filesystem::directory_iterator(suite)) {
    const std::string name = entry.path().filename();
    const auto text = content_of(entry.path());
    if (name.starts_with("y_")) {
      ++good;
      EXPECT_TRUE(is_passed_over(text)) << name;
    }
    if (name.starts_with("n_")) {
      ++bad;
      EXPECT_FALSE(is_passed_over(text)) << name;
    }
  }
  EXPECT_GT(good, 90);
  EXPECT_GT(bad, 180);
}

TEST(LLM4_scanner, judges_every_byte_of_a_string_wherever_it_stands) {
  for (std::size_t before = 0; before < 40; ++before) {
    for (std::size_t behind : {0, 1, 7, 8, 9, 30}) {
      const std::string left = "\"" + std::string(before, 'a'), right(behind, 'b');
      const auto with = [&](const std::string& middle) { return left + middle + right + "\""; };
      for (int byte = 1; byte < 256; ++byte) {
        const auto text = with(std::string(1, static_cast<char>(byte)));
        const bool is_good = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
        const bool is_escape = byte == '\\' && behind > 0;  // "\b"
        std::string decoded;
        ASSERT_EQ(is_passed_over(text), is_good || is_escape) << before << " " << byte;
        ASSERT_EQ(is_taken(text, decoded), is_good || is_escape) << before << " " << byte;
      }
      std::string decoded;
      EXPECT_TRUE(is_taken(with("\xc3\xa4\xf0\x9f\x98\x80\\n\\u00e4"), decoded));
      EXPECT_EQ(decoded, std::string(before, 'a') + "\xc3\xa4\xf0\x9f\x98\x80\n\xc3\xa4" + right);
      for (const char* bad : {"\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf5\x80\x80\x80", "\xc3\\n\xa4",
                              "\\ud83d", "\\udc00", "\\u12g", "\\x"}) {
        EXPECT_FALSE(is_passed_over(with(bad))) << before << " " << bad;
      }
    }
  }
}

TEST(LLM4_scanner, counts_levels_of_arrays_and_objects_alike) {
  for (const int levels : {1, 2, 63, 64, 65, 66, 200}) {
    std::string open, close;
    for (int i = 0; i < levels; ++i) {
      open += i % 3 == 0 ? "{\"a\":" : i % 3 == 1 ? "[" : "[0,";
      close.insert(0, i % 3 == 0 ? "}" : "]");
    }
    EXPECT_EQ(is_passed_over(open + "1" + close), levels <= 64) << levels;
    EXPECT_FALSE(is_passed_over(open + "1" + close + "]"));
    EXPECT_FALSE(is_passed_over(open + "1" + close.substr(1)));
    // Brackets that are not those that were opened.
    auto wrong = close;
    wrong.back() = wrong.back() == '}' ? ']' : '}';
    EXPECT_FALSE(is_passed_over(open + "1" + wrong)) << levels;
  }
  for (const std::size_t below : {63, 64}) {
    const auto text = "{\"a\":" + std::string(below, '[') + std::string(below, ']') + "}";
    json_scanner scan(text);
    EXPECT_EQ(scan.take_object([&](const std::string&) { return scan.skip(); }), below == 63);
  }
}

/// Whatever the codec takes is taken, and only what it refuses for its sense is taken beside.
TEST(LLM4_scanner, agrees_with_the_codec_on_random_texts) {
  std::mt19937 random(20261);
  const std::string_view pieces[] = {"{",      "}",
                                     "[",      "]",
                                     ",",      ":",
                                     "\"a\"",  "\"b",
                                     "\"",     "1",
                                     "-2.5",   "e3",
                                     "true",   "null",
                                     " ",      "\\u0",
                                     "\\n",    "\xc3\xa4",
                                     "\x01",   "{}",
                                     "[]",     "\"long enough for a word\"",
                                     "\"c\":", "0",
                                     "00",     "1,2"};
  int taken = 0;
  for (int i = 0; i < 60'000; ++i) {
    std::string text = i % 2 == 0 ? "[" : "{\"a\":";
    for (auto n = random() % 8; n > 0; --n) text += pieces[random() % std::size(pieces)];
    text += i % 2 == 0 ? "]" : "}";
    const bool is_good = is_passed_over(text);
    taken += is_good ? 1 : 0;
    if (parse_strict(text)) {
      EXPECT_TRUE(is_good) << text;
    } else if (is_good) {
      const auto why = parse_strict(text).error().detail;
      EXPECT_TRUE(why.find("twice") != why.npos || why.find("too large") != why.npos) << text;
    }
  }
  EXPECT_GT(taken, 1000);
}
