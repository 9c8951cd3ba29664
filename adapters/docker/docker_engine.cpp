#include "adapters/docker/docker_engine.hpp"

#include "adapters/docker/container_rules.hpp"
#include "adapters/docker/docker_answers.hpp"
#include "adapters/docker/docker_body.hpp"
#include "adapters/docker/docker_calls.hpp"
#include "adapters/docker/docker_details.hpp"
#include "adapters/docker/log_frames.hpp"

#include <algorithm>

namespace reeve::adapters {
namespace {

// How long a call may take; a stop its grace and 10 s more, a transfer this long without a byte.
constexpr std::int64_t ping_ms = 1'000;
constexpr std::int64_t change_ms = 30'000;
constexpr std::int64_t transfer_ms = 60'000;
constexpr std::size_t max_list_bytes = 64 << 20;
constexpr std::size_t max_tar_bytes = 256 << 20;
constexpr std::size_t min_log_bytes = 128 << 10;
constexpr std::size_t max_log_bytes = 16 << 20;
// The engine splits its log into parts of 16 KiB: a multiple keeps lines and parts aligned, so
// that a reader can go on after any line.
constexpr std::size_t max_line_bytes = 4 * 16'384;

http_call change(fencing_token by, std::string method, std::string target,
                 std::int64_t deadline_ms = change_ms) {
  return {.method = std::move(method),
          .target = std::move(target),
          .deadline_ms = deadline_ms,
          .by = by};
}

http_call post_json(fencing_token by, std::string target, std::string body) {
  auto call = change(by, "POST", std::move(target));
  call.body = std::move(body);
  call.content_type = "application/json";
  return call;
}

/// Nothing of the call itself was sent, whatever happened to the question before it.
rejection not_sent(const rejection& why) {
  return reject(errc::engine_unavailable, why.detail);
}

}  // namespace

docker_engine::docker_engine(docker_options options)
    : options_(std::move(options)),
      http_(options_.socket_path, options_.max_open, options_.allows) {}

docker_engine::~docker_engine() = default;

void docker_engine::forget_api() {
  std::lock_guard lock{mutex_};
  api_.clear();
}

void docker_engine::with_api(std::function<void(outcome<std::string>)> next) {
  std::unique_lock lock{mutex_};
  if (!api_.empty()) {
    auto api = api_;
    lock.unlock();
    next(api);
    return;
  }
  lock.unlock();
  http_.send(get("/version"), [this, next = std::move(next)](outcome<http_answer> answer) {
    if (!answer) return next(not_sent(answer.error()));
    if (answer->status != 200) return next(not_sent(refusal(answer->status, answer->body)));
    auto range = parse_version(answer->body);
    if (!range) return next(not_sent(range.error()));
    auto api = negotiate(*range);
    if (api) {
      std::lock_guard guard{mutex_};
      api_ = *api;
    }
    next(std::move(api));
  });
}

void docker_engine::send_versioned(http_call call, docker_http::callback answer) {
  auto send = [this, call = std::move(call),
               answer = std::move(answer)](outcome<std::string> api) mutable {
    if (!api) return answer(api.error());
    call.target = "/v" + *api + call.target;
    http_.send(std::move(call), [this, answer](outcome<http_answer> result) {
      if (!result && result.error().code == errc::engine_unavailable) forget_api();
      answer(std::move(result));
    });
  };
  with_api(std::move(send));
}

void docker_engine::request(http_call call, reply_slot<done> slot) {
  request<done>(std::move(call), std::move(slot),
                [](const http_answer&) -> outcome<done> { return done{}; });
}

void docker_engine::ping(reply_slot<done> slot) {
  http_call call{.method = "GET", .target = "/_ping", .deadline_ms = ping_ms};
  http_.send(std::move(call), [slot = std::move(slot)](outcome<http_answer> answer) {
    if (!answer) return slot.answer(answer.error());
    if (answer->status != 200) return slot.answer(refusal(answer->status, answer->body));
    slot.answer(done{});
  });
}

void docker_engine::version_info(reply_slot<engine_version> slot) {
  forget_api();
  with_api([this, slot = std::move(slot)](outcome<std::string> api) {
    if (!api) return slot.answer(api.error());
    engine_version version;
    version.api_version = *api;
    auto with_version = [this, slot, version](const http_answer& answer) mutable -> outcome<done> {
      auto range = parse_version(answer.body);
      if (!range) return range.error();
      version.version = range->engine;
      request<engine_version>(get("/info"), slot,
                              [version](const http_answer& info) -> outcome<engine_version> {
                                auto about = parse_info(info.body);
                                if (!about) return about.error();
                                auto full = version;
                                full.live_restore = about->live_restore;
                                full.id = about->id;
                                full.now = about->now;
                                full.data_root = about->data_root;
                                return full;
                              });
      return done{};
    };
    // A success goes on to /info; only a failure answers here.
    reply_slot<done> failed{[slot](outcome<done> result) {
      if (!result) slot.answer(result.error());
    }};
    request<done>(get("/version"), failed, with_version);
  });
}

void docker_engine::inspect_image(std::string ref, reply_slot<image_info> slot) {
  if (!is_image_reference(ref)) {
    slot.answer(reject(errc::invalid, "not an image reference", "/ref"));
    return;
  }
  request<image_info>(get("/images/" + ref + "/json"), std::move(slot),
                      [](const http_answer& answer) { return parse_image(answer.body); });
}

void docker_engine::import_image(fencing_token by, tar_source tar, std::string ref,
                                 reply_slot<std::string> slot) {
  auto colon = ref.rfind(':');
  bool tagged = colon != std::string::npos && ref.find('/', colon) == std::string::npos;
  if (!is_image_reference(ref) || !tagged) {
    slot.answer(reject(errc::invalid, "must be repository:tag", "/ref"));
    return;
  }
  auto call = change(by, "POST",
                     "/images/create?fromSrc=-&repo=" + url_encode(ref.substr(0, colon)) +
                         "&tag=" + url_encode(ref.substr(colon + 1)),
                     transfer_ms);
  call.content_type = "application/x-tar";
  call.body = std::move(tar.bytes);
  call.body_path = std::move(tar.path);
  request<std::string>(std::move(call), std::move(slot),
                       [](const http_answer& answer) { return parse_import(answer.body); });
}

void docker_engine::create_volume(fencing_token by, std::string name, label_map labels,
                                  reply_slot<done> slot) {
  if (refuse_name(name, slot)) return;
  request(post_json(by, "/volumes/create", volume_body(name, labels)), std::move(slot));
}

void docker_engine::remove_volume(fencing_token by, std::string name, reply_slot<done> slot) {
  if (refuse_name(name, slot)) return;
  request(change(by, "DELETE", "/volumes/" + name), std::move(slot));
}

void docker_engine::list_volumes(std::vector<label_filter> filters,
                                 reply_slot<std::vector<volume_summary>> slot) {
  request<std::vector<volume_summary>>(
      get("/volumes?filters=" + url_encode(label_filters(filters)), max_list_bytes),
      std::move(slot), [](const http_answer& answer) { return parse_volumes(answer.body); });
}

void docker_engine::create_container(fencing_token by, container_spec spec,
                                     reply_slot<created_container> slot) {
  if (auto checked = check_container(spec); !checked) return slot.answer(checked.error());
  for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
    const auto& source = spec.mounts[i].source;
    if (is_at_or_below(options_.socket_path, source)) {
      return slot.answer(reject(errc::invalid, "the engine's socket lies below this path",
                                "/mounts/" + std::to_string(i) + "/source"));
    }
  }
  request<created_container>(
      post_json(by, "/containers/create?name=" + url_encode(spec.name), create_body(spec)),
      std::move(slot), [](const http_answer& answer) { return parse_created(answer.body); });
}

