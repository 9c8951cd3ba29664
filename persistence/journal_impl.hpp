#pragma once
// The inside of the journal, split over two sources: journal.cpp has the way of a batch,
// journal_lead.cpp how the lead is taken, lost and taken again. Inside persistence/ only.

#include "persistence/journal.hpp"
#include "persistence/journal_plan.hpp"

#include <map>
#include <optional>

namespace reeve::persistence {

using append_answer = std::optional<outcome<append_result>>;

struct journal::impl {
  explicit impl(journal_config given);

  // --- journal_lead.cpp ---
  outcome<journal_head> open();
  outcome<done> renew();
  /// A new session with checked settings; no lock yet. Throws as libpqxx does.
  outcome<done> connect();
  /// Waits for our own old session to end, ends it when it takes too long; false: not ours.
  bool take_lock_back();
  /// Takes the lock that nobody of this process holds.
  bool take_lock();
  /// Appends `leader_elected` behind `from`; what was in doubt is decided after it.
  bool lead(const log_tail& from);
  void elected(const domain::event_record& event);
  /// Whether the log ends with something of ours. Applies what turned out to be committed.
  bool recognise(const log_tail& now);
  /// Looks for a later leader than us; fenced if there is one.
  bool is_succeeded();
  /// Comes back from `away`: the lead again, or fenced. False: not yet.
  bool come_back();
  bool come_back_within(std::int64_t wait_ms);
  void lose();
  void become_fenced();
  /// What was sent at `asked_us` was answered, and only a leader gets that answer.
  void confirm(std::int64_t asked_us);
  void revoke();
  domain::event_record election(const log_tail& from, domain::version base);

  // --- journal.cpp ---
  enum class verdict { committed, lost, fenced, passing, refused };
  void run(std::vector<std::size_t> indices, bool careful, bool with_rows = true);
  batch_plan plan(const std::vector<std::size_t>& indices, bool careful, bool with_rows);
  /// Answers those whose idempotency key is known; gives the others.
  std::vector<std::size_t> answer_known(const std::vector<std::size_t>& indices);
  loaded_streams load(const std::vector<std::size_t>& indices, bool careful);
  verdict execute(const batch_plan& plan, sql_trouble& why);
  void settle(batch_plan plan);
  void settle_doubt(batch_plan plan, const std::vector<std::size_t>& indices, bool careful,
                    bool with_rows);
  void divide(const std::vector<std::size_t>& indices, const sql_trouble& why, bool with_rows);
  void apply(const batch_plan& plan);
  void answer_plan(const batch_plan& plan);
  void answer_all(const std::vector<std::size_t>& indices, const rejection& why);
  std::vector<std::vector<std::size_t>> slices() const;

  journal_config config;
  clock_port& clock;
  id_source& ids;
  journal_state state = journal_state::closed;
  std::unique_ptr<journal_session> session;
  backend_id old_backend;
  uuid origin;
  log_tail tail;
  version_map versions;
  domain::position partitions_to = 0;  // positions below it have a partition
  std::int64_t stale = 0;

  /// A batch whose commit was not confirmed; its events decide what happened to it.
  std::optional<batch_plan> doubt;
  bool doubt_was_committed = false;
  /// A `leader_elected` that was sent and not confirmed yet.
  std::optional<domain::event_record> asked;

  std::span<const append_request> requests;
  std::vector<append_answer> answers;
};

}  // namespace reeve::persistence
