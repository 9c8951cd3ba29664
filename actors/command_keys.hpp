#pragma once
// Idempotency keys: which are being worked on in this process, and what a known one is answered.

#include "actors/command_port.hpp"
#include "actors/rebuild.hpp"

#include <algorithm>
#include <any>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tuple>

namespace reeve::actors {

using command_place = std::tuple<uuid, std::string, std::string, std::string>;

inline command_place key_place(const persistence::command_key& k) {
  return {k.tenant, k.principal, k.route, k.key};
}

inline rejection is_reused() {
  return reject(errc::key_reused, "the idempotency key stands for another request");
}

/// The keys of requests that have not been answered yet. Thread-safe.
class command_keys {
 public:
  /// False: the same key is being worked on.
  bool enter(const persistence::command_key& key) {
    const std::lock_guard lock(mutex_);
    return open_.insert(key_place(key)).second;
  }
  void leave(const persistence::command_key& key) {
    const std::lock_guard lock(mutex_);
    open_.erase(key_place(key));
  }

 private:
  std::mutex mutex_;
  std::set<command_place> open_;
};

/// Answers of ports come on foreign threads, perhaps when the tree is gone. What they do with it is
/// done while the door is open, and closing it waits for those who are inside.
class door {
 public:
  /// False, and `f` was not called: it is closed. Who is inside may pass again.
  template <class F>
  bool pass(F f) {
    {
      const std::lock_guard lock(mutex_);
      if (!open_) return false;
      ++inside_;
    }
    f();
    const std::lock_guard lock(mutex_);
    if (--inside_ == 0) empty_.notify_all();
    return true;
  }
  void close() {
    std::unique_lock lock(mutex_);
    open_ = false;
    empty_.wait(lock, [this] { return inside_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable empty_;
  bool open_ = true;
  int inside_ = 0;
};

template <class State>
using maybe_executed = std::optional<executed<State>>;

/// What the newest keys were answered in this process, where making the answer again would read a
/// long stream: a request that is repeated is as a rule repeated at once. A state may be large, so
/// that few are kept, and none that a short read gives. Thread-safe.
class recent_answers {
 public:
  static constexpr std::size_t kept = 64;
  static constexpr domain::version long_stream = 100;

  template <class State>
  void put(const persistence::command_key& key, executed<State> answer) {
    if (answer.state->stream_version < long_stream) return;
    answer.replayed = true;
    const std::lock_guard lock(mutex_);
    if (!answers_.emplace(key_place(key), entry{key.request_digest, std::move(answer)}).second) {
      return;
    }
    order_.push_back(key_place(key));
    if (order_.size() <= kept) return;
    answers_.erase(order_.front());
    order_.pop_front();
  }
  /// Nothing: it is not known here any more; key_reused.
  template <class State>
  outcome<maybe_executed<State>> find(const persistence::command_key& key) const {
    const std::lock_guard lock(mutex_);
    const auto it = answers_.find(key_place(key));
    if (it == answers_.end()) return maybe_executed<State>();
    if (it->second.asked != key.request_digest) return is_reused();
    const auto* answer = std::any_cast<executed<State>>(&it->second.answer);
    return answer == nullptr ? maybe_executed<State>() : maybe_executed<State>(*answer);
  }

 private:
  struct entry {
    digest asked{};
    std::any answer;  // an executed<State>
  };
  mutable std::mutex mutex_;
  std::map<command_place, entry> answers_;
  std::deque<command_place> order_;  // the oldest first
};

/// The state that a command left, as far as its answer shows it.
template <class State>
void rebuild_answer(persistence::read_port& reads, const uuid& tenant,
                    const persistence::read_port::known_command& known,
                    reply_slot<std::shared_ptr<const State>> slot) {
  // A command that changed nothing has no event; its stream had this one last.
  const auto more = std::max<std::int64_t>(known.count, 1) - 1;
  auto from = blank_state<State>(tenant);
  if constexpr (requires { domain::aggregate_of<State>::is_answered_by_newest_event; }) {
    from->stream_version = known.first_version - 1;
  }
  rebuild_from<State>(reads, tenant, known.stream, std::move(from),
                      {known.first_position + more, known.first_version + more}, std::move(slot));
}

/// The first answer to a key, made again of the stream as it was then; nothing if the key is new,
/// key_reused if it stood for another request.
template <class State>
void first_answer(persistence::read_port& reads, const persistence::command_key& key,
                  reply_slot<maybe_executed<State>> slot) {
  using known = std::optional<persistence::read_port::known_command>;
  const auto asked = key.request_digest;
  reads.command(key.tenant, key.principal, key.route, key.key,
                reply_slot<known>([&reads, tenant = key.tenant, asked, slot](outcome<known> found) {
                  if (!found) return slot.answer(found.error());
                  if (!*found) return slot.answer(maybe_executed<State>());
                  if ((*found)->request_digest != asked) return slot.answer(is_reused());
                  const auto count = (*found)->count;
                  const auto at = count > 0 ? (*found)->first_position + count - 1 : 0;
                  using answer = std::shared_ptr<const State>;
                  rebuild_answer<State>(
                      reads, tenant, **found, reply_slot<answer>([slot, at](outcome<answer> state) {
                        if (!state) return slot.answer(state.error());
                        slot.answer(maybe_executed<State>(executed<State>{*state, at, true}));
                      }));
                }));
}

/// For an append that turned out to have been made before: the key is known now.
template <class State>
void answer_first_time(persistence::read_port& reads, const persistence::command_key& key,
                       state_slot<State> slot) {
  first_answer<State>(reads, key,
                      reply_slot<maybe_executed<State>>([slot](outcome<maybe_executed<State>> r) {
                        if (!r) return slot.answer(r.error());
                        if (!*r) return slot.answer(reject(errc::unavailable, "try again"));
                        slot.answer(std::move(**r));
                      }));
}

}  // namespace reeve::actors
