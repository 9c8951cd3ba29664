#include "actors/journal_actor.hpp"

#include <utility>

namespace reeve::actors {

caf::behavior journal_actor(caf::event_based_actor* self, journal_actor_args args,
                            std::function<void()> ready) {
  const auto address = caf::actor_cast<caf::actor_addr>(self);
  args.worker.on_ready = std::move(ready);
  args.worker.on_crash = [address] {
    const auto actor = caf::actor_cast<caf::actor>(address);
    if (actor) cc::post_urgent(actor, journal_crashed{});
  };
  auto worker = std::make_shared<journal_worker>(std::move(args.worker));
  if (args.on_start) args.on_start(worker);
  args.port->attach(worker);
  self->attach_functor([worker, port = args.port](const caf::error& why) {
    port->detach(worker);
    worker->stop(why == caf::exit_reason::user_shutdown);
  });
  return {[self](const journal_crashed&) { self->quit(caf::make_error(caf::sec::runtime_error)); }};
}

}  // namespace reeve::actors
