#include "domain/supervision/supervisor.hpp"

#include <algorithm>
#include <utility>

namespace reeve::domain {

supervisor_state make_supervisor(supervisor_config config, std::vector<child_spec> children) {
  supervisor_state s;
  s.random = config.seed;
  s.config = std::move(config);
  for (auto& spec : children) {
    s.last_static = s.next_child++;
    s.ids.emplace(spec.name, s.last_static);
    s.children[s.last_static].spec = std::move(spec);
  }
  return s;
}

std::string child_path(const supervisor_state& state, const child_state& child) {
  return state.config.path + "/" + child.spec.name;
}

std::int64_t total_grace_us(const supervisor_config& config, const std::vector<child_spec>& specs) {
  std::int64_t total = config.max_added_grace_us + config.kill_wait_us;
  for (const auto& spec : specs) total += spec.grace_us + config.kill_wait_us;
  return total;
}

std::int64_t total_start_us(const std::vector<child_spec>& specs) {
  std::int64_t total = 1'000'000;
  for (const auto& spec : specs) total += spec.start_timeout_us;
  return total;
}

std::int64_t full_backoff_us(const supervisor_config& config, std::int64_t failures) {
  auto full = config.backoff_base_us;
  for (std::int64_t i = 0; i < failures && full < config.backoff_cap_us; ++i) full *= 2;
  return std::min(full, config.backoff_cap_us);
}

}  // namespace reeve::domain
