#pragma once
// How `reeve` ends, as docs/ promise it.

namespace support {

inline constexpr int exit_usage = 2;
inline constexpr int exit_refused = 4;
inline constexpr int exit_not_built = 6;
inline constexpr int exit_fenced = 75;
inline constexpr int exit_database = 78;

}  // namespace support
