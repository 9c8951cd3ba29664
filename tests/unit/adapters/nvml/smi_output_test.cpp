// The tables of nvidia-smi: what a GPU says, what it cannot say, older tools, and what is none.

#include "adapters/nvml/smi_output.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::adapters;
using nvml::add_smi_processes;

outcome<gpu_reading> parse_smi_gpus(std::string_view csv,
                                    std::string_view fields = nvml::smi_gpu_fields) {
  return nvml::parse_smi_gpus(csv, fields);
}

// In the form of driver 550; the first GPU is of a data centre, the second one of a desktop.
const std::string two_gpus =
    "index, name, uuid, pci.bus_id, driver_version, memory.total [MiB], memory.used [MiB], "
    "memory.free [MiB], utilization.gpu [%], utilization.memory [%], temperature.gpu, "
    "power.draw [W], power.limit [W], clocks.current.sm [MHz], clocks.current.memory [MHz], "
    "clocks.max.sm [MHz], clocks.max.memory [MHz], clocks_event_reasons.active, ecc.mode.current, "
    "ecc.errors.corrected.volatile.total, ecc.errors.uncorrected.volatile.total, "
    "ecc.errors.corrected.aggregate.total, ecc.errors.uncorrected.aggregate.total, "
    "mig.mode.current\n"
    "0, NVIDIA A100-SXM4-40GB, GPU-11111111-2222-3333-4444-555555555555, 00000000:07:00.0, "
    "550.54.15, 40960, 1024, 39936, 87, 40, 61, 312.45, 400.00, 1410, 1215, 1410, 1215, "
    "0x0000000000000004, Enabled, 3, 0, 12, 1, Disabled\n"
    "1, NVIDIA GeForce RTX 3060, GPU-66666666-7777-8888-9999-aaaaaaaaaaaa, 00000000:0A:00.0, "
    "550.54.15, 12288, 0, 12288, [N/A], [Not Supported], ERR!, [N/A], [Unknown Error], 210, 405, "
    "2130, 7501, [N/A], [N/A], [N/A], [N/A], [N/A], [N/A], [N/A]\n";

}  // namespace

