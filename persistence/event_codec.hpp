#pragma once
// Domain events to and from what the journal stores. Std and domain types only: actors/ uses it.

#include "base/outcome.hpp"
#include "domain/access/access.hpp"
#include "domain/access/allowlist.hpp"
#include "domain/event.hpp"
#include "domain/log_events.hpp"
#include "domain/runs/directive.hpp"
#include "domain/runs/llm.hpp"
#include "domain/runs/run.hpp"
#include "domain/system_events.hpp"

#include <string>
#include <vector>

namespace reeve::persistence {

/// Type, schema version and canonical payload; stream, tenant and meta are the caller's.
domain::new_event to_new_event(const domain::directive_event& event);
domain::new_event to_new_event(const domain::image_list_event& event);
domain::new_event to_new_event(const domain::container_list_event& event);
domain::new_event to_new_event(const domain::llm_event& event);
domain::new_event to_new_event(const domain::access_event& event);
domain::new_event to_new_event(const domain::run_event& event);
domain::new_event to_new_event(const domain::system_event& event);
domain::new_event to_new_event(const domain::log_event& event);

/// The event of a record, older schema versions lifted to the present one. `internal` for a type
/// or payload that this program does not know.
outcome<domain::directive_event> from_record(const domain::event_record& r,
                                             const domain::directive_state&);
outcome<domain::image_list_event> from_record(const domain::event_record& r,
                                              const domain::image_list_state&);
outcome<domain::container_list_event> from_record(const domain::event_record& r,
                                                  const domain::container_list_state&);
outcome<domain::llm_event> from_record(const domain::event_record& r,
                                       const domain::llm_usage_state&);
outcome<domain::access_event> from_record(const domain::event_record& r,
                                          const domain::access_state&);
outcome<domain::run_event> from_record(const domain::event_record& r, const domain::run_state&);
outcome<domain::system_event> system_event_of(const domain::event_record& r);
outcome<domain::log_event> log_event_of(const domain::event_record& r);

/// Folds a record into a state.
template <class State>
outcome<done> evolve_record(State& state, const domain::event_record& r) {
  auto event = from_record(r, state);
  if (!event) return event.error();
  domain::evolve_context context;
  context.stamp = {r.position, r.version, r.recorded_at_us};
  context.tenant = r.tenant;
  context.principal = r.meta.principal;
  evolve(state, *event, context);
  return done{};
}

}  // namespace reeve::persistence
