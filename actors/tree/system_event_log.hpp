#pragma once
// Facts about the server itself, as events of the system tenant or of the one that they concern.
// Thread-safe; keeps the order; what comes while the log is away is kept (at most 10,000 facts,
// then the oldest are dropped and counted) and written when it is back. What the log refuses for
// good is dropped and counted too, alone: the others of its append are written. One stream per
// process and tenant.

#include "actors/journal_port.hpp"
#include "base/ids.hpp"
#include "domain/system_events.hpp"

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace reeve::actors {

class system_event_log {
 public:
  system_event_log(journal_port& journal, id_source& ids, uuid tenant = system_tenant);
  void record(domain::system_event fact);
  /// The log is back: writes what was kept.
  void resume();
  std::int64_t dropped() const;
  /// Whether everything that came is in the log.
  bool is_written() const;

 private:
  static constexpr std::size_t most_kept = 10'000;
  static constexpr std::size_t per_append = 100;

  void pump();
  void appended(std::vector<domain::system_event> facts, const std::optional<errc>& failed);
  void drop(const domain::system_event& fact, errc why);

  journal_port& journal_;
  id_source& ids_;
  const uuid tenant_;
  mutable std::mutex mutex_;
  std::string stream_;
  domain::version version_ = 0;
  std::deque<domain::system_event> waiting_;
  std::size_t singly_ = 0;  // so many of the first ones: one of them was refused
  std::int64_t dropped_ = 0;
  bool busy_ = false;
};

}  // namespace reeve::actors
