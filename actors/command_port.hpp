#pragma once
// The one port through which anything is changed: `execute(context, command, slot)`. A command is a
// struct of domain/, decided by its `decide(state, command)`; the answer is the state after it. Std
// and domain types only, no CAF: routes and the first start call it as well. Calls may come from
// any thread.

#include "base/slot.hpp"
#include "domain/aggregates.hpp"
#include "persistence/append_port.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace reeve::actors {

template <class State>
struct executed {
  std::shared_ptr<const State> state;
  domain::position at = 0;  // of the last event that the command wrote; 0 if it wrote none
  bool replayed = false;    // the idempotency key was known: the state is that of the first time
};

template <class State>
using state_slot = reply_slot<executed<State>>;

/// Who sends a command, under which key, against which state.
struct command_context {
  uuid tenant;
  domain::event_meta meta;
  /// Looked up before anything else: a repeat is answered as the first time, whatever has happened
  /// since; in_progress while the first one is being worked on.
  std::optional<persistence::command_key> command;
  /// May be empty. What else must hold, asked once the key is known to be new and before the
  /// decision.
  std::function<void(reply_slot<done>)> before;
  /// The version of the stream that `before` was asked of: the command is decided on no other, or
  /// version_conflict.
  std::optional<domain::version> as_of;
};

/// The commands of one aggregate.
template <class State>
class commands_of {
 public:
  virtual ~commands_of() = default;
  virtual void execute(command_context context, domain::command_of<State> command,
                       state_slot<State> slot) = 0;
  /// The state without a command; version 0 if this tenant has no such stream.
  virtual void fetch(uuid tenant, uuid id, state_slot<State> slot) = 0;
};

template <class List>
class commands_over;

template <class... States>
class commands_over<domain::type_list<States...>> : public commands_of<States>... {
 public:
  using commands_of<States>::execute...;
  using commands_of<States>::fetch...;
};

using command_port = commands_over<domain::commanded_aggregates>;

/// The port for one who treats every aggregate alike: `Target` has the templates
///   carry_out<State>(command_context, domain::command_of<State>, state_slot<State>)
///   find<State>(uuid tenant, uuid id, state_slot<State>)
template <class Target, class List = domain::commanded_aggregates>
class every_command;

template <class Target>
class every_command<Target, domain::type_list<>> : public command_port {};

template <class Target, class State, class... Rest>
class every_command<Target, domain::type_list<State, Rest...>>
    : public every_command<Target, domain::type_list<Rest...>> {
 public:
  void execute(command_context context, domain::command_of<State> command,
               state_slot<State> slot) final {
    static_cast<Target*>(this)->template carry_out<State>(std::move(context), std::move(command),
                                                          std::move(slot));
  }
  void fetch(uuid tenant, uuid id, state_slot<State> slot) final {
    static_cast<Target*>(this)->template find<State>(tenant, id, std::move(slot));
  }
};

}  // namespace reeve::actors
