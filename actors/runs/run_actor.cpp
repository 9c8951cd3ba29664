#include "actors/runs/run_actor.hpp"

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

}  // namespace reeve::actors
