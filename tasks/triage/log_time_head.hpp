#pragma once
// What stands in front of the time of a record in many forms. Only that is gone over: behind other
// words a time is one of which the message speaks.
//
//   ERROR 2026-…, ERROR: 2026-…, ERROR - 2026-…, E 2026-…   a level
//   error: 2026-…, error - 2026-…, error [2026-…            in any case only where a sign is,
//   error 2026-11-21T04:20:00.123Z                          or winston writes it
//   INFO:app.main:2026-…                                    a level and a logger (Python)
//   [main] 2026-…, [ERROR] [7] 2026-…, [E 2026-…            words in brackets
//   E, [2026-…                                              Ruby's logger
//   app-1  | 2026-…                                         docker compose: a speaker
//   INFO | app | 2026-…                                     the same behind a level

#include <cstddef>
#include <string_view>

namespace reeve::tasks {

inline constexpr int max_head_parts = 4;

struct head_part {
  std::size_t size = 0;     // bytes up to what follows it, 0 if there is none; at most about 200
  bool is_speaker = false;  // behind it the line is as it was written
  bool is_level = false;    // a word in capitals, also in brackets
};

/// The part of a head that the text begins with. Says nothing about whether a time follows.
head_part head_part_of(std::string_view text);

/// Whether a time right behind a speaker is the cell of a table, by what follows it: nothing, or
/// further cells none of which is a level ("alice | 2026-11-21 04:20:00 | 7").
bool is_cell_behind_speaker(std::string_view rest);

/// "2026-11-21T": tables have it otherwise.
bool begins_with_iso_day(std::string_view text);

}  // namespace reeve::tasks
