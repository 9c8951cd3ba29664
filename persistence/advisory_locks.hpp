#pragma once
// The advisory locks of a database, all of them: numbers that nobody else may use there. The first
// one is 0x7265657665, the letters of the program's name in ASCII; the others are near it for no
// reason. They are never changed: an older server waits for the same ones. As text, for statements.

namespace reeve::persistence {

/// Of the one writer, as long as it leads: a session's lock, so that it ends with the session.
inline constexpr const char* leader_lock_key = "491327420005";
/// Of whoever builds read models: one build of a database at a time.
inline constexpr const char* build_lock_key = "491496043106";
/// Of whoever changes the schema.
inline constexpr const char* schema_lock_key = "491496043109";
/// Of whoever makes the runtime roles.
inline constexpr const char* roles_lock_key = "491496043110";

}  // namespace reeve::persistence
