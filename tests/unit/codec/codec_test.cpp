// The generic codec: every kind of member, strictness, schemas, and events in old versions.

#include "codec/codec.hpp"

#include "codec/schema.hpp"
#include "tests/support/source_dir.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <sstream>
#include <vector>

namespace {

enum class colour { red, dark_green, blue };

struct leaf {
  int x = 0;
  std::optional<std::string> note;
  bool operator==(const leaf&) const = default;
  static constexpr auto fields() {
    using reeve::domain::field;
    return std::tuple{field("x", &leaf::x), field("note", &leaf::note)};
  }
};

}  // namespace

template <>
struct reeve::domain::enum_names<colour> {
  static constexpr std::array names{std::string_view{"red"}, std::string_view{"dark_green"},
                                    std::string_view{"blue"}};
};

namespace {

using namespace reeve;
using namespace reeve::codec;
using domain::field;
using domain::json_text;
using domain::maybe;
using domain::timestamp;

struct everything {
  bool flag = false;
  std::int8_t tiny = 0;
  std::uint16_t port = 0;
  std::int64_t big = 0;
  std::uint64_t count = 0;
  double ratio = 0;
  std::string name;
  uuid id;
  digest hash{};
  timestamp at;
  json_text free;
  colour paint = colour::red;
  std::optional<int> maybe_int;
  std::optional<leaf> maybe_leaf;
  std::vector<bool> bits;
  std::vector<leaf> leaves;
  std::vector<std::optional<int>> holes;
  std::map<std::string, std::vector<double>> series;
  leaf inner;
  int tries = 3;
  bool operator==(const everything&) const = default;
  static constexpr auto fields() {
    using self = everything;
    return std::tuple{field("flag", &self::flag),           field("tiny", &self::tiny),
                      field("port", &self::port),           field("big", &self::big),
                      field("count", &self::count),         field("ratio", &self::ratio),
                      field("name", &self::name),           field("id", &self::id),
                      field("hash", &self::hash),           field("at", &self::at),
                      field("free", &self::free),           field("paint", &self::paint),
                      field("maybe_int", &self::maybe_int), field("maybe_leaf", &self::maybe_leaf),
                      field("bits", &self::bits),           field("leaves", &self::leaves),
                      field("holes", &self::holes),         field("series", &self::series),
                      field("inner", &self::inner),         maybe("tries", &self::tries)};
  }
};

everything sample() {
  everything all;
  all.flag = true;
  all.tiny = -128;
  all.port = 65535;
  all.big = std::numeric_limits<std::int64_t>::min();
  all.count = 7;
  all.ratio = 0.1;
  all.name = "a\"b\\\né";
  all.id = *parse_uuid("01930000-0000-7000-8000-000000000001");
  all.hash = sha256("abc");
  all.at.at = *parse_time("2026-11-21T04:20:00.000123Z");
  all.free.text = R"({"a":[1,null],"b":"x"})";
  all.paint = colour::dark_green;
  all.maybe_leaf = leaf{2, "n"};
  all.bits = {true, false};
  all.leaves = {leaf{1, {}}, leaf{2, "two"}};
  all.holes = {1, std::nullopt};
  all.series = {{"", {}}, {"p50", {1.0, 2.5}}};
  all.inner.x = -5;
  return all;
}

// What was ever written to a log must be read for ever: change this line only with a new version.
constexpr std::string_view golden =
    R"({"at":"2026-11-21T04:20:00.000123Z","big":-9223372036854775808,"bits":[true,false],)"
    R"("count":7,"flag":true,"free":{"a":[1,null],"b":"x"},)"
    R"("hash":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",)"
    R"("holes":[1,null],"id":"01930000-0000-7000-8000-000000000001","inner":{"x":-5},)"
    R"("leaves":[{"x":1},{"note":"two","x":2}],"maybe_leaf":{"note":"n","x":2},)"
    R"("name":"a\"b\\\né","paint":"dark_green","port":65535,"ratio":0.1,)"
    R"("series":{"":[],"p50":[1.0,2.5]},"tiny":-128,"tries":3})";

std::string with(std::string_view from, std::string_view to) {
  std::string text(golden);
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

rejection error_of(std::string_view text) {
  const auto result = decode_text<everything>(text);
  EXPECT_FALSE(result.ok()) << text;
  return result ? rejection{} : result.error();
}

struct one_text {
  std::string text;
  json_text free;
  static constexpr auto fields() {
    return std::tuple{field("text", &one_text::text), field("free", &one_text::free)};
  }
};

}  // namespace

