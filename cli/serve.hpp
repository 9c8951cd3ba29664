#pragma once
// A server process from start to end. Everything that lives as long as the process is a member, in
// the order in which it is made; it goes in reverse.

#include "actors/actor_tree.hpp"
#include "adapters/guarded_engine.hpp"
#include "api/denial_ledger.hpp"
#include "api/event_feed.hpp"
#include "api/http_server.hpp"
#include "api/routes/health.hpp"
#include "api/services.hpp"
#include "base/leadership.hpp"
#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "persistence/blob_writer.hpp"
#include "persistence/checkpoint_keeper.hpp"
#include "persistence/commit_notifier.hpp"
#include "persistence/read_store.hpp"
#include "persistence/token_table.hpp"
#include "tasks/triage/triage_worker.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace reeve::cli {

class server_process {
 public:
  explicit server_process(const loaded_config& loaded) : config_(loaded.values) {}
  ~server_process();

  /// Serves until a signal, a collapse or a fence; the exit code.
  int run();

 private:
  outcome<done> open_storage();
  outcome<done> open_journal();
  /// One look at the lead's place; what stands in the way is told to clients.
  outcome<bool> try_to_lead();
  /// What a standby does between two looks. False: a signal came.
  outcome<bool> stand_by(int look);
  outcome<done> open_engine();
  void open_tree();
  /// Listens. Until `announce` clients are only told that this server does not lead.
  outcome<done> open_gateway();
  void fill_services();
  outcome<done> first_start();
  outcome<done> announce();
  /// Returns the signal or the reason to stop; looks after the private PostgreSQL meanwhile.
  int wait_for_end();
  void drain();
  persistence::journal_config journal_settings();
  void on_commit(const persistence::commit_notice& notice);
  std::vector<api::check> checks() const;
  std::optional<api::caller> authenticate(std::string_view token) const;
  std::optional<rejection> closed() const;

  /// In rising order. What the handlers work with is there from `leading` on, and is looked at by
  /// the gateway's thread only then.
  enum class phase { starting, log_away, standby, leading };

  config config_;
  uuid server_id_;
  leadership lead_{real_clock()};
  database database_;
  persistence::runtime_logins logins_;
  persistence::startup_rows rows_;
  redactor job_redaction_;
  persistence::token_table tokens_;
  std::unique_ptr<persistence::read_store> reads_;
  std::unique_ptr<api::event_feed> feed_;
  std::unique_ptr<persistence::blob_writer> blobs_;
  std::unique_ptr<persistence::commit_notifier> notifier_;
  std::shared_ptr<persistence::journal> journal_;
  persistence::journal_head head_;
  std::unique_ptr<adapters::guarded_engine> engine_;
  std::unique_ptr<adapters::triage_worker> triage_;
  std::unique_ptr<actors::actor_tree> tree_;
  std::mutex newest_mutex_;
  persistence::journal_head newest_;  // guarded by newest_mutex_
  std::unique_ptr<persistence::checkpoint_keeper> checkpoints_;
  std::atomic<actors::actor_tree*> told_{nullptr};  // whom the engine's listeners tell
  /// A standby has no log to write to: what it denies is not told.
  api::denial_ledger denials_{[this](const uuid& tenant, domain::access_denied what) {
    if (auto* tree = told_.load()) tree->record(tenant, std::move(what));
  }};
  std::unique_ptr<api::command_port> bridge_;
  std::unique_ptr<api::services> services_;
  std::optional<api::router> router_;
  std::unique_ptr<api::http_server> http_;
  std::thread http_thread_;
  std::string url_;  // where the gateway listens
  std::atomic<phase> phase_{phase::starting};
  std::atomic<bool> draining_{false};
  std::atomic<int> exit_code_{-1};
};

}  // namespace reeve::cli
