#include "persistence/session_keeper.hpp"

#include "base/named_thread.hpp"
#include "persistence/pg_session.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace reeve::persistence {

session_keeper::session_keeper(pqxx::connection& session, std::chrono::milliseconds every)
    : session_(session),
      every_(every),
      socket_(::fcntl(session.sock(), F_DUPFD_CLOEXEC, 0)),
      thread_(named_thread("session-keeper", [this] { keep(); })) {}

session_keeper::~session_keeper() {
  if (thread_.joinable()) {
    end();
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
  }
  if (socket_ >= 0) ::close(socket_);
}

void session_keeper::stop() {
  end();
  if (thread_.joinable()) thread_.join();
}

void session_keeper::end() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_all();
}

void session_keeper::keep() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, every_, [this] { return is_over_; })) {
    lock.unlock();
    say_a_word();
    lock.lock();
    if (is_lost_) return;
  }
}

void session_keeper::say_a_word() {
  try {
    pqxx::nontransaction(session_).exec("SELECT 1");
  } catch (const std::exception&) {
    is_lost_ = trouble_of_current(session_).lost;
  }
}

}  // namespace reeve::persistence
