#pragma once
// Events of the server itself; they belong to the system tenant. They decide nothing: each is a
// fact that was observed, so a stream's state is no more than how far it came.

#include "domain/aggregate.hpp"

#include <optional>
#include <string>
#include <tuple>
#include <variant>

namespace reeve::domain {

/// An engine was found at start; from the first one on "docker" the simulated one is never chosen
/// by itself again.
struct engine_seen {
  static constexpr std::string_view type = "engine_seen";
  std::string engine;
  std::string version;
  bool operator==(const engine_seen&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("engine", &engine_seen::engine),
                      field("version", &engine_seen::version)};
  }
};

struct engine_breaker_changed {
  static constexpr std::string_view type = "engine_breaker_changed";
  std::string call_class;  // read, mutate, build
  std::string from;        // closed, open, half_open
  std::string to;
  bool operator==(const engine_breaker_changed&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("call_class", &engine_breaker_changed::call_class),
                      field("from", &engine_breaker_changed::from),
                      field("to", &engine_breaker_changed::to)};
  }
};

struct engine_availability_changed {
  static constexpr std::string_view type = "engine_availability_changed";
  bool available = false;
  bool operator==(const engine_availability_changed&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("available", &engine_availability_changed::available)};
  }
};

/// A part of the supervision tree started, exited, was restarted or escalated.
struct agent_changed {
  static constexpr std::string_view type = "agent_changed";
  std::string path;
  std::string what;    // started, exited, restarted, escalated
  std::string reason;  // a class, never an exception's text
  std::int64_t incarnation = 0;
  std::int64_t restarts = 0;
  bool operator==(const agent_changed&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("path", &agent_changed::path), field("what", &agent_changed::what),
                      field("reason", &agent_changed::reason),
                      field("incarnation", &agent_changed::incarnation),
                      field("restarts", &agent_changed::restarts)};
  }
};

/// A container or volume of ours that the log does not know was removed, or is kept aside.
struct orphan_found {
  static constexpr std::string_view type = "orphan_found";
  std::string container_id;  // empty: a volume
  std::string name;
  std::string action;  // quarantined, removed
  bool operator==(const orphan_found&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("container_id", &orphan_found::container_id),
                      field("name", &orphan_found::name), field("action", &orphan_found::action)};
  }
};

/// A request was denied: the first of its kind at once, then counted per minute.
struct access_denied {
  static constexpr std::string_view type = "access_denied";
  std::string principal;  // "token:<id>" or "anonymous:<network>"; "…:others" for many together
  std::string rule;       // unauthenticated, forbidden, not_allowlisted
  std::int64_t count = 1;
  bool operator==(const access_denied&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("principal", &access_denied::principal),
                      field("rule", &access_denied::rule), field("count", &access_denied::count)};
  }
};

using system_event = std::variant<engine_seen, engine_breaker_changed, engine_availability_changed,
                                  agent_changed, orphan_found, access_denied>;

/// One stream per process and tenant.
struct system_state {
  uuid tenant;
  domain::version stream_version = 0;
  bool operator==(const system_state&) const = default;
};

template <>
struct aggregate_of<system_state> {
  using event = system_event;
  static constexpr std::string_view prefix = "system";
};

inline void evolve(system_state& state, const system_event&, const evolve_context& context) {
  state.tenant = context.tenant;
  state.stream_version = context.stamp.version_in_stream;
}

}  // namespace reeve::domain
