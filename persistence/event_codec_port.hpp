#pragma once
// Domain events to and from what the journal stores, for every aggregate of domain/aggregates.hpp.

#include "base/outcome.hpp"
#include "domain/aggregates.hpp"
#include "domain/event.hpp"

namespace reeve::persistence {

/// Type, schema version and canonical payload; stream, tenant and meta are the caller's.
template <class State>
domain::new_event to_new_event(const domain::event_of<State>& event);

/// The event of a record, older schema versions lifted to the present one. `internal` for a type
/// or payload that this program does not know.
template <class State>
outcome<domain::event_of<State>> from_record(const domain::event_record& r);

/// Folds a record into a state.
template <class State>
outcome<done> evolve_record(State& state, const domain::event_record& r) {
  auto event = from_record<State>(r);
  if (!event) return event.error();
  domain::evolve_context context;
  context.stamp = {r.position, r.version, r.recorded_at_us};
  context.tenant = r.tenant;
  context.principal = r.meta.principal;
  evolve(state, *event, context);
  return done{};
}

}  // namespace reeve::persistence
