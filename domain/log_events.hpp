#pragma once
// The journal's own events, on the stream "log-<origin>" of the system tenant: who wrote from where
// on, and on which database. The first event of every log is an election.

#include "domain/aggregate.hpp"

#include <optional>
#include <string>
#include <tuple>
#include <variant>

namespace reeve::domain {

/// A server took the writer's place.
struct leader_elected {
  static constexpr std::string_view type = "leader_elected";
  std::int64_t epoch = 0;
  std::string server;             // stays the same over restarts on one data folder
  std::string key;                // public half that signs the heads of this epoch, base64url
  std::string system_identifier;  // PostgreSQL's, of the cluster that was written to
  std::int64_t timeline = 0;      // rises when a standby or a restored backup is promoted
  /// Why a database that is not as it was known is written to all the same: "asked" (an operator
  /// accepted that it lies behind a signed head) or "other_identifier" (a restored dump).
  std::optional<std::string> accepted;
  /// With "asked": the position of the signed head that the database lies behind.
  std::optional<position> signed_position;
  bool operator==(const leader_elected&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("epoch", &leader_elected::epoch),
                      field("server", &leader_elected::server),
                      field("key", &leader_elected::key),
                      field("system_identifier", &leader_elected::system_identifier),
                      field("timeline", &leader_elected::timeline),
                      field("accepted", &leader_elected::accepted),
                      field("signed_position", &leader_elected::signed_position)};
  }
};

/// An orderly stop: whoever follows need not wait for a lease.
struct leader_resigned {
  static constexpr std::string_view type = "leader_resigned";
  std::int64_t epoch = 0;
  std::string server;
  bool operator==(const leader_resigned&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("epoch", &leader_resigned::epoch),
                      field("server", &leader_resigned::server)};
  }
};

using log_event = std::variant<leader_elected, leader_resigned>;

/// Nothing is decided from it but by the journal, which reads the events themselves.
struct log_state {
  uuid tenant;
  domain::version stream_version = 0;
  bool operator==(const log_state&) const = default;
};

template <>
struct aggregate_of<log_state> {
  using event = log_event;
  static constexpr std::string_view prefix = "log";
};

inline void evolve(log_state& state, const log_event&, const evolve_context& context) {
  state.tenant = context.tenant;
  state.stream_version = context.stamp.version_in_stream;
}

}  // namespace reeve::domain
