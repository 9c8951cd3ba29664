// parse_strict: what is read, what is refused, and that no text whatever brings it down.

#include "codec/json.hpp"

#include "tests/support/source_dir.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <sstream>
#include <vector>

namespace {

using namespace reeve;
using namespace reeve::codec;
using namespace std::string_literals;

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string canonical_or_error(std::string_view text) {
  const auto result = canonical(text);
  return result ? *result : "refused: " + result.error().detail + " " + result.error().field;
}

bool accepted(std::string_view text) {
  return parse_strict(text).ok();
}

std::filesystem::path suite() {
  return std::filesystem::path(support::source_dir()) / ".." /
         "shared/corpora/JSONTestSuite/test_parsing";
}

/// Texts that RFC 8259 allows and Reeve refuses.
const std::map<std::string, std::string> refused_on_purpose = {
    {"y_object_duplicated_key.json", "which of two values counts would be anyone's guess"},
    {"y_object_duplicated_key_and_value.json", "the same"},
    {"y_object_escaped_null_in_key.json", "PostgreSQL cannot store NUL"},
    {"y_string_null_escape.json", "the same"},
};

}  // namespace

TEST(EV3_parse_strict, agrees_with_the_json_test_suite) {
  if (!std::filesystem::exists(suite())) return;  // the samples below stand in for it
  std::map<char, int> seen;
  for (const auto& entry : std::filesystem::directory_iterator(suite())) {
    const std::string name = entry.path().filename();
    const bool good = accepted(read_file(entry.path()));
    ++seen[name.front()];
    if (name.starts_with("y_")) {
      EXPECT_EQ(good, !refused_on_purpose.contains(name)) << name;
    }
    if (name.starts_with("n_")) {
      EXPECT_FALSE(good) << name;
    }
  }
  EXPECT_GT(seen['y'], 90);
  EXPECT_GT(seen['n'], 180);
  EXPECT_GT(seen['i'], 30);
}

TEST(EV3_parse_strict, reads_every_kind_and_writes_it_canonically) {
  const std::map<std::string, std::string> samples = {
      {"null", "null"},
      {" [ true , false ] ", "[true,false]"},
      {"\t{\"b\":1,\r\n\"a\":{}}", R"({"a":{},"b":1})"},
      {"[0,-0,-1,9223372036854775807,-9223372036854775808]",
       "[0,0,-1,9223372036854775807,-9223372036854775808]"},
      {"[1.0,1.50,-0.0,1e3,1E-7,123456789.125]", "[1.0,1.5,-0.0,1000.0,1e-07,123456789.125]"},
      {R"("\u0041\n\/\\\"\u00e9\ud83d\ude00\u001f")", "\"A\\n/\\\\\\\"é😀\\u001f\""},
      {R"({"é":1,"z":2,"Z":3,"":4})", R"({"":4,"Z":3,"z":2,"é":1})"},
      {"[[],[[]],{\"a\":[]}]", "[[],[[]],{\"a\":[]}]"},
  };
  for (const auto& [text, expected] : samples) {
    EXPECT_EQ(canonical_or_error(text), expected) << text;
    EXPECT_EQ(canonical_or_error(expected), expected) << "canonical text changed";
  }
}

TEST(EV3_parse_strict, refuses_what_is_not_json) {
  const std::vector<std::string> samples = {
      "",
      " ",
      "[1,]",
      "{\"a\":1,}",
      "{a:1}",
      "'a'",
      "[1 2]",
      "nul",
      "NaN",
      "Infinity",
      "[01]",
      "[1.]",
      "[.5]",
      "[+1]",
      "[0x1]",
      "[1e]",
      "1 2",
      "{} x",
      "[",
      "]",
      "{\"a\"}",
      "\"",
      "\"\\x\"",
      "\"a\nb\"",
      "// a\n1",
      "/**/1",
      "[1]\0"s,
      "\0"s,
      "1\0garbage"s,
      "\xef\xbb\xbf{}",
      "\"\xff\"",
      "\"\xc0\x80\"",
      "\"\xed\xa0\x80\"",
      "\"\xf4\x90\x80\x80\"",
      R"("\ud800")",
      R"("\udc00\ud800")",
      R"("\u12")",
      R"("\u0000")",
      R"({"\u0000":1})",
      "\"a\0b\""s,
  };
  for (const auto& text : samples) {
    const auto result = parse_strict(text);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().code, errc::bad_request);
    EXPECT_NE(result.error().detail.find("byte"), std::string::npos) << text;
  }
}

