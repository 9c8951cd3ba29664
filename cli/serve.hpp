#pragma once
// A server process from start to end. Everything that lives as long as the process is a member; in
// which order it comes and goes is said by the list of parts (`list_parts`).

#include "actors/actor_tree.hpp"
#include "adapters/container_work.hpp"
#include "adapters/guarded_engine.hpp"
#include "adapters/llm_caller.hpp"
#include "adapters/llm_watch.hpp"
#include "adapters/nvml/gpu_probe.hpp"
#include "adapters/proc/proc_files.hpp"
#include "adapters/work_engines_port.hpp"
#include "api/denial_ledger.hpp"
#include "api/event_feed.hpp"
#include "api/http_server.hpp"
#include "api/llm_places.hpp"
#include "api/routes/health.hpp"
#include "api/services.hpp"
#include "base/attempt_token.hpp"
#include "base/leadership.hpp"
#include "base/text_pool.hpp"
#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/follow_places.hpp"
#include "cli/server_identity.hpp"
#include "cli/server_parts.hpp"
#include "cli/token_reset.hpp"
#include "persistence/admission.hpp"
#include "persistence/blob_writer.hpp"
#include "persistence/checkpoint_keeper.hpp"
#include "persistence/commit_notifier.hpp"
#include "persistence/journal.hpp"
#include "persistence/read_models.hpp"
#include "persistence/read_store.hpp"
#include "persistence/secret_vault.hpp"
#include "persistence/token_table.hpp"
#include "tasks/container/early_rooms.hpp"
#include "tasks/task_kinds.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <signal.h>
#include <string>
#include <thread>

namespace reeve::cli {

/// A line for people and process managers.
void say(const std::string& line);
/// Those that end a server; blocked in all of its threads.
sigset_t ending_signals();
/// True when one of them came.
bool is_ended_within(std::chrono::milliseconds time);

class server_process {
 public:
  explicit server_process(const loaded_config& loaded);
  ~server_process();

  /// Serves until a signal, a collapse or a fence; the exit code.
  int run();

 private:
  void list_parts();
  outcome<done> read_llm();
  /// Looks at upstreams of language models from now on, if there are any.
  outcome<done> watch_upstreams();
  outcome<done> open_storage();
  outcome<done> prepare_database();
  outcome<done> open_journal();
  outcome<bool> try_to_lead();
  void follow();
  outcome<std::optional<bool>> look(int number);
  int refuse(const rejection& why);
  outcome<done> lead_read_models();
  outcome<done> open_checkpoints();
  outcome<done> open_engine();
  outcome<done> open_kinds();
  outcome<done> open_tree();
  void drain_tree();
  /// Listens. Until `announce` clients are only told that this server does not lead.
  outcome<done> open_gateway();
  void drain_gateway();
  void close_gateway();
  void fill_services();
  void fill_upstreams();
  void fill_secrets();
  void fill_logs();
  /// Nothing: this server has no key.
  std::optional<std::string> token_of(const attempt_name& whose) const;
  /// Takes the key that tokens of attempts are made with; with upstreams it makes it, if there is
  /// none, and the folder for the socket of jobs.
  outcome<done> prepare_jobs_door();
  /// Listens there, for jobs alone.
  outcome<done> open_jobs_door();
  std::optional<api::caller> authenticate_attempt(std::string_view token) const;
  /// Waits for what has to ask the database, on a thread of its own: that may not answer at all,
  /// and a signal must end the wait all the same. True: it came.
  template <class T>
  bool is_ended_before(const std::future<T>& begun);
  outcome<bool> take_up();
  outcome<done> first_start();
  outcome<done> announce();
  /// Returns the signal or the reason to stop; looks after the private PostgreSQL meanwhile.
  int wait_for_end();
  void drain();
  /// Ends the process with its exit code, if it has not ended by itself within the time.
  void end_by_all_means(std::chrono::milliseconds within);
  /// Calls with the tree while there is one to tell.
  void tell(const std::function<void(actors::actor_tree&)>& what);
  void tell_nobody();
  persistence::journal_config journal_settings();
  persistence::admission_files admission_files() const;
  void mark_progress(const persistence::found_log& led, const persistence::journal_head& head);
  /// Of the newest event, for the checkpoints.
  void note_head(const persistence::commit_notice& notice);
  api::check event_log_check() const;
  api::check reads_check() const;
  api::check read_models_check() const;
  std::vector<api::check> checks() const;
  std::optional<api::caller> authenticate(std::string_view token) const;
  std::optional<rejection> closed() const;

