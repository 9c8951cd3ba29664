#pragma once
// What of the host is Reeve's own or the engine's, so that no job mounts it.

#include "cli/config.hpp"
#include "domain/runs/llm_settings.hpp"

#include <string>
#include <vector>

namespace reeve::cli {

/// Where Docker and containerd keep their data and their sockets, unless they are told otherwise:
/// whoever writes there is root on the host.
inline constexpr const char* engine_folders[] = {"/var/lib/docker", "/var/lib/containerd",
                                                 "/run/docker", "/run/containerd"};

/// Every file and folder that a setting names (config_table.hpp), those that settings were read
/// from, the private cluster, the keys of upstreams, the files that are this process' standard
/// output and error, and the usual folders of engines. As they are written, none of them empty;
/// they need not be there. Where the engine's data lies in fact, only the engine says.
std::vector<std::string> own_paths(const config& c, const domain::llm_settings& llm);

}  // namespace reeve::cli
