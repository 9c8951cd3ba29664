#pragma once
// The journal: the only writer of the log. Several requests that wait at the same time are handed
// over together and become one statement and one commit. Each is answered by itself; an answer that
// says "appended" comes after the commit.

#include "base/ids.hpp"
#include "base/leadership.hpp"
#include "base/outcome.hpp"
#include "base/time.hpp"
#include "persistence/admission.hpp"
#include "persistence/append_port.hpp"
#include "persistence/log_writer_port.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace reeve::persistence {

struct journal_config {
  /// libpq URL or key=value text of the writer's login.
  std::string url;
  /// Which server this is, and the public half of the key that it signs heads with; they stand in
  /// `leader_elected`. Whoever finds its own id as that of the last leader succeeds itself: it
  /// holds the only lock on that id (base/leadership.hpp).
  uuid server;
  std::string key;
  /// This process led before: a later leader than this server is `fenced`, not a predecessor, and
  /// so is a schema that is newer than the program.
  bool led_before = false;
  /// Called with the writer's lock and with the process of PostgreSQL's that holds it, before the
  /// log is read: brings the schema up to date. Its error is that of open().
  std::function<outcome<done>(int leader_pid)> prepare;
  /// Called with the writer's lock, before the election; a refusal is the error of open().
  std::function<outcome<admission>(const found_log&)> admit;
  /// How long a session of ours that was cut off may go on before it is ended.
  std::int64_t old_session_ms = 5000;
  /// Streams whose version is remembered, about 200 bytes each.
  std::size_t remembered_streams = 65536;
  /// A leader looks at the log four times a second. One whose session asks nothing for so long has
  /// stopped, and its lease of 3 s is over: whoever opens the journal ends that session and leads.
  /// Counted by our clock from the first open() that found it so.
  std::int64_t silent_leader_ms = 6000;
  /// PostgreSQL itself ends our session when it asks nothing for so long: who waits with another
  /// login may neither see nor end it. 0: it does not; for who has no thread that looks at the log.
  std::int64_t idle_end_ms = 0;
  /// Takes the lock from any leader, silent or not: its session is ended.
  bool take_over = false;
  /// Whether a projection's table is what the log says. One whose rows the database refused is left
  /// out of the appends until it is; without an answer each append tries it again.
  std::function<bool(const projection&)> is_live;
  /// Called with everything that is durable, before its callers are answered. Must not throw.
  std::function<void(const commit_notice&)> on_commit;
  /// Told when the database answers and nothing may be appended, with the reason, which anybody may
  /// read, and the SQLSTATE, which is for the log; and with nothing once it may be again. On the
  /// thread that works with the journal.
  std::function<void(const std::string& why, const std::string& sqlstate)> on_barred;
  /// A file that is there as long as this server waits for the lease of a leader that it succeeded:
  /// killed and started again within that time it succeeds itself, and has to wait all the same.
  /// Empty: no such file is kept.
  std::string hold_file;
  /// Confirmed and revoked by the journal alone; nullptr = nobody asks for it.
  leadership* lead = nullptr;
  /// Told which session of PostgreSQL (its pid) holds the writer's lock while this server leads; 0:
  /// none does now; -1: none ever will, since another server led. Who asks in the database whether
  /// it still does knows (projection_build.hpp). nullptr = nobody asks.
  std::atomic<int>* holder = nullptr;
  clock_port* clock = nullptr;  // nullptr = the real one
  id_source* ids = nullptr;     // nullptr = the real one
};

class journal final : public log_writer {
 public:
  explicit journal(journal_config config);
  ~journal() override;
  journal(journal&&) noexcept;
  journal& operator=(journal&&) noexcept;

  outcome<journal_head> open() override;
  void append(std::shared_ptr<journal_batch> batch) override;
  void begin(std::shared_ptr<journal_batch> batch) override;
  bool in_flight() const override;
  bool has_landed() const override;
  void on_landed(std::function<void()> told) override;
  void finish() override;
  outcome<done> renew() override;
  outcome<done> resign() override;
  journal_state state() const override;

  /// For tools and tests, which have a thread to spare: appends copies and waits for all answers,
  /// at most so long. Then what is still in doubt is `unavailable`, and the text says so.
  std::vector<outcome<append_result>> append_batch(std::span<const append_request> requests,
                                                   std::int64_t patience_ms = 15000);

  /// As this process knows it.
  journal_head head() const;
  /// How many appends went on without their projections since open().
  std::int64_t stale_projections() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace reeve::persistence
