#include "adapters/nvml/gpu_probe.hpp"

#include "adapters/nvml/smi_output.hpp"
#include "base/time.hpp"
#include "codec/codec.hpp"

#include <unistd.h>

namespace reeve::adapters {
namespace {

// 64 GPUs with 256 processes each, and their texts.
constexpr std::size_t most_output = 4 << 20;

codec::json_limits reading_limits() {
  codec::json_limits limits;
  limits.nodes = 200'000;
  limits.bytes = most_output;
  return limits;
}

rejection unreadable(const std::string& whose) {
  return reject(errc::engine_unreadable, whose + " gave no answer that can be read");
}

}  // namespace

outcome<program_end> gpu_probe::ask(std::vector<std::string> words,
                                    const std::function<bool()>& is_wanted) {
  program_call call;
  call.words = std::move(words);
  call.deadline_ms = options_.deadline_ms;
  call.output_bytes = most_output;
  call.is_wanted = is_wanted;
  return runner_.run(call);
}

outcome<gpu_reading> gpu_probe::ask_library(const std::function<bool()>& is_wanted) {
  const std::string whose = "libnvidia-ml.so.1";
  auto end = ask(options_.library_words, is_wanted);
  if (!end) {
    const bool is_late = end.error().code == errc::timed_out;
    return reject(end.error().code, is_late ? whose + " did not answer in time"
                                            : whose + " cannot be asked: " + end.error().detail);
  }
  if (end->exit_code == no_library) return reject(errc::not_found, "there is no " + whose);
  if (end->signal != 0) {
    return reject(errc::unavailable,
                  whose + " crashed (signal " + std::to_string(end->signal) + ")");
  }
  if (end->truncated) return unreadable(whose);
  auto reading = codec::decode_text<gpu_reading>(end->output, reading_limits());
  if (!reading) return unreadable(whose);
  // It is there and cannot begin.
  if (reading->origin == gpu_origin::none && !reading->problems.empty()) {
    return reject(errc::unavailable, whose + ": " + reading->problems.front());
  }
  return reading;
}

outcome<gpu_reading> gpu_probe::ask_smi(const std::string& path, std::string_view fields,
                                        const std::function<bool()>& is_wanted) {
  auto end = ask({path, "--query-gpu=" + std::string(fields), "--format=csv,nounits"}, is_wanted);
  if (!end) {
    const bool is_late = end.error().code == errc::timed_out;
    return reject(end.error().code, is_late ? "nvidia-smi did not answer in time"
                                            : "nvidia-smi cannot be asked: " + end.error().detail);
  }
  return nvml::parse_smi_gpus(end->output, fields);
}

outcome<gpu_reading> gpu_probe::ask_smi(const std::function<bool()>& is_wanted) {
  for (const auto& path : options_.smi_paths) {
    if (::access(path.c_str(), X_OK) != 0) continue;
    auto reading = ask_smi(path, nvml::smi_gpu_fields, is_wanted);
    // An older one refuses a field that it does not know, and with it all of them.
    if (!reading && reading.error().code == errc::engine_unreadable) {
      reading = ask_smi(path, nvml::smi_basic_gpu_fields, is_wanted);
    }
    if (!reading || reading->gpus.empty()) return reading;
    const auto processes =
        ask({path, "--query-compute-apps=" + std::string(nvml::smi_process_fields),
             "--format=csv,nounits"},
            is_wanted);
    if (!processes || !nvml::add_smi_processes(processes->output, *reading)) {
      reading->problems.push_back("nvidia-smi does not tell the processes");
    }
    return reading;
  }
  return reject(errc::not_found, "there is no nvidia-smi");
}

outcome<gpu_reading> gpu_probe::read(const std::function<bool()>& is_wanted) {
  const auto now_us = real_clock().mono_us();
  if (last_us_ && now_us - *last_us_ <= options_.fresh_ms * 1000) return last_;
  auto reading = read_anew(is_wanted);
  last_us_.reset();
  if (reading) {
    last_ = *reading;
    last_us_ = real_clock().mono_us();
  }
  return reading;
}

outcome<gpu_reading> gpu_probe::read_anew(const std::function<bool()>& is_wanted) {
  auto reading = ask_library(is_wanted);
  if (reading) return reading;
  std::vector<std::string> problems;
  if (reading.error().code != errc::not_found) problems.push_back(reading.error().detail);
  if (!is_wanted()) return reject(errc::unavailable, "the reading is not wanted any more");
  reading = ask_smi(is_wanted);
  if (!is_wanted()) return reject(errc::unavailable, "the reading is not wanted any more");
  if (!reading) {
    if (reading.error().code != errc::not_found) problems.push_back(reading.error().detail);
    reading = gpu_reading{};
    const bool has_driver = ::access(options_.driver_file.c_str(), F_OK) == 0;
    if (problems.empty() && has_driver) {
      problems.push_back(
          "a driver of NVIDIA's is loaded, but neither libnvidia-ml.so.1 nor nvidia-smi is here");
    }
  }
  reading->problems.insert(reading->problems.begin(), problems.begin(), problems.end());
  return reading;
}

}  // namespace reeve::adapters
