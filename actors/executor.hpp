#pragma once
// The generic executor of an aggregate: keeps recently used states, loads a stream on a miss, has
// one append in flight per stream, runs `decide`, appends, answers with the state after. A conflict
// of a command for any version is decided again on the fresh state, three times. Whether the
// command's key is new was looked up before. A run actor is the long-lived form of the same.

#include "actors/append_of.hpp"
#include "actors/command_keys.hpp"
#include "actors/command_port.hpp"
#include "actors/continuation.hpp"
#include "actors/journal_port.hpp"
#include "actors/rebuild.hpp"
#include "base/log.hpp"

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace reeve::actors {

template <class State>
struct execute_op {
  using event = typename domain::aggregate_of<State>::event;

  uuid tenant;
  uuid id;
  std::optional<domain::command_of<State>> what;  // none = only fetch the state
  domain::event_meta meta;
  std::optional<domain::version> as_of;
  std::optional<persistence::command_key> command;
  state_slot<State> slot;
  int tries = 0;
};

/// What one tenant sees under an id. Two tenants never share a place: to each the other's stream is
/// not there, whoever asked first.
struct place {
  uuid tenant;
  uuid id;
  bool operator==(const place&) const = default;
};
struct place_hash {
  std::size_t operator()(const place& p) const noexcept {
    return std::hash<uuid>()(p.tenant) * 31 + std::hash<uuid>()(p.id);
  }
};

/// The states that an executor has at hand, for whoever may see one that is about to change: a
/// launch guards what it has read. Thread-safe.
template <class State>
class state_board {
 public:
  std::shared_ptr<const State> find(const place& where) const {
    const std::lock_guard lock(mutex_);
    const auto it = states_.find(where);
    return it == states_.end() ? nullptr : it->second;
  }
  void put(const place& where, std::shared_ptr<const State> state) {
    const std::lock_guard lock(mutex_);
    states_[where] = std::move(state);
  }
  void drop(const place& where) {
    const std::lock_guard lock(mutex_);
    states_.erase(where);
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    states_.clear();
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<place, std::shared_ptr<const State>, place_hash> states_;
};

/// Lives inside an actor (see `executor_front`); all methods run there.
template <class State>
class executor {
 public:
  using op = std::shared_ptr<execute_op<State>>;
  using event = typename execute_op<State>::event;
  static constexpr std::size_t kept_states = 4096;

  executor(caf::actor self, journal_port& journal, persistence::read_port& reads,
           std::shared_ptr<state_board<State>> board)
      : self_(std::move(self)), journal_(journal), reads_(reads), board_(std::move(board)) {}

  void submit(op what) {
    const place where{what->tenant, what->id};
    auto [it, fresh] = entries_.try_emplace(where);
    if (fresh) {
      it->second.used = order_.insert(order_.begin(), where);
    } else {
      order_.splice(order_.begin(), order_, it->second.used);
    }
    it->second.waiting.push_back(std::move(what));
    if (fresh) forget_oldest();  // after it has something to do: else it may be the one
    advance(where);
  }

 private:
  struct entry {
    std::shared_ptr<const State> state;
    std::deque<op> waiting;
    bool busy = false;
    typename std::list<place>::iterator used;
  };

  void advance(const place& where) {
    auto& e = entries_.at(where);
    while (!e.busy && !e.waiting.empty()) {
      if (!e.state) return load(where, e);
      auto what = std::move(e.waiting.front());
      e.waiting.pop_front();
      decide(where, e, std::move(what));
    }
  }

  void load(const place& where, entry& e) {
    e.busy = true;
    using answer = std::shared_ptr<const State>;
    rebuild<State>(reads_, where.tenant, domain::stream_of<State>(where.id), no_end,
                   resume_with<answer>(self_, [this, where](outcome<answer> state) {
                     auto& here = entries_.at(where);
                     here.busy = false;
                     if (state) {
                       set(where, here, *state);
                       return advance(where);
                     }
                     for (auto& w : std::exchange(here.waiting, {})) w->slot.answer(state.error());
                   }));
  }

  void decide(const place& where, entry& e, op what) {
    if (!what->what) return what->slot.answer(executed<State>{e.state, 0, false});
    const auto version = e.state->stream_version;
    if (what->as_of && *what->as_of != version) {
      return what->slot.answer(reject(errc::version_conflict, "another change came first"));
    }
    auto events = decided(*what, *e.state);
    if (!events) return what->slot.answer(events.error());
    // What changes nothing keeps its key all the same, for the state that it was answered with.
    const bool keeps_key = what->command && version > 0;
    if (events->empty() && !keeps_key) {
      return what->slot.answer(executed<State>{e.state, 0, false});
    }
    e.busy = true;
    auto request = append_of<State>(e.state, *events, where.tenant,
                                    domain::stream_of<State>(where.id), what->meta);
    request.command = what->command;
    using result = persistence::append_result;
    auto shared = std::make_shared<std::vector<event>>(std::move(*events));
    journal_.append(std::move(request), lane::external,
                    resume_with<result>(self_, [this, where, what, shared](outcome<result> r) {
                      appended(where, what, *shared, std::move(r));
                    }));
  }

  /// A decider that throws is a 500 and nothing else.
  outcome<std::vector<event>> decided(const execute_op<State>& what, const State& state) {
    try {
      return std::visit([&](const auto& command) { return domain::decide(state, command); },
                        *what.what);
    } catch (...) {
      log_error("a decider threw", {{"aggregate", domain::aggregate_of<State>::prefix}});
      return reject(errc::internal, "the command could not be decided");
    }
  }

  void appended(const place& where, const op& what, const std::vector<event>& events,
                outcome<persistence::append_result> result) {
    auto& e = entries_.at(where);
    e.busy = false;
    if (!result) {
      // Nobody knows here what the database holds now: the next command loads the stream again.
      set(where, e, nullptr);
      const bool again = result.error().code == errc::version_conflict && !what->as_of;
      if (again && ++what->tries < 3) {
        e.waiting.push_front(what);
      } else {
        what->slot.answer(result.error());
      }
    } else if (result->replayed) {
      answer_first_time<State>(reads_, *what->command, what->slot);
    } else {
      set(where, e,
          after<State>(e.state, events, result->stamps, where.tenant, what->meta.principal));
      const auto at = events.empty() ? 0 : result->last_position;
      what->slot.answer(executed<State>{e.state, at, false});
    }
    advance(where);
  }

  /// Put up before anybody is answered, so that who made a change sees it there.
  void set(const place& where, entry& e, std::shared_ptr<const State> state) {
    e.state = std::move(state);
    e.state ? board_->put(where, e.state) : board_->drop(where);
  }

  void forget_oldest() {
    for (auto it = order_.end(); order_.size() > kept_states && it != order_.begin();) {
      --it;
      auto found = entries_.find(*it);
      if (found->second.busy || !found->second.waiting.empty()) continue;
      board_->drop(*it);
      entries_.erase(found);
      it = order_.erase(it);
    }
  }

  caf::actor self_;
  journal_port& journal_;
  persistence::read_port& reads_;
  std::shared_ptr<state_board<State>> board_;
  std::unordered_map<place, entry, place_hash> entries_;
  std::list<place> order_;  // most recently used first
};

}  // namespace reeve::actors
