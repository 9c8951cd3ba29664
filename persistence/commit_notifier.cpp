#include "persistence/commit_notifier.hpp"

#include "base/named_thread.hpp"
#include "persistence/pg_session.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace reeve::persistence {

struct commit_notifier::impl {
  explicit impl(commit_notifier_options o)
      : options(std::move(o)), thread(named_thread("notifier", [this] { work(); })) {}

  ~impl() {
    {
      std::lock_guard lock(mutex);
      stopping = true;
    }
    changed.notify_all();
    thread.join();
  }

  void work() {
    domain::position rung = 0;
    for (;;) {
      domain::position head = 0;
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return stopping || newest > rung; });
        if (stopping) return;
        head = newest;
      }
      const bool sent = send(head);
      if (sent) rung = head;
      // Counted from the end of the statement: from there the listener's clock runs as well.
      std::unique_lock lock(mutex);
      const auto pause = sent ? options.interval : options.retry;
      if (changed.wait_for(lock, pause, [this] { return stopping; })) return;
    }
  }

  bool send(domain::position head) {
    try {
      if (!connection) {
        connection = connect_session(options.url, "reeve-notifier");
        // A notification is not durable anyway: it must not cost the disk a flush each.
        pqxx::nontransaction(*connection)
            .exec0("SET synchronous_commit = off; SET statement_timeout = '5s'");
      }
      pqxx::nontransaction tx(*connection);
      tx.exec_params("SELECT pg_catalog.pg_notify($1, $2)", commit_channel, std::to_string(head));
      return true;
    } catch (const std::exception&) {
      connection.reset();
      return false;
    }
  }

  commit_notifier_options options;
  std::unique_ptr<pqxx::connection> connection;  // of the thread
  std::mutex mutex;
  std::condition_variable changed;
  domain::position newest = 0;
  bool stopping = false;
  std::thread thread;  // last: it uses the rest
};

commit_notifier::commit_notifier(commit_notifier_options options)
    : impl_(std::make_unique<impl>(std::move(options))) {}
commit_notifier::~commit_notifier() = default;

void commit_notifier::notify(domain::position head) {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->newest = std::max(impl_->newest, head);
  }
  impl_->changed.notify_one();
}

}  // namespace reeve::persistence
