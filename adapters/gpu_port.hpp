#pragma once
// The port to the GPUs of this machine. Blocking, but never for ever: whoever implements it lets go
// of a driver that does not answer. What a GPU does not support, or what may not be read, is empty.

#include "base/outcome.hpp"
#include "domain/fields.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace reeve::adapters {

/// Where a reading comes from; `none`: there is neither a library nor a tool that knows of GPUs.
enum class gpu_origin { none, nvml, nvidia_smi };
enum class gpu_work { compute, graphics };

}  // namespace reeve::adapters

template <>
struct reeve::domain::enum_names<reeve::adapters::gpu_origin> {
  static constexpr std::array<std::string_view, 3> names{"none", "nvml", "nvidia-smi"};
};

template <>
struct reeve::domain::enum_names<reeve::adapters::gpu_work> {
  static constexpr std::array<std::string_view, 2> names{"compute", "graphics"};
};

namespace reeve::adapters {

using domain::field;

/// One that has memory of a GPU. The number is the driver's, of the machine's own process table:
/// seen from inside of a container it may be nobody's, or somebody else's.
struct gpu_process {
  std::int64_t pid = 0;
  gpu_work work = gpu_work::compute;
  std::optional<std::int64_t> memory_bytes;
  bool operator==(const gpu_process&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("pid", &gpu_process::pid), field("work", &gpu_process::work),
                      field("memory_bytes", &gpu_process::memory_bytes)};
  }
};

struct gpu_memory {
  std::optional<std::int64_t> total_bytes;
  std::optional<std::int64_t> used_bytes;  // with what the driver itself keeps
  std::optional<std::int64_t> free_bytes;
  bool operator==(const gpu_memory&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("total_bytes", &gpu_memory::total_bytes),
                      field("used_bytes", &gpu_memory::used_bytes),
                      field("free_bytes", &gpu_memory::free_bytes)};
  }
};

/// Per cent of the driver's last sampling period, a sixth of a second to a second.
struct gpu_utilisation {
  std::optional<std::int64_t> gpu_pct;     // of the time something ran
  std::optional<std::int64_t> memory_pct;  // of the time memory was read or written
  bool operator==(const gpu_utilisation&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("gpu_pct", &gpu_utilisation::gpu_pct),
                      field("memory_pct", &gpu_utilisation::memory_pct)};
  }
};

/// Degrees Celsius.
struct gpu_temperature {
  std::optional<std::int64_t> now_c;
  std::optional<std::int64_t> slowdown_c;  // from here on the hardware slows down
  std::optional<std::int64_t> shutdown_c;
  bool operator==(const gpu_temperature&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("now_c", &gpu_temperature::now_c),
                      field("slowdown_c", &gpu_temperature::slowdown_c),
                      field("shutdown_c", &gpu_temperature::shutdown_c)};
  }
};

struct gpu_power {
  std::optional<std::int64_t> draw_mw;
  std::optional<std::int64_t> limit_mw;  // the one that is in force
  bool operator==(const gpu_power&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("draw_mw", &gpu_power::draw_mw),
                      field("limit_mw", &gpu_power::limit_mw)};
  }
};

struct gpu_clocks {
  std::optional<std::int64_t> sm_mhz;
  std::optional<std::int64_t> memory_mhz;
  std::optional<std::int64_t> max_sm_mhz;
  std::optional<std::int64_t> max_memory_mhz;
  bool operator==(const gpu_clocks&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("sm_mhz", &gpu_clocks::sm_mhz),
                      field("memory_mhz", &gpu_clocks::memory_mhz),
                      field("max_sm_mhz", &gpu_clocks::max_sm_mhz),
                      field("max_memory_mhz", &gpu_clocks::max_memory_mhz)};
  }
};

/// The bits of nvmlDeviceGetCurrentClocksThrottleReasons, since driver 535 called event reasons.
namespace gpu_throttle {
inline constexpr std::int64_t idle = 0x1;
inline constexpr std::int64_t application_clocks = 0x2;
inline constexpr std::int64_t software_power_cap = 0x4;
inline constexpr std::int64_t hardware_slowdown = 0x8;  // of any cause
inline constexpr std::int64_t sync_boost = 0x10;
inline constexpr std::int64_t software_thermal = 0x20;
inline constexpr std::int64_t hardware_thermal = 0x40;
inline constexpr std::int64_t hardware_power_brake = 0x80;
inline constexpr std::int64_t display_clocks = 0x100;
}  // namespace gpu_throttle

