#pragma once
// What calls of language models came to, added up by one of several things.

#include "base/ids.hpp"
#include "domain/fields.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace reeve::domain {

/// What is added up together.
enum class llm_grouping { day, model, run, directive };
template <>
struct enum_names<llm_grouping> {
  static constexpr std::array names{std::string_view{"day"}, std::string_view{"model"},
                                    std::string_view{"run"}, std::string_view{"directive"}};
};

struct llm_sums {
  std::int64_t calls = 0;
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  std::int64_t total_tokens = 0;
  std::int64_t cost_micros = 0;  // of the calls whose models had a price
  std::int64_t over_budget_calls = 0;
  bool operator==(const llm_sums&) const = default;
  llm_sums& operator+=(const llm_sums& more) {
    calls += more.calls;
    prompt_tokens += more.prompt_tokens;
    completion_tokens += more.completion_tokens;
    total_tokens += more.total_tokens;
    cost_micros += more.cost_micros;
    over_budget_calls += more.over_budget_calls;
    return *this;
  }
};

/// Of day, model, run and directive the one that is asked for; also that is null for the calls of
/// runs without a directive, and a run for those that tokens made by themselves.
struct llm_usage_document {
  std::optional<std::string> day;  // of UTC, "2026-11-30"
  std::optional<std::string> model_name;
  std::optional<uuid> run_id;
  std::optional<uuid> directive_id;
  std::int64_t calls = 0;
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  std::int64_t total_tokens = 0;
  std::int64_t cost_micros = 0;
  std::int64_t over_budget_calls = 0;
  bool is_partial = false;  // the rest of it is on the next page
  static constexpr auto fields() {
    using doc = llm_usage_document;
    return std::tuple{field("day", &doc::day),
                      field("model_name", &doc::model_name),
                      field("run_id", &doc::run_id),
                      field("directive_id", &doc::directive_id),
                      field("calls", &doc::calls),
                      field("prompt_tokens", &doc::prompt_tokens),
                      field("completion_tokens", &doc::completion_tokens),
                      field("total_tokens", &doc::total_tokens),
                      field("cost_micros", &doc::cost_micros),
                      field("over_budget_calls", &doc::over_budget_calls),
                      field("is_partial", &doc::is_partial)};
  }
};

}  // namespace reeve::domain
