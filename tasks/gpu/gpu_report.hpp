#pragma once
// The report on the GPUs of a machine, made of one reading. Pure: the caller reads, says what time
// it is and keeps the report. A machine without a GPU has a report that says so.
//
// Findings, worst first:
//   error    a GPU does not answer; it is at the temperature from which its hardware slows down;
//            its hardware slows it down for heat or power; memory errors that could not be
//            corrected since the driver was loaded
//   warning  within 5 degrees of that temperature (from 90 degrees where it is not told); its
//            driver slows it down for heat; uncorrected memory errors earlier in its life
//   notice   held at its power limit; corrected memory errors since the driver was loaded; memory
//            filled to 95 %; ECC is off on a GPU that has it

#include "adapters/gpu_port.hpp"
#include "domain/fields.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace reeve::tasks {

enum class gpu_level { error, warning, notice };

}  // namespace reeve::tasks

template <>
struct reeve::domain::enum_names<reeve::tasks::gpu_level> {
  static constexpr std::array<std::string_view, 3> names{"error", "warning", "notice"};
};

namespace reeve::tasks {

using domain::field;

struct gpu_finding {
  gpu_level level = gpu_level::notice;
  std::string what;  // lost, hot, throttled, power_limit, ecc, ecc_off, memory_full
  std::int64_t gpu = 0;
  std::string text;
  static constexpr auto fields() {
    return std::tuple{field("level", &gpu_finding::level), field("what", &gpu_finding::what),
                      field("gpu", &gpu_finding::gpu), field("text", &gpu_finding::text)};
  }
};

/// Names stand only at processes of containers that the tenant may look at.
struct gpu_report_process {
  std::int64_t pid = 0;
  adapters::gpu_work work = adapters::gpu_work::compute;
  std::optional<std::int64_t> memory_bytes;
  std::optional<std::string> name;
  std::optional<std::string> container;
  static constexpr auto fields() {
    return std::tuple{field("pid", &gpu_report_process::pid),
                      field("work", &gpu_report_process::work),
                      field("memory_bytes", &gpu_report_process::memory_bytes),
                      field("name", &gpu_report_process::name),
                      field("container", &gpu_report_process::container)};
  }
};

struct gpu_report_device {
  std::int64_t index = 0;
  std::optional<std::string> name;
  std::optional<std::string> uuid;
  std::optional<std::string> pci_bus;
  std::optional<std::string> problem;
  adapters::gpu_memory memory;
  adapters::gpu_utilisation utilisation;
  adapters::gpu_temperature temperature;
  adapters::gpu_power power;
  adapters::gpu_clocks clocks;
  std::optional<std::vector<std::string>> throttle_reasons;  // in words; null: not told
  adapters::gpu_ecc ecc;
  std::optional<bool> mig;
  std::optional<std::vector<gpu_report_process>> processes;  // most memory first; null: not told
  std::int64_t processes_left_out = 0;
  static constexpr auto fields() {
    return std::tuple{field("index", &gpu_report_device::index),
                      field("name", &gpu_report_device::name),
                      field("uuid", &gpu_report_device::uuid),
                      field("pci_bus", &gpu_report_device::pci_bus),
                      field("problem", &gpu_report_device::problem),
                      field("memory", &gpu_report_device::memory),
                      field("utilisation", &gpu_report_device::utilisation),
                      field("temperature", &gpu_report_device::temperature),
                      field("power", &gpu_report_device::power),
                      field("clocks", &gpu_report_device::clocks),
                      field("throttle_reasons", &gpu_report_device::throttle_reasons),
                      field("ecc", &gpu_report_device::ecc),
                      field("mig", &gpu_report_device::mig),
                      field("processes", &gpu_report_device::processes),
                      field("processes_left_out", &gpu_report_device::processes_left_out)};
  }
};

/// The JSON artifact.
struct gpu_report {
  std::int64_t format = 1;
  domain::timestamp made_at;
  adapters::gpu_origin source = adapters::gpu_origin::none;
  std::string summary;  // "No GPU found.", "2 GPUs: …"
  std::optional<std::string> driver_version;
  std::optional<std::string> cuda_version;
  std::vector<gpu_report_device> gpus;
  std::int64_t gpus_left_out = 0;
  std::vector<gpu_finding> findings;
  std::vector<std::string> problems;  // what could not be read, and why
  static constexpr auto fields() {
    return std::tuple{field("format", &gpu_report::format),
                      field("made_at", &gpu_report::made_at),
                      field("source", &gpu_report::source),
                      field("summary", &gpu_report::summary),
                      field("driver_version", &gpu_report::driver_version),
                      field("cuda_version", &gpu_report::cuda_version),
                      field("gpus", &gpu_report::gpus),
                      field("gpus_left_out", &gpu_report::gpus_left_out),
                      field("findings", &gpu_report::findings),
                      field("problems", &gpu_report::problems)};
  }
};

/// What is known of a process that may be named.
struct named_process {
  std::string name;
  std::string container;
};

gpu_report report_on(const adapters::gpu_reading& reading,
                     const std::map<std::int64_t, named_process>& named, time_us now);

/// Why clocks are low, in words, in the order of the bits; bits that are not known are one of them.
std::vector<std::string> throttle_words(std::int64_t bits);

/// For people. What comes from the driver stands in code spans.
std::string to_markdown(const gpu_report& report);

}  // namespace reeve::tasks
