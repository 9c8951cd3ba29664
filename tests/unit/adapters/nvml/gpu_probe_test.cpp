// Which way the GPUs are read: the library in a process of its own, then the tool, then nothing. No
// way of failing takes longer than its deadline or hides that it failed.

#include "adapters/nvml/gpu_probe.hpp"

#include "codec/codec.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::adapters;

const std::function<bool()> wanted = [] { return true; };

class tools {
 public:
  tools() { std::filesystem::create_directories(folder_); }
  ~tools() { std::filesystem::remove_all(folder_); }
  std::string script(const std::string& name, const std::string& text) const {
    const auto path = folder_ / name;
    std::ofstream(path) << "#!/bin/sh\n" << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  std::string path(const std::string& name) const { return folder_ / name; }

 private:
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("gpu-probe-" + std::to_string(::getpid()));
};

gpu_probe_options with_library(const std::string& script) {
  gpu_probe_options options;
  options.library_words = {"/bin/sh", "-c", script};
  options.smi_paths = {};
  options.driver_file = "/no/such/file";
  return options;
}

gpu_reading read(gpu_probe_options options) {
  gpu_probe probe(std::move(options));
  auto reading = probe.read(wanted);
  EXPECT_TRUE(reading);
  return reading ? *reading : gpu_reading{};
}

/// A tool that answers both questions, the first one only if no unknown field is asked for.
const std::string old_smi =
    "case \"$1\" in\n"
    "*mig.mode*) echo 'Field \"mig.mode.current\" is not a valid field to query.'; exit 2;;\n"
    "--query-gpu*) echo \"${1#*=}\"\n"
    "echo '0, Tesla P4, GPU-7, [N/A], 384.1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1';;\n"
    "*) printf 'gpu_uuid, pid, used_gpu_memory [MiB]\\nGPU-7, 12, 3\\n';;\n"
    "esac\n";

}  // namespace

TEST(RUN9_gpus, are_those_of_the_library_where_there_is_one) {
  gpu_reading sample;
  sample.origin = gpu_origin::nvml;
  sample.gpus.emplace_back().name = "it's one";
  auto options = with_library("cat <<'END'\n" + codec::encode_document(sample) + "\nEND");
  options.smi_paths = {"/bin/false"};
  EXPECT_EQ(read(options), sample);
}

TEST(RUN9_gpus, that_are_not_there_are_no_failure) {
  auto options = with_library("exit 3");
  const auto none = read(options);
  EXPECT_EQ(none, gpu_reading{});
  // But a driver that nobody can ask is told.
  options.driver_file = "/proc/self/stat";
  const auto unread = read(options);
  EXPECT_EQ(unread.origin, gpu_origin::none);
  EXPECT_EQ(unread.problems.size(), 1U);
}

TEST(RUN9_gpus, are_those_of_the_tool_where_the_library_is_missing) {
  const tools here;
  auto options = with_library("exit 3");
  options.smi_paths = {here.path("absent"), here.script("smi", old_smi)};
  const auto reading = read(options);
  EXPECT_EQ(reading.origin, gpu_origin::nvidia_smi);
  ASSERT_EQ(reading.gpus.size(), 1U);
  EXPECT_EQ(reading.gpus[0].name, "Tesla P4");
  ASSERT_EQ(reading.gpus[0].processes.size(), 1U);
  EXPECT_EQ(reading.gpus[0].processes[0].pid, 12);
  EXPECT_TRUE(reading.problems.empty());
}

TEST(RUN9_gpus, of_a_library_that_crashes_hangs_or_babbles_come_from_the_tool) {
  const tools here;
  gpu_reading refused;
  refused.problems.push_back("the driver is not loaded");
  const std::vector<std::pair<std::string, std::string>> ways{
      {"kill -SEGV $$", "crashed (signal 11)"},
      {"exec sleep 60", "did not answer in time"},
      {"echo hello", "gave no answer that can be read"},
      {"exec cat /dev/zero", "gave no answer that can be read"},
      {"cat <<'END'\n" + codec::encode_document(refused) + "\nEND", "the driver is not loaded"}};
  for (const auto& [script, problem] : ways) {
    auto options = with_library(script);
    options.deadline_ms = 2000;
    options.smi_paths = {here.script("smi", old_smi)};
    const auto reading = read(options);
    EXPECT_EQ(reading.gpus.size(), 1U) << script;
    ASSERT_EQ(reading.problems.size(), 1U) << script;
    EXPECT_NE(reading.problems[0].find(problem), std::string::npos) << reading.problems[0];
    options.smi_paths = {here.script("smi", "exec sleep 60")};
    options.deadline_ms = 300;
    const auto neither = read(options);
    EXPECT_TRUE(neither.gpus.empty());
    EXPECT_EQ(neither.problems.size(), 2U) << script;
  }
}

TEST(RUN9_gpus, are_not_read_for_nobody) {
  auto options = with_library("exec sleep 60");
  gpu_probe probe(options);
  const auto reading = probe.read([] { return false; });
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().code, errc::unavailable);
}

TEST(RUN9_gpus, are_read_once_for_many_that_ask_at_once) {
  const tools here;
  const auto count = here.path("count");
  auto options = with_library("echo x >>" + count + "; exit 3");
  options.fresh_ms = 60'000;
  gpu_probe probe(options);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(probe.read(wanted));
  EXPECT_EQ(std::filesystem::file_size(count), 2U);
  options.fresh_ms = -1;
  gpu_probe other(options);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(other.read(wanted));
  EXPECT_EQ(std::filesystem::file_size(count), 6U);
}
