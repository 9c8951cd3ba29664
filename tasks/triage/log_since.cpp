#include "tasks/triage/log_since.hpp"

#include "tasks/triage/log_envelope.hpp"
#include "tasks/triage/log_text.hpp"

#include <utility>

namespace reeve::tasks {

since_filter::decision since_filter::look(std::string_view line, std::optional<time_us> at) {
  decision made;
  made.at = at;
  auto latest = at;  // that may be meant
  if (!at) {
    if (const auto own = time_of_record(line.substr(0, max_opened_bytes), now_)) {
      const bool is_local = !own->zoned && local_offset_s_;
      made.at = is_local ? own->at - local_offset_s_(own->at) * us_per_second : own->at;
      latest = own->zoned ? own->at : own->at + max_west_us;
    }
  }
  if (!since_) return made;
  if (latest && *latest < *since_) {
    older_ = line.substr(0, line_bytes_);
    made.is = since_verdict::older;
    return made;
  }
  if (!latest && is_part_of_older(line)) {
    made.is = since_verdict::older;
    return made;
  }
  older_.reset();
  if (!made.at || *made.at < *since_) made.is = since_verdict::undated;
  return made;
}

bool since_filter::is_part_of_older(std::string_view line) {
  if (!older_) return false;
  log_line next;
  if (!older_->empty()) {
    older_record_ = {};
    const auto first = clean_line(std::exchange(*older_, {}), line_bytes_);
    next.text = first;
    older_record_.add(next);
  }
  const auto text = clean_line(line, line_bytes_);
  next.text = text;
  if (!trimmed(text).empty() && !older_record_.would_take(next)) return false;
  older_record_.add(next);
  return true;
}

}  // namespace reeve::tasks
