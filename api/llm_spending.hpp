#pragma once
// What calls of a tenant have used of its budgets for language models.

#include "base/slot.hpp"
#include "domain/runs/llm.hpp"
#include "domain/runs/llm_budget.hpp"

#include <functional>
#include <string>
#include <vector>

namespace reeve::api {

struct services;

struct budget_use {
  std::string name;
  domain::llm_budget what;
  domain::llm_sums spent;  // in the period that has this moment in it
};

/// Of each budget that fits; where none does, nothing is read.
void find_budget_uses(services& s, uuid tenant, std::function<bool(const domain::llm_budget&)> fits,
                      reply_slot<std::vector<budget_use>> slot);

/// The command with whether it exceeds a budget. What was called is recorded whatever the budgets
/// say. Of calls at the same time each knows only of those that were recorded before it.
void mark_over_budget(services& s, uuid tenant, domain::record_llm_call what,
                      reply_slot<domain::record_llm_call> slot);

}  // namespace reeve::api
