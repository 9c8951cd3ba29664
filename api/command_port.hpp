#pragma once
// What handlers may ask to be changed. The port stands between the routes and the actors, so that
// handlers can be tried without either; bridge.cpp connects the two.

#include "api/route.hpp"
#include "base/slot.hpp"
#include "domain/access/access.hpp"
#include "domain/access/allowlist.hpp"
#include "domain/runs/directive.hpp"
#include "domain/runs/llm.hpp"
#include "domain/runs/run.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reeve::api {

template <class State>
struct changed {
  std::shared_ptr<const State> state;
  domain::position at = 0;  // of the last event; 0 if nothing had to be written
  bool replayed = false;    // the answer to an idempotency key that was known
};

/// Who asks, and under which key. `route` is the pattern with its method.
struct command_meta {
  caller who;
  std::string route;
  std::string idempotency_key;
  digest body_digest{};  // what the events say of the request
  digest key_digest{};   // what the key stands for: the path, if it has parameters, and the body
  uuid correlation_id;
  std::string traceparent;
  std::optional<domain::version> if_match;
};

struct launch_order {
  std::optional<uuid> directive_id;
  std::optional<domain::directive_spec> directive;
  std::optional<domain::directive_snapshot> snapshot;  // of the run that is tried again
  std::vector<domain::task_spec> tasks;
  std::optional<std::string> since;
  domain::label_map labels;
  std::optional<uuid> retry_of;
};

class command_port {
 public:
  template <class State>
  using slot = reply_slot<changed<State>>;

  virtual ~command_port() = default;
  virtual void create_directive(command_meta m, domain::directive_spec spec,
                                slot<domain::directive_state> slot) = 0;
  virtual void revise_directive(command_meta m, uuid id, domain::directive_spec spec,
                                slot<domain::directive_state> slot) = 0;
  virtual void archive_directive(command_meta m, uuid id, slot<domain::directive_state> slot) = 0;
  virtual void allow_image(command_meta m, domain::image_allowed entry,
                           slot<domain::image_list_state> slot) = 0;
  virtual void deny_image(command_meta m, uuid id, slot<domain::image_list_state> slot) = 0;
  virtual void allow_container(command_meta m, domain::container_allowed entry,
                               slot<domain::container_list_state> slot) = 0;
  virtual void deny_container(command_meta m, uuid id, slot<domain::container_list_state> slot) = 0;
  virtual void record_llm_call(command_meta m, uuid call, uuid job, uuid run,
                               domain::llm_call_request request,
                               slot<domain::llm_usage_state> slot) = 0;
  virtual void create_token(command_meta m, domain::token_created token,
                            slot<domain::access_state> slot) = 0;
  virtual void revoke_token(command_meta m, uuid id, slot<domain::access_state> slot) = 0;
  virtual void launch(command_meta m, launch_order order, slot<domain::run_state> slot) = 0;
  virtual void cancel_run(command_meta m, uuid run, slot<domain::run_state> slot) = 0;
};

}  // namespace reeve::api
