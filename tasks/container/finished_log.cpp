#include "tasks/container/finished_log.hpp"

#include "base/log.hpp"
#include "tasks/container/container_spec_of.hpp"

#include <exception>
#include <string_view>
#include <utility>

namespace reeve::tasks {

std::optional<domain::end_reason> told_by_init(const adapters::kept_output& kept,
                                               std::int64_t disk_bytes) {
  constexpr std::size_t looked_at = 1 << 20;
  std::string_view end = kept.tail.empty() ? kept.head : kept.tail;
  if (end.size() > looked_at) end.remove_prefix(end.size() - looked_at);
  if (end.find(disk_limit_line(disk_bytes)) != end.npos) return domain::end_reason::disk_limit;
  if (end.find(memory_kill_line) != end.npos) return domain::end_reason::out_of_memory;
  return {};
}

log_redaction::log_redaction(adapters::kept_output kept, const redactor& rules, std::size_t limit)
    : kept_(std::move(kept)), work_(kept_, rules, limit) {}

bool log_redaction::step(const text_leave& leave, const reply_slot<finished_log>& slot) {
  if (leave.is_stopped()) return false;
  if (leave.is_spent()) {
    log_warn("a job's log took too long to redact and is left out");
    slot.answer(finished(work_.nothing()));
    return false;
  }
  try {
    if (work_.step()) return true;
    slot.answer(finished(work_.finish()));
  } catch (const std::exception& fault) {
    // Once more would be no better, and the job would never end.
    log_error("a job's log cannot be redacted and is left out", {{"why", fault.what()}});
    slot.answer(finished(work_.nothing()));
  }
  return false;
}

finished_log log_redaction::finished(stored_text log) const {
  finished_log made;
  made.streams = streams_of(log);
  if (made.streams && !domain::single_stream(log.lines)) {
    made.marks = std::make_shared<const std::string>(log.lines.packed());
  }
  made.text = std::make_shared<const std::string>(std::move(log.text));
  made.truncated = log.truncated;
  return made;
}

}  // namespace reeve::tasks
