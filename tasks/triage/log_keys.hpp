#pragma once
// What the members of structured log lines are for, by the names that known loggers give them.

#include <string_view>

namespace reeve::tasks {

enum class key_role {
  none,
  level,
  otel_number,
  python_number,
  message,
  lesser_message,  // counts where there is no other
  error,
  error_type,
  time,
  lesser_time,  // counts where there is no other
  status,
  request,
  holder  // an object with members that count
};

/// Without regard to case, "_", "-" and ".": "LogLevel", "log_level" and "log.level" are one.
key_role role_of_key(std::string_view key);

}  // namespace reeve::tasks
