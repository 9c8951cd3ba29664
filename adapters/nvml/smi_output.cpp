#include "adapters/nvml/smi_output.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace reeve::adapters::nvml {

const std::string_view smi_gpu_fields =
    "index,name,uuid,pci.bus_id,driver_version,memory.total,memory.used,memory.free,"
    "utilization.gpu,utilization.memory,temperature.gpu,power.draw,power.limit,clocks.sm,"
    "clocks.mem,clocks.max.sm,clocks.max.mem,clocks_throttle_reasons.active,ecc.mode.current,"
    "ecc.errors.corrected.volatile.total,ecc.errors.uncorrected.volatile.total,"
    "ecc.errors.corrected.aggregate.total,ecc.errors.uncorrected.aggregate.total,mig.mode.current";
const std::string_view smi_basic_gpu_fields =
    "index,name,uuid,pci.bus_id,driver_version,memory.total,memory.used,memory.free,"
    "utilization.gpu,utilization.memory,temperature.gpu,power.draw,power.limit,clocks.sm,"
    "clocks.mem";
const std::string_view smi_process_fields = "gpu_uuid,pid,used_gpu_memory";

namespace {

constexpr std::size_t most_text = 96;
constexpr std::size_t most_rows = 65'536;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\r')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0; from <= text.size();) {
    const auto end = std::min(text.find(at, from), text.size());
    parts.push_back(trimmed(text.substr(from, end - from)));
    from = end + 1;
  }
  return parts;
}

/// Rows by the names of the fields that were asked for, which come in that order. The names in the
/// head are others in other versions ("clocks.current.sm [MHz]" for clocks.sm).
class table {
 public:
  using row = std::map<std::string_view, std::string_view>;

  static std::optional<table> read(std::string_view csv, std::string_view fields) {
    const auto names = split(fields, ',');
    table made;
    bool has_head = false;
    for (const auto line : split(csv, '\n')) {
      const auto cells = split(line, ',');
      if (cells.size() != names.size() || made.rows.size() >= most_rows) continue;
      // Tools of some drivers say something else before the table.
      if (!has_head) {
        has_head = cells.front() == names.front();
        continue;
      }
      auto& one = made.rows.emplace_back();
      for (std::size_t i = 0; i < names.size(); ++i) one[names[i]] = cells[i];
    }
    if (!has_head) return std::nullopt;
    return made;
  }

  std::vector<row> rows;
};

std::string_view cell(const table::row& row, std::string_view name) {
  const auto found = row.find(name);
  return found == row.end() ? std::string_view() : found->second;
}

/// "[N/A]", "[Not Supported]", "N/A", "ERR!": whatever is in brackets is no value.
bool is_value(std::string_view text) {
  return !text.empty() && text.front() != '[' && text != "N/A" && text != "ERR!" &&
         text != "Unknown Error";
}

std::string text_in(const table::row& row, std::string_view name) {
  const auto text = cell(row, name);
  if (!is_value(text) || first_invalid_utf8(text) != text.npos) return {};
  return std::string(text.substr(0, most_text));
}

/// An integer, times `scale`; a fraction ("71.43 W") counts to its third digit. "0x…" is
/// hexadecimal.
std::optional<std::int64_t> number_in(const table::row& row, std::string_view name,
                                      std::int64_t scale = 1) {
  auto text = cell(row, name);
  const bool is_hex = text.starts_with("0x");
  if (is_hex) text.remove_prefix(2);
  std::int64_t whole = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, whole, is_hex ? 16 : 10);
  if (read.ec != std::errc() || whole < 0 || whole > INT64_MAX / scale - 1) return std::nullopt;
  std::int64_t thousandths = 0;
  if (read.ptr != end) {
    if (is_hex || *read.ptr != '.' || read.ptr + 1 == end) return std::nullopt;
    std::int64_t worth = 100;
    for (const auto* at = read.ptr + 1; at != end; ++at, worth /= 10) {
      if (*at < '0' || *at > '9') return std::nullopt;
      thousandths += (*at - '0') * worth;
    }
  }
  return whole * scale + thousandths * scale / 1000;
}

std::optional<bool> mode_in(const table::row& row, std::string_view name) {
  const auto text = cell(row, name);
  if (text == "Enabled") return true;
  return text == "Disabled" ? std::optional(false) : std::nullopt;
}

gpu_device device_in(const table::row& row) {
  constexpr std::int64_t mib = 1 << 20;
  gpu_device d;
  d.index = number_in(row, "index").value_or(0);
  d.name = text_in(row, "name");
  d.uuid = text_in(row, "uuid");
  d.pci_bus = text_in(row, "pci.bus_id");
  d.memory = {number_in(row, "memory.total", mib), number_in(row, "memory.used", mib),
              number_in(row, "memory.free", mib)};
  d.utilisation = {number_in(row, "utilization.gpu"), number_in(row, "utilization.memory")};
  d.temperature.now_c = number_in(row, "temperature.gpu");
  d.power = {number_in(row, "power.draw", 1000), number_in(row, "power.limit", 1000)};
  d.clocks = {number_in(row, "clocks.sm"), number_in(row, "clocks.mem"),
              number_in(row, "clocks.max.sm"), number_in(row, "clocks.max.mem")};
  d.throttle_bits = number_in(row, "clocks_throttle_reasons.active");
  d.ecc = {mode_in(row, "ecc.mode.current"), number_in(row, "ecc.errors.corrected.volatile.total"),
           number_in(row, "ecc.errors.uncorrected.volatile.total"),
           number_in(row, "ecc.errors.corrected.aggregate.total"),
           number_in(row, "ecc.errors.uncorrected.aggregate.total")};
  d.mig = mode_in(row, "mig.mode.current");
  return d;
}

}  // namespace

outcome<gpu_reading> parse_smi_gpus(std::string_view csv, std::string_view fields) {
  gpu_reading reading;
  reading.origin = gpu_origin::nvidia_smi;
  const auto found = table::read(csv, fields);
  if (!found) {
    if (csv.find("No devices were found") != csv.npos) return reading;
    const bool is_away = csv.find("has failed because") != csv.npos ||
                         csv.find("Failed to initialize NVML") != csv.npos;
    if (is_away) return reject(errc::unavailable, "nvidia-smi cannot reach the driver");
    return reject(errc::engine_unreadable, "nvidia-smi's answer is not the table that was asked");
  }
  for (const auto& row : found->rows) {
    if (reading.gpus.size() >= max_gpus) {
      ++reading.gpus_left_out;
      continue;
    }
    if (auto text = text_in(row, "driver_version"); !text.empty()) reading.driver_version = text;
    reading.gpus.push_back(device_in(row));
  }
  return reading;
}

bool add_smi_processes(std::string_view csv, gpu_reading& into) {
  const auto found = table::read(csv, smi_process_fields);
  if (!found) return false;
  for (auto& gpu : into.gpus) gpu.processes_are_known = true;
  for (const auto& row : found->rows) {
    const auto uuid = cell(row, "gpu_uuid");
    const auto pid = number_in(row, "pid");
    const auto at = std::find_if(into.gpus.begin(), into.gpus.end(),
                                 [&](const auto& gpu) { return gpu.uuid == uuid; });
    if (!pid || at == into.gpus.end()) continue;
    if (at->processes.size() >= max_gpu_processes) {
      ++at->processes_left_out;
      continue;
    }
    at->processes.push_back({*pid, gpu_work::compute, number_in(row, "used_gpu_memory", 1 << 20)});
  }
  return true;
}

}  // namespace reeve::adapters::nvml
