#pragma once
// What a server reads by itself, over the writer's login, since it spans the tenants: at its start,
// while it stands by, and when it sweeps for runs.
// Std and domain types only.

#include "base/ids.hpp"
#include "base/outcome.hpp"
#include "domain/access/access.hpp"
#include "domain/runs/active_run.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace reeve::persistence {

struct token_row {
  uuid tenant;
  uuid id;
  bool is_active = true;
  domain::token_role role = domain::token_role::viewer;
  digest secret_hash{};
};

struct tenant_row {
  uuid id;
  std::string name;
};

/// An election on a log that an operator accepted although it lacks events.
struct accepted_row {
  domain::position position = 0;
  digest hash{};
};

/// The tenant whose the server and its machine are: the oldest one beside the system's. This is the
/// one place that says so. `tenants`: in the order of the log.
std::optional<uuid> first_tenant_of(std::span<const tenant_row> tenants);

struct startup_rows {
  std::vector<tenant_row> tenants;
  std::vector<token_row> tokens;
  /// The head of the log when the rows were read, or one before it.
  domain::position position = 0;
  /// Whether a real engine was ever seen in this log.
  bool real_engine_seen = false;
  std::vector<accepted_row> accepted;  // in the order of the log
};

outcome<startup_rows> read_startup(const std::string& writer_url);

/// Runs that are pending or running, oldest first.
outcome<std::vector<domain::active_run>> read_active_runs(const std::string& writer_url);

}  // namespace reeve::persistence
