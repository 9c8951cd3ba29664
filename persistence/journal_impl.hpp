#pragma once
// The inside of the journal, split over four sources: journal.cpp has the way of a batch,
// journal_flight.cpp how the next one is planned meanwhile, journal_lead.cpp how the lead is taken,
// lost and taken again, journal_lock.cpp whose lock that is. Inside persistence/ only.

#include "persistence/committer.hpp"
#include "persistence/journal.hpp"
#include "persistence/journal_plan.hpp"
#include "persistence/session_keeper.hpp"
#include "persistence/silence_watch.hpp"

#include <atomic>
#include <map>
#include <optional>

namespace reeve::persistence {

/// A statement whose connection was lost before its answer, and who waits for it.
struct doubtful {
  std::shared_ptr<journal_batch> batch;
  std::vector<std::size_t> indices;
  batch_plan plan;
  bool careful = false;
  projection_refs without;  // whose rows were left out
  bool was_committed = false;
};

/// A statement that is under way, or behind one that is, while the next one is planned. Stays where
/// it is until it landed.
struct flight {
  std::shared_ptr<journal_batch> batch;
  std::vector<std::size_t> indices;
  batch_plan plan;
  projection_refs without;  // whose rows were left out
  batch_statement statement;
  // Of the thread that sends it, until it has been waited for:
  std::int64_t asked_us = 0;
  bool committed = false;
  sql_trouble why;
  std::atomic<bool> has_landed{false};
};

/// A session of ours that was lost; it may hold the lock until it is ended.
struct old_session {
  backend_id backend;
  std::int64_t lost_at_us = 0;
};

struct journal::impl {
  explicit impl(journal_config given);

  // --- journal_lead.cpp ---
  outcome<journal_head> open();
  outcome<done> renew();
  /// A new session with checked settings; no lock yet. Throws as libpqxx does.
  outcome<done> connect();
  /// With the lock: schema, admission, and how long another leader's lease may still run.
  outcome<admission> enter(std::int64_t locked_us);
  outcome<done> hold(std::int64_t locked_us);
  void end_hold();
  bool is_overtaken();
  /// Appends `leader_elected` behind `from`; what was in doubt is decided after it.
  bool lead(const log_tail& from);
  void elected(const domain::event_record& event);
  /// Before it leads again, with the lock: whether this program may still work with the schema.
  /// `fenced`, and it is; `unavailable`: not yet.
  outcome<done> look_at_schema();
  /// Whether the log ends with something of ours. Applies what turned out to be committed.
  bool recognise(const log_tail& now);
  /// Looks for a later leader than us; fenced if there is one.
  bool is_succeeded();
  /// Comes back from `away`: the lead again, or fenced. False: not yet.
  bool come_back();
  /// What was in doubt is answered, or decided again, once the lead was taken again or is gone.
  void resolve();
  void lose();
  /// Nothing can be appended although the database answers: away until it can again. What could be
  /// done outside could not be written down.
  void bar(const sql_trouble& why);
  /// Why nothing can be appended, once until it can again.
  void tell_barred(const std::string& why, const std::string& sqlstate);
  /// No session could be had: whether that is because nobody lets this login in.
  void ask_for_refusal();
  /// After a statement that was not sent to change the log.
  void note(const sql_trouble& why);
  outcome<done> resign();
  void become_fenced();
  /// What was sent at `asked_us` was answered, and only a leader gets that answer.
  void confirm(std::int64_t asked_us);
  void revoke();
  domain::event_record election(const log_tail& from, domain::version base);
  std::string own_stream() const { return "log-" + to_string(origin); }

  // --- journal_lock.cpp ---
  /// Ends sessions of ours that had their time.
  void end_old_sessions();
  /// Takes the lock that nobody of this process holds.
  bool take_lock();
  /// Speaks for us where something else takes long while we hold the lock.
  std::unique_ptr<session_keeper> keep_session();
  /// Before whatever works with the session: it may have a keeper, and may have been lost by it.
  void take_session();
  /// Does what does not work with the session, which has a keeper as long as that takes.
  outcome<done> meanwhile(const std::function<outcome<done>()>& work);

