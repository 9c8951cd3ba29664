#pragma once
// What stands in front of the time of a record in many forms. Only that is gone over: behind other
// words a time is one of which the message speaks.
//
//   ERROR 2026-…, ERROR: 2026-…, ERROR - 2026-…, E 2026-…   a level
//   INFO:app.main:2026-…                                    a level and a logger (Python)
//   [main] 2026-…, [ERROR] [7] 2026-…, [E 2026-…            words in brackets
//   E, [2026-…                                              Ruby's logger
//   app-1  | 2026-…                                         docker compose: a speaker

#include <cstddef>
#include <string_view>

namespace reeve::tasks {

inline constexpr int max_head_parts = 4;

struct head_part {
  std::size_t size = 0;     // bytes up to what follows it, 0 if there is none; at most about 200
  bool is_speaker = false;  // behind it the line is as it was written
};

/// The part of a head that the text begins with. Says nothing about whether a time follows.
head_part head_part_of(std::string_view text);

}  // namespace reeve::tasks
