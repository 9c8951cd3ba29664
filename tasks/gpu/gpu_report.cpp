#include "tasks/gpu/gpu_report.hpp"

#include <algorithm>
#include <utility>

namespace reeve::tasks {
namespace {

namespace throttle = adapters::gpu_throttle;
using adapters::gpu_device;

constexpr std::int64_t near_slowdown_c = 5;
constexpr std::int64_t hot_c = 90;
constexpr std::int64_t full_pct = 95;
// Reasons that are nobody's trouble: nothing to do, or somebody asked for it.
constexpr std::int64_t harmless =
    throttle::idle | throttle::application_clocks | throttle::sync_boost | throttle::display_clocks;
constexpr std::array reasons{
    std::pair{throttle::idle, "idle"},
    std::pair{throttle::application_clocks, "clocks set by an application"},
    std::pair{throttle::software_power_cap, "at its power limit"},
    std::pair{throttle::hardware_slowdown, "slowed down by the hardware"},
    std::pair{throttle::sync_boost, "waits for the slowest GPU of its group"},
    std::pair{throttle::software_thermal, "slowed down by the driver: too hot"},
    std::pair{throttle::hardware_thermal, "slowed down by the hardware: too hot"},
    std::pair{throttle::hardware_power_brake,
              "slowed down by the hardware: the power supply asks for it"},
    std::pair{throttle::display_clocks, "held by the display's settings"}};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : "; ") + word;
  return text;
}

std::string degrees(std::int64_t c) {
  return std::to_string(c) + " °C";
}