  // --- journal.cpp ---
  enum class verdict { committed, lost, fenced, passing, barred, refused };
  void run(std::vector<std::size_t> indices, bool careful, const projection_refs& without,
           bool in_background = false);
  batch_plan plan(const std::vector<std::size_t>& indices, bool careful,
                  const projection_refs& without);
  /// Answers those whose idempotency key is known; gives the others.
  std::vector<std::size_t> answer_known(const std::vector<std::size_t>& indices);
  loaded_streams load(const std::vector<std::size_t>& indices, bool careful);
  bool needs_partition(const batch_plan& plan) const;
  verdict execute(const batch_plan& plan, sql_trouble& why);
  /// What a statement that failed means; asks the log where its error does not tell.
  verdict judge(const sql_trouble& why);
  void conclude(verdict ended, batch_plan plan, std::vector<std::size_t> indices,
                const sql_trouble& why, bool careful, projection_refs without);
  void divide(const batch_plan& plan, const std::vector<std::size_t>& indices,
              const sql_trouble& why, projection_refs without);
  /// Those of whose rows the database refuses some, each tried by itself. Nothing: it cannot be
  /// told now.
  std::optional<projection_refs> find_guilty(const batch_plan& plan);
  /// Those that were found guilty and have not been built anew since.
  projection_refs left_out();
  void apply(const batch_plan& plan);
  void publish(const batch_plan& plan);
  void answer_plan(const batch_plan& plan);
  void answer_all(const std::vector<std::size_t>& indices, const rejection& why);
  std::vector<std::vector<std::size_t>> slices() const;
  void open_batch(std::shared_ptr<journal_batch> given);
  /// Answers those that have no events, ahead of the others: nothing may be under way.
  void keep_keys();
  outcome<append_result> keep_key(std::size_t i);
  void append(std::shared_ptr<journal_batch> given);

  // --- journal_flight.cpp ---
  void begin(std::shared_ptr<journal_batch> given);
  void hasten(std::vector<std::size_t> indices);
  std::optional<batch_plan> plan_ahead(const std::vector<std::size_t>& indices,
                                       const projection_refs& without);
  void fly(batch_plan plan, std::vector<std::size_t> indices, projection_refs without);
  std::unique_ptr<flight> prepare_next(const std::vector<std::size_t>& indices);
  /// Sent behind the flight before it, if that one was committed.
  void take_off(flight& f, bool behind_another = false);
  std::unique_ptr<flight> land(const std::unique_ptr<flight>& next = nullptr);
  void tell(const std::unique_ptr<flight>& landed);
  void finish();
  void advance(const batch_plan& plan);
  void retreat(const batch_plan& plan);

  journal_config config;
  clock_port& clock;
  id_source& ids;
  journal_state state = journal_state::closed;
  std::unique_ptr<journal_session> session;
  std::unique_ptr<session_keeper> keeper;  // from open() to the first that works with it
  silence_watch silence;                   // of another leader, from one open() to the next
  std::vector<old_session> old_sessions;
  admission admitted;
  bool after_a_death = false;      // the leadership before this one did not end in order
  std::int64_t held_until_us = 0;  // monotonic; 0: no lease of another leader can run any more
  uuid origin;
  log_tail tail;
  version_map versions;
  domain::position partitions_to = 0;  // positions below it have a partition
  std::int64_t stale = 0;
  bool is_barred = false;
  std::int64_t next_refusal_us = 0;  // monotonic; when that is asked again
  projection_refs guilty;

  /// Its events decide what happened to it.
  std::optional<doubtful> doubt;
  /// A `leader_elected` that was sent and not confirmed yet.
  std::optional<domain::event_record> asked;

  std::shared_ptr<journal_batch> batch;  // at work
  std::function<void()> on_landed;
  std::unique_ptr<flight> flying;
  bool was_committed = false;  // of the sender's thread: what it sent last
  committer sender;            // last: it uses the rest
};

}  // namespace reeve::persistence