TEST(EV2_codec, writes_the_golden_line_and_reads_it_back) {
  EXPECT_EQ(encode(sample()), golden);
  const auto back = decode_text<everything>(golden);
  ASSERT_TRUE(back.ok()) << back.error().detail << back.error().field;
  EXPECT_EQ(*back, sample());
  EXPECT_EQ(*canonical(golden), golden);
}

TEST(EV2_codec, encoding_what_was_decoded_gives_the_canonical_text) {
  const std::string shuffled = with(R"("tiny":-128,"tries":3})", R"( "tries":9 , "tiny":-128 })");
  const auto read = decode_text<everything>(shuffled);
  ASSERT_TRUE(read.ok()) << read.error().detail;
  EXPECT_EQ(encode(*read), *canonical(shuffled));
  const std::string free = with(R"({"a":[1,null],"b":"x"})", R"({ "b":"\u0078","a":[1 , null]})");
  EXPECT_EQ(encode(*decode_text<everything>(free)), golden);
}

TEST(EV2_codec, a_document_shows_its_empty_fields) {
  EXPECT_EQ(encode(leaf{}), R"({"x":0})");
  EXPECT_EQ(encode_document(leaf{}), R"({"note":null,"x":0})");
  EXPECT_EQ(*decode_text<leaf>(encode_document(leaf{4, {}})), (leaf{4, {}}));
  EXPECT_EQ(encode_document(std::vector<leaf>{leaf{}}), R"([{"note":null,"x":0}])");
}

TEST(EV2_codec, a_field_that_may_be_left_out_keeps_its_default) {
  EXPECT_EQ(decode_text<everything>(with(R"(,"tries":3)", ""))->tries, 3);
  EXPECT_EQ(error_of(with(R"("tries":3)", R"("tries":null)")).field, "/tries");
}

TEST(EV2_codec, refuses_each_wrong_kind_and_names_the_field) {
  struct wrong {
    std::string_view from, to, field, detail;
  };
  const std::vector<wrong> cases = {
      {R"("flag":true)", R"("flag":1)", "/flag", "must be true or false"},
      {R"("tiny":-128)", R"("tiny":-129)", "/tiny", "must be an integer from -128 to 127"},
      {R"("port":65535)", R"("port":-1)", "/port", "must be an integer from 0 to 65535"},
      {R"("port":65535)", R"("port":1.5)", "/port", "must be an integer"},
      {R"("count":7)", R"("count":-7)", "/count",
       "must be an integer from 0 to 9223372036854775807"},
      {R"("ratio":0.1)", R"("ratio":"0.1")", "/ratio", "must be a number"},
      {R"("ratio":0.1)", R"("ratio":null)", "/ratio", "must be a number"},
      {R"("paint":"dark_green")", R"("paint":"Red")", "/paint",
       "must be one of red, dark_green, blue"},
      {R"("paint":"dark_green")", R"("paint":1)", "/paint", "must be one of red, dark_green, blue"},
      {R"("id":"0193)", R"("id":"X193)", "/id", "must be a UUID of 36 characters"},
      {R"("hash":"ba)", R"("hash":"b)", "/hash", "must be 64 hexadecimal digits"},
      {R"(00.000123Z")", R"(00.000123")", "/at", "must be a time as in RFC 3339"},
      {R"("bits":[true,false])", R"("bits":{})", "/bits", "must be an array"},
      {R"("bits":[true,false])", R"("bits":[true,0])", "/bits/1", "must be true or false"},
      {R"("inner":{"x":-5})", R"("inner":[])", "/inner", "must be an object"},
      {R"("inner":{"x":-5})", R"("inner":{})", "/inner/x", "is required"},
      {R"("note":"two","x":2)", R"("note":2,"x":2)", "/leaves/1/note", "must be a string"},
      {R"("p50":[1.0,2.5])", R"("p/~":[1.0,"x"])", "/series/p~1~0/1", "must be a number"},
  };
  for (const auto& one : cases) {
    const auto why = error_of(with(one.from, one.to));
    EXPECT_EQ(why.code, errc::invalid);
    EXPECT_EQ(why.field, one.field);
    EXPECT_EQ(why.detail, one.detail) << one.field;
  }
  EXPECT_EQ(error_of("[]").field, "");
  EXPECT_EQ(error_of("{").code, errc::bad_request);
}

