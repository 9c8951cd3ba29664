#pragma once
// The generic executor of an aggregate: keeps recently used states, loads a stream on a miss, has
// one append in flight per stream, runs `decide`, appends, answers with the state after. A conflict
// without If-Match is decided again on the fresh state, three times. A run actor is the long-lived
// form of the same.

#include "actors/append_of.hpp"
#include "actors/command_port.hpp"
#include "actors/continuation.hpp"
#include "actors/journal_port.hpp"
#include "actors/rebuild.hpp"
#include "base/log.hpp"

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace reeve::actors {

template <class State>
struct execute {
  using event = typename domain::aggregate_of<State>::event;
  using decide_fn = std::function<outcome<std::vector<event>>(const State&)>;

  uuid tenant;
  uuid id;
  decide_fn decide;  // none = only fetch the state
  domain::event_meta meta;
  std::optional<domain::version> if_match;
  std::vector<persistence::stream_version> guard;
  std::optional<persistence::command_key> command;
  actors::lane lane = actors::lane::external;
  reply_slot<executed<State>> slot;
  int tries = 0;
};

/// Lives inside an actor (see `spawn_executor`); all methods run there.
template <class State>
class executor {
 public:
  using op = std::shared_ptr<execute<State>>;
  using event = typename execute<State>::event;
  static constexpr std::size_t kept_states = 4096;

  executor(caf::actor self, journal_port& journal, persistence::read_port& reads)
      : self_(std::move(self)), journal_(journal), reads_(reads) {}

  void submit(op what) {
    if (!what->command) return enqueue(std::move(what));
    const auto& key = *what->command;
    using known = std::optional<persistence::read_port::known_command>;
    reads_.command(key.tenant, key.principal, key.route, key.key,
                   resume_with<known>(self_, [this, what](outcome<known> found) {
                     if (!found) return what->slot.answer(found.error());
                     if (!*found) return enqueue(what);
                     answer_again(what, **found);
                   }));
  }

 private:
  struct entry {
    std::shared_ptr<const State> state;
    std::deque<op> waiting;
    bool busy = false;
    std::list<std::string>::iterator used;
  };

  void enqueue(op what) {
    const std::string stream = domain::stream_of<State>(what->id);
    auto [it, fresh] = entries_.try_emplace(stream);
    if (fresh) {
      it->second.used = order_.insert(order_.begin(), stream);
      forget_oldest();
    } else {
      order_.splice(order_.begin(), order_, it->second.used);
    }
    it->second.waiting.push_back(std::move(what));
    advance(stream);
  }

  void advance(const std::string& stream) {
    auto& e = entries_.at(stream);
    while (!e.busy && !e.waiting.empty()) {
      if (!e.state) return load(stream, e);
      auto what = std::move(e.waiting.front());
      e.waiting.pop_front();
      decide(stream, e, std::move(what));
    }
  }

  void load(const std::string& stream, entry& e) {
    e.busy = true;
    using answer = std::shared_ptr<const State>;
    rebuild<State>(reads_, e.waiting.front()->tenant, stream, no_end,
                   resume_with<answer>(self_, [this, stream](outcome<answer> state) {
                     auto& here = entries_.at(stream);
                     here.busy = false;
                     if (state) {
                       here.state = *state;
                       return advance(stream);
                     }
                     for (auto& w : std::exchange(here.waiting, {})) w->slot.answer(state.error());
                   }));
  }

  void decide(const std::string& stream, entry& e, op what) {
    if (!what->decide) return what->slot.answer(executed<State>{e.state, 0, false});
    const auto version = e.state->stream_version;
    if (what->if_match && *what->if_match != version) {
      return what->slot.answer(reject(errc::precondition_failed,
                                      "the resource is at version " + std::to_string(version)));
    }
    auto events = decided(*what, *e.state);
    if (!events) return what->slot.answer(events.error());
    if (events->empty()) return what->slot.answer(executed<State>{e.state, 0, false});
    e.busy = true;
    auto request = append_of<State>(e.state, *events, what->tenant, stream, what->meta);
    request.guard = what->guard;
    request.command = what->command;
    using result = persistence::append_result;
    auto shared = std::make_shared<std::vector<event>>(std::move(*events));
    journal_.append(std::move(request), what->lane,
                    resume_with<result>(self_, [this, stream, what, shared](outcome<result> r) {
                      appended(stream, what, *shared, std::move(r));
                    }));
  }

  /// A decider that throws is a 500 and nothing else.
  outcome<std::vector<event>> decided(const execute<State>& what, const State& state) {
    try {
      return what.decide(state);
    } catch (...) {
      log_error("a decider threw", {{"aggregate", domain::aggregate_of<State>::prefix}});
      return reject(errc::internal, "the command could not be decided");
    }
  }

  void appended(const std::string& stream, const op& what, const std::vector<event>& events,
                outcome<persistence::append_result> result) {
    auto& e = entries_.at(stream);
    e.busy = false;
    if (!result) {
      // Nobody knows here what the database holds now: the next command loads the stream again.
      e.state = nullptr;
      const bool again = result.error().code == errc::version_conflict && !what->if_match;
      if (again && what->guard.empty() && ++what->tries < 3) {
        e.waiting.push_front(what);
      } else {
        what->slot.answer(result.error());
      }
    } else if (result->replayed) {
      answer_first_time(what);
    } else {
      e.state = after<State>(e.state, events, result->stamps, what->tenant, what->meta.principal);
      what->slot.answer(executed<State>{e.state, result->last_position, false});
    }
    advance(stream);
  }

  void answer_first_time(const op& what) {
    using known = std::optional<persistence::read_port::known_command>;
    const auto& key = *what->command;
    reads_.command(key.tenant, key.principal, key.route, key.key,
                   resume_with<known>(self_, [this, what](outcome<known> found) {
                     if (!found) return what->slot.answer(found.error());
                     if (!*found) return what->slot.answer(reject(errc::unavailable, "try again"));
                     answer_again(what, **found);
                   }));
  }

  void answer_again(const op& what, const persistence::read_port::known_command& known) {
    if (known.request_digest != what->command->request_digest) {
      return what->slot.answer(
          reject(errc::key_reused, "the idempotency key stands for another request"));
    }
    const auto last = known.first_position + known.count - 1;
    using answer = std::shared_ptr<const State>;
    rebuild<State>(reads_, what->tenant, known.stream, last,
                   resume_with<answer>(self_, [what, last](outcome<answer> state) {
                     if (!state) return what->slot.answer(state.error());
                     what->slot.answer(executed<State>{*state, last, true});
                   }));
  }

  void forget_oldest() {
    for (auto it = order_.end(); order_.size() > kept_states && it != order_.begin();) {
      --it;
      auto found = entries_.find(*it);
      if (found->second.busy || !found->second.waiting.empty()) continue;
      entries_.erase(found);
      it = order_.erase(it);
    }
  }

  caf::actor self_;
  journal_port& journal_;
  persistence::read_port& reads_;
  std::unordered_map<std::string, entry> entries_;
  std::list<std::string> order_;  // most recently used first
};

}  // namespace reeve::actors