  /// In rising order. What the handlers work with is there from `leading` on, and is looked at by
  /// the gateway's thread only then.
  enum class phase { starting, log_away, standby, refused, leading };

  config config_;
  domain::llm_settings llm_;
  std::unique_ptr<adapters::llm_watch> upstreams_;
  std::unique_ptr<adapters::llm_caller> llm_caller_;
  api::llm_places llm_places_;
  server_identity identity_;
  std::string public_key_;
  leadership lead_{real_clock()};
  std::atomic<int> lead_holder_{0};  // the journal's, for who builds
  database database_;
  persistence::runtime_logins logins_;
  persistence::startup_rows rows_;
  redactor job_redaction_;
  std::unique_ptr<text_pool> texts_;
  std::unique_ptr<tasks::early_rooms> early_;
  persistence::token_table tokens_;
  persistence::projection_board board_;
  std::unique_ptr<persistence::read_store> reads_;
  std::unique_ptr<persistence::read_models> models_;
  std::unique_ptr<api::event_feed> feed_;
  std::unique_ptr<persistence::blob_writer> blobs_;
  std::unique_ptr<persistence::secret_vault> secrets_;
  std::optional<sealing_key> attempt_key_;  // of tokens of attempts; set before `leading`
  std::string llm_folder_;  // absolute, with the socket for jobs; empty: there is none
  std::unique_ptr<persistence::commit_notifier> notifier_;
  std::shared_ptr<persistence::journal> journal_;
  persistence::journal_head head_;
  // Of the thread that opens the journal.
  persistence::found_log found_;
  persistence::admission admission_;
  bool is_mark_lost_ = false;          // of the thread that signs
  std::atomic<bool> is_final_{false};  // what opening the journal failed for does not pass
  std::atomic<bool> database_refused_{false};
  std::string refusal_;  // set before phase::refused
  mutable std::mutex barred_mutex_;
  std::string barred_;  // why nothing can be appended; guarded by barred_mutex_
  std::unique_ptr<adapters::guarded_engine> engine_;
  std::unique_ptr<adapters::container_work> work_;  // answered by the engine until that is gone
  adapters::work_engines engines_;
  std::mutex engine_root_mutex_;
  std::string engine_root_;  // where the engine's data lies; guarded by engine_root_mutex_
  adapters::gpu_probe gpus_;
  adapters::proc_files processes_;
  std::unique_ptr<tasks::task_kinds> kinds_;
  std::unique_ptr<actors::actor_tree> tree_;
  token_resets resets_{token_reset_file(config_), real_clock()};
  std::mutex newest_mutex_;
  persistence::journal_head newest_;  // guarded by newest_mutex_
  std::unique_ptr<persistence::checkpoint_keeper> checkpoints_;
  std::shared_mutex told_mutex_;
  actors::actor_tree* told_ = nullptr;  // whom the engine's listeners tell; guarded by told_mutex_
  /// A standby has no log to write to: what it denies is not told.
  api::denial_ledger denials_{[this](const uuid& tenant, domain::access_denied what) {
    tell([&](actors::actor_tree& tree) { tree.record(tenant, std::move(what)); });
  }};
  std::unique_ptr<api::services> services_;
  std::unique_ptr<api::log_streams> log_streams_;
  const std::shared_ptr<follow_places> followed_ = std::make_shared<follow_places>();
  std::optional<api::router> router_;
  std::unique_ptr<api::http_server> http_;
  std::thread http_thread_;
  std::string url_;  // where the gateway listens
  std::atomic<phase> phase_{phase::starting};
  std::atomic<bool> draining_{false};
  std::atomic<int> exit_code_{-1};
  server_parts parts_;
};

template <class T>
bool server_process::is_ended_before(const std::future<T>& begun) {
  using namespace std::chrono_literals;
  while (begun.wait_for(0s) != std::future_status::ready) {
    if (!is_ended_within(2ms)) continue;
    exit_code_ = exit_ok;
    end_by_all_means(8s);
    begun.wait();
    return true;
  }
  return false;
}

}  // namespace reeve::cli
