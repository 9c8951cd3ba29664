#include "domain/runs/llm_budget.hpp"

#include "domain/name.hpp"
#include "domain/runs/llm.hpp"

#include <utility>

namespace reeve::domain {
namespace {

constexpr std::int64_t most_amount = 1'000'000'000'000'000;

llm_budget_state changed(const llm_budget_state* before, const std::string& name,
                         const evolve_context& c) {
  llm_budget_state s = before == nullptr ? llm_budget_state() : *before;
  if (before == nullptr) {
    s.name = name;
    s.is_active = false;
    s.created_by = std::string(c.principal);
    s.created_position = c.stamp.at;
    s.created_at = c.stamp.recorded_at_us;
  }
  s.updated_by = std::string(c.principal);
  s.last_position = c.stamp.at;
  s.updated_at = c.stamp.recorded_at_us;
  return s;
}

void set(llm_budget_list_state& list, const llm_budget_set& e, const evolve_context& c) {
  auto s = changed(list.find(e.name), e.name, c);
  if (!std::exchange(s.is_active, true)) ++list.active;
  s.what = e;
  list.budgets.set(e.name, std::move(s));
}

void remove(llm_budget_list_state& list, const llm_budget_removed& e, const evolve_context& c) {
  const auto* found = list.find(e.name);
  if (found == nullptr || !found->is_active) return;
  auto s = changed(found, e.name, c);
  s.is_active = false;
  --list.active;
  list.budgets.set(e.name, std::move(s));
}

bool is_amount(const std::optional<std::int64_t>& most) {
  return !most || (*most >= 1 && *most <= most_amount);
}

outcome<done> check(const llm_budget& what) {
  if (what.directive && what.model) {
    return reject(errc::invalid, "a budget is of a directive or of a model, not of both", "/model");
  }
  if (what.model && !is_model_name(*what.model)) {
    return reject(errc::invalid, "a model's name has 1..128 letters, digits and ._:/@+-", "/model");
  }
  if (!what.most_tokens && !what.most_cost_micros) {
    return reject(errc::invalid, "most_tokens or most_cost_micros is needed", "/most_tokens");
  }
  if (!is_amount(what.most_tokens)) {
    return reject(errc::invalid, "must be 1..1000000000000000", "/most_tokens");
  }
  if (!is_amount(what.most_cost_micros)) {
    return reject(errc::invalid, "must be 1..1000000000000000", "/most_cost_micros");
  }
  return done{};
}

}  // namespace

std::vector<llm_budget_state> llm_budget_list_state::that(
    const std::function<bool(const llm_budget&)>& fits) const {
  std::vector<llm_budget_state> found;
  for (const auto& [name, budget] : budgets) {
    if (budget.is_active && fits(budget.what)) found.push_back(budget);
  }
  return found;
}

bool counts_to(const llm_budget& budget, const std::optional<uuid>& directive,
               std::string_view model) {
  return (!budget.directive || budget.directive == directive) &&
         (!budget.model || *budget.model == model);
}

void evolve(llm_budget_list_state& state, const llm_budget_event& event,
            const evolve_context& context) {
  state.stream_version = context.stamp.version_in_stream;
  state.tenant = context.tenant;
  std::visit(overloaded{[&](const llm_budget_set& e) { set(state, e, context); },
                        [&](const llm_budget_removed& e) { remove(state, e, context); }},
             event);
}

outcome<std::vector<llm_budget_event>> decide(const llm_budget_list_state& state,
                                              const set_llm_budget& c) {
  if (!is_name(c.name)) {
    return reject(errc::invalid, "a name has 1..64 letters, digits and ._-", "/name");
  }
  if (auto ok = check(c.what); !ok) return ok.error();
  const auto* before = state.find(c.name);
  const bool is_active = before != nullptr && before->is_active;
  if (is_active && before->what == c.what) return std::vector<llm_budget_event>{};
  if (!is_active && state.active >= max_llm_budgets) {
    return reject(errc::conflict, "the tenant has 100 active budgets already");
  }
  if (before == nullptr && state.budgets.size() >= max_llm_budget_names) {
    return reject(errc::conflict, "the tenant has had 1,000 budgets: use one of their names again");
  }
  llm_budget_set e;
  static_cast<llm_budget&>(e) = c.what;
  e.name = c.name;
  return std::vector<llm_budget_event>{std::move(e)};
}

outcome<std::vector<llm_budget_event>> decide(const llm_budget_list_state& state,
                                              const remove_llm_budget& c) {
  const auto* found = state.find(c.name);
  if (found == nullptr) return reject(errc::not_found, "there is no such resource");
  if (!found->is_active) return std::vector<llm_budget_event>{};
  return std::vector<llm_budget_event>{llm_budget_removed{c.name}};
}

std::int64_t begin_of(budget_period period, time_us now) {
  if (period == budget_period::day) return day_of(now);
  const auto first = format_time(now).substr(0, 7) + "-01T00:00:00Z";
  return day_of(parse_time(first).value_or(now));
}

bool is_spent(const llm_budget& budget, const llm_sums& spent) {
  return (budget.most_tokens && spent.total_tokens >= *budget.most_tokens) ||
         (budget.most_cost_micros && spent.cost_micros >= *budget.most_cost_micros);
}

bool is_exceeded(const llm_budget& budget, const llm_sums& spent, const llm_sums& call) {
  return (budget.most_tokens && call.total_tokens > *budget.most_tokens - spent.total_tokens) ||
         (budget.most_cost_micros &&
          call.cost_micros > *budget.most_cost_micros - spent.cost_micros);
}

llm_budget_document document_of(const llm_budget_state& s) {
  return {s.name,         s.is_active,        s.what.period,           s.what.directive,
          s.what.model,   s.what.most_tokens, s.what.most_cost_micros, s.created_by,
          {s.created_at}, s.updated_by,       {s.updated_at}};
}

}  // namespace reeve::domain
