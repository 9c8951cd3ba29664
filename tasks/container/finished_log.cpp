#include "tasks/container/finished_log.hpp"

#include "base/log.hpp"

#include <exception>
#include <string_view>
#include <utility>

namespace reeve::tasks {

bool tells_of_disk(const adapters::kept_output& kept, const std::string& line) {
  constexpr std::size_t looked_at = 1 << 20;
  std::string_view end = kept.tail.empty() ? kept.head : kept.tail;
  if (end.size() > looked_at) end.remove_prefix(end.size() - looked_at);
  return end.find(line) != end.npos;
}

log_redaction::log_redaction(adapters::kept_output kept, const redactor& rules, std::size_t limit,
                             bool over_disk)
    : kept_(std::move(kept)), over_disk_(over_disk), work_(kept_, rules, limit) {}

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
  made.over_disk = over_disk_;
  return made;
}

}  // namespace reeve::tasks
