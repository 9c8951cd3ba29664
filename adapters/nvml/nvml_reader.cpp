#include "adapters/nvml/nvml_reader.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace reeve::adapters::nvml {
namespace {

/// A text of at most `text_bytes`; empty if the library does not say.
template <class Function, class... Before>
std::string text_from(Function* function, Before... before) {
  std::array<char, text_bytes> bytes{};
  if (function == nullptr || function(before..., bytes.data(), text_bytes) != success) return {};
  bytes.back() = '\0';
  std::string text(bytes.data());
  return first_invalid_utf8(text) == text.npos ? text : std::string();
}

/// A number; nothing if the library does not say.
template <class Number, class Function, class... Before>
std::optional<std::int64_t> number_from(Function* function, Before... before) {
  Number value{};
  if (function == nullptr || function(before..., &value) != success) return std::nullopt;
  if (std::cmp_greater(value, INT64_MAX)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::optional<bool> mode_from(int (*function)(device, unsigned*, unsigned*), device of) {
  unsigned current = 0;
  unsigned pending = 0;
  if (function == nullptr || function(of, &current, &pending) != success) return std::nullopt;
  return current == 1;
}

std::optional<std::int64_t> bytes_of(unsigned long long value) {
  if (std::cmp_greater(value, INT64_MAX)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

void read_memory(const api& with, device of, gpu_device& into) {
  memory found{};
  if (with.memory_info == nullptr || with.memory_info(of, &found) != success) return;
  into.memory = {bytes_of(found.total), bytes_of(found.used), bytes_of(found.free)};
}

void read_load(const api& with, device of, gpu_device& into) {
  utilisation found{};
  if (with.utilisation_rates != nullptr && with.utilisation_rates(of, &found) == success) {
    into.utilisation = {found.gpu, found.memory};
  }
  into.temperature.now_c = number_from<unsigned>(with.temperature, of, sensor_gpu);
  into.temperature.slowdown_c =
      number_from<unsigned>(with.temperature_threshold, of, int{threshold_slowdown});
  into.temperature.shutdown_c =
      number_from<unsigned>(with.temperature_threshold, of, int{threshold_shutdown});
  into.power.draw_mw = number_from<unsigned>(with.power_usage, of);
  into.power.limit_mw = number_from<unsigned>(with.power_limit, of);
  into.clocks.sm_mhz = number_from<unsigned>(with.clock, of, int{clock_sm});
  into.clocks.memory_mhz = number_from<unsigned>(with.clock, of, int{clock_memory});
  into.clocks.max_sm_mhz = number_from<unsigned>(with.max_clock, of, int{clock_sm});
  into.clocks.max_memory_mhz = number_from<unsigned>(with.max_clock, of, int{clock_memory});
  into.throttle_bits = number_from<unsigned long long>(with.throttle_reasons, of);
}

void read_ecc(const api& with, device of, gpu_device& into) {
  const auto errors = [&](int kind, int counter) {
    return number_from<unsigned long long>(with.ecc_errors, of, kind, counter);
  };
  into.ecc.enabled = mode_from(with.ecc_mode, of);
  into.ecc.volatile_corrected = errors(corrected, of_this_load);
  into.ecc.volatile_uncorrected = errors(uncorrected, of_this_load);
  into.ecc.aggregate_corrected = errors(corrected, aggregate);
  into.ecc.aggregate_uncorrected = errors(uncorrected, aggregate);
}

/// Those of one kind. More than fit are asked for once more with as much room as it wants and some.
bool read_processes(int (*function)(device, unsigned*, process_info*), device of, gpu_work work,
                    gpu_device& into) {
  if (function == nullptr) return false;
  constexpr unsigned most_room = 65'536;
  std::vector<process_info> found(max_gpu_processes);
  auto count = static_cast<unsigned>(found.size());
  int answer = function(of, &count, found.data());
  if (answer == insufficient_size) {
    found.assign(std::min(count, most_room) + 64, {});
    count = static_cast<unsigned>(found.size());
    answer = function(of, &count, found.data());
  }
  if (answer != success) return false;
  found.resize(std::min<std::size_t>(count, found.size()));
  for (const auto& one : found) {
    if (into.processes.size() >= max_gpu_processes) {
      ++into.processes_left_out;
      continue;
    }
    into.processes.push_back({one.pid, work, bytes_of(one.used_memory)});
  }
  return true;
}

gpu_device read_device(const api& with, unsigned index) {
  gpu_device found;
  found.index = index;
  device of = nullptr;
  if (const int answer = with.by_index(index, &of); answer != success) {
    found.problem = words_for(answer);
    return found;
  }
  found.name = text_from(with.name, of);
  found.uuid = text_from(with.uuid, of);
  pci_info bus{};
  if (with.pci != nullptr && with.pci(of, &bus) == success) {
    bus.bus_id[sizeof bus.bus_id - 1] = '\0';
    found.pci_bus = bus.bus_id;
  }
  read_memory(with, of, found);
  read_load(with, of, found);
  read_ecc(with, of, found);
  found.mig = mode_from(with.mig_mode, of);
  const bool compute = read_processes(with.compute_processes, of, gpu_work::compute, found);
  const bool graphics = read_processes(with.graphics_processes, of, gpu_work::graphics, found);
  found.processes_are_known = compute || graphics;
  return found;
}

}  // namespace

const char* words_for(int status) {
  switch (status) {
    case not_supported:
      return "the driver does not support it";
    case no_permission:
      return "it may not be read";
    case driver_not_loaded:
      return "the driver is not loaded";
    case gpu_is_lost:
      return "the GPU is lost: it has fallen off the bus or cannot be reached";
    case reset_required:
      return "the GPU needs a reset";
    case version_mismatch:
      return "the driver and its library are of different versions: a restart is due";
    default:
      return "the driver's library failed";
  }
}

outcome<gpu_reading> read_gpus(const api& with) {
  if (const int answer = with.init(); answer != success) {
    return reject(errc::unavailable, words_for(answer));
  }
  gpu_reading reading;
  reading.origin = gpu_origin::nvml;
  if (auto text = text_from(with.driver_version); !text.empty()) reading.driver_version = text;
  // 12040 is 12.4.
  if (const auto cuda = number_from<int>(with.cuda_version); cuda && *cuda > 0) {
    reading.cuda_version = std::to_string(*cuda / 1000) + "." + std::to_string(*cuda % 1000 / 10);
  }
  unsigned count = 0;
  const int counted = with.count(&count);
  const auto read = static_cast<unsigned>(std::min<std::size_t>(count, max_gpus));
  if (counted == success) {
    for (unsigned i = 0; i < read; ++i) reading.gpus.push_back(read_device(with, i));
    reading.gpus_left_out = count - read;
  }
  with.shutdown();
  if (counted != success) return reject(errc::unavailable, words_for(counted));
  return reading;
}

}  // namespace reeve::adapters::nvml
