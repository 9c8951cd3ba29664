#include "tasks/map/map_reader.hpp"

#include "tasks/own/own_worker.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace reeve::tasks {
namespace {

using adapters::container_details;
using adapters::container_summary;
using adapters::network_summary;

// For all containers together: an engine that answers each within its deadline, but late.
constexpr std::int64_t most_us = 45'000'000;

class map_reading {
 public:
  map_reading(const map_surroundings& around, const container_viewer& by,
              const std::atomic<bool>& stops)
      : around_(around), by_(by), stops_(stops) {}

  outcome<map_input> read(const std::vector<allowed_container>& allowed) {
    into_.engine = std::string(around_.engine.kind());
    into_.now = around_.clock.now_us();
    auto all = answer_of<std::vector<container_summary>>(
        [&](auto slot) { around_.engine.list({}, slot); }, stops_);
    if (!all) return all.error();
    auto networks = answer_of<std::vector<network_summary>>(
        [&](auto slot) { around_.engine.list_networks(slot); }, stops_);
    if (!networks) return networks.error();
    for (auto& one : *all) by_name_.emplace(one.name, std::move(one));
    for (const auto& entry : allowed) {
      if (auto ok = read_one(entry); !ok) return ok.error();
    }
    keep_networks(*networks);
    return std::move(into_);
  }

 private:
  void problem(const std::string& of, std::string what) {
    into_.problems.push_back({of, std::move(what)});
  }

  /// The one that is meant; else the problem is told.
  const container_summary* find(const allowed_container& entry) {
    const container_summary* only = nullptr;
    bool is_there = false, are_many = false;
    const auto [first, last] = by_name_.equal_range(entry.name);
    for (auto at = first; at != last; ++at) {
      const auto& one = at->second;
      if (!is_there_for(by_, one.name, one.labels)) continue;
      is_there = true;
      if (!may_look_at(entry, one.id, one.name, one.labels, by_)) continue;
      are_many = only != nullptr;
      if (are_many) break;
      only = &one;
    }
    if (only != nullptr && !are_many) return only;
    problem(entry.name, are_many   ? "several containers have this name: none of them is read"
                        : is_there ? "the container of this name is not the one that was listed"
                                   : "there is no such container");
    return nullptr;
  }

  outcome<done> read_one(const allowed_container& entry) {
    const auto* found = find(entry);
    if (found == nullptr) return done{};
    const auto& one = *found;
    if (into_.containers.size() >= max_map_containers) {
      ++into_.containers_left_out;
      return done{};
    }
    if (around_.clock.mono_us() - began_us_ > most_us) {
      problem(entry.name, "not read: the engine answers too slowly");
      return done{};
    }
    auto details = answer_of<container_details>(
        [&](auto slot) { around_.engine.details(one.id, slot); }, stops_);
    if (stops_) return server_stops();
    if (!details) {
      const auto code = details.error().code;
      if (code == errc::engine_unavailable) return details.error();
      problem(entry.name, code == errc::not_found ? "there is no such container"
                                                  : "the engine did not tell of it");
      return done{};
    }
    auto& made = into_.containers.emplace_back();
    made.what = std::move(*details);
    made.what.name = entry.name;
    read_sockets(made);
    return done{};
  }

  void read_sockets(map_container& one) {
    const auto& what = one.what;
    if (what.pid <= 0 || what.network_mode == "none") return;
    if (what.network_mode == "host") {
      return problem(what.name,
                     "it uses the host's network: its connections cannot be told from others");
    }
    if (what.network_mode.starts_with("container:")) {
      return problem(what.name,
                     "it uses another container's network: its connections are told "
                     "there, if that may be looked at");
    }
    // Numbers of processes are used again, and mean others where this server is in a container.
    if (!is_its_process(what)) return;
    auto sockets = around_.processes.sockets_of(what.pid);
    if (!sockets) {
      return problem(what.name, "its connections are not told here: " + sockets.error().detail);
    }
    if (!is_its_process(what)) return;
    if (sockets->truncated) problem(what.name, "it has too many connections: some are left out");
    one.sockets = std::move(*sockets);
  }

  bool is_its_process(const container_details& what) {
    const auto groups = around_.processes.groups_of(what.pid);
    if (!groups) {
      problem(what.name, "its connections are not told here: " + groups.error().detail);
      return false;
    }
    if (adapters::container_in_groups(*groups) == what.id) return true;
    problem(what.name, "its connections are not told here: its process is not seen by this server");
    return false;
  }

  /// What others have joined is nobody's business here.
  void keep_networks(const std::vector<network_summary>& all) {
    for (const auto& network : all) {
      const bool is_joined =
          std::any_of(into_.containers.begin(), into_.containers.end(), [&](const auto& one) {
            const auto& its = one.what.networks;
            return std::any_of(its.begin(), its.end(),
                               [&](const auto& joined) { return joined.id == network.id; });
          });
      if (is_joined) into_.networks.push_back(network);
    }
  }

  const map_surroundings& around_;
  const container_viewer& by_;
  const std::atomic<bool>& stops_;
  const std::int64_t began_us_ = around_.clock.mono_us();
  std::multimap<std::string, container_summary> by_name_;
  map_input into_;
};

}  // namespace

outcome<map_input> read_map(const map_surroundings& around,
                            const std::vector<allowed_container>& allowed,
                            const container_viewer& by, const std::atomic<bool>& stops) {
  return map_reading(around, by, stops).read(allowed);
}

}  // namespace reeve::tasks
