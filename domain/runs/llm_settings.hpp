#pragma once
// What the configuration says of language models.

#include "base/outcome.hpp"
#include "domain/fields.hpp"
#include "domain/runs/llm_price.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace reeve::domain {

struct llm_settings {
  std::map<std::string, llm_price> prices;  // by the name of the model; at most 1,000
  bool operator==(const llm_settings&) const = default;
  static constexpr auto fields() { return std::tuple{maybe("prices", &llm_settings::prices)}; }

  /// Nothing: this model has no price.
  std::optional<llm_price> price_of(std::string_view model) const;
};

/// `invalid` with the pointer of what is wrong.
outcome<done> check(const llm_settings& settings);

}  // namespace reeve::domain
