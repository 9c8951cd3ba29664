// The lock of the one writer: from whom it is taken, and how it is not lost by silence while
// something else takes long.

#include "persistence/journal_impl.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace reeve::persistence {
namespace {

constexpr std::int64_t words_in_a_silence = 6;

}  // namespace

bool journal::impl::take_lock() {
  if (session->lock_now()) return true;
  auto holders = session->lock_holders();
  if (!config.take_over) {
    holders = silence.look(holders, clock.mono_us(), config.silent_leader_ms * 1000);
    if (holders.empty()) return false;
  }
  for (const auto& holder : holders) session->terminate(holder);
  return session->lock_within(config.old_session_ms);
}

void journal::impl::end_old_sessions() {
  const auto now = clock.mono_us();
  for (const auto& old : old_sessions) {
    if (now >= old.lost_at_us + config.old_session_ms * 1000) session->terminate(old.backend);
  }
}

std::unique_ptr<session_keeper> journal::impl::keep_session() {
  const auto every = std::max<std::int64_t>(1, config.silent_leader_ms / words_in_a_silence);
  return std::make_unique<session_keeper>(session->connection(), std::chrono::milliseconds(every));
}

void journal::impl::take_session() {
  if (!keeper) return;
  keeper->stop();
  if (std::exchange(keeper, nullptr)->is_lost()) lose();
}

outcome<done> journal::impl::meanwhile(const std::function<outcome<done>()>& work) {
  const auto speaks = keep_session();
  if (auto ok = work(); !ok) return ok;
  speaks->stop();
  if (!speaks->is_lost()) return done{};
  return reject(errc::unavailable, "the connection to the database was lost");
}

}  // namespace reeve::persistence
