#pragma once
// Compares what the engine has with what the log says, at the start, whenever the engine is back
// (engine_is_back), and on a timer. A container or volume that carries our label but belongs to no
// active run is first kept aside, and removed after two passes and `orphan_s`. What is others' is
// never touched.

#include "base/setting.hpp"

#include <array>
#include <cstdint>

namespace reeve::actors {

struct reconciler_settings {
  std::int64_t every_s = 30;
  std::int64_t orphan_s = 60;  // from the first sight to the removal, at least
  static constexpr auto settings() {
    using setting = number_setting<reconciler_settings>;
    return std::array{
        setting{"reconcile_s", &reconciler_settings::every_s, 1, 3600,
                "Seconds between two comparisons of the engine with the log."},
        setting{"orphan_s", &reconciler_settings::orphan_s, 1, 86'400,
                "Seconds until a container or volume of Reeve's that belongs to no active run is "
                "removed."}};
  }
};

}  // namespace reeve::actors
