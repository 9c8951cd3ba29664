// ACC4: a secret is read out of its JSON by itself, and refused as by the codec.

#include "codec/secret_json.hpp"

#include "codec/codec.hpp"

#include <gtest/gtest.h>
#include <string>

namespace {

using namespace reeve;

struct only_a_value {
  std::string value;
  static constexpr auto fields() {
    return std::tuple{domain::field("value", &only_a_value::value)};
  }
};

std::string told(const rejection& why) {
  return std::string(name_of(why.code)) + " " + why.field + " " +
         why.detail.substr(0, why.detail.find(" (at byte"));
}

std::string by_itself(std::string_view json) {
  const auto read = codec::read_secret(json, "value");
  return read ? "=" + std::string(read->view()) : told(read.error());
}

std::string by_the_codec(std::string_view json) {
  const auto read = codec::decode_text<only_a_value>(json);
  return read ? "=" + read->value : told(read.error());
}

}  // namespace

TEST(ACC4_secret_json, is_read_and_refused_as_by_the_codec) {
  for (const char* json : {R"({"value":"hunter2-hunter2"})",
                           R"( { "value" : "a\n\u00e4\ud83d\ude00b" } )",
                           R"({"value":""})",
                           R"({})",
                           R"({"value":1})",
                           R"({"value":null})",
                           R"({"value":["x"]})",
                           R"({"valeu":"x"})",
                           R"({"valeu":"x","value":"y"})",
                           R"({"value":"y","a/b~c":{}})",
                           R"({"value":1,"x":2})",
                           R"({"value":"x","value":"y"})",
                           R"([])",
                           R"("value")",
                           R"(7)",
                           R"({"value":"x")",
                           R"({"value":"x"},)",
                           R"({"value":"x)",
                           R"({"value":"\ud83d"})",
                           "",
                           "{\"value\":\"\x01\"}",
                           "{\"value\":\"\xc3\"}",
                           R"({value:"x"})"}) {
    const auto wanted = by_the_codec(json);
    const auto got = by_itself(json);
    // Of bad UTF-8 the codec says that it is that.
    EXPECT_EQ(got.substr(0, got.find(' ')), wanted.substr(0, wanted.find(' '))) << json;
    const bool is_broken = wanted.find("UTF-8") != wanted.npos;
    EXPECT_TRUE(is_broken || got == wanted) << json << ": " << got << ", not " << wanted;
  }
}

TEST(ACC4_secret_json, quotes_nothing_of_what_it_refuses) {
  for (const char* json : {R"({"value":["Zqx7"]})", R"({"valeu":"Zqx7"})", R"({"value":"Zqx7)",
                           R"({"is it Zqx7?":"x"})"}) {
    EXPECT_EQ(by_itself(json).find("Zqx7"), std::string::npos) << json;
  }
}
