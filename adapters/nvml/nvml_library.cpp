// The library itself, opened when it is needed: a machine without it has no GPU of NVIDIA's.

#include "adapters/nvml/nvml_reader.hpp"

#include <array>
#include <dlfcn.h>

namespace reeve::adapters::nvml {
namespace {

// The loader's own search comes first; then where GKE's device plugin and WSL put it.
constexpr std::array places{"libnvidia-ml.so.1", "/usr/local/nvidia/lib64/libnvidia-ml.so.1",
                            "/usr/lib/wsl/lib/libnvidia-ml.so.1"};

void* open_library() {
  for (const char* place : places) {
    if (void* found = ::dlopen(place, RTLD_NOW | RTLD_LOCAL)) return found;
  }
  return nullptr;
}

/// The first of the names that the library has.
template <class Function>
void find(void* library, Function*& into, std::initializer_list<const char*> names) {
  into = nullptr;
  for (const char* name : names) {
    if (into == nullptr) into = reinterpret_cast<Function*>(::dlsym(library, name));
  }
}

void find_of_devices(void* library, api& with) {
  find(library, with.name, {"nvmlDeviceGetName"});
  find(library, with.uuid, {"nvmlDeviceGetUUID"});
  find(library, with.pci, {"nvmlDeviceGetPciInfo_v3"});
  find(library, with.memory_info, {"nvmlDeviceGetMemoryInfo"});
  find(library, with.utilisation_rates, {"nvmlDeviceGetUtilizationRates"});
  find(library, with.temperature, {"nvmlDeviceGetTemperature"});
  find(library, with.temperature_threshold, {"nvmlDeviceGetTemperatureThreshold"});
  find(library, with.power_usage, {"nvmlDeviceGetPowerUsage"});
  find(library, with.power_limit,
       {"nvmlDeviceGetEnforcedPowerLimit", "nvmlDeviceGetPowerManagementLimit"});
  find(library, with.clock, {"nvmlDeviceGetClockInfo"});
  find(library, with.max_clock, {"nvmlDeviceGetMaxClockInfo"});
  find(library, with.throttle_reasons,
       {"nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"});
  find(library, with.ecc_mode, {"nvmlDeviceGetEccMode"});
  find(library, with.ecc_errors, {"nvmlDeviceGetTotalEccErrors"});
  find(library, with.mig_mode, {"nvmlDeviceGetMigMode"});
  // Both versions have the same layout (nvml_api.hpp); the first one had another.
  find(library, with.compute_processes,
       {"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"});
  find(library, with.graphics_processes,
       {"nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v2"});
}

}  // namespace

outcome<gpu_reading> read_gpus() {
  void* library = open_library();
  if (library == nullptr) return reject(errc::not_found, "there is no libnvidia-ml.so.1");
  api with{};
  find(library, with.init, {"nvmlInit_v2"});
  find(library, with.shutdown, {"nvmlShutdown"});
  find(library, with.driver_version, {"nvmlSystemGetDriverVersion"});
  find(library, with.cuda_version, {"nvmlSystemGetCudaDriverVersion_v2"});
  find(library, with.count, {"nvmlDeviceGetCount_v2"});
  find(library, with.by_index, {"nvmlDeviceGetHandleByIndex_v2"});
  find_of_devices(library, with);
  // It stays open: this process ends soon, and unloading runs yet more of it.
  if (!with.init || !with.shutdown || !with.count || !with.by_index) {
    return reject(errc::unavailable, "libnvidia-ml.so.1 is too old: nvmlInit_v2 is needed");
  }
  return read_gpus(with);
}

}  // namespace reeve::adapters::nvml
