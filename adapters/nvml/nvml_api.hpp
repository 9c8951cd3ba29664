#pragma once
// The part of NVIDIA's management library (libnvidia-ml.so.1) that is used, declared here after its
// published interface, so that neither its headers nor it itself are needed to build. Functions
// carry the version with which they got the layout that is declared.

#include <cstdint>

namespace reeve::adapters::nvml {

/// nvmlReturn_t. What is not named here is an error too.
enum status : int {
  success = 0,
  not_supported = 3,
  no_permission = 4,
  insufficient_size = 7,
  driver_not_loaded = 9,
  gpu_is_lost = 15,
  reset_required = 16,
  version_mismatch = 18
};

using device = struct opaque_device*;

/// nvmlPciInfo_t of nvmlDeviceGetPciInfo_v3.
struct pci_info {
  char bus_id_legacy[16];
  unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
  char bus_id[32];
};

/// nvmlMemory_t, bytes.
struct memory {
  unsigned long long total, free, used;
};

/// nvmlUtilization_t, per cent.
struct utilisation {
  unsigned gpu, memory;
};

/// nvmlProcessInfo_t since the _v2 of the functions.
struct process_info {
  unsigned pid;
  unsigned long long used_memory;  // not_available: not told
  unsigned gpu_instance, compute_instance;
};
inline constexpr unsigned long long not_available = ~0ULL;

inline constexpr unsigned text_bytes = 96;  // of names, UUIDs and versions
enum clock_kind : int { clock_sm = 1, clock_memory = 2 };
enum threshold : int { threshold_shutdown = 0, threshold_slowdown = 1 };
enum error_kind : int { corrected = 0, uncorrected = 1 };
enum counter_kind : int { of_this_load = 0, aggregate = 1 };
inline constexpr int sensor_gpu = 0;

/// Null: the library does not have it. `init`, `shutdown`, `count` and `by_index` are never null.
struct api {
  int (*init)();
  int (*shutdown)();
  int (*driver_version)(char*, unsigned);
  int (*cuda_version)(int*);
  int (*count)(unsigned*);
  int (*by_index)(unsigned, device*);
  int (*name)(device, char*, unsigned);
  int (*uuid)(device, char*, unsigned);
  int (*pci)(device, pci_info*);
  int (*memory_info)(device, memory*);
  int (*utilisation_rates)(device, utilisation*);
  int (*temperature)(device, int, unsigned*);
  int (*temperature_threshold)(device, int, unsigned*);
  int (*power_usage)(device, unsigned*);
  int (*power_limit)(device, unsigned*);
  int (*clock)(device, int, unsigned*);
  int (*max_clock)(device, int, unsigned*);
  int (*throttle_reasons)(device, unsigned long long*);
  int (*ecc_mode)(device, unsigned*, unsigned*);
  int (*ecc_errors)(device, int, int, unsigned long long*);
  int (*mig_mode)(device, unsigned*, unsigned*);
  int (*compute_processes)(device, unsigned*, process_info*);
  int (*graphics_processes)(device, unsigned*, process_info*);
};

}  // namespace reeve::adapters::nvml
