#pragma once
// What the calls of docker_engine have in common.

#include "adapters/docker/container_rules.hpp"
#include "adapters/docker/docker_answers.hpp"
#include "adapters/docker/docker_engine.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace reeve::adapters {

/// How long a question may take.
inline constexpr std::int64_t read_ms = 5'000;

inline http_call get(std::string target, std::size_t max_body = 4 << 20) {
  return {.method = "GET",
          .target = std::move(target),
          .deadline_ms = read_ms,
          .idempotent = true,
          .max_body = max_body};
}

inline std::string container_path(const std::string& container, std::string_view verb) {
  return "/containers/" + container + std::string{verb};
}

template <class T>
bool refuse_name(const std::string& name, const reply_slot<T>& slot) {
  if (is_object_name(name)) return false;
  slot.answer(reject(errc::invalid, "must be 1..128 characters [a-zA-Z0-9_.-]", "/container"));
  return true;
}

template <class T>
void docker_engine::request(http_call call, reply_slot<T> slot, reader<T> read) {
  send_versioned(std::move(call),
                 [slot = std::move(slot), read = std::move(read)](outcome<http_answer> answer) {
                   if (!answer) return slot.answer(answer.error());
                   bool good = answer->status / 100 == 2 || answer->status == 304;
                   if (!good) return slot.answer(refusal(answer->status, answer->body));
                   slot.answer(read(*answer));
                 });
}

}  // namespace reeve::adapters