std::string times(std::int64_t count, const char* one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

class device_look {
 public:
  device_look(const gpu_device& gpu, std::vector<gpu_finding>& into) : gpu_(gpu), into_(into) {}

  void look() {
    if (gpu_.problem) add(gpu_level::error, "lost", "It does not answer: " + *gpu_.problem + ".");
    heat();
    slowed();
    memory_errors();
    fullness();
  }

 private:
  void add(gpu_level level, const char* what, std::string text) {
    into_.push_back({level, what, gpu_.index, std::move(text)});
  }

  void heat() {
    const auto now = gpu_.temperature.now_c;
    const auto limit = gpu_.temperature.slowdown_c;
    if (!now) return;
    if (limit && *limit > 0 && *now >= *limit) {
      add(gpu_level::error, "hot",
          degrees(*now) + ": the hardware slows down from " + degrees(*limit) + " on.");
    } else if (limit && *limit > 0 && *now > *limit - near_slowdown_c) {
      add(gpu_level::warning, "hot",
          degrees(*now) + ": close to " + degrees(*limit) + ", where the hardware slows down.");
    } else if (!limit && *now >= hot_c) {
      add(gpu_level::warning, "hot", degrees(*now) + ".");
    }
  }

  void slowed() {
    const auto bits = gpu_.throttle_bits.value_or(0) & ~harmless;
    constexpr std::int64_t by_hardware =
        throttle::hardware_slowdown | throttle::hardware_thermal | throttle::hardware_power_brake;
    if ((bits & by_hardware) != 0) {
      add(gpu_level::error, "throttled", "It is " + joined(throttle_words(bits)) + ".");
    } else if ((bits & throttle::software_thermal) != 0) {
      add(gpu_level::warning, "throttled", "It is " + joined(throttle_words(bits)) + ".");
    } else if ((bits & throttle::software_power_cap) != 0) {
      add(gpu_level::notice, "power_limit", "It is held at its power limit.");
    }
  }

  void memory_errors() {
    const auto& ecc = gpu_.ecc;
    const auto now = ecc.volatile_uncorrected.value_or(0);
    const auto ever = ecc.aggregate_uncorrected.value_or(0);
    if (now > 0) {
      add(gpu_level::error, "ecc",
          times(now, "memory error") + " that could not be corrected since the driver was loaded.");
    } else if (ever > 0) {
      add(gpu_level::warning, "ecc",
          times(ever, "memory error") + " in its life that could not be corrected, none of them " +
              "since the driver was loaded.");
    }
    if (const auto corrected = ecc.volatile_corrected.value_or(0); corrected > 0) {
      add(gpu_level::notice, "ecc",
          times(corrected, "corrected memory error") + " since the driver was loaded.");
    }
    if (ecc.enabled == false) {
      add(gpu_level::notice, "ecc_off", "It could check its memory (ECC), and that is off.");
    }
  }

  void fullness() {
    const auto& m = gpu_.memory;
    if (!m.total_bytes || !m.used_bytes || *m.total_bytes <= 0) return;
    const auto pct = static_cast<std::int64_t>(100.0 * static_cast<double>(*m.used_bytes) /
                                               static_cast<double>(*m.total_bytes));
    if (pct < full_pct) return;
    add(gpu_level::notice, "memory_full", std::to_string(pct) + " % of its memory is taken.");
  }

  const gpu_device& gpu_;
  std::vector<gpu_finding>& into_;
};

std::optional<std::string> said(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

std::vector<gpu_report_process> processes_of(const gpu_device& gpu,
                                             const std::map<std::int64_t, named_process>& named) {
  std::vector<gpu_report_process> all;
  for (const auto& one : gpu.processes) {
    auto& made = all.emplace_back();
    made.pid = one.pid;
    made.work = one.work;
    made.memory_bytes = one.memory_bytes;
    const auto known = named.find(one.pid);
    if (known == named.end()) continue;
    made.name = said(known->second.name);
    made.container = said(known->second.container);
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    const auto left = a.memory_bytes.value_or(-1), right = b.memory_bytes.value_or(-1);
    return left != right ? left > right : a.pid < b.pid;
  });
  return all;
}

gpu_report_device device_of(const gpu_device& gpu,
                            const std::map<std::int64_t, named_process>& named) {
  gpu_report_device d;
  d.index = gpu.index;
  d.name = said(gpu.name);
  d.uuid = said(gpu.uuid);
  d.pci_bus = said(gpu.pci_bus);
  d.problem = gpu.problem;
  d.memory = gpu.memory;
  d.utilisation = gpu.utilisation;
  d.temperature = gpu.temperature;
  d.power = gpu.power;
  d.clocks = gpu.clocks;
  if (gpu.throttle_bits) d.throttle_reasons = throttle_words(*gpu.throttle_bits);
  d.ecc = gpu.ecc;
  d.mig = gpu.mig;
  if (gpu.processes_are_known) d.processes = processes_of(gpu, named);
  d.processes_left_out = gpu.processes_left_out;
  return d;
}

/// How many of each name.
std::string summary_of(const adapters::gpu_reading& reading) {
  if (reading.gpus.empty()) return "No GPU found.";
  std::map<std::string, std::int64_t> by_name;
  for (const auto& gpu : reading.gpus) ++by_name[gpu.name.empty() ? "unknown" : gpu.name];
  std::string kinds;
  for (const auto& [name, count] : by_name) {
    kinds += (kinds.empty() ? "" : ", ") + std::to_string(count) + " × " + name;
  }
  const auto all = static_cast<std::int64_t>(reading.gpus.size()) + reading.gpus_left_out;
  return times(all, "GPU") + ": " + kinds + ".";
}

}  // namespace

std::vector<std::string> throttle_words(std::int64_t bits) {
  std::vector<std::string> words;
  for (const auto& [bit, text] : reasons) {
    if ((bits & bit) != 0) words.emplace_back(text);
    bits &= ~bit;
  }
  if (bits != 0) words.emplace_back("for another reason");
  return words;
}

gpu_report report_on(const adapters::gpu_reading& reading,
                     const std::map<std::int64_t, named_process>& named, time_us now) {
  gpu_report report;
  report.made_at = {now};
  report.source = reading.origin;
  report.summary = summary_of(reading);
  report.driver_version = reading.driver_version;
  report.cuda_version = reading.cuda_version;
  report.gpus_left_out = reading.gpus_left_out;
  report.problems = reading.problems;
  for (const auto& gpu : reading.gpus) {
    report.gpus.push_back(device_of(gpu, named));
    device_look(gpu, report.findings).look();
  }
  std::stable_sort(report.findings.begin(), report.findings.end(),
                   [](const auto& a, const auto& b) { return a.level < b.level; });
  return report;
}

}  // namespace reeve::tasks
