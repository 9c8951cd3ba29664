#pragma once
// What every aggregate looks like. An aggregate is one header: its events (a variant of plain
// structs), its state, `evolve(state, event, stamp)` and one `decide_…` function per command, all
// pure. `aggregate_of<State>` ties them together for the generic executor and for rebuilding.

#include "base/ids.hpp"
#include "base/time.hpp"
#include "domain/event.hpp"
#include "domain/fields.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace reeve::domain {

/// Specialised by each aggregate:
///   using event = std::variant<…>;
///   static constexpr std::string_view prefix = "run";   // stream = prefix + "-" + id
template <class State>
struct aggregate_of;

template <class State>
std::string stream_of(const uuid& id) {
  return std::string(aggregate_of<State>::prefix) + "-" + to_string(id);
}

/// What evolve may know of an event besides its payload.
struct evolve_context {
  event_stamp stamp;
  uuid tenant;
  std::string_view principal;
};

/// Lets a visitor name one lambda per alternative; a forgotten alternative does not compile.
template <class... Callables>
struct overloaded : Callables... {
  using Callables::operator()...;
};

template <class T>
constexpr int schema_version_of() {
  if constexpr (requires { T::schema_version; }) {
    return T::schema_version;
  } else {
    return 1;
  }
}

}  // namespace reeve::domain