TEST(EV2_codec, an_integer_is_one_however_it_is_written) {
  const auto x_of = [](const std::string& number) {
    const auto read = decode_text<leaf>("{\"x\":" + number + "}");
    return read ? std::to_string(read->x) : read.error().field + " " + read.error().detail;
  };
  for (const char* number : {"60", "60.0", "6e1", "6E+1", "0.6e2", "600e-1"}) {
    EXPECT_EQ(x_of(number), "60") << number;
  }
  EXPECT_EQ(x_of("-60.0"), "-60");
  EXPECT_EQ(x_of("-0.0"), "0");
  EXPECT_EQ(x_of("60.5"), "/x must be an integer");
  EXPECT_EQ(x_of("6e-1"), "/x must be an integer");
  EXPECT_EQ(x_of("2147483648.0"), "/x must be an integer from -2147483648 to 2147483647");
  EXPECT_EQ(parse_strict("9007199254740991.0")->root().whole(), 9'007'199'254'740'991);
  EXPECT_EQ(parse_strict("9223372036854775807")->root().whole(), INT64_MAX);
  EXPECT_FALSE(parse_strict("9007199254740992.0")->root().whole()) << "its neighbour reads alike";
  EXPECT_FALSE(parse_strict("1e300")->root().whole());
  EXPECT_FALSE(parse_strict("\"60\"")->root().whole());
}

TEST(EV2_codec, refuses_unknown_fields_after_invalid_ones) {
  for (const auto* name : {"aaa", "flagg", "zzz"}) {
    const auto why = error_of(with("{\"at\"", "{\"" + std::string(name) + "\":1,\"at\""));
    EXPECT_EQ(why.code, errc::unknown_field);
    EXPECT_EQ(why.field, "/" + std::string(name));
  }
  EXPECT_EQ(error_of(with(R"("inner":{"x":-5})", R"("inner":{"x":-5,"y":1})")).field, "/inner/y");
  const auto both = error_of(with(R"("bits":[true,false])", R"("aaa":1,"bits":0)"));
  EXPECT_EQ(both.code, errc::invalid);
  EXPECT_EQ(both.field, "/bits");
  EXPECT_EQ(decode_text<leaf>(R"({"y":1})").error().field, "/y") << "a misspelt name is both";
  EXPECT_EQ(decode<leaf>(parse_strict("{}")->root(), "/tasks/0").error().field, "/tasks/0/x");
}

TEST(EV2_codec, a_key_that_is_no_name_does_not_get_into_the_answer) {
  for (const auto& key : {std::string(100'000, 'k'), std::string("a sentence")}) {
    const auto result = decode_text<leaf>("{\"x\":1,\"" + key + "\":1}");
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, errc::unknown_field);
    EXPECT_EQ(result.error().field, "");
    const auto twice = decode_text<leaf>("{\"" + key + "\":1,\"" + key + "\":1}");
    ASSERT_FALSE(twice.ok());
    EXPECT_EQ(twice.error().field, "");
  }
}

TEST(EV2_codec, what_is_written_can_be_read_whatever_it_holds) {
  everything odd = sample();
  odd.name = std::string("nul\0bad\xff\xed\xa0\x80", 11);
  odd.count = std::numeric_limits<std::uint64_t>::max();
  odd.free.text = "";
  const auto back = decode_text<everything>(encode(odd));
  ASSERT_TRUE(back.ok()) << back.error().detail << back.error().field;
  EXPECT_EQ(back->name,
            "nul\xef\xbf\xbd"
            "bad\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(back->count, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(back->free.text, "null");
}

TEST(EV2_codec, naughty_strings_come_back_unchanged) {
  std::vector<std::string> strings = {"",
                                      "undefined",
                                      "\"",
                                      "\\",
                                      "'; DROP TABLE",
                                      "Ω≈ç√∫",
                                      "田中さん",
                                      "\t\r\n\x01\x1f\x7f",
                                      "\xe2\x80\xae"
                                      "abc",
                                      "👾🙇",
                                      "{{ 7*7 }}"};
  const std::string path = support::source_dir() + "/../shared/corpora/blns/blns.json";
  if (std::ifstream in(path); in) {
    std::ostringstream text;
    text << in.rdbuf();
    const auto list = decode_text<std::vector<std::string>>(text.str());
    ASSERT_TRUE(list.ok()) << list.error().detail;
    EXPECT_GT(list->size(), 400U);
    strings.insert(strings.end(), list->begin(), list->end());
  }
  for (const auto& text : strings) {
    const one_text before{text, {encode(text)}};
    const auto after = decode_text<one_text>(encode(before));
    ASSERT_TRUE(after.ok()) << text;
    EXPECT_EQ(after->text, text);
    EXPECT_EQ(after->free.text, before.free.text);
  }
}

namespace {

struct renamed_v1 {
  static constexpr std::string_view type = "renamed";
  std::string name;
  static constexpr auto fields() { return std::tuple{field("name", &renamed_v1::name)}; }
};

struct renamed_v2 {
  static constexpr std::string_view type = "renamed";
  static constexpr int schema_version = 2;
  using previous = renamed_v1;
  std::string title;
  static renamed_v2 upcast(const renamed_v1& old) { return {old.name + "!"}; }
  static constexpr auto fields() { return std::tuple{field("title", &renamed_v2::title)}; }
};

struct renamed {
  static constexpr std::string_view type = "renamed";
  static constexpr int schema_version = 3;
  using previous = renamed_v2;
  std::string title;
  int length = 0;
  bool operator==(const renamed&) const = default;
  static renamed upcast(const renamed_v2& old) {
    return {old.title, static_cast<int>(old.title.size())};
  }
  static constexpr auto fields() {
    return std::tuple{field("title", &renamed::title), field("length", &renamed::length)};
  }
};

struct emptied {
  static constexpr std::string_view type = "emptied";
  bool operator==(const emptied&) const = default;
  static constexpr auto fields() { return std::tuple{}; }
};

using event = std::variant<emptied, renamed>;

}  // namespace

TEST(EV11_decode_event, reads_every_version_ever_written) {
  const renamed expected{"ab!", 3};
  const std::vector<std::string> golden_lines = {R"({"name":"ab"})", R"({"title":"ab!"})",
                                                 R"({"length":3,"title":"ab!"})"};
  for (std::size_t i = 0; i < golden_lines.size(); ++i) {
    const auto read = decode_event<event>("renamed", static_cast<int>(i) + 1, golden_lines[i]);
    ASSERT_TRUE(read.ok()) << i << read.error().detail;
    EXPECT_EQ(std::get<renamed>(*read), expected);
  }
  EXPECT_EQ(encode(expected), golden_lines.back());
  EXPECT_TRUE(decode_event<event>("emptied", 1, "{}").ok());
}

TEST(EV11_decode_event, refuses_what_it_does_not_know) {
  EXPECT_EQ(decode_event<event>("nothing", 1, "{}").error().field, "/type");
  for (const int version : {-1, 0, 4}) {
    EXPECT_EQ(decode_event<event>("renamed", version, "{}").error().field, "/schema_version");
  }
  EXPECT_EQ(decode_event<event>("emptied", 1, R"({"x":1})").error().code, errc::unknown_field);
  EXPECT_EQ(decode_event<event>("renamed", 1, R"({"name":1})").error().field, "/name");
  EXPECT_EQ(decode_event<event>("renamed", 1, "{").error().code, errc::bad_request);
}

TEST(API_schema, says_what_decode_accepts) {
  EXPECT_EQ(json_schema<leaf>(),
            R"({"additionalProperties":false,"properties":{"note":{"anyOf":[{"type":"string"},)"
            R"({"type":"null"}]},"x":{"maximum":2147483647,"minimum":-2147483648,)"
            R"("type":"integer"}},"required":["x"],"type":"object"})");
  const auto schema = parse_strict(json_schema<everything>());
  ASSERT_TRUE(schema.ok());
  const auto properties = *schema->root().find("properties");
  const auto text_of = [&](std::string_view name) { return properties.find(name)->text(); };
  EXPECT_EQ(text_of("paint"), R"({"enum":["red","dark_green","blue"],"type":"string"})");
  EXPECT_EQ(text_of("id"), R"({"format":"uuid","type":"string"})");
  EXPECT_EQ(text_of("at"), R"({"format":"date-time","type":"string"})");
  EXPECT_EQ(text_of("hash"), R"({"pattern":"^[0-9A-Fa-f]{64}$","type":"string"})");
  EXPECT_EQ(text_of("free"), "{}");
  EXPECT_EQ(text_of("bits"), R"({"items":{"type":"boolean"},"type":"array"})");
  EXPECT_EQ(text_of("port"), R"({"maximum":65535,"minimum":0,"type":"integer"})");
  // What a client that reads numbers as doubles would round is not said at all.
  EXPECT_EQ(text_of("big"), R"({"type":"integer"})");
  EXPECT_EQ(text_of("count"), R"({"minimum":0,"type":"integer"})");
  EXPECT_EQ(properties.find("series")->find("additionalProperties")->text(),
            R"({"items":{"type":"number"},"type":"array"})");
  EXPECT_EQ(properties.member_count(), 20U);
  EXPECT_EQ(schema->root().find("required")->size(), 17U);
}
