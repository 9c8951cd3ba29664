#pragma once
// Reader threads, each with a connection that is thrown away and built anew once it is lost.
// Inside persistence/ only.

#include "base/ids.hpp"
#include "base/outcome.hpp"
#include "base/slot.hpp"
#include "persistence/fair_queue.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/read_sql.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace reeve::persistence {

/// One reader's connection. The tenant is a setting of the session; it is set again whenever the
/// next query is for another one, which spares most queries a round trip. There is no way to send
/// a query without naming the tenant.
class read_session {
 public:
  read_session(const std::string& url, std::int64_t statement_timeout_ms);

  /// Nothing = the auditor, who sees every tenant's events.
  pqxx::result query(const std::optional<uuid>& tenant, const read_query& query);
  const pqxx::connection& connection() const { return *connection_; }

 private:
  std::unique_ptr<pqxx::connection> connection_;
  std::optional<std::string> seen_as_;
  std::map<std::string, std::string> prepared_;  // text → name
};

/// Whoever waits takes turns with the others. Heavy work never has the last reader (but the only
/// one), so that what is quick does not wait for it.
class read_pool {
 public:
  read_pool(std::string url, int readers, std::size_t max_queue, std::int64_t timeout_ms);
  ~read_pool();

  /// Runs `work` on a reader, once more on a new connection if the first one was lost.
  template <class T>
  void submit(const read_turn& turn, reply_slot<T> slot,
              std::function<outcome<T>(read_session&)> work) {
    auto run = [slot, work = std::move(work)](read_session& session) {
      slot.answer(work(session));
    };
    if (!push(turn, {std::move(run), [slot](rejection why) { slot.answer(std::move(why)); }})) {
      slot.answer(reject(errc::overloaded, "too many reads are waiting"));
    }
  }

 private:
  struct task {
    std::function<void(read_session&)> run;
    std::function<void(rejection)> fail;
  };
  bool push(const read_turn& turn, task next);
  void work();
  void attempt(const task& next, std::unique_ptr<read_session>& session);

  std::string url_;
  std::size_t max_queue_;
  std::int64_t timeout_ms_;
  const int most_heavy_;
  std::mutex mutex_;
  std::condition_variable wake_;
  fair_queue<task> queue_;
  int heavy_ = 0;  // readers that are at heavy work
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace reeve::persistence
