#pragma once
// One reading through NVIDIA's library. It may hang as long as the driver does, and it runs what
// others wrote: only a process that somebody watches calls it (gpu_probe.hpp).

#include "adapters/gpu_port.hpp"
#include "adapters/nvml/nvml_api.hpp"

namespace reeve::adapters::nvml {

/// With the functions as they are given. One GPU that fails is told at that GPU. Errors:
/// `unavailable`, with what the library says in words.
outcome<gpu_reading> read_gpus(const api& with);

/// With those of libnvidia-ml.so.1 as the loader finds it, or where containers and WSL have it.
/// Errors: not_found (there is no such library), else as above.
outcome<gpu_reading> read_gpus();

/// What the library's status means, in words without a name of a function.
const char* words_for(int status);

}  // namespace reeve::adapters::nvml
