#pragma once
// Which upstream a call of a language model goes to: one that serves the model, answers, and has a
// place; of several the one with the highest score. Pure.

#include "domain/runs/llm_settings.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::domain {

/// What is known of whether an upstream answers. Not at all, before the first look.
struct llm_health {
  bool is_known = false;
  bool is_healthy = false;
  int failures = 0;                        // in a row
  std::optional<std::int64_t> latency_ms;  // of the last look that was answered
  bool operator==(const llm_health&) const = default;

  /// So many failures in a row make one that answered one that does not: a single lost look is
  /// none.
  static constexpr int most_failures = 2;
  void answered(std::int64_t in_ms);
  void failed();
};

/// An upstream as it is at the moment.
struct llm_upstream_view {
  llm_upstream what;
  llm_health health;
  std::int64_t calls = 0;  // that are under way
};

/// One thing that speaks for an upstream, 0..1, the higher the better. Another one is a row more.
struct llm_scorer {
  std::string_view name;
  double weight = 1;
  std::function<double(const llm_upstream_view& upstream, std::string_view model)> score;
};

/// Room that is left (2 of 3 parts) and how soon it answers (1 of 3).
const std::vector<llm_scorer>& llm_scorers();

enum class llm_verdict { possible, unknown, unhealthy, full };
template <>
struct enum_names<llm_verdict> {
  static constexpr std::array names{std::string_view{"possible"}, std::string_view{"unknown"},
                                    std::string_view{"unhealthy"}, std::string_view{"full"}};
};

struct llm_candidate {
  std::string upstream;
  llm_verdict verdict = llm_verdict::possible;
  double score = 0;  // 0..1
};

struct llm_routing {
  std::vector<llm_candidate> candidates;  // that serve the model, in the order of the configuration
  std::optional<std::size_t> chosen;      // in `candidates`
  /// Why that one or none: "highest_score", "only_one", "no_upstream" (none serves the model),
  /// "budget_spent", "none_answers", "all_full".
  std::string_view reason;
};

/// `is_budget_spent`: nothing is left of a budget that a call of this model counts to. Equal
/// scores: the first one of the configuration.
llm_routing route_of(const std::vector<llm_upstream_view>& upstreams, std::string_view model,
                     bool is_budget_spent, const std::vector<llm_scorer>& scorers = llm_scorers());

/// Every model that some upstream serves, once, in the order of the names.
std::vector<std::string> models_of(const std::vector<llm_upstream_view>& upstreams);

}  // namespace reeve::domain
