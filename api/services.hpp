#pragma once
// What the handlers of resources work with. Everything outlives the gateway.

#include "actors/command_port.hpp"
#include "adapters/llm_call_port.hpp"
#include "api/checkpoint_view.hpp"
#include "api/event_feed.hpp"
#include "api/llm_places.hpp"
#include "api/log_stream.hpp"
#include "api/route.hpp"
#include "base/secret.hpp"
#include "base/slot.hpp"
#include "base/time.hpp"
#include "domain/fields.hpp"
#include "domain/runs/llm_router.hpp"
#include "domain/runs/llm_settings.hpp"
#include "persistence/read_port.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reeve::api {

struct engine_view {
  std::string engine;  // "docker" or "simulated"
  bool available = false;
  std::string breaker;
  std::string version;
  std::string api_version;
  bool live_restore = false;
  static constexpr auto fields() {
    using domain::field;
    return std::tuple{field("engine", &engine_view::engine),
                      field("available", &engine_view::available),
                      field("breaker", &engine_view::breaker),
                      field("version", &engine_view::version),
                      field("api_version", &engine_view::api_version),
                      field("live_restore", &engine_view::live_restore)};
  }
};

struct agent_view {
  std::string path;
  std::string strategy;
  std::string state;
  std::string last_exit;
  std::int64_t incarnation = 0;
  std::int64_t restarts = 0;
  domain::timestamp since;
  static constexpr auto fields() {
    using domain::field;
    return std::tuple{field("path", &agent_view::path),
                      field("strategy", &agent_view::strategy),
                      field("state", &agent_view::state),
                      field("last_exit", &agent_view::last_exit),
                      field("incarnation", &agent_view::incarnation),
                      field("restarts", &agent_view::restarts),
                      field("since", &agent_view::since)};
  }
};

struct agent_list {
  std::vector<agent_view> results;
  static constexpr auto fields() {
    return std::tuple{domain::field("results", &agent_list::results)};
  }
};

struct services {
  actors::command_port* commands = nullptr;
  persistence::read_port* reads = nullptr;
  event_feed* feed = nullptr;
  log_streams* logs = nullptr;
  id_source* ids = nullptr;
  clock_port* clock = nullptr;
  const domain::llm_settings* llm = nullptr;
  /// With the calls that are under way.
  std::function<std::vector<domain::llm_upstream_view>()> upstreams;
  llm_places* places = nullptr;  // at upstreams
  adapters::call_upstream_fn call_upstream;
  /// Whether this server leads and its log takes events, now: what is called has to be recorded.
  std::function<bool()> may_record;
  std::function<engine_view()> engine;
  /// Of all runs only this tenant's; nothing = everything.
  std::function<std::vector<agent_view>(const std::optional<uuid>& tenant)> agents;
  /// Signs the head of the chain and answers on a thread of its own. Errors: `overloaded`; any
  /// other is in the log already, names files and is for no client.
  std::function<void(reply_slot<checkpoint_view>)> sign_head;
  /// Follows the output of an attempt that runs; `changed` is called on any thread when there is
  /// something to take or it is over. `not_found`, `internal`: a secret of the attempt cannot be
  /// had, so that nothing of its output may be shown. Any other passes.
  std::function<void(output_request what, std::function<void()> changed,
                     reply_slot<std::shared_ptr<output_source>> slot)>
      follow_output;
  /// Keeps the value of a secret, sealed, under an id of its own; answers with a digest of tenant,
  /// name and value that takes a key to make. `conflict`: this server does not have the key that
  /// other secrets are sealed with. `internal`, `unavailable`, `overloaded`.
  std::function<void(const uuid& tenant, const std::string& name, const uuid& value,
                     std::shared_ptr<const secret_text> text, reply_slot<digest>)>
      keep_secret;
  /// Destroys values; one that is not there is destroyed. `unavailable`, `overloaded`.
  std::function<void(const uuid& tenant, std::vector<uuid> values, reply_slot<done>)>
      destroy_secrets;
};

/// Every route of every resource. A resource is a file of api/routes/, and `runs_routes(services&)`
/// are those of runs.cpp: the build lists the files (reeve_list_routes), so that nobody else does.
std::vector<route> all_routes(services& s);

}  // namespace reeve::api
