// Log triage over a gigabyte of mixed logs that is made up while it is read.

#include "tasks/triage/log_triage.hpp"

#include "bench/mixed_logs.hpp"
#include "bench/support.hpp"
#include "tasks/triage/log_triage_markdown.hpp"

#include <cstdio>
#include <fstream>
#include <string>

namespace reeve::bench {
namespace {

constexpr std::size_t block_bytes = 1 << 20;
constexpr double bar_mb_s = 60;
constexpr double bar_mib = 128;

/// The most memory that this process ever had, in MiB (proc(5), VmHWM).
double peak_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

/// Gives a block of lines to `use`, until so many bytes came.
template <class Use>
void read_logs(std::int64_t bytes, Use use) {
  mixed_logs logs;
  std::string block;
  for (std::int64_t done = 0; done < bytes;) {
    block.clear();
    while (block.size() < block_bytes) logs.append(block);
    done += static_cast<std::int64_t>(block.size());
    use(block);
  }
}

/// What redaction alone takes of it.
double redaction_s(std::int64_t bytes) {
  const auto rules = redactor().with_patterns();
  redacting_stream stream(rules);
  double cpu = 0;
  std::size_t out = 0;
  read_logs(bytes, [&](std::string_view block) {
    const auto begin = thread_cpu_s();
    out += stream.write(block).size();
    cpu += thread_cpu_s() - begin;
  });
  if (out == 0) give_up("redaction let nothing out");
  return cpu;
}

int run(bool quick) {
  const std::int64_t bytes = quick ? 50'000'000 : 1'000'000'000;
  tasks::triage_options options;
  options.now = parse_time("2026-11-22T00:00:00Z").value_or(0);
  options.max_lines = 20'000'000;
  tasks::log_triage triage(options, redactor(), std::nullopt);
  const auto source = triage.open("mixed", tasks::log_source_kind::file).value_or(0);
  double cpu = 0;
  std::int64_t lines = 0;
  read_logs(bytes, [&](std::string_view block) {
    const auto begin = thread_cpu_s();
    while (!block.empty()) {
      const auto end = block.find('\n');
      triage.add(source, block.substr(0, end));
      block.remove_prefix(end + 1);
      ++lines;
    }
    cpu += thread_cpu_s() - begin;
  });
  const auto begin = thread_cpu_s();
  const auto report = triage.finish();
  const auto shown = tasks::to_markdown(report);
  cpu += thread_cpu_s() - begin;
  const double peak = peak_mib();
  if (report.totals.lines != lines) give_up("not every line was triaged");

  const double megabytes = static_cast<double>(bytes) / 1e6;
  const auto redaction = redaction_s(bytes / 10) * 10;
  reeve::bench::report line("log_triage", 1, megabytes / cpu, "MB/s of CPU time", bar_mb_s,
                            megabytes / cpu / bar_mb_s);
  line.at_least("mb_s", megabytes / cpu, bar_mb_s).at_most("peak_mib", peak, bar_mib);
  line.add("bytes", bytes).add("lines", lines).add("records", report.totals.records);
  line.add("templates", report.totals.templates)
      .add("overflowed", report.totals.overflowed_records)
      .add("redaction_share", redaction / cpu);
  line.add("peak_mib", peak).add("markdown_bytes", static_cast<std::int64_t>(shown.size()));
  line.print();
  return 0;
}

}  // namespace
}  // namespace reeve::bench

int main(int argc, char** argv) {
  // It needs nothing but this process.
  const bool quick = argc == 2 && std::string_view(argv[1]) == "--quick";
  if (argc > 1 && !quick) reeve::bench::give_up("the only option is --quick");
  return reeve::bench::run(quick);
}
