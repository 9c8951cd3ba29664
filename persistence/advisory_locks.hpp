#pragma once
// The advisory locks of a database, all of them: numbers that nobody else may use there. The first
// one is 0x7265657665, the letters of the program's name in ASCII; the others are near it for no
// reason. They are never changed: an older server waits for the same ones. As text, for statements.
// And who holds one, and what is done about it. Inside persistence/ only.

#include <cstdint>
#include <pqxx/pqxx>
#include <string>
#include <vector>

namespace reeve::persistence {

/// Of the one writer, as long as it leads: a session's lock, so that it ends with the session.
inline constexpr const char* leader_lock_key = "491327420005";
/// Of whoever builds read models: one build of a database at a time.
inline constexpr const char* build_lock_key = "491496043106";
/// Of whoever changes the schema.
inline constexpr const char* schema_lock_key = "491496043109";
/// Of whoever makes the runtime roles.
inline constexpr const char* roles_lock_key = "491496043110";

/// A server process of PostgreSQL. The start time tells it from a later one with the same pid.
struct backend_id {
  int pid = 0;
  std::string started;
  bool operator==(const backend_id&) const = default;
};

struct lock_holder : backend_id {
  /// When it last began or ended a statement, by the database's clock: to be compared with itself
  /// alone (silence_watch.hpp).
  std::string last_word;
  /// It waits for its client; false if it works or nobody can tell.
  bool asks_nothing = false;
  bool operator==(const lock_holder&) const = default;
};

/// The sessions that hold a lock; those of another login only as far as this one may see them.
std::vector<lock_holder> holders_of(pqxx::transaction_base& tx, const char* key);
/// Whether the session with this pid does, whosever it is.
bool is_held_by(pqxx::transaction_base& tx, const char* key, int pid);
void terminate(pqxx::transaction_base& tx, const backend_id& one);
/// The session's own; false: it was not free within the time.
bool lock_within(pqxx::connection& connection, const char* key, std::int64_t wait_ms);

}  // namespace reeve::persistence
