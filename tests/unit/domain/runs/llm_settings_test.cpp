// What the configuration may say of language models.

#include "domain/runs/llm_settings.hpp"

#include "codec/codec.hpp"
#include "tests/unit/domain/aggregate_steps.hpp"

namespace {

using namespace reeve;
using namespace reeve::domain;

llm_settings read(const std::string& text) {
  const auto settings = codec::decode_text<llm_settings>(text);
  EXPECT_TRUE(settings) << settings.error().detail;
  return settings ? *settings : llm_settings{};
}

TEST(LLM1_prices, are_those_of_the_model_by_its_whole_name) {
  const auto settings = read(R"({"prices":{"org/m-1:8b":{"prompt_micros_per_million":2,)"
                             R"("completion_micros_per_million":8}}})");
  EXPECT_TRUE(check(settings));
  EXPECT_EQ(settings.price_of("org/m-1:8b"), (llm_price{2, 8}));
  EXPECT_FALSE(settings.price_of("org/m-1"));
  EXPECT_FALSE(settings.price_of(""));
  EXPECT_TRUE(check(read("{}")));
}

TEST(LLM1_prices, that_cannot_be_are_refused) {
  const auto with = [](const std::string& model, std::int64_t prompt, std::int64_t completion) {
    llm_settings settings;
    settings.prices[model] = {prompt, completion};
    return steps::pointer_of(check(settings));
  };
  EXPECT_EQ(with("m", 0, most_micros_per_million), steps::accepted);
  EXPECT_EQ(with("m", -1, 0), "/prices/m");
  EXPECT_EQ(with("m", 0, most_micros_per_million + 1), "/prices/m");
  EXPECT_EQ(with("a model of mine", 1, 1), "/prices");
  llm_settings many;
  for (int i = 0; i <= 1000; ++i) many.prices["m" + std::to_string(i)] = {1, 1};
  EXPECT_EQ(steps::pointer_of(check(many)), "/prices");
  many.prices.erase("m0");
  EXPECT_EQ(steps::pointer_of(check(many)), steps::accepted);
}

}  // namespace
