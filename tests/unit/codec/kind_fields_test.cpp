// Variants of types that are called something, in two members; and of text and objects.

#include "codec/codec.hpp"
#include "codec/schema.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::codec;
using domain::field;

struct cat {
  static constexpr std::string_view kind = "cat";
  std::optional<int> lives;
  bool operator==(const cat&) const = default;
  static constexpr auto fields() { return std::tuple{field("lives", &cat::lives)}; }
};

struct fish {
  static constexpr std::string_view kind = "fish";
  bool operator==(const fish&) const = default;
  static constexpr auto fields() { return std::tuple{}; }
};

struct pet {
  std::variant<fish, cat> what;
  std::string name;
  bool operator==(const pet&) const = default;
  static constexpr auto fields() {
    return std::tuple{domain::kind_field("kind", &pet::what), field("name", &pet::name),
                      domain::held_field("params", &pet::what)};
  }
};

struct by_weight {
  int grams = 0;
  bool operator==(const by_weight&) const = default;
  static constexpr auto fields() { return std::tuple{field("grams", &by_weight::grams)}; }
};

struct by_name {
  std::string name;
  bool operator==(const by_name&) const = default;
  static constexpr auto fields() { return std::tuple{field("name", &by_name::name)}; }
};

using portion = std::variant<std::string, by_weight, by_name>;

struct meal {
  std::map<std::string, portion> parts;
  bool operator==(const meal&) const = default;
  static constexpr auto fields() { return std::tuple{field("parts", &meal::parts)}; }
};

}  // namespace

TEST(EV11_codec, tells_text_and_objects_apart_by_their_only_field) {
  const meal lunch{{{"a", "some"}, {"b", by_weight{70}}, {"c", by_name{"pea"}}}};
  const std::string text = R"({"parts":{"a":"some","b":{"grams":70},"c":{"name":"pea"}}})";
  EXPECT_EQ(encode(lunch), text);
  EXPECT_EQ(encode_document(lunch), text);
  EXPECT_EQ(decode_text<meal>(text).value(), lunch);
  const auto refused = [](const char* part) {
    const auto read = decode_text<meal>(R"({"parts":{"a":)" + std::string(part) + "}}");
    return read ? "accepted" : std::string(name_of(read.error().code)) + read.error().field;
  };
  EXPECT_EQ(refused("1"), "invalid/parts/a");
  EXPECT_EQ(refused("null"), "invalid/parts/a");
  EXPECT_EQ(refused("{}"), "invalid/parts/a");
  EXPECT_EQ(refused(R"([{"grams":1}])"), "invalid/parts/a");
  EXPECT_EQ(refused(R"({"weight":1})"), "invalid/parts/a");
  EXPECT_EQ(refused(R"({"grams":"1"})"), "invalid/parts/a/grams");
  EXPECT_EQ(refused(R"({"grams":1,"name":"pea"})"), "unknown_field/parts/a/name");
  EXPECT_EQ(decode_text<meal>(R"({"parts":{"a":1}})").error().detail,
            "must be a string or {\"grams\": …} or {\"name\": …}");
  EXPECT_NE(json_schema<meal>().find(
                R"("additionalProperties":{"anyOf":[{"type":"string"},{"additionalProperties")"),
            std::string::npos);
}

TEST(EV11_codec, tells_a_variant_by_its_kind) {
  const pet tom{cat{9}, "tom"};
  EXPECT_EQ(encode(tom), R"({"kind":"cat","name":"tom","params":{"lives":9}})");
  EXPECT_EQ(decode_text<pet>(encode(tom)).value(), tom);
  EXPECT_EQ(encode_document(pet{cat{}, "tom"}),
            R"({"kind":"cat","name":"tom","params":{"lives":null}})");
  EXPECT_EQ(decode_text<pet>(R"({"kind":"fish","name":"bo"})").value(), (pet{fish{}, "bo"}));
  const auto refused = [](const char* text) {
    const auto read = decode_text<pet>(text);
    return read ? "accepted" : std::string(name_of(read.error().code)) + read.error().field;
  };
  EXPECT_EQ(refused(R"({"kind":"dog","name":"a"})"), "invalid/kind");
  EXPECT_EQ(refused(R"({"kind":1,"name":"a"})"), "invalid/kind");
  EXPECT_EQ(refused(R"({"name":"a"})"), "invalid/kind");
  EXPECT_EQ(refused(R"({"kind":"fish","name":"a","params":{"lives":1}})"),
            "unknown_field/params/lives");
  EXPECT_EQ(refused(R"({"kind":"cat","name":"a","params":{"lives":"x"}})"), "invalid/params/lives");
  const auto schema = json_schema<pet>();
  EXPECT_NE(schema.find(R"("kind":{"enum":["fish","cat"],"type":"string"})"), std::string::npos);
  EXPECT_NE(schema.find(R"("params":{"anyOf":[{"additionalProperties":false)"), std::string::npos);
}
