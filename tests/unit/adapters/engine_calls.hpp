#pragma once
// Waiting for the answers of an asynchronous engine, for tests only.

#include "adapters/engine_port.hpp"

#include <chrono>
#include <functional>
#include <future>
#include <memory>

namespace engine_calls {

/// A slot and the future that it fulfils.
template <class T>
struct pending {
  std::shared_ptr<std::promise<reeve::outcome<T>>> promise =
      std::make_shared<std::promise<reeve::outcome<T>>>();
  std::future<reeve::outcome<T>> future = promise->get_future();

  reeve::reply_slot<T> slot() const {
    return reeve::reply_slot<T>{
        [p = promise](reeve::outcome<T> answer) { p->set_value(std::move(answer)); }};
  }
  bool ready_within(int seconds) {
    return future.wait_for(std::chrono::seconds(seconds)) == std::future_status::ready;
  }
  reeve::outcome<T> take(int seconds = 60) {
    if (!ready_within(seconds)) return reeve::reject(reeve::errc::internal, "TEST: no answer");
    return future.get();
  }
};

/// Calls and waits: ask<done>([&](auto slot) { engine.ping(slot); }).
template <class T>
reeve::outcome<T> ask(const std::function<void(reeve::reply_slot<T>)>& call) {
  pending<T> answer;
  call(answer.slot());
  return answer.take();
}

/// The code of a failure, or nothing that any call answers.
template <class T>
std::string code_of(const reeve::outcome<T>& answer) {
  return answer ? "ok" : std::string{reeve::name_of(answer.error().code)};
}

}  // namespace engine_calls
