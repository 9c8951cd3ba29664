#include "domain/runs/llm_settings.hpp"

#include "domain/runs/llm.hpp"

namespace reeve::domain {
namespace {

constexpr std::size_t most_prices = 1000;

bool is_price(std::int64_t micros) {
  return micros >= 0 && micros <= most_micros_per_million;
}

}  // namespace

std::optional<llm_price> llm_settings::price_of(std::string_view model) const {
  const auto found = prices.find(std::string(model));
  return found == prices.end() ? std::nullopt : std::optional(found->second);
}

outcome<done> check(const llm_settings& settings) {
  if (settings.prices.size() > most_prices) {
    return reject(errc::invalid, "at most 1,000 models have a price", "/prices");
  }
  for (const auto& [model, price] : settings.prices) {
    if (!is_model_name(model)) {
      return reject(errc::invalid, "a model's name has 1..128 letters, digits and ._:/@+-",
                    "/prices");
    }
    if (!is_price(price.prompt_micros_per_million) ||
        !is_price(price.completion_micros_per_million)) {
      return reject(errc::invalid, "a price is 0..1000000000 millionths for a million tokens",
                    "/prices/" + model);
    }
  }
  return done{};
}

}  // namespace reeve::domain
