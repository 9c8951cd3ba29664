#pragma once
// The engines that this server has, by name: an attempt names its own in the log.

#include "adapters/work_engine_port.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace reeve::adapters {

class work_engines {
 public:
  /// The first one is what new attempts get. Each outlives this.
  void add(work_engine& engine) { all_.push_back(&engine); }
  /// Null: this server does not have it.
  work_engine* find(std::string_view name) const {
    const auto its =
        std::find_if(all_.begin(), all_.end(), [&](auto* e) { return e->kind() == name; });
    return its == all_.end() ? nullptr : *its;
  }
  work_engine& preferred() const { return *all_.front(); }

 private:
  std::vector<work_engine*> all_;
};

}  // namespace reeve::adapters
