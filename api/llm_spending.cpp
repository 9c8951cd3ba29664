#include "api/llm_spending.hpp"

#include "api/services.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace reeve::api {
namespace {

using uses_slot = reply_slot<std::vector<budget_use>>;

/// One question of the reader after the other; budgets of the same calls and period share one.
class spending : public std::enable_shared_from_this<spending> {
 public:
  spending(services& s, uuid tenant, uses_slot slot) : s_(s), tenant_(tenant), slot_(slot) {}

  void begin(const std::vector<domain::llm_budget_state>& budgets) {
    for (const auto& budget : budgets) uses_.push_back({budget.name, budget.what, {}});
    ask(0);
  }

 private:
  static bool share(const domain::llm_budget& a, const domain::llm_budget& b) {
    return a.period == b.period && a.directive == b.directive && a.model == b.model;
  }

  void ask(std::size_t at) {
    for (; at < uses_.size(); ++at) {
      auto& use = uses_[at];
      const auto end = uses_.begin() + static_cast<std::ptrdiff_t>(at);
      const auto same = std::find_if(uses_.begin(), end,
                                     [&](const auto& one) { return share(one.what, use.what); });
      if (same == end) break;
      use.spent = same->spent;
    }
    if (at == uses_.size()) return slot_.answer(std::move(uses_));
    persistence::llm_spent_query query;
    query.tenant = tenant_;
    query.directive = uses_[at].what.directive;
    query.model = uses_[at].what.model;
    query.from_day = domain::begin_of(uses_[at].what.period, s_.clock->now_us());
    using sums = outcome<domain::llm_sums>;
    s_.reads->llm_spent(std::move(query),
                        reply_slot<domain::llm_sums>([self = shared_from_this(), at](sums spent) {
                          if (!spent) return self->slot_.answer(spent.error());
                          self->uses_[at].spent = *spent;
                          self->ask(at + 1);
                        }));
  }

  services& s_;
  uuid tenant_;
  uses_slot slot_;
  std::vector<budget_use> uses_;
};

}  // namespace

void find_budget_uses(services& s, uuid tenant, std::function<bool(const domain::llm_budget&)> fits,
                      uses_slot slot) {
  using list = domain::llm_budget_list_state;
  using found = outcome<actors::executed<list>>;
  s.commands->fetch(
      tenant, tenant,
      actors::state_slot<list>([&s, tenant, fits = std::move(fits), slot](found budgets) {
        if (!budgets) return slot.answer(budgets.error());
        std::make_shared<spending>(s, tenant, slot)->begin(budgets->state->that(fits));
      }));
}

void mark_over_budget(services& s, uuid tenant, domain::record_llm_call what,
                      reply_slot<domain::record_llm_call> slot) {
  auto fits = [directive = what.directive, model = what.counts.model_name](const auto& budget) {
    return domain::counts_to(budget, directive, model);
  };
  auto go = [what = std::move(what), slot](outcome<std::vector<budget_use>> found) mutable {
    if (!found) return slot.answer(found.error());
    const auto call = domain::sums_of(what);
    what.over_budget = std::any_of(found->begin(), found->end(), [&call](const auto& one) {
      return domain::is_exceeded(one.what, one.spent, call);
    });
    slot.answer(std::move(what));
  };
  find_budget_uses(s, tenant, std::move(fits), uses_slot(std::move(go)));
}

}  // namespace reeve::api