/// A text without spaces is read by a short cut; a space in front leaves it to the parser.
TEST(EV3_parse_strict, reads_a_text_with_and_without_spaces_alike) {
  for (const auto& text : std::vector<std::string>{"{}",
                                                   "[]",
                                                   "0",
                                                   "-0",
                                                   "-1",
                                                   "01",
                                                   "-01",
                                                   "-",
                                                   "7x",
                                                   "1.0",
                                                   "1e3",
                                                   "[1.5,2E-1]",
                                                   "999999999999999999",
                                                   "-999999999999999999",
                                                   "1000000000000000000",
                                                   "9223372036854775807",
                                                   "-9223372036854775808",
                                                   "9223372036854775808",
                                                   "true",
                                                   "tru",
                                                   "truely",
                                                   "null",
                                                   "nul",
                                                   "false",
                                                   "\"",
                                                   "\"a",
                                                   "\"a\"",
                                                   "\"\\\"\"",
                                                   "\"\\u0041\"",
                                                   "\"\xc3\xbc\"",
                                                   "\"\xc3\"",
                                                   "\"\x1f\"",
                                                   "\"\x7f\"",
                                                   "\"a\tb\"",
                                                   "[1,]",
                                                   "[,1]",
                                                   "[1 2]",
                                                   "[1",
                                                   "]",
                                                   "{\"a\"}",
                                                   "{\"a\":}",
                                                   "{\"a\":1,}",
                                                   "{\"b\":1,\"a\":[{},[]]}",
                                                   "{\"a\":1,\"a\":2}",
                                                   "{\"a\":{\"b\":1,\"b\":2}}",
                                                   "{1:2}",
                                                   "{\"a\":1}{}",
                                                   "[[1],{}]]",
                                                   "{\"\":\"\"}",
                                                   ""}) {
    const auto plain = canonical(text);
    const auto spaced = canonical(" " + text);
    ASSERT_EQ(plain.ok(), spaced.ok()) << text;
    if (plain) {
      EXPECT_EQ(*plain, *spaced) << text;
    } else {
      EXPECT_EQ(plain.error().field, spaced.error().field) << text;
    }
  }
}

TEST(EV3_parse_strict, refuses_numbers_that_would_lose_their_value) {
  for (const auto* text : {"9223372036854775808", "18446744073709551615", "18446744073709551616",
                           "-9223372036854775809", "123456789012345678901234567890"}) {
    const auto result = parse_strict(text);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_NE(result.error().detail.find("range"), std::string::npos);
  }
  EXPECT_FALSE(accepted("1e400"));
  EXPECT_FALSE(accepted("-1e400"));
  EXPECT_TRUE(accepted("1e308"));
}

TEST(EV3_parse_strict, says_where_but_not_what) {
  const auto twice = parse_strict(R"({"a":[{"b":1},{"k/~":{"x":1,"y":2,"x":3}}]})");
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().field, "/a/1/k~1~0/x");
  EXPECT_EQ(twice.error().detail, "a key stands twice in one object (at byte 40)");

  const auto number = parse_strict(R"({"a":{"b":2},"c":[1,[2],99999999999999999999]})");
  ASSERT_FALSE(number.ok());
  EXPECT_EQ(number.error().field, "/c/2");

  const auto secret = parse_strict(R"({"token": hunter2})");
  ASSERT_FALSE(secret.ok());
  EXPECT_EQ(secret.error().detail.find("hunter"), std::string::npos);
  EXPECT_NE(secret.error().detail.find("at byte 1"), std::string::npos);

  const auto utf8 = parse_strict("[\"ab\xc3(\"]");
  ASSERT_FALSE(utf8.ok());
  EXPECT_EQ(utf8.error().detail, "this is not valid UTF-8 (at byte 4)");
}

