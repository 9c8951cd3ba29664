#include "codec/json_writer.hpp"

#include "base/utf8.hpp"
#include "codec/json.hpp"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

namespace {

using namespace reeve;
using namespace reeve::codec;
using namespace std::string_literals;

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string number(double value) {
  std::string out;
  append_json_number(out, value);
  return out;
}

}  // namespace

TEST(API_json_writer, sets_commas_and_quotes) {
  json_writer out;
  out.begin_object().key("a").begin_array().value(1).value("x").value(true).null().value(0.5);
  out.begin_object().end_object().begin_array().end_array().end_array();
  out.key("b\"").raw("{}").key("c").value(std::string("s")).end_object();
  EXPECT_EQ(out.text(), R"({"a":[1,"x",true,null,0.5,{},[]],"b\"":{},"c":"s"})");
  EXPECT_EQ(out.take(), R"({"a":[1,"x",true,null,0.5,{},[]],"b\"":{},"c":"s"})");
  EXPECT_EQ(out.value(std::uint8_t{7}).take(), "7");
  EXPECT_EQ(out.value(std::numeric_limits<std::uint64_t>::max()).take(), "9223372036854775807");
  EXPECT_EQ(out.value(std::numeric_limits<std::int64_t>::min()).take(), "-9223372036854775808");
}

TEST(API_json_writer, escapes_only_what_json_needs) {
  EXPECT_EQ(json_string("\"\\/\b\t\n\f\r\x01\x1f\x7f"),
            "\"\\\"\\\\/\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\"");
  EXPECT_EQ(json_string("é€😀\xe2\x80\xa8"), "\"é€😀\xe2\x80\xa8\"");
}

TEST(API_json_writer, replaces_each_maximal_subpart_of_bad_utf8) {
  const std::string r = "\xef\xbf\xbd";
  // Table 3-8 and the examples of the Unicode standard, section 3.9.
  EXPECT_EQ(json_string("\x61\xf1\x80\x80\xe1\x80\xc2\x62\x80\x63\x80\xbf\x64"),
            "\"a" + r + r + r + "b" + r + "c" + r + r + "d\"");
  EXPECT_EQ(json_string("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41"),
            "\"" + r + r + r + r + r + r + r + r + "A\"");
  EXPECT_EQ(json_string("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41"),
            "\"" + r + r + r + r + r + r + r + r + "A\"");
  EXPECT_EQ(json_string("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42"),
            "\"" + r + r + r + r + r + "A" + r + r + "B\"");
  EXPECT_EQ(json_string("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41"), "\"" + r + r + r + r + "A\"");
  EXPECT_EQ(json_string("x\0y"s), "\"x" + r + "y\"");
}

TEST(API_json_writer, any_bytes_give_text_that_is_read_again) {
  std::mt19937 random(7);
  for (int i = 0; i < 5'000; ++i) {
    std::string bytes;
    for (auto size = random() % 12; bytes.size() < size;) bytes += static_cast<char>(random());
    const std::string text = json_string(bytes);
    EXPECT_EQ(first_invalid_utf8(text), std::string::npos);
    const auto read = parse_strict(text);
    ASSERT_TRUE(read.ok()) << text;
    if (first_invalid_utf8(bytes) == std::string::npos && bytes.find('\0') == std::string::npos) {
      EXPECT_EQ(read->root().as_string(), bytes);
    }
  }
}

TEST(API_json_writer, numbers_come_back_as_the_same_number) {
  EXPECT_EQ(number(1), "1.0");
  EXPECT_EQ(number(-0.0), "-0.0");
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(1e300), "1e+300");
  EXPECT_EQ(number(123456789012345680.0), "123456789012345680.0");
  EXPECT_EQ(number(std::nan("")), "null");
  EXPECT_EQ(number(-INFINITY), "null");
  std::mt19937_64 random(11);
  for (int i = 0; i < 20'000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const auto read = parse_strict(number(value));
    ASSERT_TRUE(read.ok()) << number(value);
    ASSERT_EQ(read->root().kind(), json_kind::number) << number(value);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(read->root().as_double()),
              std::bit_cast<std::uint64_t>(value));
  }
}

TEST(API_utf8, prefixes_do_not_cut_a_character) {
  EXPECT_EQ(utf8_prefix("aé€😀", 100), "aé€😀");
  EXPECT_EQ(utf8_prefix("aé", 2), "a");
  EXPECT_EQ(utf8_prefix("aé", 3), "aé");
  EXPECT_EQ(utf8_prefix("😀", 3), "");
  EXPECT_EQ(utf8_prefix("", 0), "");
}
