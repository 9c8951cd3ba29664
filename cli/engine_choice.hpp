#pragma once
// Which container engine a server uses, decided once at its start.

#include "adapters/engine_port.hpp"
#include "base/outcome.hpp"

#include <functional>
#include <memory>
#include <string>

namespace reeve::cli {

/// `setting`: auto, simulated, or unix:///path. `auto` takes the socket of DOCKER_HOST or the usual
/// one if an engine answers there, or if a real engine was ever seen in this log; else the
/// simulated engine. `allows`: see adapters::docker_options.
outcome<std::unique_ptr<adapters::container_engine>> choose_engine(
    const std::string& setting, bool real_engine_seen, std::function<bool(fencing_token)> allows);

/// The path of the real engine's socket under that setting; empty if it can only be simulated.
std::string engine_socket(const std::string& setting);

}  // namespace reeve::cli
