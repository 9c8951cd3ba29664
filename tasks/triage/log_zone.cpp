#include "tasks/triage/log_zone.hpp"

#include <ctime>

namespace reeve::tasks {

std::int64_t machine_offset_s(time_us local) {
  // mktime takes a lock and reads tables; the offset changes at quarters of an hour at most.
  constexpr std::int64_t quarter_s = 900;
  struct answer {
    std::int64_t quarter = -1;
    std::int64_t offset_s = 0;
  };
  thread_local answer last;
  const auto seconds = local / us_per_second;
  if (last.quarter == seconds / quarter_s) return last.offset_s;
  const auto as_utc = static_cast<std::time_t>(seconds);
  std::tm wall{};
  if (::gmtime_r(&as_utc, &wall) == nullptr) return 0;
  wall.tm_isdst = -1;
  const auto utc = std::mktime(&wall);
  if (utc == static_cast<std::time_t>(-1)) return 0;
  last = {seconds / quarter_s, static_cast<std::int64_t>(as_utc) - utc};
  return last.offset_s;
}

}  // namespace reeve::tasks
