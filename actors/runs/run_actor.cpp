#include "actors/runs/run_actor.hpp"

#include "actors/tree_parts.hpp"
#include "base/log.hpp"

namespace reeve::actors {
namespace {

using domain::run_state;

struct run_life {
  caf::event_based_actor* self;
  run_ports* ports;
  uuid tenant;
  uuid run;
  bool crashed = false;
  std::function<void()> ready;
  std::unique_ptr<run_machine> machine;
  std::vector<std::function<void()>> early;  // commands that came before the state

  caf::actor handle() const { return caf::actor_cast<caf::actor>(self); }

  void begin(std::shared_ptr<const run_state> state) {
    machine = std::make_unique<run_machine>(self, *ports, std::move(state), [this] { over(); });
    ready();
    machine->begin(crashed ? interruption::crash : interruption::restart);
    for (auto& call : std::exchange(early, {})) call();
  }

  void over() {
    ports->registry.leave(run, handle().address());
    self->quit();
  }

  void load() {
    using answer = std::shared_ptr<const run_state>;
    rebuild<run_state>(ports->reads, tenant, domain::stream_of<run_state>(run), no_end,
                       resume_with<answer>(handle(), [this](outcome<answer> state) {
                         if (!state) {
                           return cc::tell_after(self, std::chrono::milliseconds(500), handle(),
                                                 continuation{[this] { load(); }});
                         }
                         if (is_terminal((*state)->status)) {
                           ready();
                           return over();
                         }
                         begin(*state);
                       }));
  }

  void execute(const std::shared_ptr<run_call>& call) {
    if (!machine) return early.push_back([this, call] { execute(call); });
    machine->execute(call->what, call->context, call->slot);
  }
};

}  // namespace

caf::behavior run_actor(caf::event_based_actor* self, run_ports* ports, run_actor_args args,
                        std::function<void()> ready) {
  auto life = std::make_shared<run_life>();
  life->self = self;
  life->ports = ports;
  life->tenant = args.tenant;
  life->run = args.run;
  life->crashed = args.crashed;
  life->ready = std::move(ready);
  ports->registry.enter(args.tenant, args.run, life->handle());
  // However it goes: a run without an actor is one that has to be started.
  self->attach_functor([ports, life, run = args.run, me = self->address()] {
    ports->registry.leave(run, me);
    if (life->machine) ports->ready.leave(life->machine.get());
  });
  if (args.state) {
    life->begin(std::move(args.state));
  } else {
    life->load();
  }
  return {[](const continuation& c) { c.run(); },
          [life](const run_call_message& m) { life->execute(m.call); },
          [life](const engine_is_back&) {
            if (life->machine) life->machine->engine_back();
          }};
}

/// Runs are independent of each other and there may be thousands: six crashes among them are no
/// reason to stop them all.
child_spec runs_child(tree_parts& tree) {
  supervisor_spec spec;
  spec.config.max_restarts = 100;
  return supervisor_child("runs", domain::restart_kind::permanent, std::move(spec), tree.runs);
}

void spawn_run(tree_parts& tree, active_run run, std::shared_ptr<const run_state> state) {
  const auto supervisor = tree.runs->get();
  if (!supervisor) return;
  child_spec spec;
  spec.name = to_string(run.run);
  spec.restart = domain::restart_kind::transient;
  spec.start_timeout = std::chrono::seconds(60);
  // The state at hand is good for the first incarnation only; later ones read the log.
  auto first = std::make_shared<std::shared_ptr<const run_state>>(std::move(state));
  spec.start = [&tree, run, first](caf::actor_system& sys, const child_context& context) {
    auto known = std::exchange(*first, nullptr);
    return cc::spawn<caf::event_based_actor>(
        sys, [&tree, run, known, context](caf::event_based_actor* self) {
          // An incarnation after the first one follows a failure: a run that is over is not
          // restarted.
          return run_actor(self, &tree.ports, {run.tenant, run.run, known, context.incarnation > 1},
                           [context] { context.ready(); });
        });
  };
  cc::post(supervisor, add_child_message{std::move(spec)});
}

}  // namespace reeve::actors
