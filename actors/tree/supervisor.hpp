#pragma once
// Supervisors as actors: a thin adapter around the pure machine of
// domain/supervision/supervisor.hpp, which decides everything. Here effects become actors, exit
// messages, delayed messages and rows.

#include "actors/caf_compat.hpp"
#include "actors/tree/actor_slot.hpp"
#include "actors/tree/supervision_board.hpp"
#include "base/time.hpp"
#include "domain/supervision/supervisor.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace reeve::actors {

/// What the whole tree shares.
struct supervision {
  /// Gets every fact, on the thread of the supervisor: it must not block and must not throw.
  std::function<void(const domain::supervision_fact&)> sink;
  std::shared_ptr<supervision_board> board = std::make_shared<supervision_board>();
  clock_port* clock = &real_clock();  // for the board's wall-clock times
  std::uint64_t seed = 1;             // of all jitter
};

/// What a child knows of its place; made anew for each incarnation.
struct child_context {
  std::string path;
  std::int64_t incarnation = 0;
  domain::child_id id = 0;
  caf::actor_addr supervisor;  // weak: a child does not keep its supervisor alive
  std::shared_ptr<const supervision> shared;

  /// The init is done: its state is rebuilt and it takes messages. Safe from any thread; until
  /// then the child is not up, and after its start timeout it is killed.
  void ready() const;
};

/// Makes one incarnation, at best with cc::spawn. Must not block; work of the init belongs into the
/// actor. An exception or an empty handle is a failed start.
using child_factory = std::function<caf::actor(caf::actor_system&, const child_context&)>;

struct child_spec {
  std::string name;  // one segment of the path, distinct among siblings
  domain::restart_kind restart = domain::restart_kind::permanent;
  std::chrono::milliseconds start_timeout{5000};
  std::chrono::milliseconds grace{5000};
  child_factory start;
  std::shared_ptr<actor_slot> slot{};  // optional: where others find it while it is up
};

struct supervisor_spec {
  domain::supervisor_config config;  // path, incarnation and seed are filled in
  std::vector<child_spec> children;
};

/// A supervisor as a child of another one. Its grace and start timeout follow from its children; it
/// is up once all of its static children are. Give it a slot to send it `add_child_message`.
child_spec supervisor_child(std::string name, domain::restart_kind restart, supervisor_spec spec,
                            std::shared_ptr<actor_slot> slot = {});

/// `on_exit` is called once when the root is gone, with all of its children: `shutdown` after
/// cc::stop(root); anything else means that the process has to exit with 70.
caf::actor spawn_root(caf::actor_system& system, supervision shared, supervisor_spec spec,
                      std::function<void(domain::exit_class)> on_exit, std::string name = "root");

/// Never a text, only the class.
domain::exit_class exit_class_of(const caf::error& why);

// Messages to a supervisor.

/// Adds a child; answered with `add_result`. It is forgotten when it ends for good.
struct add_child_message {
  child_spec spec;
};
struct add_result {
  domain::refusal why = domain::refusal::none;
};
/// Stops an added child; answered with `remove_result` at once, not when the child is gone.
struct remove_child_message {
  std::string name;
};
struct remove_result {
  domain::refusal why = domain::refusal::none;
};
/// Sent by child_context::ready.
struct child_ready_message {
  domain::child_ready ready;
};
/// Sent by the supervisor to itself.
struct supervisor_timer_message {
  domain::timer_fired timer;
};

}  // namespace reeve::actors

REEVE_LOCAL_MSG(reeve::actors::add_child_message)
REEVE_LOCAL_MSG(reeve::actors::add_result)
REEVE_LOCAL_MSG(reeve::actors::remove_child_message)
REEVE_LOCAL_MSG(reeve::actors::remove_result)
REEVE_LOCAL_MSG(reeve::actors::child_ready_message)
REEVE_LOCAL_MSG(reeve::actors::supervisor_timer_message)
