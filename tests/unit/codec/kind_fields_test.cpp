// Variants of types that are called something, in two members.

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

}  // namespace

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
