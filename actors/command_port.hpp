#pragma once
// What the gateway may ask of the actors: every command that changes something, each answered with
// the state after it. Std and domain types only; no CAF. Calls may come from any thread.

#include "base/slot.hpp"
#include "domain/access/access.hpp"
#include "domain/access/allowlist.hpp"
#include "domain/runs/directive.hpp"
#include "domain/runs/llm.hpp"
#include "domain/runs/run.hpp"
#include "persistence/append_port.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reeve::actors {

template <class State>
struct executed {
  std::shared_ptr<const State> state;
  domain::position at = 0;  // of the last event that the command wrote; 0 if it wrote none
  bool replayed = false;    // the idempotency key was known: the state is that of the first time
};

/// Who sends a command, under which key, against which version.
struct command_context {
  uuid tenant;
  domain::event_meta meta;
  std::optional<persistence::command_key> command;
  std::optional<domain::version> if_match;
};

/// Exactly one of `directive_id`, `directive` or neither (the tenant's default one). `tasks` go
/// with the default directive only and stand in for its own.
struct launch_request {
  std::optional<uuid> directive_id;
  std::optional<domain::directive_spec> directive;
  std::optional<domain::directive_snapshot> snapshot;  // of the run that is tried again
  std::vector<domain::task_spec> tasks;
  std::optional<std::string> since;
  domain::label_map labels;
  std::optional<uuid> retry_of;
};

class commands {
 public:
  template <class State>
  using slot = reply_slot<executed<State>>;

  virtual ~commands() = default;
  virtual void create_directive(command_context c, domain::directive_spec spec,
                                slot<domain::directive_state> slot) = 0;
  virtual void revise_directive(command_context c, uuid id, domain::directive_spec spec,
                                slot<domain::directive_state> slot) = 0;
  virtual void archive_directive(command_context c, uuid id,
                                 slot<domain::directive_state> slot) = 0;
  /// The reference is resolved to the engine's image id if the engine has the image.
  virtual void allow_image(command_context c, domain::image_allowed entry,
                           slot<domain::image_list_state> slot) = 0;
  virtual void deny_image(command_context c, uuid id, slot<domain::image_list_state> slot) = 0;
  virtual void allow_container(command_context c, domain::container_allowed entry,
                               slot<domain::container_list_state> slot) = 0;
  virtual void deny_container(command_context c, uuid id,
                              slot<domain::container_list_state> slot) = 0;
  virtual void record_llm_call(command_context c, uuid call, uuid job, uuid run,
                               domain::llm_call_request request,
                               slot<domain::llm_usage_state> slot) = 0;
  virtual void create_token(command_context c, domain::token_created token,
                            slot<domain::access_state> slot) = 0;
  virtual void revoke_token(command_context c, uuid id, slot<domain::access_state> slot) = 0;
  virtual void launch(command_context c, launch_request request, slot<domain::run_state> slot) = 0;
  virtual void cancel_run(command_context c, uuid run, slot<domain::run_state> slot) = 0;
  /// A new tenant with its default directive.
  virtual void create_tenant(command_context c, std::string name,
                             slot<domain::access_state> slot) = 0;
};

}  // namespace reeve::actors
