#pragma once
// What the configuration says of language models: what they cost, and where they are.

#include "base/outcome.hpp"
#include "domain/fields.hpp"
#include "domain/runs/llm_price.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace reeve::domain {

/// A server that speaks OpenAI's protocol.
struct llm_upstream {
  std::string name;                     // a name as others, once in the list
  std::string url;                      // http or https up to and with /v1; see `parse_url`
  std::vector<std::string> models;      // 1..64 names
  std::optional<std::string> key_file;  // absolute; its first line goes along as bearer token
  std::int64_t max_calls = 8;           // at one time, 1..1024
  bool operator==(const llm_upstream&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("name", &llm_upstream::name), field("url", &llm_upstream::url),
                      field("models", &llm_upstream::models),
                      field("key_file", &llm_upstream::key_file),
                      maybe("max_calls", &llm_upstream::max_calls)};
  }
};

struct llm_settings {
  std::map<std::string, llm_price> prices;  // by the name of the model; at most 1,000
  std::vector<llm_upstream> upstreams;      // at most 16
  bool operator==(const llm_settings&) const = default;
  static constexpr auto fields() {
    return std::tuple{maybe("prices", &llm_settings::prices),
                      maybe("upstreams", &llm_settings::upstreams)};
  }

  /// Nothing: this model has no price.
  std::optional<llm_price> price_of(std::string_view model) const;
};

/// `invalid` with the pointer of what is wrong.
outcome<done> check(const llm_settings& settings);

struct upstream_url {
  bool is_tls = false;
  std::string host;  // a name, or an address; of IPv6 without brackets
  std::uint16_t port = 0;
  std::string path;  // "" or "/v1", without a slash at its end
  bool operator==(const upstream_url&) const = default;
};

/// Nothing: it is no http or https URL, or has a user, a query, a fragment, or a character that a
/// host or a path does not have as it is.
std::optional<upstream_url> parse_url(std::string_view text);

}  // namespace reeve::domain
