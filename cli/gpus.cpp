// The GPUs of this machine, as a gpu_report would read them. With --library it is the process that
// a server (and this very command) has look at the driver's library: short-lived, and watched.

#include "adapters/nvml/gpu_probe.hpp"
#include "adapters/nvml/nvml_reader.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "codec/codec.hpp"

#include <cstdio>
#include <unistd.h>

namespace reeve::cli {
namespace {

// Whoever asked has given up before: what hangs ends by itself once it can.
constexpr unsigned longest_s = 30;

std::string text_of(const std::optional<std::int64_t>& number, const char* unit) {
  return number ? std::to_string(*number) + unit : "-";
}

int read_library() {
  ::alarm(longest_s);
  const auto reading = adapters::nvml::read_gpus();
  if (reading) {
    print_json(codec::encode_document(*reading));
    return exit_ok;
  }
  if (reading.error().code == errc::not_found) return adapters::gpu_probe::no_library;
  adapters::gpu_reading none;
  none.problems.push_back(reading.error().detail);
  print_json(codec::encode_document(none));
  return exit_ok;
}

void print_gpus(const adapters::gpu_reading& reading) {
  if (reading.gpus.empty()) std::puts("No GPU found.");
  std::vector<std::vector<std::string>> rows{{"gpu", "name", "busy", "memory", "heat", "uuid"}};
  for (const auto& gpu : reading.gpus) {
    const auto mib = [](const std::optional<std::int64_t>& bytes) {
      return bytes ? std::optional(*bytes >> 20) : bytes;
    };
    rows.push_back({std::to_string(gpu.index), printable(gpu.name),
                    text_of(gpu.utilisation.gpu_pct, " %"),
                    text_of(mib(gpu.memory.used_bytes), "") + "/" +
                        text_of(mib(gpu.memory.total_bytes), " MiB"),
                    text_of(gpu.temperature.now_c, " C"), printable(gpu.uuid)});
  }
  if (rows.size() > 1) std::fputs(aligned(rows).c_str(), stdout);
  for (const auto& problem : reading.problems) complain(problem);
}

}  // namespace

int gpus(bool library, bool json) {
  if (library) return read_library();
  adapters::gpu_probe probe;
  const auto reading = probe.read([] { return true; });
  if (!reading) {
    complain(reading.error().detail);
    return exit_unreachable;
  }
  json ? print_json(codec::encode_document(*reading)) : print_gpus(*reading);
  return exit_ok;
}

}  // namespace reeve::cli
