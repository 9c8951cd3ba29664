#pragma once
// Given events, when a decision, then events: the little that tests of aggregates share.

#include "base/ids.hpp"
#include "base/outcome.hpp"
#include "domain/aggregate.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace steps {

inline constexpr std::string_view writer = "token:writer";

/// A fixed id for each number.
inline reeve::uuid id_of(int n) {
  reeve::uuid id;
  id.bytes[0] = 1;
  id.bytes[14] = static_cast<std::uint8_t>(n >> 8);
  id.bytes[15] = static_cast<std::uint8_t>(n);
  return id;
}

inline const reeve::uuid tenant = id_of(0x7777);

/// The nth event of a stream: position 10 n, recorded at 1000 n.
template <class State>
reeve::domain::evolve_context next_context(const State& state) {
  const auto n = state.stream_version + 1;
  return {{n * 10, n, n * 1000}, tenant, writer};
}

/// The parameters of a task, which has to be of that kind.
template <class Params, class Task>
Params& as(Task& task) {
  return std::get<Params>(task.params);
}

/// The decision was made; its events become part of the state.
template <class State, class Event>
void take(State& state, const reeve::outcome<std::vector<Event>>& events) {
  ASSERT_TRUE(events) << events.error().detail << " " << events.error().field;
  for (const auto& e : *events) evolve(state, e, next_context(state));
}

template <class T>
reeve::errc code_of(const reeve::outcome<T>& result) {
  EXPECT_FALSE(result) << "it was accepted";
  return result ? reeve::errc::internal : result.error().code;
}

/// One row of a table of refusals: how a good value is spoilt, and the pointer that must be named.
template <class T>
struct spoilt {
  std::string pointer;
  std::function<void(T&)> spoil;
};

inline const std::string accepted = "accepted";

/// The pointer of a refusal; "accepted" if there is none, and the code if it is not `invalid`.
template <class T>
std::string pointer_of(const reeve::outcome<T>& result) {
  if (result) return accepted;
  if (result.error().code != reeve::errc::invalid) {
    return std::string(name_of(result.error().code)) + " " + result.error().field;
  }
  EXPECT_FALSE(result.error().detail.empty());
  return result.error().field;
}

}  // namespace steps
