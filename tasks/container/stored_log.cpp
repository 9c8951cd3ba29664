#include "tasks/container/stored_log.hpp"

namespace reeve::tasks {

std::string stored_log(const std::vector<adapters::log_line>& lines) {
  std::string text;
  const adapters::log_line* before = nullptr;
  for (const auto& line : lines) {
    if (before != nullptr && !before->is_ended && before->stream != line.stream) text += '\n';
    text += line.text;
    if (line.is_ended) text += '\n';
    before = &line;
  }
  return text;
}

}  // namespace reeve::tasks