void docker_engine::put_archive(fencing_token by, std::string container, std::string path,
                                shared_bytes tar, reply_slot<done> slot) {
  if (refuse_name(container, slot)) return;
  if (!is_volume_path(path)) {
    return slot.answer(reject(errc::invalid, "must be /reeve or below it", "/path"));
  }
  if (tar->size() > max_tar_bytes) {
    return slot.answer(reject(errc::invalid, "the archive exceeds 256 MiB", "/tar"));
  }
  auto call = change(by, "PUT", container_path(container, "/archive?path=") + url_encode(path),
                     transfer_ms);
  call.content_type = "application/x-tar";
  call.shared_body = std::move(tar);
  request(std::move(call), std::move(slot));
}

void docker_engine::start(fencing_token by, std::string container, reply_slot<start_result> slot) {
  if (refuse_name(container, slot)) return;
  request<start_result>(change(by, "POST", container_path(container, "/start")), std::move(slot),
                        [](const http_answer& answer) -> outcome<start_result> {
                          return start_result{answer.status == 304};
                        });
}

void docker_engine::wait(std::string container, reply_slot<wait_result> slot) {
  if (refuse_name(container, slot)) return;
  wait_a_round(std::move(container), std::move(slot));
}

/// What happened between two rounds is no secret: whoever is told an end compares when the
/// container started.
void docker_engine::wait_a_round(std::string container, reply_slot<wait_result> slot) {
  using steady = std::chrono::steady_clock;
  http_call call{.method = "POST",
                 .target = container_path(container, "/wait?condition=not-running"),
                 .deadline_ms = options_.wait_round_ms};
  const auto over_at = steady::now() + std::chrono::milliseconds(options_.wait_round_ms);
  reply_slot<wait_result> heard([this, container, over_at, slot](outcome<wait_result> answer) {
    const bool is_silent = !answer && answer.error().code == errc::timed_out;
    if (is_silent && steady::now() >= over_at) return wait_a_round(container, slot);
    slot.answer(std::move(answer));
  });
  request<wait_result>(std::move(call), std::move(heard),
                       [](const http_answer& answer) { return parse_wait(answer.body); });
}

