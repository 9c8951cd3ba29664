#include "actors/command_dispatcher.hpp"

#include "adapters/container_owner_port.hpp"

#include <type_traits>

namespace reeve::actors {

using domain::container_list_state;
using domain::image_list_state;
using domain::run_state;

namespace {

// Of a command that is bound to a document: whoever is overtaken so often is told so.
constexpr int most_tries = 5;

/// An entry that is made without the engine's word would allow whatever comes under the name.
template <class T>
bool is_unknown(const outcome<T>& found) {
  return !found && adapters::is_unanswered(found.error().code);
}

rejection no_word_of_it() {
  return reject(errc::engine_unavailable,
                "the engine does not answer, so what the entry would allow is not known");
}

bool has_moved(const command_context& c, const run_state& run) {
  return c.as_of && *c.as_of != run.stream_version;
}

}  // namespace

template <class State>
void command_dispatcher::if_new(command_context c, state_slot<State> slot,
                                std::function<void(command_context, state_slot<State>)> go) {
  if (!c.command) return go(std::move(c), std::move(slot));
  const auto key = *c.command;
  auto recent = recent_->find<State>(key);
  if (!recent) return slot.answer(recent.error());
  if (*recent) return slot.answer(std::move(**recent));
  if (!keys_->enter(key)) {
    return slot.answer(reject(errc::in_progress, "the first request with this key is running"));
  }
  // Given back before the answer: who has it may repeat the request at once.
  state_slot<State> held([keys = keys_, recent = recent_, key, slot](outcome<executed<State>> r) {
    if (r) recent->put(key, *r);
    keys->leave(key);
    slot.answer(std::move(r));
  });
  first_answer<State>(
      ports_.reads, key,
      reply_slot<maybe_executed<State>>([c = std::move(c), held, go = std::move(go), door = door_](
                                            outcome<maybe_executed<State>> first) mutable {
        if (!first) return held.answer(first.error());
        if (*first) return held.answer(std::move(**first));
        door->pass([&] { go(std::move(c), held); });
      }));
}

template <class State>
void command_dispatcher::carry_out(command_context c, domain::command_of<State> what,
                                   state_slot<State> slot) {
  if_new<State>(std::move(c), std::move(slot),
                [this, what = std::move(what)](command_context context, state_slot<State> to) {
                  if (context.before) return when_it_holds<State>(std::move(context), what, to, 1);
                  submit_any<State>(std::move(context), what, std::move(to));
                });
}

template <class State>
void command_dispatcher::submit_any(command_context c, const domain::command_of<State>& what,
                                    state_slot<State> slot) {
  std::visit([&](const auto& command) { submit(std::move(c), command, std::move(slot)); }, what);
}

template <class State>
void command_dispatcher::when_it_holds(command_context c, domain::command_of<State> what,
                                       state_slot<State> slot, int tries) {
  const auto id = domain::subject_of(what, c.tenant);
  const auto tenant = c.tenant;
  auto go = [this, door = door_, c, what, slot, tries](domain::version version) {
    auto decided = c;
    decided.before = nullptr;
    decided.as_of = version;
    auto answer = [this, door, c, what, slot, tries](outcome<executed<State>> r) {
      const bool is_overtaken = !r && r.error().code == errc::version_conflict;
      if (!is_overtaken || tries == most_tries) return slot.answer(std::move(r));
      door->pass([&] { when_it_holds<State>(c, what, slot, tries + 1); });
    };
    door->pass([&] { submit_any<State>(decided, what, state_slot<State>(answer)); });
  };
  find<State>(tenant, id, state_slot<State>([c, slot, go](outcome<executed<State>> now) {
                if (!now) return slot.answer(now.error());
                const auto version = now->state->stream_version;
                c.before(reply_slot<done>([slot, go, version](outcome<done> ok) {
                  ok ? go(version) : slot.answer(ok.error());
                }));
              }));
}

template <class State>
void command_dispatcher::find(uuid tenant, uuid id, state_slot<State> slot) {
  if constexpr (std::is_same_v<State, run_state>) {
    using answer = std::shared_ptr<const State>;
    runs_->find(ports_.reads, tenant, id, reply_slot<answer>([slot](outcome<answer> state) {
                  if (!state) return slot.answer(state.error());
                  slot.answer(executed<State>{*state, 0, false});
                }));
  } else {
    fronts_.of<State>().fetch(tenant, id, std::move(slot));
  }
}

template <class State, class Command>
void command_dispatcher::submit(command_context c, Command what, state_slot<State> slot) {
  if constexpr (std::is_same_v<State, run_state>) {
    to_run(std::move(c), std::move(what), std::move(slot));
  } else {
    auto op = std::make_shared<execute_op<State>>();
    op->tenant = c.tenant;
    op->what = std::move(what);
    op->id = domain::subject_of(*op->what, c.tenant);
    op->meta = std::move(c.meta);
    op->as_of = c.as_of;
    op->command = std::move(c.command);
    op->slot = std::move(slot);
    fronts_.of<State>().submit(std::move(op));
  }
}

void command_dispatcher::submit(command_context c, domain::allow_image what,
                                state_slot<image_list_state> slot) {
  auto go = [this, door = door_, c = std::move(c), slot](domain::allow_image resolved) {
    door->pass([&] { submit<image_list_state, domain::allow_image>(c, resolved, slot); });
  };
  // What is wrong in itself is said whether or not there is an engine.
  if (auto ok = domain::decide(image_list_state{}, what); !ok) return slot.answer(ok.error());
  auto reference = domain::parse_image_reference(what.entry.reference);
  if (!reference) return go(std::move(what));  // a pattern
  if (!has_images()) return go(std::move(what));
  using image = adapters::image_info;
  ports_.engine.inspect_image(to_string(*reference),
                              reply_slot<image>([what, go, slot](outcome<image> found) mutable {
                                if (is_unknown(found)) return slot.answer(no_word_of_it());
                                if (found) what.entry.digest = found->id;
                                go(std::move(what));
                              }));
}

/// The simulated engine invents the ids of images, and an invented one must pin nothing.
bool command_dispatcher::has_images() const {
  return ports_.engine.kind() != "simulated";
}

void command_dispatcher::submit(command_context c, domain::resolve_image what,
                                state_slot<image_list_state> slot) {
  const auto tenant = c.tenant;
  auto go = [this, door = door_, c = std::move(c), slot](domain::resolve_image resolved) {
    door->pass([&] { submit<image_list_state, domain::resolve_image>(c, resolved, slot); });
  };
  using image = adapters::image_info;
  auto ask = [this, what, go, slot](const std::string& reference) {
    ports_.engine.inspect_image(reference,
                                reply_slot<image>([what, go, slot](outcome<image> found) mutable {
                                  if (is_unknown(found)) return slot.answer(no_word_of_it());
                                  if (found) what.digest = found->id;
                                  go(std::move(what));
                                }));
  };
  auto look = [this, door = door_, what, go, ask, slot](outcome<executed<image_list_state>> now) {
    if (!now) return slot.answer(now.error());
    const auto* entry = now->state->find(what.id);
    // What is not there, or is a pattern, is refused by the decision.
    const bool is_one = entry != nullptr && entry->is_active &&
                        domain::parse_image_reference(entry->what.reference).ok();
    door->pass([&] {
      if (is_one && has_images()) return ask(entry->what.reference);
      go(what);
    });
  };
  fronts_.of<image_list_state>().fetch(tenant, tenant, state_slot<image_list_state>(look));
}

void command_dispatcher::submit(command_context c, domain::allow_container what,
                                state_slot<container_list_state> slot) {
  auto go = [this, door = door_, c = std::move(c), slot](domain::allow_container resolved) {
    door->pass([&] { submit<container_list_state, domain::allow_container>(c, resolved, slot); });
  };
  if (auto ok = domain::decide(container_list_state{}, what); !ok) return slot.answer(ok.error());
  if (what.entry.container_id || what.by_name) return go(std::move(what));
  using info = adapters::container_info;
  const bool is_first = ports_.attempts.is_first_tenant(what.tenant);
  ports_.engine.inspect(
      what.entry.name,
      reply_slot<info>([what, go, slot, is_first,
                        instance = ports_.attempts.instance](outcome<info> found) mutable {
        if (is_unknown(found)) return slot.answer(no_word_of_it());
        // An engine also finds by the beginning of an id. Of a container that is not the tenant's
        // nobody hears that it is there.
        const bool is_it = found && found->name == what.entry.name &&
                           adapters::is_open_to(found->labels, instance, what.tenant, is_first);
        if (is_it) what.entry.container_id = found->id;
        go(std::move(what));
      }));
}

void command_dispatcher::submit(command_context c, domain::launch_run what,
                                state_slot<run_state> slot) {
  const auto launcher = launcher_->get();
  if (!launcher) return slot.answer(reject(errc::unavailable, "the launcher is being started"));
  auto call = std::make_shared<launch_call>();
  call->context = std::move(c);
  call->command = std::move(what);
  call->slot = std::move(slot);
  cc::post(launcher, launch_message{std::move(call)});
}

void command_dispatcher::hand_over(const uuid& run, run_call call) {
  const auto actor = ports_.registry.find(run);
  if (!actor) return call.slot.answer(reject(errc::unavailable, "the run is being taken up"));
  cc::post(actor, run_call_message{std::make_shared<run_call>(std::move(call))});
}

/// A run that is over, or was never there, has no actor: its state decides what is answered.
template <class Command>
void command_dispatcher::to_run(command_context c, Command what, state_slot<run_state> slot) {
  using answer = executed<run_state>;
  const auto tenant = c.tenant;
  find<run_state>(
      tenant, what.run,
      state_slot<run_state>([this, door = door_, c = std::move(c), what, slot](outcome<answer> r) {
        if (!r) return slot.answer(r.error());
        if (has_moved(c, *r->state)) {
          return slot.answer(reject(errc::version_conflict, "another change came first"));
        }
        auto events = domain::decide(*r->state, what);
        if (!events) return slot.answer(events.error());
        door->pass([&] { hand_over(what.run, {c, what, slot}); });
      }));
}

// Behind the templates, which its table of virtual functions makes for every aggregate.
command_dispatcher::command_dispatcher(executor_fronts& fronts, run_ports& ports,
                                       std::shared_ptr<actor_slot> launcher)
    : fronts_(fronts), ports_(ports), launcher_(std::move(launcher)) {}

}  // namespace reeve::actors
