#pragma once
// The writer's connection and the statements that are sent over it. Every call throws as libpqxx
// does; the journal turns that into answers. Inside persistence/ only.

#include "persistence/advisory_locks.hpp"
#include "persistence/journal_sql.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/version_map.hpp"

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::persistence {

/// The last event of the log; position 0 and the genesis hash when there is none.
struct log_tail {
  domain::position position = 0;
  std::int64_t epoch = 0;
  digest hash{};
  time_us recorded_at_us = 0;
};

/// What `commands` holds for a key.
struct found_command {
  digest request_digest{};
  domain::position first_position = 0;
  std::int64_t count = 0;
};

/// Events in one partition of the log (migrations/001_log.sql).
inline constexpr domain::position partition_size = 10'000'000;

/// The end of what make_partitions() gives room for: one partition is there ahead of `at`'s.
constexpr domain::position partitions_made_for(domain::position at) {
  return (at / partition_size + 2) * partition_size;
}

/// Whose leadership the log told of last.
struct leader_of_log {
  std::string server;  // empty: its event cannot be read
  bool resigned = false;
};

class journal_session {
 public:
  explicit journal_session(const std::string& url);

  pqxx::connection& connection() { return *connection_; }
  const backend_id& backend() const { return backend_; }
  const database_identity& database() const { return database_; }

  /// The lock of the one writer: an advisory lock that lives as long as this connection.
  bool lock_now();
  /// Waits; false when it is still taken then.
  bool lock_within(std::int64_t wait_ms);
  /// Ends a session of our own role that holds on to the lock.
  void terminate(const backend_id& other);
  std::vector<lock_holder> lock_holders();
  /// Has PostgreSQL end the connection when it asks nothing for so long.
  void end_when_idle_for(std::int64_t ms);

  /// The origin of the log; `proposal` if the log is new.
  uuid origin(const uuid& proposal, time_us now);
  log_tail tail(const uuid& origin);
  /// Of the journal's own stream; nothing in a new log.
  std::optional<leader_of_log> last_leader(const std::string& stream);
  /// Whether the log holds an event with this position and hash.
  bool holds(domain::position at, const digest& hash);
  /// As `found_log::was_accepted`.
  bool was_accepted(domain::position at);
  /// Whether the log goes on behind this position.
  bool continues_behind(domain::position at);
  /// Whether the role has every right that an append needs. Says nothing of read models.
  bool may_append();
  /// Makes the partition of this position and the one behind it.
  void make_partitions(domain::position at);

  /// Appends one event of a new epoch behind `tail`; false when another writer's came first.
  bool elect(const log_tail& tail, const domain::event_record& event);
  /// The row types of this connection; made once.
  const row_types& types();
  void append(const batch_statement& statement);
  /// Writes the rows of one projection and undoes it; throws if the database refuses them.
  void try_rows(const projection& of, std::span<const projection_row> rows);

  std::map<std::string, version_map::entry, std::less<>> versions(
      std::span<const std::string_view> streams);
  /// In the order of the keys.
  std::vector<std::optional<found_command>> commands(std::span<const command_key* const> keys);
  /// Keeps a key of a command that changed nothing; gives the position of its stream's last event.
  /// Nothing: the stream is not at that version, or the log goes on behind the tail.
  std::optional<domain::position> keep(const command_key& key, const stream_version& of,
                                       const log_tail& tail);

 private:
  std::unique_ptr<pqxx::connection> connection_;
  backend_id backend_;
  database_identity database_;
  std::optional<row_types> types_;
  std::map<std::string, std::string, std::less<>> prepared_;  // parts → name
};

}  // namespace reeve::persistence
