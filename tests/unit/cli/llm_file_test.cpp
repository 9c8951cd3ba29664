#include "cli/llm_file.hpp"

#include "tests/support/temporary_folder.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using testing::HasSubstr;

}  // namespace

TEST(OPS4_llm_file, is_nothing_without_a_path_and_refused_by_name) {
  EXPECT_EQ(cli::read_llm_file("").value(), domain::llm_settings{});
  const support::temporary_folder folder;
  const auto path = folder.at("llm.json");
  const auto read = [&path](const std::string& text) {
    std::ofstream(path) << text;
    return cli::read_llm_file(path);
  };
  EXPECT_EQ(cli::read_llm_file(path).error().code, errc::invalid) << "it is not there";
  const auto good = read(R"({"prices":{"m":{"prompt_micros_per_million":1,)"
                         R"("completion_micros_per_million":2}}})");
  ASSERT_TRUE(good) << good.error().detail;
  EXPECT_EQ(good->price_of("m"), (domain::llm_price{1, 2}));
  for (const char* text : {"", "{", "[]", R"({"price":{}})", R"({"prices":{"m":{}}})",
                           R"({"prices":{"m n":{"prompt_micros_per_million":1,)"
                           R"("completion_micros_per_million":2}}})"}) {
    const auto refused = read(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, errc::invalid) << text;
    EXPECT_THAT(refused.error().detail, HasSubstr("llm.json")) << text;
  }
}
