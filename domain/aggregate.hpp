#pragma once
// What every aggregate looks like. An aggregate is one header: its commands and its events
// (variants of plain structs), its state, `evolve(state, event, context)` and one
// `decide(state, command)` per command, all pure. `aggregate_of<State>` ties them together for the
// generic executor and for rebuilding.

#include "base/ids.hpp"
#include "base/time.hpp"
#include "domain/event.hpp"
#include "domain/fields.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace reeve::domain {

/// Specialised by each aggregate:
///   using event = std::variant<…>;
///   using command = std::variant<…>;   // unless nobody commands it
///   static constexpr std::string_view prefix = "run";   // stream = prefix + "-" + id
///   static constexpr bool is_answered_by_newest_event = true;   // if what a command is answered
///       shows nothing but the command's own events: a repeat then reads no others
template <class State>
struct aggregate_of;

template <class State>
using event_of = typename aggregate_of<State>::event;
template <class State>
using events_of = std::vector<event_of<State>>;
template <class State>
using command_of = typename aggregate_of<State>::command;

/// The id of the stream that a command is about: the one that it names, else the tenant's own.
template <class... Commands>
uuid subject_of(const std::variant<Commands...>& command, const uuid& tenant) {
  return std::visit(
      [&](const auto& c) {
        if constexpr (requires { c.subject(); }) {
          return c.subject();
        } else {
          return tenant;
        }
      },
      command);
}

template <class State>
std::string stream_of(const uuid& id) {
  return std::string(aggregate_of<State>::prefix) + "-" + to_string(id);
}

/// Whether a stream is one of this aggregate's, by its name alone.
template <class State>
bool is_stream_of(std::string_view stream) {
  constexpr std::string_view prefix = aggregate_of<State>::prefix;
  return stream.size() > prefix.size() && stream.starts_with(prefix) &&
         stream[prefix.size()] == '-' && parse_uuid(stream.substr(prefix.size() + 1)).has_value();
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
template <class... Callables>
overloaded(Callables...) -> overloaded<Callables...>;  // which clang 14 does not do by itself

template <class... Types>
struct type_list {};

/// Only to be asked for its type, as the next one.
template <class... A, class... B>
type_list<A..., B...> operator+(type_list<A...>, type_list<B...>);
template <class... Types>
std::variant<Types...> any_of(type_list<Types...>);

/// One list of several, in their order.
template <class... Lists>
using joined = decltype((... + Lists{}));
template <class List>
using variant_of = decltype(any_of(List{}));

template <class T>
constexpr int schema_version_of() {
  if constexpr (requires { T::schema_version; }) {
    return T::schema_version;
  } else {
    return 1;
  }
}

}  // namespace reeve::domain
