#include "actors/runs/run_sweep.hpp"

#include "base/log.hpp"

namespace reeve::actors {
namespace {

struct sweeper {
  caf::event_based_actor* self;
  run_sweep_args args;

  /// A run whose actor is being started is added a second time by nobody: its supervisor refuses a
  /// name that it has.
  bool sweep() {
    const auto active = args.active_runs();
    if (!active) {
      log_error("the active runs could not be read", {{"why", active.error().detail}});
      return false;
    }
    for (const auto& run : *active) {
      if (!args.registry->find(run.run)) args.spawn(run);
    }
    return true;
  }

  void again() {
    cc::tell_after(self, args.every, caf::actor_cast<caf::actor>(self), continuation{[this] {
                     sweep();
                     again();
                   }});
  }
};

}  // namespace

caf::behavior run_sweep_actor(caf::event_based_actor* self, run_sweep_args args,
                              std::function<void()> ready) {
  auto work = std::make_shared<sweeper>(sweeper{self, std::move(args)});
  if (!work->sweep()) {
    self->quit(caf::exit_reason::unhandled_exception);
    return {[](const continuation&) {}};
  }
  work->again();
  ready();
  return {[work](const continuation& c) { c.run(); }};
}

}  // namespace reeve::actors
