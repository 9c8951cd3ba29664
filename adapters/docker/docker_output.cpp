// The output of containers: the calls of docker_engine that take it in as it comes.

#include "adapters/docker/docker_calls.hpp"
#include "adapters/docker/log_follow.hpp"
#include "adapters/docker/output_reader.hpp"

namespace reeve::adapters {
namespace {

// As much as an engine keeps of a container (log_bytes) at its most.
constexpr std::size_t max_output_bytes = 1 << 30;

}  // namespace

/// It is taken in as it comes, because an engine keeps many times of what is kept here.
void docker_engine::output(std::string container, std::size_t bytes_each,
                           std::shared_ptr<call_stopper> stopper, reply_slot<kept_output> slot) {
  if (refuse_name(container, slot)) return;
  auto taken = std::make_shared<output_reader>(bytes_each);
  // Stamped, because what a job writes may begin with a time of its own.
  auto call =
      get(container_path(container, "/logs?timestamps=1&stdout=1&stderr=1"), max_output_bytes);
  call.deadline_ms = options_.output_ms;
  call.silence_ms = options_.output_silence_ms;
  call.sink = taken;
  call.stopper = std::move(stopper);
  request<kept_output>(std::move(call), std::move(slot),
                       [taken](const http_answer&) { return taken->finish(); });
}

void docker_engine::follow(std::string container, std::shared_ptr<output_sink> to,
                           std::shared_ptr<call_stopper> stopper, reply_slot<done> slot) {
  if (refuse_name(container, slot)) return;
  // That it was cut is what was asked for then, and no fault of the engine's.
  reply_slot<done> ended([stopper, slot](outcome<done> how) {
    slot.answer(stopper->is_stopped() ? outcome<done>(done{}) : std::move(how));
  });
  const auto path = container_path(container, "/logs?timestamps=1&stdout=1&stderr=1");
  log_follow::questions ask;
  ask.readers = output_readers_;
  ask.read = [this, path, stopper](int last_lines, auto sink, auto answer) {
    auto call = get(path, SIZE_MAX);
    if (last_lines > 0) call.target += "&tail=" + std::to_string(last_lines);
    call.deadline_ms = 0;
    call.silence_ms = options_.output_silence_ms;
    take_in(std::move(call), sink, stopper, answer);
  };
  ask.follow = [this, path, stopper](auto sink, auto answer) {
    auto call = get(path + "&follow=1", SIZE_MAX);
    call.deadline_ms = 0;
    take_in(std::move(call), sink, stopper, answer);
  };
  ask.wait = [this, path, stopper](std::int64_t after_ms, auto sink, auto answer) {
    auto call = get(path + "&follow=1&tail=1", SIZE_MAX);
    call.pause_ms = after_ms;
    take_in(std::move(call), sink, stopper, answer);
  };
  std::make_shared<log_follow>(std::move(to), ask, std::size_t{default_log_bytes}, ended)->begin();
}

void docker_engine::take_in(http_call call, std::shared_ptr<body_sink> to,
                            std::shared_ptr<call_stopper> stopper, reply_slot<done> slot) {
  // What was taken is not taken again.
  call.idempotent = false;
  call.sink = std::move(to);
  call.stopper = std::move(stopper);
  request<done>(std::move(call), std::move(slot), [](const http_answer&) { return done{}; });
}

}  // namespace reeve::adapters
