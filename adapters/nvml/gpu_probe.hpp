#pragma once
// The GPUs of this machine, read at arm's length: the driver's library runs in a process of its own
// (this program's `gpus --library`), which has no secrets, no connections and a deadline; a driver
// that hangs or a library that crashes takes nothing else with it. Where that says nothing,
// nvidia-smi is asked.

#include "adapters/gpu_port.hpp"
#include "adapters/program_runner.hpp"

#include <string>
#include <vector>

namespace reeve::adapters {

struct gpu_probe_options {
  /// Prints a gpu_reading as JSON and exits with 0, or with `no_library` if there is none.
  std::vector<std::string> library_words{"/proc/self/exe", "gpus", "--library"};
  /// The first one that is there is taken.
  std::vector<std::string> smi_paths{"/usr/bin/nvidia-smi", "/usr/local/nvidia/bin/nvidia-smi",
                                     "/usr/lib/wsl/lib/nvidia-smi"};
  /// There as long as a driver is loaded.
  std::string driver_file = "/proc/driver/nvidia/version";
  std::int64_t deadline_ms = 10'000;  ///< of each program
  /// A reading that is no older than that is given again: many reports at once are one reading.
  std::int64_t fresh_ms = 1'000;
};

class gpu_probe final : public gpu_source {
 public:
  static constexpr int no_library = 3;  ///< exit code

  explicit gpu_probe(gpu_probe_options options = {}) : options_(std::move(options)) {}
  outcome<gpu_reading> read(const std::function<bool()>& is_wanted) override;

 private:
  outcome<gpu_reading> read_anew(const std::function<bool()>& is_wanted);
  outcome<program_end> ask(std::vector<std::string> words, const std::function<bool()>& is_wanted);
  outcome<gpu_reading> ask_library(const std::function<bool()>& is_wanted);
  outcome<gpu_reading> ask_smi(const std::function<bool()>& is_wanted);
  outcome<gpu_reading> ask_smi(const std::string& path, std::string_view fields,
                               const std::function<bool()>& is_wanted);

  gpu_probe_options options_;
  program_runner runner_;
  gpu_reading last_;
  std::optional<std::int64_t> last_us_;  // when it was read, monotonic
};

}  // namespace reeve::adapters
