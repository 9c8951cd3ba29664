#include "api/llm_attempt.hpp"

#include "api/services.hpp"
#include "domain/runs/run.hpp"

#include <utility>

namespace reeve::api {
namespace {

bool may_call(const domain::run_state& run, const attempt_name& whose) {
  const auto* job = run.find(whose.job);
  const auto* open = job == nullptr ? nullptr : job->open_attempt();
  const bool goes_on = open != nullptr && !open->quarantined && !run.cancel_requested;
  return goes_on && open->number == whose.number && open->intent.llm.value_or(false);
}

}  // namespace

caller caller_of(const attempt_name& whose) {
  caller who;
  who.tenant = whose.tenant;
  who.token_id = derived_uuid(whose.tenant, "calls-of-jobs");
  who.principal = "job:" + to_string(whose.job);
  who.has = role::operator_;
  who.attempt = whose;
  return who;
}

void find_calling_job(services& s, const attempt_name& whose, reply_slot<calling_job> slot) {
  using found = outcome<actors::executed<domain::run_state>>;
  auto go = [whose, slot](const found& run) {
    if (!run) return slot.answer(run.error());
    if (!run->state || run->state->stream_version == 0 || !may_call(*run->state, whose)) {
      return slot.answer(reject(errc::unauthenticated, "the attempt of this token does not run"));
    }
    slot.answer(calling_job{whose.run, whose.job, run->state->launch->directive.id});
  };
  s.commands->fetch(whose.tenant, whose.run, actors::state_slot<domain::run_state>(std::move(go)));
}

}  // namespace reeve::api
