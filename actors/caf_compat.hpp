#pragma once
// The one place that knows which CAF it is: 0.17 (Debian 12) or 1.x, which changed sending,
// requests, monitors and the access to state. Everything in actors/ uses these names instead.
//
// Messages are structs, never atoms, and stay inside the process: each is announced once, outside
// of any namespace, with REEVE_LOCAL_MSG(reeve::actors::its_type). Such messages need no type id
// block and are never serialised, so they may carry functions and reply slots.

#include "base/metrics.hpp"

#include <caf/actor_system.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/system_messages.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <type_traits>
#include <unordered_map>
#include <utility>

#if defined(CAF_MAJOR_VERSION) && CAF_MAJOR_VERSION >= 1
#define REEVE_CAF1 1
#else
#define REEVE_CAF1 0
#endif

#define REEVE_LOCAL_MSG(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)

namespace reeve::actors::cc {

/// Every message that is put into a mailbox through this file is counted: what a command costs in
/// hops between actors is a figure of `bench/run launch`, and one that operators can watch.
inline void count_message() {
  static const metric_counter messages = process_metrics().counter(
      "reeve_mailbox_messages_total", "Messages put into the mailboxes of actors");
  messages.add();
}

/// Sends from inside an actor; nobody waits for an answer.
template <class Self, class Handle, class Message>
void tell(Self* self, const Handle& to, Message&& message) {
  count_message();
#if REEVE_CAF1
  self->mail(std::forward<Message>(message)).send(to);
#else
  self->send(to, std::forward<Message>(message));
#endif
}

/// Sends from anywhere, also from threads that are no actors.
template <class Handle, class Message>
void post(const Handle& to, Message&& message) {
  count_message();
#if REEVE_CAF1
  caf::anon_mail(std::forward<Message>(message)).send(to);
#else
  caf::anon_send(to, std::forward<Message>(message));
#endif
}

/// Like post, but ahead of the ordinary messages that wait in the mailbox: the lane of exits,
/// downs, timers and answers of inits.
template <class Handle, class Message>
void post_urgent(const Handle& to, Message&& message) {
  count_message();
#if REEVE_CAF1
  caf::anon_mail(std::forward<Message>(message)).urgent().send(to);
#else
  caf::anon_send<caf::message_priority::high>(to, std::forward<Message>(message));
#endif
}

/// A delayed message; CAF's clock is monotonic, and virtual in tests with the testing scheduler.
template <class Self, class Rep, class Period, class Handle, class Message>
void tell_after(Self* self, std::chrono::duration<Rep, Period> delay, const Handle& to,
                Message&& message) {
  count_message();
#if REEVE_CAF1
  self->mail(std::forward<Message>(message)).delay(delay).send(to);
#else
  self->delayed_send(to, delay, std::forward<Message>(message));
#endif
}

/// A delayed message to itself that does not queue behind ordinary ones.
template <class Self, class Rep, class Period, class Message>
void wake_after(Self* self, std::chrono::duration<Rep, Period> delay, Message&& message) {
  count_message();
#if REEVE_CAF1
  self->mail(std::forward<Message>(message)).urgent().delay(delay).send(caf::actor{self});
#else
  self->template delayed_send<caf::message_priority::high>(caf::actor{self}, delay,
                                                           std::forward<Message>(message));
#endif
}

/// A request with its finite timeout; continue with `.then(on_value, on_error)`. A handler for an
/// answer of void is `[] {}`.
template <class Self, class Handle, class Message>
auto ask(Self* self, const Handle& to, std::chrono::milliseconds timeout, Message&& message) {
  count_message();
#if REEVE_CAF1
  return self->mail(std::forward<Message>(message)).request(to, timeout);
#else
  return self->request(to, timeout, std::forward<Message>(message));
#endif
}

/// The state of a stateful actor.
template <class Self>
auto& state_of(Self* self) {
#if REEVE_CAF1
  return self->state();
#else
  return self->state;
#endif
}

/// Microseconds of CAF's clock: monotonic, its zero means nothing.
template <class Self>
std::int64_t now_us(Self* self) {
  const auto since = self->system().clock().now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

/// Makes an actor keep its troubles to itself: CAF's own handlers print what() of an exception and
/// whole unexpected messages to stderr, which may hold what must not be logged. An exception still
/// ends the actor; an unexpected message is still answered with an error.
template <class Self>
void keep_quiet(Self* self) {
#if REEVE_CAF1
  self->set_exception_handler(
      [](std::exception_ptr&) -> caf::error { return caf::make_error(caf::sec::runtime_error); });
  self->set_default_handler([](caf::message&) -> caf::skippable_result {
    return caf::make_error(caf::sec::unexpected_message);
  });
#else
  self->set_exception_handler([](caf::scheduled_actor*, std::exception_ptr&) -> caf::error {
    return caf::make_error(caf::exit_reason::unhandled_exception);
  });
  self->set_default_handler(caf::drop);
#endif
}

/// Spawns a function actor that keeps quiet from its first instruction on. `Impl` is the actor
/// class: caf::event_based_actor or caf::stateful_actor<some_state>; `init` is called as
/// init(Impl*, arguments...) and gives the behaviour. All actors of Reeve are spawned through this.
template <class Impl, caf::spawn_options Options = caf::no_spawn_options, class Init, class... Args>
auto spawn(caf::actor_system& system, Init init, Args&&... args) {
  return system.spawn<Options>(
      [init = std::move(init)](Impl* self, std::decay_t<Args>... each) {
        keep_quiet(self);
        return init(self, std::move(each)...);
      },
      std::forward<Args>(args)...);
}

/// Asks an actor to stop: ahead of its waiting messages, it may clean up in its exit handler.
inline void stop(const caf::actor& whom) {
  post_urgent(whom, caf::exit_msg{whom.address(), caf::exit_reason::user_shutdown});
}

/// Ends an actor at its next message without asking. A plain kill queues behind whatever waits
/// (FACTS: 56 s behind 50,000 messages of 1 ms; with high priority 2 ms).
inline void kill_now(const caf::actor& whom) {
  post_urgent(whom, caf::exit_msg{whom.address(), caf::exit_reason::kill});
}

/// Monitors with one function per watched actor, which 0.17 does not have by itself. A member of
/// the actor's state; `install` it once. An actor that is already gone is reported too.
class monitor_table {
 public:
  using function = std::function<void(const caf::error&)>;

  template <class Self>
  void install([[maybe_unused]] Self* self) {
#if !REEVE_CAF1
    self->set_down_handler([this](caf::down_msg& down) {
      const auto found = watched_.find(down.source);
      if (found == watched_.end()) return;
      const auto call = std::move(found->second);
      watched_.erase(found);
      call(down.reason);
    });
#endif
  }

  template <class Self>
  void watch(Self* self, const caf::actor& whom, function call) {
#if REEVE_CAF1
    self->monitor(whom, [call = std::move(call)](const caf::error& why) { call(why); });
#else
    watched_.insert_or_assign(whom.address(), std::move(call));
    self->template monitor<caf::message_priority::high>(whom);
#endif
  }

 private:
  std::unordered_map<caf::actor_addr, function> watched_;
};

/// Calls `call` once when the actor is gone, on whatever thread that happens.
template <class Function>
void when_gone(const caf::actor& whom, Function call) {
  whom->attach_functor([call = std::move(call)](const caf::error& why) { call(why); });
}

}  // namespace reeve::actors::cc
