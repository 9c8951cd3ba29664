#include "adapters/docker/container_rules.hpp"
#include "adapters/docker/docker_answers.hpp"
#include "adapters/docker/docker_engine.hpp"

namespace reeve::adapters {
namespace {

/// The engine mounts the container's file system for it, as it does for an archive.
constexpr std::int64_t look_ms = 30'000;

}  // namespace

void docker_engine::look_at(std::string container, std::string path, reply_slot<path_kind> slot) {
  if (!is_object_name(container)) {
    slot.answer(reject(errc::invalid, "must be 1..128 characters [a-zA-Z0-9_.-]", "/container"));
    return;
  }
  http_call call{.method = "HEAD",
                 .target = "/containers/" + container + "/archive?path=" + url_encode(path),
                 .deadline_ms = look_ms,
                 .idempotent = true};
  send_versioned(std::move(call), [slot = std::move(slot)](outcome<http_answer> answer) {
    if (!answer) return slot.answer(answer.error());
    if (answer->status / 100 != 2) return slot.answer(refusal(answer->status, answer->body));
    slot.answer(parse_path_stat(answer->path_stat));
  });
}

}  // namespace reeve::adapters
