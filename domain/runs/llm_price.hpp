#pragma once
// What calls of language models cost: whole millionths of whatever unit of money the configuration
// means, so that sums are exact. A cost is a fact of the moment when a call was recorded; a price
// that changes later changes none.

#include "base/outcome.hpp"
#include "domain/fields.hpp"

#include <cstdint>
#include <tuple>

namespace reeve::domain {

/// 0..1,000,000,000 each: at most 1,000 units for a million tokens.
struct llm_price {
  std::int64_t prompt_micros_per_million = 0;
  std::int64_t completion_micros_per_million = 0;
  bool operator==(const llm_price&) const = default;
  static constexpr auto fields() {
    return std::tuple{
        field("prompt_micros_per_million", &llm_price::prompt_micros_per_million),
        field("completion_micros_per_million", &llm_price::completion_micros_per_million)};
  }
};

inline constexpr std::int64_t most_micros_per_million = 1'000'000'000;

/// Millionths for up to 1,000,000,000 tokens each, rounded up once.
std::int64_t cost_of(const llm_price& price, std::int64_t prompt_tokens,
                     std::int64_t completion_tokens);

}  // namespace reeve::domain