/// Memory errors: volatile ones since the driver was loaded, aggregate ones over the GPU's life.
struct gpu_ecc {
  std::optional<bool> enabled;
  std::optional<std::int64_t> volatile_corrected;
  std::optional<std::int64_t> volatile_uncorrected;
  std::optional<std::int64_t> aggregate_corrected;
  std::optional<std::int64_t> aggregate_uncorrected;
  bool operator==(const gpu_ecc&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("enabled", &gpu_ecc::enabled),
                      field("volatile_corrected", &gpu_ecc::volatile_corrected),
                      field("volatile_uncorrected", &gpu_ecc::volatile_uncorrected),
                      field("aggregate_corrected", &gpu_ecc::aggregate_corrected),
                      field("aggregate_uncorrected", &gpu_ecc::aggregate_uncorrected)};
  }
};

struct gpu_device {
  std::int64_t index = 0;
  std::string name;  // empty: it did not say
  std::string uuid;
  std::string pci_bus;
  std::optional<std::string> problem;  // it is there and does not answer, e.g. "the GPU is lost"
  gpu_memory memory;
  gpu_utilisation utilisation;
  gpu_temperature temperature;
  gpu_power power;
  gpu_clocks clocks;
  /// Why its clocks are lower than they could be, as the driver has it (gpu_throttle); empty: not
  /// told.
  std::optional<std::int64_t> throttle_bits;
  gpu_ecc ecc;
  std::optional<bool> mig;  // cut into instances: then its utilisation is not told
  std::vector<gpu_process> processes;
  bool processes_are_known = false;
  std::int64_t processes_left_out = 0;  // beyond max_gpu_processes
  bool operator==(const gpu_device&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("index", &gpu_device::index),
                      field("name", &gpu_device::name),
                      field("uuid", &gpu_device::uuid),
                      field("pci_bus", &gpu_device::pci_bus),
                      field("problem", &gpu_device::problem),
                      field("memory", &gpu_device::memory),
                      field("utilisation", &gpu_device::utilisation),
                      field("temperature", &gpu_device::temperature),
                      field("power", &gpu_device::power),
                      field("clocks", &gpu_device::clocks),
                      field("throttle_bits", &gpu_device::throttle_bits),
                      field("ecc", &gpu_device::ecc),
                      field("mig", &gpu_device::mig),
                      field("processes", &gpu_device::processes),
                      field("processes_are_known", &gpu_device::processes_are_known),
                      field("processes_left_out", &gpu_device::processes_left_out)};
  }
};

inline constexpr std::size_t max_gpus = 64;
inline constexpr std::size_t max_gpu_processes = 256;  // of one GPU

struct gpu_reading {
  gpu_origin origin = gpu_origin::none;
  std::optional<std::string> driver_version;
  std::optional<std::string> cuda_version;  // the newest that the driver can do, "12.4"
  std::vector<gpu_device> gpus;             // by index
  std::int64_t gpus_left_out = 0;           // beyond max_gpus
  std::vector<std::string> problems;        // what was tried and failed
  bool operator==(const gpu_reading&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("origin", &gpu_reading::origin),
                      field("driver_version", &gpu_reading::driver_version),
                      field("cuda_version", &gpu_reading::cuda_version),
                      field("gpus", &gpu_reading::gpus),
                      field("gpus_left_out", &gpu_reading::gpus_left_out),
                      field("problems", &gpu_reading::problems)};
  }
};

class gpu_source {
 public:
  virtual ~gpu_source() = default;
  /// A machine without a GPU is a reading without one. `is_wanted` is asked every tenth of a second
  /// or so, on the caller's thread; `unavailable` once it says no. It throws nothing and takes
  /// 40 s at most. One caller at a time.
  virtual outcome<gpu_reading> read(const std::function<bool()>& is_wanted) = 0;
};

}  // namespace reeve::adapters
