#pragma once
// Budgets of a tenant for calls of language models: how many tokens, or how much money, its calls
// of one day or month may come to; of all of them, or of those of one model or directive. What was
// called is recorded whatever its budgets say, and marked. One stream per tenant.

#include "base/outcome.hpp"
#include "base/persistent_map.hpp"
#include "domain/aggregate.hpp"
#include "domain/runs/llm_usage.hpp"

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

namespace reeve::domain {

/// Of UTC.
enum class budget_period { day, month };
template <>
struct enum_names<budget_period> {
  static constexpr std::array names{std::string_view{"day"}, std::string_view{"month"}};
};

struct llm_budget {
  budget_period period = budget_period::month;
  std::optional<uuid> directive;  // at most one of these two; neither: all calls
  std::optional<std::string> model;
  std::optional<std::int64_t> most_tokens;       // 1..10^15; at least one of these two
  std::optional<std::int64_t> most_cost_micros;  // 1..10^15
  bool operator==(const llm_budget&) const = default;
  static constexpr auto fields() {
    return std::tuple{
        field("period", &llm_budget::period), field("directive", &llm_budget::directive),
        field("model", &llm_budget::model), field("most_tokens", &llm_budget::most_tokens),
        field("most_cost_micros", &llm_budget::most_cost_micros)};
  }
};

struct llm_budget_set : llm_budget {
  static constexpr std::string_view type = "llm_budget_set";
  std::string name;
  bool operator==(const llm_budget_set&) const = default;
  static constexpr auto fields() {
    return std::tuple_cat(std::tuple{field("name", &llm_budget_set::name)}, llm_budget::fields());
  }
};

struct llm_budget_removed {
  static constexpr std::string_view type = "llm_budget_removed";
  std::string name;
  bool operator==(const llm_budget_removed&) const = default;
  static constexpr auto fields() { return std::tuple{field("name", &llm_budget_removed::name)}; }
};

using llm_budget_event = std::variant<llm_budget_set, llm_budget_removed>;

/// Makes one or changes it; as it is already gives no event. `invalid`; `conflict` if there are too
/// many.
struct set_llm_budget {
  std::string name;
  llm_budget what;
};
/// Twice gives no event.
struct remove_llm_budget {
  std::string name;
};

struct llm_budget_state {
  std::string name;
  llm_budget what;
  bool is_active = true;
  std::string created_by, updated_by;
  position created_position = 0;
  position last_position = 0;
  time_us created_at = 0;
  time_us updated_at = 0;
  bool operator==(const llm_budget_state&) const = default;
};

struct llm_budget_list_state {
  uuid tenant;
  domain::version stream_version = 0;
  persistent_map<std::string, llm_budget_state> budgets;  // every one that ever was
  std::size_t active = 0;
  bool operator==(const llm_budget_list_state&) const = default;

  const llm_budget_state* find(std::string_view name) const { return budgets.find(name); }
  /// Of the active ones those that are asked for.
  std::vector<llm_budget_state> that(const std::function<bool(const llm_budget&)>& fits) const;
};

template <>
struct aggregate_of<llm_budget_list_state> {
  using event = llm_budget_event;
  using command = std::variant<set_llm_budget, remove_llm_budget>;
  static constexpr std::string_view prefix = "llmbudgets";
};

void evolve(llm_budget_list_state& state, const llm_budget_event& event,
            const evolve_context& context);

inline constexpr std::size_t max_llm_budgets = 100;        // active ones of a tenant
inline constexpr std::size_t max_llm_budget_names = 1000;  // with those that were removed

outcome<std::vector<llm_budget_event>> decide(const llm_budget_list_state& state,
                                              const set_llm_budget& c);
outcome<std::vector<llm_budget_event>> decide(const llm_budget_list_state& state,
                                              const remove_llm_budget& c);

/// The day on which the period began that has this moment in it.
std::int64_t begin_of(budget_period period, time_us now);
/// Whether a call of this model for this directive counts to it.
bool counts_to(const llm_budget& budget, const std::optional<uuid>& directive,
               std::string_view model);
/// Nothing is left of it.
bool is_spent(const llm_budget& budget, const llm_sums& spent);
/// A call that comes to this is more than what was left.
bool is_exceeded(const llm_budget& budget, const llm_sums& spent, const llm_sums& call);

struct llm_budget_document {
  std::string name;
  bool is_active = true;
  budget_period period = budget_period::month;
  std::optional<uuid> directive;
  std::optional<std::string> model;
  std::optional<std::int64_t> most_tokens;
  std::optional<std::int64_t> most_cost_micros;
  std::string created_by;
  timestamp created_at;
  std::string updated_by;
  timestamp updated_at;
  static constexpr auto fields() {
    using doc = llm_budget_document;
    return std::tuple{field("name", &doc::name),
                      field("is_active", &doc::is_active),
                      field("period", &doc::period),
                      field("directive", &doc::directive),
                      field("model", &doc::model),
                      field("most_tokens", &doc::most_tokens),
                      field("most_cost_micros", &doc::most_cost_micros),
                      field("created_by", &doc::created_by),
                      field("created_at", &doc::created_at),
                      field("updated_by", &doc::updated_by),
                      field("updated_at", &doc::updated_at)};
  }
};

llm_budget_document document_of(const llm_budget_state& budget);

}  // namespace reeve::domain
