#pragma once
// Says a word now and then on a session that holds a lock while nobody works with it: one that asks
// nothing is taken for that of a process that stands still. Inside persistence/ only.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <pqxx/pqxx>
#include <thread>

namespace reeve::persistence {

class session_keeper {
 public:
  /// The session is the keeper's alone until it has stopped.
  session_keeper(pqxx::connection& session, std::chrono::milliseconds every);
  /// Of one that was not stopped the session is cut off, since its database may never answer; it
  /// can only be closed then.
  ~session_keeper();
  session_keeper(const session_keeper&) = delete;
  session_keeper& operator=(const session_keeper&) = delete;

  /// Waits for the answer to the last word.
  void stop();
  /// It may not be used again: libpqxx would connect by itself, without the lock.
  bool is_lost() const { return is_lost_; }

 private:
  void end();
  void keep();
  void say_a_word();

  pqxx::connection& session_;
  const std::chrono::milliseconds every_;
  const int socket_;  // the same one under a number of our own, which libpq never closes
  std::atomic<bool> is_lost_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_over_ = false;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace reeve::persistence
