#pragma once
// Idempotency keys: which are being worked on in this process, and what a known one is answered.

#include "actors/command_port.hpp"
#include "actors/rebuild.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tuple>

namespace reeve::actors {

/// The keys of requests that have not been answered yet. Thread-safe.
class command_keys {
 public:
  /// False: the same key is being worked on.
  bool enter(const persistence::command_key& key) {
    const std::lock_guard lock(mutex_);
    return open_.insert(place_of(key)).second;
  }
  void leave(const persistence::command_key& key) {
    const std::lock_guard lock(mutex_);
    open_.erase(place_of(key));
  }

 private:
  using place = std::tuple<uuid, std::string, std::string, std::string>;
  static place place_of(const persistence::command_key& k) {
    return {k.tenant, k.principal, k.route, k.key};
  }

  std::mutex mutex_;
  std::set<place> open_;
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
                  if ((*found)->request_digest != asked) {
                    return slot.answer(
                        reject(errc::key_reused, "the idempotency key stands for another request"));
                  }
                  const auto count = (*found)->count;
                  // A command that changed nothing has no event; its stream had this one last.
                  const auto last = (*found)->first_position + (count > 0 ? count - 1 : 0);
                  using answer = std::shared_ptr<const State>;
                  rebuild<State>(
                      reads, tenant, (*found)->stream, last,
                      reply_slot<answer>([slot, at = count > 0 ? last : 0](outcome<answer> state) {
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
