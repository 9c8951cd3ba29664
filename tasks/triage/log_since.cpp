#include "tasks/triage/log_since.hpp"

#include "tasks/triage/log_envelope.hpp"
#include "tasks/triage/log_text.hpp"
#include "tasks/triage/log_time_head.hpp"

#include <algorithm>
#include <utility>

namespace reeve::tasks {
namespace {

constexpr std::size_t max_class_bytes = 512;

/// The JSON of a program behind the name that docker compose gives it.
std::optional<leading_time> time_of_spoken(std::string_view line, time_us now) {
  if (const auto found = time_of_record(line, now)) return found;
  const auto head = head_part_of(line);
  if (!head.is_speaker || !line.substr(head.size).starts_with('{')) return std::nullopt;
  return time_of_record(line.substr(head.size), now);
}

/// "Nov 21, 2026 4:20:00 PM com.example.Server start": a class and a method, and no more.
bool is_first_of_two(std::string_view line, const leading_time& time) {
  if (line[0] < 'A' || line[0] > 'S' || time.length == 0 || time.length >= line.size())
    return false;
  const auto rest = trimmed(line.substr(time.length));
  if (rest.empty() || rest.size() > max_class_bytes) return false;
  const auto said = trimmed(line.substr(0, time.length));
  if (!said.ends_with("AM") && !said.ends_with("PM")) return false;
  return std::count(rest.begin(), rest.end(), ' ') <= 1 &&
         rest.find_first_of(":=,\"[]") == rest.npos;
}

bool is_second_of_two(std::string_view line) {
  for (const std::string_view level :
       {"SEVERE", "WARNING", "INFO", "CONFIG", "FINE", "FINER", "FINEST"}) {
    if (line.starts_with(level) && line.substr(level.size()).starts_with(": ")) return true;
  }
  return false;
}

}  // namespace

std::optional<leading_time> time_of_raw_line(std::string_view line, time_us now,
                                             std::string& room) {
  const auto found = time_of_spoken(line, now);
  if (found && found->zoned && found->length > 0) return found;
  // A colour may stand before the time, or between it and its zone.
  if (!has_hidden(line)) return found;
  clean_line(line, line.size(), room);
  return time_of_spoken(room, now);
}

/// That of the line before for the second of two.
std::optional<leading_time> since_filter::time_of(std::string_view line) {
  const auto before = std::exchange(two_lines_, std::nullopt);
  auto found = time_of_raw_line(line.substr(0, max_opened_bytes), now_, room_);
  if (found && is_first_of_two(line, *found)) two_lines_ = found;
  if (!found && before && is_second_of_two(line)) return before;
  return found;
}

since_filter::decision since_filter::look(std::string_view line, std::optional<time_us> at) {
  decision made;
  made.at = at;
  auto latest = at;  // that may be meant
  if (!at) {
    if (const auto own = time_of(line)) {
      const bool is_local = !own->zoned && local_offset_s_;
      made.at = is_local ? own->at - local_offset_s_(own->at) * us_per_second : own->at;
      latest = (own->zoned ? own->at : own->at + max_west_us) + own->unsure_us;
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
