#include "tasks/gpu/gpu_reader.hpp"

#include "tasks/own/own_worker.hpp"

#include <map>

namespace reeve::tasks {
namespace {

using summaries = std::vector<adapters::container_summary>;

/// The containers of the engine that may be looked at, by id.
outcome<std::map<std::string, std::string>> visible(const gpu_surroundings& around,
                                                    const std::vector<allowed_container>& allowed,
                                                    const container_viewer& by,
                                                    const std::atomic<bool>& stops) {
  std::map<std::string, std::string> names;
  if (allowed.empty()) return names;
  auto all = answer_of<summaries>([&](auto slot) { around.engine.list({}, slot); }, stops);
  if (!all) return all.error();
  std::map<std::string, const allowed_container*> by_name;
  for (const auto& entry : allowed) by_name[entry.name] = &entry;
  for (const auto& one : *all) {
    const auto entry = by_name.find(one.name);
    if (entry == by_name.end()) continue;
    if (may_look_at(*entry->second, one.id, one.name, one.labels, by)) {
      names[one.id] = one.name;
    }
  }
  return names;
}

/// Those of containers that may be looked at; the others keep their numbers only.
std::map<std::int64_t, named_process> name_processes(
    const gpu_surroundings& around, const adapters::gpu_reading& reading,
    const std::map<std::string, std::string>& containers) {
  std::map<std::int64_t, named_process> named;
  for (const auto& gpu : reading.gpus) {
    for (const auto& process : gpu.processes) {
      if (containers.empty() || named.contains(process.pid)) continue;
      const auto groups = around.processes.groups_of(process.pid);
      if (!groups) continue;
      const auto at = containers.find(adapters::container_in_groups(*groups));
      if (at == containers.end()) continue;
      const auto name = around.processes.name_of(process.pid);
      named[process.pid] = {name ? *name : std::string(), at->second};
    }
  }
  return named;
}

bool has_processes(const adapters::gpu_reading& reading) {
  for (const auto& gpu : reading.gpus) {
    if (!gpu.processes.empty()) return true;
  }
  return false;
}

}  // namespace

outcome<gpu_report> read_gpu_report(const gpu_surroundings& around,
                                    const std::vector<allowed_container>& allowed,
                                    const container_viewer& by, const std::atomic<bool>& stops) {
  auto reading = around.gpus.read([&stops] { return !stops; });
  if (!reading) return reading.error();
  std::map<std::int64_t, named_process> named;
  if (has_processes(*reading)) {
    const auto containers = visible(around, allowed, by, stops);
    if (stops) return server_stops();
    if (containers) named = name_processes(around, *reading, *containers);
    if (!containers) {
      reading->problems.push_back("the engine does not tell which container a process is in");
    }
  }
  return report_on(*reading, named, around.clock.now_us());
}

}  // namespace reeve::tasks
