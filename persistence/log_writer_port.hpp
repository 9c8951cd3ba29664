#pragma once
// The one writer of the log, as the thread that works with it sees it
// (actors/journal_worker.hpp). Used by one thread.
//
// Life: closed, leading after open(), away and leading again any number of times, fenced at last.
// `away` (the database is not there) ends by renew(), which takes one step a call and never waits
// for longer than a connection does. `fenced` (another server writes) is final: the process exits
// with 75.

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/outcome.hpp"
#include "base/time.hpp"
#include "persistence/append_port.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace reeve::persistence {

enum class journal_state { closed, leading, away, fenced };

/// Requests that are appended together, and an answer for each. Errors: `invalid`, `too_large`
/// (limits, the field is named), `version_conflict` (a written stream) and `guard_conflict` (one
/// that was only read), which name stream and both versions, `key_reused`, `unavailable` (nothing
/// was appended), `fenced`, `internal` (the database refused this one).
struct journal_batch {
  std::vector<append_request> requests;
  std::vector<std::optional<outcome<append_result>>> answers;  // as `requests`

  bool is_answered() const;
};

struct journal_head {
  uuid origin;
  domain::position position = 0;
  std::int64_t epoch = 0;
  digest hash{};
  time_us recorded_at_us = 0;
  bool after_a_death = false;  // of open(): the leadership before this one did not end in order
};

class log_writer {
 public:
  virtual ~log_writer() = default;

  /// Connects, checks the database's settings, takes the lock and appends `leader_elected`.
  /// `invalid`: a setting that breaks a promise, named in `field`; `conflict`: another server
  /// leads; `unavailable`: no database, or one without our schema; `fenced`: another one led since
  /// this process did, or the schema is newer than this program by now; else the error of what the
  /// composition made it ask first. Until the first of the calls below it says a word each second
  /// by itself, or whoever waits would take this leader for one that stands still; no lease is
  /// confirmed by that.
  virtual outcome<journal_head> open() = 0;

  /// Answers the batch, but for requests whose commit lost its connection: those are in doubt, and
  /// a later renew() answers them, once the log has told. Other requests are refused until then.
  virtual void append(std::shared_ptr<journal_batch> batch) = 0;
  /// The same for who has more to append: may return while the last statement is under way on a
  /// thread of its own. Its requests are answered by the next call of any of these.
  virtual void begin(std::shared_ptr<journal_batch> batch) = 0;
  /// Whether a statement is under way, and whether it has its answer: then finish() does not wait.
  virtual bool in_flight() const = 0;
  virtual bool has_landed() const = 0;
  /// Told on that thread, right after it has landed.
  virtual void on_landed(std::function<void()> told) = 0;
  /// Waits for it, and answers.
  virtual void finish() = 0;
  /// Confirms that this server still leads, with one cheap query; from `away` one step back.
  virtual outcome<done> renew() = 0;
  /// At an orderly stop, after everything else: appends `leader_resigned` and lets the lock go.
  /// Nothing may be done outside any more, which is revoked first.
  virtual outcome<done> resign() = 0;

  virtual journal_state state() const = 0;
};

}  // namespace reeve::persistence
