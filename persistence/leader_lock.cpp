#include "persistence/leader_lock.hpp"

#include "base/named_thread.hpp"
#include "persistence/advisory_locks.hpp"
#include "persistence/pg_session.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace reeve::persistence {
namespace {

// A holder that has asked nothing for 6 s is ended, as one that has stopped.
constexpr auto word_every = std::chrono::seconds(1);

}  // namespace

struct leader_lock::impl {
  explicit impl(std::unique_ptr<pqxx::connection> taken) : connection(std::move(taken)) {
    thread = named_thread("leader-lock", [this] { keep(); });
  }
  ~impl() {
    {
      const std::lock_guard lock(mutex);
      is_over = true;
    }
    changed.notify_all();
    thread.join();
  }

  void keep() {
    std::unique_lock lock(mutex);
    while (!changed.wait_for(lock, word_every, [this] { return is_over; })) {
      try {
        pqxx::nontransaction(*connection).exec0("SET lock_timeout = 0");
      } catch (const std::exception&) {
        is_lost = true;  // and the lock with it
        return;
      }
    }
  }

  std::unique_ptr<pqxx::connection> connection;
  const int pid = connection->backendpid();
  std::atomic<bool> is_lost{false};
  std::mutex mutex;
  std::condition_variable changed;
  bool is_over = false;
  std::thread thread;  // last: it uses the rest
};

leader_lock::leader_lock(std::unique_ptr<impl> made) : impl_(std::move(made)) {}
leader_lock::leader_lock(leader_lock&&) noexcept = default;
leader_lock& leader_lock::operator=(leader_lock&&) noexcept = default;
leader_lock::~leader_lock() = default;

int leader_lock::holder() const {
  return impl_->is_lost ? -1 : impl_->pid;
}

outcome<leader_lock> leader_lock::take(const std::string& owner_url) {
  try {
    auto connection = connect_session(owner_url, "reeve-lock");
    // By PostgreSQL too: the server's own login may not see, or end, a session of the owner's.
    pqxx::nontransaction(*connection).exec0("SET idle_session_timeout = '6s'");
    const bool taken =
        pqxx::nontransaction(*connection)
            .exec1(std::string("SELECT pg_try_advisory_lock(") + leader_lock_key + ")")[0]
            .as<bool>();
    if (!taken) return reject(errc::conflict, "a server leads this log");
    return leader_lock(std::make_unique<impl>(std::move(connection)));
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the database cannot be reached");
  }
}

}  // namespace reeve::persistence
