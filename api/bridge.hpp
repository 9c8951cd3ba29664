#pragma once
// The way from the gateway to the actors.

#include "api/command_port.hpp"
#include "base/ids.hpp"

#include <memory>

namespace reeve::actors {
class commands;
}

namespace reeve::api {

/// Both outlive the bridge.
std::unique_ptr<command_port> make_bridge(actors::commands& commands, id_source& ids);

}  // namespace reeve::api
