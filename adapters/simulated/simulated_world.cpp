#include "adapters/simulated/simulated_world.hpp"

#include "adapters/docker/container_rules.hpp"
#include "base/digest.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>

namespace reeve::adapters {
namespace {

constexpr std::size_t max_objects = 10'000;
constexpr std::int64_t longest_ms = std::int64_t{366} * 24 * 3600 * 1000;

std::string image_id_of(const std::string& ref) {
  return "sha256:" + to_hex(sha256("reeve simulated image " + ref));
}

rejection no_container() {
  return reject(errc::not_found, "no such container");
}

/// A number in [0, most], or `otherwise` if the text is none.
std::int64_t number(std::string_view text, std::int64_t most, std::int64_t otherwise) {
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && value >= 0 ? std::min(value, most) : otherwise;
}

/// "1.5" is 1500.
std::int64_t seconds_to_ms(std::string_view text) {
  auto dot = text.find('.');
  auto whole = number(text.substr(0, dot), longest_ms / 1000, 0) * 1000;
  if (dot == std::string_view::npos) return whole;
  std::string digits{text.substr(dot + 1, 3)};
  digits.resize(3, '0');
  return whole + number(digits, 999, 0);
}

struct behaviour {
  std::int64_t duration_ms = 0;
  std::int64_t exit_code = 0;
};

behaviour behaviour_of(const container_spec& spec) {
  behaviour out;
  if (spec.command.size() == 2 && spec.command[0] == "exit") {
    out.exit_code = number(spec.command[1], 255, 0);
  }
  if (spec.command.size() == 2 && spec.command[0] == "sleep") {
    out.duration_ms = seconds_to_ms(spec.command[1]);
  }
  if (auto code = spec.labels.find("reeve.simulate.exit_code"); code != spec.labels.end()) {
    out.exit_code = number(code->second, 255, out.exit_code);
  }
  if (auto time = spec.labels.find("reeve.simulate.duration_ms"); time != spec.labels.end()) {
    out.duration_ms = number(time->second, longest_ms, out.duration_ms);
  }
  return out;
}

bool ignores_term(const container_spec& spec) {
  auto found = spec.labels.find("reeve.simulate.ignore_term");
  return found != spec.labels.end() && found->second == "true";
}

bool matches(const label_map& labels, const std::vector<label_filter>& filters) {
  return std::all_of(filters.begin(), filters.end(), [&](const label_filter& filter) {
    auto found = labels.find(filter.key);
    return found != labels.end() && (filter.value.empty() || found->second == filter.value);
  });
}

}  // namespace

simulated_world::simulated_world(clock_port& clock, scheduler later)
    : clock_(clock), later_(std::move(later)) {}

outcome<image_info> simulated_world::inspect_image(const std::string& ref) const {
  if (!is_image_reference(ref)) return reject(errc::invalid, "not an image reference", "/ref");
  if (ref.starts_with("missing/")) return reject(errc::not_found, "no such image");
  image_info out;
  out.id = is_image_id(ref) ? ref : image_id_of(ref);
  if (ref.find("/bare/") == ref.npos) out.command = {"simulated"};
  return out;
}

outcome<std::string> simulated_world::import_image(const tar_source& tar, const std::string& ref) {
  if (!is_image_reference(ref)) return reject(errc::invalid, "must be repository:tag", "/ref");
  if (tar.bytes.empty() && tar.path.empty()) return reject(errc::invalid, "bad archive");
  return image_id_of(ref);
}

outcome<done> simulated_world::create_volume(const std::string& name, const label_map& labels) {
  if (!is_object_name(name)) return reject(errc::invalid, "not a volume name", "/name");
  if (volumes_.size() >= max_objects) {
    return reject(errc::engine_unavailable, "the simulated engine keeps at most 10000 volumes");
  }
  volumes_.emplace(name, volume{false, labels});
  return done{};
}

std::vector<volume_summary> simulated_world::list_volumes(
    const std::vector<label_filter>& filters) const {
  std::vector<volume_summary> out;
  for (const auto& [name, one] : volumes_) {
    if (matches(one.labels, filters)) out.push_back({name, one.labels});
  }
  return out;
}

outcome<done> simulated_world::remove_volume(const std::string& name) {
  bool used = std::any_of(containers_.begin(), containers_.end(),
                          [&](const auto& entry) { return entry.second.spec.volume == name; });
  if (used) return reject(errc::conflict, "the volume is in use");
  if (volumes_.erase(name) == 0) return reject(errc::not_found, "no such volume");
  return done{};
}

outcome<created_container> simulated_world::create(const container_spec& spec) {
  if (auto checked = check_container(spec); !checked) return checked.error();
  if (find(spec.name)) return reject(errc::conflict, "the name is already in use");
  if (containers_.size() >= max_objects) {
    return reject(errc::engine_unavailable, "the simulated engine keeps at most 10000 containers");
  }
  if (!spec.volume.empty()) volumes_.emplace(spec.volume, volume{});
  container one;
  auto salt = std::to_string(clock_.mono_us()) + " " + std::to_string(containers_.size());
  one.info.id = to_hex(sha256("reeve simulated container " + spec.name + " " + salt));
  one.info.name = spec.name;
  one.info.image_id = spec.image_id;
  one.info.status = "created";
  one.info.labels = spec.labels;
  if (!spec.volume.empty()) one.info.mounts.push_back({spec.volume, std::string(volume_target)});
  for (const auto& mount : spec.mounts) one.info.mounts.push_back({{}, mount.target});
  if (!spec.llm_folder.empty()) one.info.mounts.push_back({{}, std::string(llm_path)});
  for (const auto& path : spec.image_volumes) one.info.mounts.push_back({"of the image", path});
  one.spec = spec;
  auto id = one.info.id;
  containers_.emplace(id, std::move(one));
  return created_container{id};
}

outcome<done> simulated_world::put_archive(const std::string& name, const std::string& path) {
  const auto* one = find(name);
  if (!one) return no_container();
  if (!is_volume_path(path)) return reject(errc::invalid, "must be /reeve or below it", "/path");
  if (one->spec.volume.empty()) return reject(errc::invalid, "the container has no volume");
  return done{};
}

outcome<start_result> simulated_world::start(const std::string& name) {
  auto* one = find(name);
  if (!one) return no_container();
  if (one->info.status == "running") return start_result{true};
  one->info.status = "running";
  one->info.started_at = clock_.now_us();
  one->info.finished_at = 0;
  one->info.exit_code = 0;
  ++one->execution;
  auto how = behaviour_of(one->spec);
  bool guarded = !one->spec.entrypoint.empty() && one->spec.entrypoint.front() == init_path &&
                 !one->spec.volume.empty();
  if (guarded && std::exchange(volumes_[one->spec.volume].marked, true)) how = {0, 125};
  end_later(*one, how.duration_ms, how.exit_code);
  return start_result{false};
}

void simulated_world::wait(const std::string& name, reply_slot<wait_result> slot) {
  auto* one = find(name);
  if (!one) return slot.answer(no_container());
  if (one->info.status != "running") return slot.answer(wait_result{one->info.exit_code});
  one->when_ended.push_back([slot](std::int64_t code) { slot.answer(wait_result{code}); });
}

outcome<container_info> simulated_world::inspect(const std::string& name) const {
  const auto* one = find(name);
  if (!one) return no_container();
  return one->info;
}

outcome<container_details> simulated_world::details(const std::string& name) const {
  const auto* one = find(name);
  if (!one) return no_container();
  container_details out;
  out.id = one->info.id;
  out.name = one->info.name;
  out.image = out.image_id = one->info.image_id;
  out.status = one->info.status;
  out.network_mode = "none";
  out.labels = one->info.labels;
  if (!one->spec.volume.empty()) {
    out.volumes.push_back({one->spec.volume, std::string(volume_target), false});
  }
  return out;
}

std::vector<container_summary> simulated_world::list(
    const std::vector<label_filter>& filters) const {
  std::vector<container_summary> out;
  for (const auto& [id, one] : containers_) {
    if (!matches(one.info.labels, filters)) continue;
    std::vector<std::string> volumes;
    if (!one.spec.volume.empty()) volumes.push_back(one.spec.volume);
    out.push_back({id, one.info.name, one.info.image_id, one.info.image_id, one.info.status,
                   one.info.labels, std::move(volumes)});
  }
  return out;
}

void simulated_world::stop(const std::string& name, int grace_s, reply_slot<stop_result> slot) {
  auto* one = find(name);
  if (!one) return slot.answer(no_container());
  if (one->info.status != "running") return slot.answer(stop_result{false});
  one->when_ended.push_back([slot](std::int64_t) { slot.answer(stop_result{true}); });
  if (ignores_term(one->spec)) {
    end_later(*one, std::clamp(grace_s, 0, 3600) * std::int64_t{1000}, 128 + SIGKILL);
  } else {
    end(*one, 128 + SIGTERM);
  }
}

outcome<done> simulated_world::kill(const std::string& name, int signal) {
  auto* one = find(name);
  if (!one) return no_container();
  if (one->info.status != "running") {
    return reject(errc::conflict, "the container is not running");
  }
  bool ends = signal == SIGKILL || (signal == SIGTERM && !ignores_term(one->spec));
  if (ends) end(*one, 128 + signal);
  return done{};
}

outcome<done> simulated_world::remove(const std::string& name, bool force) {
  auto* one = find(name);
  if (!one) return no_container();
  if (one->info.status == "running" && !force) {
    return reject(errc::conflict, "the container is running");
  }
  if (one->info.status == "running") end(*one, 128 + SIGKILL);
  containers_.erase(one->info.id);
  return done{};
}

simulated_world::container* simulated_world::find(const std::string& id_or_name) {
  if (auto found = containers_.find(id_or_name); found != containers_.end()) return &found->second;
  for (auto& [id, one] : containers_) {
    if (one.info.name == id_or_name) return &one;
  }
  return nullptr;
}

const simulated_world::container* simulated_world::find(const std::string& id_or_name) const {
  return const_cast<simulated_world*>(this)->find(id_or_name);
}

void simulated_world::end(container& one, std::int64_t exit_code) {
  one.info.status = "exited";
  one.info.exit_code = exit_code;
  // The engine's clock has a finer grain than ours: an end never stands before its start.
  one.info.finished_at = std::max(clock_.now_us(), one.info.started_at);
  auto calls = std::exchange(one.when_ended, {});
  for (const auto& call : calls) call(exit_code);
}

void simulated_world::end_later(const container& one, std::int64_t after_ms,
                                std::int64_t exit_code) {
  later_(after_ms, [this, id = one.info.id, execution = one.execution, exit_code] {
    auto found = containers_.find(id);
    if (found == containers_.end()) return;
    auto& same = found->second;
    if (same.execution == execution && same.info.status == "running") end(same, exit_code);
  });
}

}  // namespace reeve::adapters
