#include "base/time.hpp"
#include "tasks/gpu/gpu_report.hpp"
#include "tasks/triage/log_triage_markdown.hpp"

#include <algorithm>

namespace reeve::tasks {
namespace {

constexpr std::size_t most_processes = 20;  // of one GPU; the JSON report has all

using number = std::optional<std::int64_t>;

std::string with(const number& value, const char* unit) {
  return value ? std::to_string(*value) + unit : "–";
}

/// "17.3 GiB".
std::string size(const number& bytes) {
  if (!bytes) return "–";
  const auto tenths = (*bytes / (1 << 20) * 10 + 512) / 1024;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GiB";
}

std::string watts(const number& mw) {
  return mw ? std::to_string((*mw + 500) / 1000) + " W" : "–";
}

/// A code span that ends no cell of a table.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : markdown_code(text)) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string either(const std::optional<std::string>& text) {
  return text ? cell(*text) : "–";
}

void row(std::string& out, const char* name, const std::string& value) {
  out.append("| ").append(name).append(" | ").append(value).append(" |\n");
}

void add_findings(std::string& out, const gpu_report& report) {
  out += "\n## Findings\n\n";
  if (report.findings.empty()) out += "None.\n";
  for (const auto& one : report.findings) {
    out.append("- **").append(domain::name_of(one.level)).append("**, GPU ");
    out.append(std::to_string(one.gpu)).append(": ").append(one.text).append("\n");
  }
  if (report.problems.empty()) return;
  out += "\n## Not read\n\n";
  for (const auto& problem : report.problems) {
    out.append("- ").append(markdown_code(problem)).append("\n");
  }
}

void add_processes(std::string& out, const gpu_report_device& gpu) {
  if (!gpu.processes) {
    out += "\nIts processes are not told.\n";
    return;
  }
  if (gpu.processes->empty()) {
    out += "\nNo process has memory of it.\n";
    return;
  }
  out += "\n| process | work | memory | name | container |\n| ---: | --- | ---: | --- | --- |\n";
  const auto shown = std::min(gpu.processes->size(), most_processes);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& one = (*gpu.processes)[i];
    out.append("| ").append(std::to_string(one.pid)).append(" | ");
    out.append(domain::name_of(one.work)).append(" | ").append(size(one.memory_bytes));
    out.append(" | ").append(either(one.name)).append(" | ").append(either(one.container));
    out.append(" |\n");
  }
  const auto more =
      static_cast<std::int64_t>(gpu.processes->size() - shown) + gpu.processes_left_out;
  if (more > 0) out.append("\nAnd ").append(std::to_string(more)).append(" more.\n");
}

std::string reasons_of(const gpu_report_device& gpu) {
  if (!gpu.throttle_reasons) return "–";
  std::string text;
  for (const auto& one : *gpu.throttle_reasons) text += (text.empty() ? "" : "; ") + one;
  return text.empty() ? "none" : text;
}

std::string ecc(const adapters::gpu_ecc& e) {
  if (!e.enabled) return "–";
  if (!*e.enabled) return "off";
  return "on; since the driver was loaded " + with(e.volatile_corrected, " corrected, ") +
         with(e.volatile_uncorrected, " not; ") + "in its life " +
         with(e.aggregate_corrected, " corrected, ") + with(e.aggregate_uncorrected, " not");
}

void add_gpu(std::string& out, const gpu_report_device& gpu) {
  out.append("\n## GPU ").append(std::to_string(gpu.index)).append("\n\n");
  out += "| what | now |\n| --- | --- |\n";
  row(out, "name", either(gpu.name));
  row(out, "UUID", either(gpu.uuid));
  row(out, "bus", either(gpu.pci_bus));
  if (gpu.problem) row(out, "problem", cell(*gpu.problem));
  row(out, "utilisation",
      with(gpu.utilisation.gpu_pct, " %") + ", memory " + with(gpu.utilisation.memory_pct, " %"));
  row(out, "memory", size(gpu.memory.used_bytes) + " of " + size(gpu.memory.total_bytes));
  row(out, "temperature",
      with(gpu.temperature.now_c, " °C") + " (slows down from " +
          with(gpu.temperature.slowdown_c, " °C") + " on)");
  row(out, "power", watts(gpu.power.draw_mw) + " of " + watts(gpu.power.limit_mw));
  row(out, "clocks",
      with(gpu.clocks.sm_mhz, " MHz") + " of " + with(gpu.clocks.max_sm_mhz, " MHz") + ", memory " +
          with(gpu.clocks.memory_mhz, " MHz") + " of " + with(gpu.clocks.max_memory_mhz, " MHz"));
  row(out, "clocks are held", reasons_of(gpu));
  row(out, "ECC", ecc(gpu.ecc));
  if (gpu.mig) row(out, "MIG", *gpu.mig ? "on" : "off");
  add_processes(out, gpu);
}

}  // namespace

std::string to_markdown(const gpu_report& report) {
  std::string out = "# GPU report\n\nMade at " + format_time(report.made_at.at) + ". ";
  // The names in it are the driver's.
  out += report.gpus.empty() ? report.summary : markdown_code(report.summary);
  out += "\n";
  if (report.driver_version || report.cuda_version) {
    out += "\nDriver " + either(report.driver_version) + ", CUDA up to " +
           either(report.cuda_version) + ", read through " +
           std::string(domain::name_of(report.source)) + ".\n";
  }
  if (!report.gpus.empty() || !report.problems.empty()) add_findings(out, report);
  for (const auto& gpu : report.gpus) add_gpu(out, gpu);
  if (report.gpus_left_out > 0) {
    out.append("\nAnd ").append(std::to_string(report.gpus_left_out)).append(" more GPUs.\n");
  }
  return out;
}

}  // namespace reeve::tasks