void docker_engine::inspect(std::string id_or_name, reply_slot<container_info> slot) {
  if (refuse_name(id_or_name, slot)) return;
  request<container_info>(get(container_path(id_or_name, "/json")), std::move(slot),
                          [](const http_answer& answer) { return parse_container(answer.body); });
}

void docker_engine::details(std::string id_or_name, reply_slot<container_details> slot) {
  if (refuse_name(id_or_name, slot)) return;
  request<container_details>(get(container_path(id_or_name, "/json")), std::move(slot),
                             [](const http_answer& answer) { return parse_details(answer.body); });
}

void docker_engine::list_networks(reply_slot<std::vector<network_summary>> slot) {
  request<std::vector<network_summary>>(
      get("/networks", max_list_bytes), std::move(slot),
      [](const http_answer& answer) { return parse_networks(answer.body); });
}

void docker_engine::list(std::vector<label_filter> filters,
                         reply_slot<std::vector<container_summary>> slot) {
  auto target = "/containers/json?all=1&limit=10000&filters=" + url_encode(label_filters(filters));
  request<std::vector<container_summary>>(
      get(std::move(target), max_list_bytes), std::move(slot),
      [](const http_answer& answer) { return parse_list(answer.body); });
}

void docker_engine::logs(std::string container, log_query query, reply_slot<log_answer> slot) {
  query.max_bytes = std::clamp(query.max_bytes, min_log_bytes, max_log_bytes);
  reply_slot<container_info> inspected{
      [this, container, query, slot = std::move(slot)](outcome<container_info> info) {
        if (!info) return slot.answer(info.error());
        fetch_logs(container, query, info->tty, slot);
      }};
  inspect(std::move(container), std::move(inspected));
}

void docker_engine::fetch_logs(const std::string& container, const log_query& query, bool tty,
                               reply_slot<log_answer> slot) {
  auto target = container_path(container, "/logs?timestamps=1");
  if (query.stdout_lines) target += "&stdout=1";
  if (query.stderr_lines) target += "&stderr=1";
  if (query.since_ns > 0) target += "&since=" + log_bound(query.since_ns);
  if (query.until_ns > 0) target += "&until=" + log_bound(query.until_ns);
  // A frame has 8 bytes of header and 31 of stamp, so short lines cost more than their text.
  auto call = get(std::move(target), 4 * query.max_bytes);
  call.deadline_ms = change_ms;
  call.cut_at_limit = true;
  request<log_answer>(std::move(call), std::move(slot),
                      [tty, query](const http_answer& answer) -> outcome<log_answer> {
                        log_demultiplexer demux{tty, {query.max_bytes, max_line_bytes}};
                        demux.feed(answer.body);
                        auto lines = demux.finish();
                        const bool cut = answer.truncated || demux.truncated();
                        const char* problem = demux.broken() && !cut ? broken_log : "";
                        if (demux.has_problem()) problem = unreadable_log;
                        return log_answer{std::move(lines), cut, problem};
                      });
}

void docker_engine::stop(fencing_token by, std::string container, int grace_s,
                         reply_slot<stop_result> slot) {
  if (refuse_name(container, slot)) return;
  auto grace = std::clamp(grace_s, 0, 3600);
  auto call = change(by, "POST", container_path(container, "/stop?t=") + std::to_string(grace),
                     grace * std::int64_t{1000} + 10'000);
  request<stop_result>(std::move(call), std::move(slot),
                       [](const http_answer& answer) -> outcome<stop_result> {
                         return stop_result{answer.status != 304};
                       });
}

void docker_engine::kill(fencing_token by, std::string container, int signal,
                         reply_slot<done> slot) {
  if (refuse_name(container, slot)) return;
  auto target = container_path(container, "/kill?signal=") + std::to_string(signal);
  request(change(by, "POST", std::move(target)), std::move(slot));
}

void docker_engine::remove_container(fencing_token by, std::string container, bool force,
                                     reply_slot<done> slot) {
  if (refuse_name(container, slot)) return;
  // Without v=1 the volumes that the image brings along stay behind, with names nobody knows.
  auto target = container_path(container, force ? "?v=1&force=1" : "?v=1&force=0");
  request(change(by, "DELETE", std::move(target)), std::move(slot));
}

}  // namespace reeve::adapters
