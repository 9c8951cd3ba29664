#pragma once
// The reader: hot documents from memory, cold ones from PostgreSQL through a few threads, each with
// a connection of its own under the reader's role. Row-level security stands behind every query,
// and every query names its tenant as well.
//
// What is in memory is right because every commit passes through on_commit(): in the process of the
// journal directly, in a standby from whoever follows the log there. Events are shown up to the
// head that on_commit() and set_head() have told.
//
// `get`, `run_detail` and `job_detail` answer on the caller's thread when the document is in
// memory; everything else answers on a reader's thread. What cannot be relied on is refused
// (`unavailable`), and what a follower writes is waited for, so that a caller reads its own write
// there too.

#include "base/time.hpp"
#include "persistence/append_port.hpp"
#include "persistence/projection_board.hpp"
#include "persistence/read_port.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace reeve::persistence {

struct read_store_config {
  /// libpq URL or key=value text of the reader's login.
  std::string url;
  int readers = 2;
  /// Waiting queries; one more is answered `overloaded`.
  std::size_t max_queue = 1024;
  std::size_t cache_bytes = std::size_t{16} * 1024 * 1024;
  std::int64_t statement_timeout_ms = 5000;
  /// For tests of read-your-writes: how long a reader holds back what it has read before it fills
  /// the cache and answers. 0 otherwise.
  std::int64_t delay_ms = 0;
  /// Which read models can be relied on; nullptr = all of them.
  projection_board* board = nullptr;
};

class read_store final : public read_port {
 public:
  explicit read_store(read_store_config config);
  /// Queries that wait are answered `unavailable`.
  ~read_store() override;

  /// From the journal, before the writers are answered: forgets what the commit has changed and
  /// moves the head. Any thread.
  void on_commit(const commit_notice& notice);
  /// Read models were put in the place of others: nothing that was rendered before is shown.
  void forget();
  /// The head at start; it never goes back.
  void set_head(domain::position head);
  std::size_t cached_bytes() const;
  /// Looks, on a reader's thread, whether the reader's login may still read everything; never
  /// waits, and one look at a time.
  void look_at_rights();
  /// What it may not, as of the last look that was answered: "SELECT ON reeve.commands, …".
  std::string missing_rights() const;
  /// The SQLSTATE with which its login is refused for seconds, if that is no right's matter.
  std::string refused_login() const;

  void get(collection what, uuid tenant, const std::string& id, reply_slot<document> slot) override;
  void list(list_query query, reply_slot<document> slot) override;
  void run_detail(uuid tenant, uuid run, reply_slot<document> slot) override;
  void job_detail(uuid tenant, uuid job, reply_slot<document> slot) override;
  void run_of_job(uuid tenant, uuid job, reply_slot<std::optional<uuid>> slot) override;
  void llm_usage(llm_usage_query query, reply_slot<document> slot) override;
  void llm_spent(llm_spent_query query, reply_slot<domain::llm_sums> slot) override;
  void events(event_query query, reply_slot<event_page> slot) override;
  void event(std::optional<uuid> tenant, domain::position at, domain::event_reader reader,
             reply_slot<document> slot) override;
  void last_successful_run(uuid tenant, uuid directive,
                           reply_slot<std::optional<last_success>> slot) override;
  void stored_logs(stored_log_query query, reply_slot<stored_log_page> slot) override;
  void blob(uuid tenant, const digest& sha256, std::int64_t offset, std::int64_t size,
            reply_slot<std::string> slot) override;
  void command(uuid tenant, const std::string& principal, const std::string& route,
               const std::string& key, reply_slot<std::optional<known_command>> slot) override;
  void stream(uuid tenant, const std::string& stream, domain::version after, int limit,
              reply_slot<std::vector<domain::event_record>> slot) override;
  domain::position head() const override;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace reeve::persistence