TEST(EV3_parse_strict, holds_its_limits) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_TRUE(accepted(nested(32)));
  EXPECT_FALSE(accepted(nested(33)));
  EXPECT_TRUE(parse_strict(nested(512), {1'000'000}).ok());
  EXPECT_FALSE(parse_strict(nested(513), {1'000'000}).ok());
  EXPECT_FALSE(parse_strict(nested(100'000), {1'000'000}).ok());
  EXPECT_FALSE(accepted(std::string(100'000, '[')));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_FALSE(accepted(objects));

  const auto ones = [](std::size_t count) {
    std::string text = "[1";
    for (std::size_t i = 1; i < count; ++i) text += ",1";
    return text + "]";
  };
  EXPECT_TRUE(accepted(ones(9'999)));
  EXPECT_FALSE(accepted(ones(10'000)));
  EXPECT_TRUE(parse_strict("[1,2]", {32, 3}).ok());
  EXPECT_FALSE(parse_strict("[1,2,3]", {32, 3}).ok());
  EXPECT_TRUE(parse_strict("\"12345678\"", {32, 3, 10}).ok());
  EXPECT_FALSE(parse_strict("\"123456789\"", {32, 3, 10}).ok());
}

TEST(EV3_parse_strict, finds_one_duplicate_among_many_keys) {
  std::string text = "{";
  for (int i = 0; i < 5'000; ++i) text += "\"k" + std::to_string(i * 7919 % 5'000) + "\":1,";
  EXPECT_TRUE(accepted(text + "\"last\":1}"));
  const auto twice = parse_strict(text + "\"k77\":1}");
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().field, "/k77");
  EXPECT_TRUE(accepted(R"({"a":{"a":1},"b":{"a":1}})"));
}

TEST(EV3_json_node, gives_its_parts) {
  auto parsed = parse_strict(R"({"list":[1,2.5,"x",null,true],"empty":{},"k":-7})");
  ASSERT_TRUE(parsed.ok());
  const json_node root = parsed->root();
  const json_doc kept = std::move(*parsed);  // nodes live on when the document moves
  ASSERT_TRUE(root.is_object());
  ASSERT_EQ(root.member_count(), 3U);
  EXPECT_EQ(root.member_key(0), "empty");
  EXPECT_EQ(root.member_value(1).as_int(), -7);
  EXPECT_FALSE(root.find("absent"));
  EXPECT_FALSE(root.find(""));
  const auto list = root.find("list");
  ASSERT_TRUE(list && list->is_array());
  ASSERT_EQ(list->size(), 5U);
  EXPECT_EQ(list->at(0).as_int(), 1);
  EXPECT_EQ(list->at(0).as_double(), 1.0);
  EXPECT_FALSE(list->at(1).is_integer());
  EXPECT_EQ(list->at(1).as_double(), 2.5);
  EXPECT_EQ(list->at(2).as_string(), "x");
  EXPECT_TRUE(list->at(3).is_null());
  EXPECT_TRUE(list->at(4).as_bool());
  EXPECT_EQ(list->text(), R"([1,2.5,"x",null,true])");
  EXPECT_EQ(root.find("empty")->member_count(), 0U);
}

TEST(EV3_parse_strict, survives_cut_and_changed_texts) {
  const std::string text = R"({"a":[1,-2.5e3,"x\u00e9\n",{"b":null}],"c":true,"d":{"e":[[],{}]}})";
  ASSERT_TRUE(accepted(text));
  for (std::size_t i = 0; i < text.size(); ++i) {
    EXPECT_FALSE(accepted(text.substr(0, i))) << i;
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = text;
      changed[i] = static_cast<char>(byte);
      const auto once = canonical(changed);
      if (once) {
        EXPECT_EQ(canonical_or_error(*once), *once) << changed;
      }
    }
  }
}
