#pragma once
// From requests to one batch: which of them may be appended, with which positions, versions, times
// and hashes. In memory only; the journal gives what was loaded. Inside persistence/ only.

#include "base/outcome.hpp"
#include "persistence/append_port.hpp"
#include "persistence/journal_session.hpp"
#include "persistence/version_map.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace reeve::persistence {

inline constexpr std::size_t max_events_per_append = 512;
inline constexpr std::size_t max_append_bytes = std::size_t{8} * 1024 * 1024;
/// What one statement takes; a single larger append goes alone.
inline constexpr std::size_t max_events_per_batch = 512;
inline constexpr std::size_t max_batch_bytes = std::size_t{1024} * 1024;

/// Limits, text encoding, and that every stream that is written is expected. `invalid` names the
/// field.
outcome<done> check_request(const append_request& request);

/// A command that changed nothing: there is only its key to be kept.
bool is_key_alone(const append_request& request);

std::size_t bytes_of(const append_request& request);

/// A request that is part of the batch.
struct planned_append {
  std::size_t request = 0;
  std::size_t first_event = 0;
  std::size_t events = 0;
};

/// A request with the key of one before it in the same batch: it shares that one's fate.
struct planned_follower {
  std::size_t request = 0;
  std::size_t leader = 0;  // index into `appends`
};

struct batch_plan {
  log_tail before;
  std::vector<domain::event_record> events;
  std::vector<projection_row> rows;
  std::vector<stream_move> moves;  // their names lie in `events`
  std::vector<command_row> commands;
  std::vector<planned_append> appends;
  std::vector<planned_follower> followers;
  std::vector<stale_mark> stale;  // each projection once
  int stale_appends = 0;          // that go on without some of their rows

  batch_content content() const;
  log_tail after() const;
};

using projection_refs = std::vector<const projection*>;

/// Streams as the database had them when they were asked for. What is missing does not exist.
using loaded_streams = std::map<std::string, version_map::entry, std::less<>>;

class batch_planner {
 public:
  batch_planner(version_map& versions, const loaded_streams& loaded, const log_tail& tail,
                time_us now);

  /// Takes the request into the plan, or says why not: `version_conflict` and `guard_conflict` name
  /// the stream that moved and both versions, `invalid` a stream of another tenant. Rows of the
  /// projections in `without` are left out, and each of those that would have had one is stale.
  outcome<done> add(std::size_t index, const append_request& request,
                    const projection_refs& without = {});
  /// The same for a request whose idempotency key is in the plan already; false if it is not.
  bool follow(std::size_t index, const append_request& request);

  batch_plan finish();

 private:
  version_map::entry at(std::string_view stream) const;
  outcome<done> check_versions(const append_request& request) const;
  void stamp(const append_request& request);
  void project(const append_request& request, std::size_t first, const projection_refs& without);
  void mark_stale(const projection& of, domain::position at);
  /// Everything that these events may change.
  void mark_stale(const append_request& request, domain::position at);

  version_map& versions_;
  const loaded_streams& loaded_;
  time_us now_;
  log_tail tail_;
  batch_plan plan_;
  struct move {
    domain::version base = 0;
    version_map::entry now;
    domain::position position = 0;
  };
  // Names lie in the requests, which outlive the planner.
  std::unordered_map<std::string_view, move> moves_;
  std::map<std::tuple<uuid, std::string_view, std::string_view, std::string_view>, std::size_t>
      keys_;
};

}  // namespace reeve::persistence