TEST(RUN9_nvidia_smi, is_read_column_by_column) {
  const auto reading = parse_smi_gpus(two_gpus);
  ASSERT_TRUE(reading) << reading.error().detail;
  ASSERT_EQ(reading->gpus.size(), 2U);
  EXPECT_EQ(reading->origin, gpu_origin::nvidia_smi);
  EXPECT_EQ(reading->driver_version, "550.54.15");
  const auto& gpu = reading->gpus[0];
  EXPECT_EQ(gpu.name, "NVIDIA A100-SXM4-40GB");
  EXPECT_EQ(gpu.uuid, "GPU-11111111-2222-3333-4444-555555555555");
  EXPECT_EQ(gpu.pci_bus, "00000000:07:00.0");
  EXPECT_EQ(gpu.memory.total_bytes, std::int64_t{40960} << 20);
  EXPECT_EQ(gpu.memory.used_bytes, std::int64_t{1024} << 20);
  EXPECT_EQ(gpu.utilisation.gpu_pct, 87);
  EXPECT_EQ(gpu.temperature.now_c, 61);
  EXPECT_EQ(gpu.power.draw_mw, 312'450);
  EXPECT_EQ(gpu.power.limit_mw, 400'000);
  EXPECT_EQ(gpu.clocks.sm_mhz, 1410);
  EXPECT_EQ(gpu.clocks.memory_mhz, 1215);
  EXPECT_EQ(gpu.clocks.max_sm_mhz, 1410);
  EXPECT_EQ(gpu.throttle_bits, gpu_throttle::software_power_cap);
  EXPECT_EQ(gpu.ecc.enabled, true);
  EXPECT_EQ(gpu.ecc.volatile_corrected, 3);
  EXPECT_EQ(gpu.ecc.aggregate_uncorrected, 1);
  EXPECT_EQ(gpu.mig, false);
  EXPECT_FALSE(gpu.processes_are_known);
}

TEST(RUN9_nvidia_smi, leaves_empty_what_a_gpu_cannot_say) {
  const auto reading = parse_smi_gpus(two_gpus);
  ASSERT_TRUE(reading);
  const auto& gpu = reading->gpus[1];
  EXPECT_EQ(gpu.memory.used_bytes, 0) << "a nought is a value";
  EXPECT_EQ(gpu.utilisation, gpu_utilisation{});
  EXPECT_EQ(gpu.temperature, gpu_temperature{});
  EXPECT_EQ(gpu.power, gpu_power{});
  EXPECT_EQ(gpu.throttle_bits, std::nullopt);
  EXPECT_EQ(gpu.ecc, gpu_ecc{});
  EXPECT_EQ(gpu.mig, std::nullopt);
  EXPECT_EQ(gpu.clocks.max_memory_mhz, 7501);
}

TEST(RUN9_nvidia_smi, of_any_age_is_read_in_the_order_that_was_asked) {
  // Fewer columns in another order, DOS line ends, words before the table.
  const auto old = parse_smi_gpus(
      "WARNING: infoROM is corrupted at gpu 0000:02:00.0\r\n"
      "index, uuid, temperature.gpu, clocks_throttle_reasons.active, name\r\n"
      "0, GPU-1, 40, 0x00000000000000e8, Tesla K80\r\n",
      "index,uuid,temperature.gpu,clocks_throttle_reasons.active,name");
  ASSERT_TRUE(old) << old.error().detail;
  ASSERT_EQ(old->gpus.size(), 1U);
  EXPECT_EQ(old->gpus[0].name, "Tesla K80");
  EXPECT_EQ(old->gpus[0].throttle_bits, 0xe8);
  EXPECT_EQ(old->gpus[0].memory, gpu_memory{});
}

TEST(RUN9_nvidia_smi, that_says_something_else_is_refused) {
  const auto code = [](std::string_view text) {
    const auto reading = parse_smi_gpus(text);
    return reading ? "ok" : std::string(name_of(reading.error().code));
  };
  EXPECT_EQ(code("Field \"mig.mode.current\" is not a valid field to query.\n"),
            "engine_unreadable");
  EXPECT_EQ(code(""), "engine_unreadable");
  EXPECT_EQ(code("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. "
                 "Make sure that the latest NVIDIA driver is installed and running.\n"),
            "unavailable");
  EXPECT_EQ(code("Failed to initialize NVML: Driver/library version mismatch\n"), "unavailable");
  const auto none = parse_smi_gpus("No devices were found\n");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->gpus.empty());
}

TEST(RUN9_nvidia_smi, numbers_that_are_none_are_empty) {
  for (const char* text : {"-1", "1e3", "1.2.3", "0x", "99999999999999999999", "12 MiB", "1."}) {
    const auto reading = parse_smi_gpus(
        "index, temperature.gpu, power.draw [W]\n0, " + std::string(text) + ", " + text + "\n",
        "index,temperature.gpu,power.draw");
    ASSERT_TRUE(reading);
    EXPECT_EQ(reading->gpus.at(0).temperature.now_c, std::nullopt) << text;
    EXPECT_EQ(reading->gpus.at(0).power.draw_mw, std::nullopt) << text;
  }
}

TEST(RUN9_nvidia_smi, puts_processes_to_their_gpus) {
  auto reading = *parse_smi_gpus(two_gpus);
  ASSERT_TRUE(
      add_smi_processes("gpu_uuid, pid, used_gpu_memory [MiB]\n"
                        "GPU-11111111-2222-3333-4444-555555555555, 4242, 812\n"
                        "GPU-11111111-2222-3333-4444-555555555555, 4243, [N/A]\n"
                        "GPU-none-of-these, 1, 5\n"
                        "GPU-66666666-7777-8888-9999-aaaaaaaaaaaa, [Insufficient Permissions], 5\n",
                        reading));
  const auto& gpu = reading.gpus[0];
  ASSERT_EQ(gpu.processes.size(), 2U);
  EXPECT_EQ(gpu.processes[0], (gpu_process{4242, gpu_work::compute, std::int64_t{812} << 20}));
  EXPECT_EQ(gpu.processes[1], (gpu_process{4243, gpu_work::compute, std::nullopt}));
  EXPECT_TRUE(reading.gpus[1].processes_are_known);
  EXPECT_TRUE(reading.gpus[1].processes.empty());
  auto other = *parse_smi_gpus(two_gpus);
  EXPECT_FALSE(add_smi_processes("No such option\n", other));
  EXPECT_FALSE(other.gpus[0].processes_are_known);
}

TEST(RUN9_nvidia_smi, keeps_at_most_so_many_gpus_and_processes) {
  std::string gpus = "index, uuid\n", processes = "gpu_uuid, pid, used_gpu_memory [MiB]\n";
  for (int i = 0; i < 70; ++i) gpus += std::to_string(i) + ", GPU-" + std::to_string(i) + "\n";
  for (int i = 1; i <= 300; ++i) processes += "GPU-0, " + std::to_string(i) + ", 1\n";
  auto reading = *parse_smi_gpus(gpus, "index,uuid");
  EXPECT_EQ(reading.gpus.size(), max_gpus);
  EXPECT_EQ(reading.gpus_left_out, 6);
  ASSERT_TRUE(add_smi_processes(processes, reading));
  EXPECT_EQ(reading.gpus[0].processes.size(), max_gpu_processes);
  EXPECT_EQ(reading.gpus[0].processes_left_out, 44);
}
