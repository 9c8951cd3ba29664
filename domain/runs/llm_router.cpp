#include "domain/runs/llm_router.hpp"

#include <algorithm>
#include <set>

namespace reeve::domain {
namespace {

double room_left(const llm_upstream_view& upstream, std::string_view) {
  const auto most = std::max<std::int64_t>(upstream.what.max_calls, 1);
  return 1 - static_cast<double>(std::clamp<std::int64_t>(upstream.calls, 0, most)) /
                 static_cast<double>(most);
}

/// A second counts half.
double quickness(const llm_upstream_view& upstream, std::string_view) {
  const auto ms = std::max<std::int64_t>(upstream.health.latency_ms.value_or(1000), 0);
  return 1000.0 / (1000.0 + static_cast<double>(ms));
}

bool serves(const llm_upstream& upstream, std::string_view model) {
  return std::find(upstream.models.begin(), upstream.models.end(), model) != upstream.models.end();
}

llm_verdict verdict_of(const llm_upstream_view& upstream) {
  if (!upstream.health.is_known) return llm_verdict::unknown;
  if (!upstream.health.is_healthy) return llm_verdict::unhealthy;
  return upstream.calls < upstream.what.max_calls ? llm_verdict::possible : llm_verdict::full;
}

double score_of(const llm_upstream_view& upstream, std::string_view model,
                const std::vector<llm_scorer>& scorers) {
  double sum = 0, weights = 0;
  for (const auto& one : scorers) {
    sum += one.weight * std::clamp(one.score(upstream, model), 0.0, 1.0);
    weights += one.weight;
  }
  return weights > 0 ? sum / weights : 0;
}

bool has(const llm_routing& routing, llm_verdict verdict) {
  return std::any_of(routing.candidates.begin(), routing.candidates.end(),
                     [verdict](const auto& one) { return one.verdict == verdict; });
}

void choose(llm_routing& routing) {
  std::size_t possible = 0;
  for (std::size_t i = 0; i < routing.candidates.size(); ++i) {
    if (routing.candidates[i].verdict != llm_verdict::possible) continue;
    ++possible;
    const bool is_better =
        !routing.chosen || routing.candidates[i].score > routing.candidates[*routing.chosen].score;
    if (is_better) routing.chosen = i;
  }
  routing.reason = possible > 1                      ? "highest_score"
                   : possible == 1                   ? "only_one"
                   : has(routing, llm_verdict::full) ? "all_full"
                                                     : "none_answers";
}

}  // namespace

void llm_health::answered(std::int64_t in_ms) {
  is_known = is_healthy = true;
  failures = 0;
  latency_ms = in_ms;
}

void llm_health::failed() {
  ++failures;
  if (!is_known || failures >= most_failures) is_healthy = false;
  is_known = true;
}

const std::vector<llm_scorer>& llm_scorers() {
  static const std::vector<llm_scorer> all{{"room_left", 2, room_left},
                                           {"quickness", 1, quickness}};
  return all;
}

llm_routing route_of(const std::vector<llm_upstream_view>& upstreams, std::string_view model,
                     bool is_budget_spent, const std::vector<llm_scorer>& scorers) {
  llm_routing routing;
  for (const auto& one : upstreams) {
    if (!serves(one.what, model)) continue;
    routing.candidates.push_back({one.what.name, verdict_of(one), score_of(one, model, scorers)});
  }
  if (routing.candidates.empty()) {
    routing.reason = "no_upstream";
  } else if (is_budget_spent) {
    routing.reason = "budget_spent";
  } else {
    choose(routing);
  }
  return routing;
}

std::vector<std::string> models_of(const std::vector<llm_upstream_view>& upstreams) {
  std::set<std::string> all;
  for (const auto& one : upstreams) all.insert(one.what.models.begin(), one.what.models.end());
  return {all.begin(), all.end()};
}

}  // namespace reeve::domain
