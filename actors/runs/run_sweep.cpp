#include "actors/runs/run_sweep.hpp"

#include "actors/tree_parts.hpp"
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

child_spec run_sweep_child(tree_parts& tree) {
  child_spec spec;
  spec.name = "run_sweep";
  spec.start_timeout = std::chrono::seconds(30);
  spec.start = [&tree](caf::actor_system& sys, const child_context& context) {
    run_sweep_args args;
    args.registry = &tree.registry;
    args.spawn = [&tree](active_run run) { spawn_run(tree, run, nullptr); };
    args.active_runs = tree.outside.active_runs;
    return cc::spawn<caf::event_based_actor, caf::detached>(
        sys, [args, context](caf::event_based_actor* self) {
          return run_sweep_actor(self, args, [context] { context.ready(); });
        });
  };
  return spec;
}

}  // namespace reeve::actors
