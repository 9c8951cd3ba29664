#pragma once
// Work items: an intent event without a result. Whoever takes unfinished ones up after a crash asks
// here whether to try again or to put the item aside. The counts come from the log
// (`work_attempted{n}`), so they hold across process deaths too.
//
// An item that an orderly stop left behind, or whose effect still goes on (a container that runs),
// was not interrupted by a crash: adopt it and do not ask.
//
// Who found an item open cannot know whose fault the crash was: everything that was under way is
// found so. The last try before quarantine is therefore made alone and not at once. What happens to
// the process then is that item's doing, and a server that is killed again and again puts nothing
// aside.

#include "base/outcome.hpp"

#include <cstdint>

namespace reeve::domain {

/// After this many crashes while working on it an item is quarantined. PROMISES, "Supervision".
inline constexpr std::int64_t most_work_crashes = 3;

/// Before the last try, counted from the start of the process.
inline constexpr std::int64_t last_try_after_ms = 3'000;

enum class work_status { open, quarantined, finished, discarded };

struct work_item {
  work_status status = work_status::open;
  /// n of the last `work_attempted`; 0 = only the first try, which has no such event.
  std::int64_t attempted = 0;
  bool operator==(const work_item&) const = default;
};

enum class work_next { run, quarantine, nothing };

struct work_verdict {
  work_next next = work_next::nothing;
  std::int64_t n = 0;  // run: what `work_attempted` says before the try; quarantine: the crashes
  bool is_last_try() const { return next == work_next::run && n + 1 == most_work_crashes; }
  bool operator==(const work_verdict&) const = default;
};

/// For an item that was found after a crash. Found open means that one try more than those in
/// `attempted` has crashed.
constexpr work_verdict take_up(const work_item& item) {
  if (item.status != work_status::open) return {};
  const auto crashes = item.attempted + 1;
  if (crashes >= most_work_crashes) return {work_next::quarantine, crashes};
  return {work_next::run, crashes};
}

/// The item once the verdict's event is in the log.
constexpr work_item after(work_item item, const work_verdict& verdict) {
  if (verdict.next == work_next::run) item.attempted = verdict.n;
  if (verdict.next == work_next::quarantine) item.status = work_status::quarantined;
  return item;
}

enum class operator_choice { retry, discard };

/// What an operator may do with a quarantined item: retry it with a fresh count, or discard it.
inline outcome<work_item> chosen(const work_item& item, operator_choice choice) {
  if (item.status != work_status::quarantined) {
    return reject(errc::conflict, "only a quarantined work item can be retried or discarded");
  }
  if (choice == operator_choice::retry) return work_item{};
  return work_item{work_status::discarded, item.attempted};
}

}  // namespace reeve::domain
