#pragma once
// Answers of ports come on foreign threads; actors take them up on their own. `resume_with` makes a
// slot that posts its answer to the actor as one message; an actor that has died by then drops it.

#include "actors/caf_compat.hpp"
#include "base/slot.hpp"

#include <functional>
#include <memory>
#include <utility>

namespace reeve::actors {

/// Runs in the actor that receives it.
struct continuation {
  std::function<void()> run;
};

}  // namespace reeve::actors

REEVE_LOCAL_MSG(reeve::actors::continuation)

namespace reeve::actors {

template <class T, class F>
reply_slot<T> resume_with(const caf::actor& self, F f) {
  return reply_slot<T>([self, f = std::move(f)](outcome<T> result) mutable {
    auto held = std::make_shared<outcome<T>>(std::move(result));
    cc::post(self, continuation{[f, held]() mutable { f(std::move(*held)); }});
  });
}

}  // namespace reeve::actors
