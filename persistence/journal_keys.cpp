// Keys of commands that changed nothing. They are no events, but only the leader may keep one: the
// answer that it stands for is that of a log which nobody else writes.

#include "persistence/journal_impl.hpp"

namespace reeve::persistence {

void journal::impl::keep_keys() {
  for (std::size_t i = 0; i < batch->requests.size(); ++i) {
    if (batch->answers[i] || !is_key_alone(batch->requests[i])) continue;
    auto kept = keep_key(i);
    if (!batch->answers[i]) batch->answers[i].emplace(std::move(kept));
  }
}

outcome<append_result> journal::impl::keep_key(std::size_t i) {
  if (state == journal_state::fenced) return reject(errc::fenced, "another server writes");
  if (state != journal_state::leading) {
    return reject(errc::unavailable, "the event log is not available; the key was not kept");
  }
  const auto& request = batch->requests[i];
  const auto& of = request.expect[0];
  try {
    if (answer_known({i}).empty()) return append_result{};  // answered
    if (const auto at = session->keep(*request.command, of, tail)) {
      return append_result{{}, *at, *at, false};
    }
    if (!session->continues_behind(tail.position)) {
      versions.forget(of.stream);
      return reject(errc::version_conflict, "stream " + of.stream + " is not at version " +
                                                std::to_string(of.version) + " any more");
    }
    become_fenced();
    return reject(errc::fenced, "another server writes");
  } catch (const std::exception&) {
    const auto trouble = trouble_of_current(session->connection());
    note(trouble);
    return answer_of(trouble);
  }
}

}  // namespace reeve::persistence
