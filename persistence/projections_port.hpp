#pragma once
// The projections: pure functions from the state after some events to rows, in
// persistence/projections/. The journal writes them in the statement that appends the events; a
// follower and a rebuild run the same functions.

#include "domain/aggregates.hpp"
#include "persistence/append_port.hpp"

#include <span>
#include <type_traits>
#include <vector>

namespace reeve::persistence {

using projection_list = std::vector<const projection*>;

// The two functions of each aggregate are declared by this template and defined, as plain functions
// of that one aggregate, in persistence/projections/; the linker misses those of one that has none.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-template-friend"

/// What has happened to one aggregate. `after` is its state after the last of `events`.
template <class State>
struct happened {
  const State& after;
  std::span<const domain::event_of<State>> events;
  std::span<const domain::event_stamp> stamps;  // one an event

  /// The projections that are made of it; none if it has no rows.
  friend projection_list projections_of(std::type_identity<happened>);
  /// Only rows that these events touch are given, each as it is after the last one. An event says
  /// itself what it touches: a row that is an object's is found by the object's id in it, so that a
  /// further event of the object is not forgotten here.
  friend void project(const happened& what, row_sink& rows);
};

#pragma GCC diagnostic pop

}  // namespace reeve::persistence
