// The driver's library, played by a few functions: what it says, what it lacks, how it fails.

#include "adapters/nvml/nvml_reader.hpp"

#include <cstring>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::adapters;
using nvml::api;
using nvml::device;
using nvml::process_info;

int shutdowns = 0;
unsigned devices = 1;
unsigned processes = 0;

int number_of(device of) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(of)) - 1;
}

/// The least that a library has; each device's handle is its index and one.
api bare() {
  api with{};
  with.init = [] { return int{nvml::success}; };
  with.shutdown = [] {
    ++shutdowns;
    return int{nvml::success};
  };
  with.count = [](unsigned* count) {
    *count = devices;
    return int{nvml::success};
  };
  with.by_index = [](unsigned index, device* of) {
    *of = reinterpret_cast<device>(static_cast<std::intptr_t>(index) + 1);
    return int{nvml::success};
  };
  shutdowns = 0;
  devices = 1;
  processes = 0;
  return with;
}

api whole() {
  auto with = bare();
  with.driver_version = [](char* text, unsigned room) {
    std::strncpy(text, "550.54.15", room);
    return int{nvml::success};
  };
  with.cuda_version = [](int* version) {
    *version = 12040;
    return int{nvml::success};
  };
  with.name = [](device, char* text, unsigned room) {
    std::strncpy(text, "NVIDIA H100 80GB HBM3", room);
    return int{nvml::success};
  };
  with.pci = [](device, nvml::pci_info* bus) {
    std::memset(bus->bus_id, 'x', sizeof bus->bus_id);  // without an end
    return int{nvml::success};
  };
  with.memory_info = [](device, nvml::memory* m) {
    *m = {85'520'809'984ULL, 1'520'809'984ULL, 84'000'000'000ULL};
    return int{nvml::success};
  };
  with.utilisation_rates = [](device, nvml::utilisation* u) {
    *u = {99, 31};
    return int{nvml::success};
  };
  with.temperature = [](device, int sensor, unsigned* c) {
    *c = sensor == 0 ? 64 : 0;
    return int{nvml::success};
  };
  with.temperature_threshold = [](device, int which, unsigned* c) {
    *c = which == 0 ? 92 : 87;
    return int{nvml::success};
  };
  with.power_usage = [](device, unsigned* mw) {
    *mw = 690'123;
    return int{nvml::success};
  };
  with.clock = [](device, int kind, unsigned* mhz) {
    *mhz = kind == 1 ? 1980 : kind == 2 ? 2619 : 0;
    return int{nvml::success};
  };
  with.throttle_reasons = [](device, unsigned long long* bits) {
    *bits = 0x4;
    return int{nvml::success};
  };
  with.ecc_errors = [](device, int kind, int counter, unsigned long long* count) {
    *count = static_cast<unsigned long long>(10 * kind + counter);
    return int{nvml::success};
  };
  with.ecc_mode = [](device, unsigned* now, unsigned* pending) {
    *now = *pending = 1;
    return int{nvml::success};
  };
  with.mig_mode = [](device, unsigned*, unsigned*) { return int{nvml::not_supported}; };
  with.compute_processes = [](device, unsigned* count, process_info* into) {
    const auto room = *count;
    *count = processes;
    if (room < processes) return int{nvml::insufficient_size};
    for (unsigned i = 0; i < processes; ++i) {
      into[i] = {100 + i, i == 0 ? nvml::not_available : 1024ULL * i, 0, 0};
    }
    return int{nvml::success};
  };
  return with;
}

}  // namespace

TEST(RUN9_nvml, is_read_into_one_reading) {
  auto with = whole();
  processes = 2;
  const auto reading = nvml::read_gpus(with);
  ASSERT_TRUE(reading) << reading.error().detail;
  EXPECT_EQ(shutdowns, 1);
  EXPECT_EQ(reading->origin, gpu_origin::nvml);
  EXPECT_EQ(reading->driver_version, "550.54.15");
  EXPECT_EQ(reading->cuda_version, "12.4");
  ASSERT_EQ(reading->gpus.size(), 1U);
  const auto& gpu = reading->gpus[0];
  EXPECT_EQ(gpu.name, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(gpu.pci_bus, std::string(31, 'x'));
  EXPECT_EQ(gpu.memory.used_bytes, 84'000'000'000);
  EXPECT_EQ(gpu.utilisation, (gpu_utilisation{99, 31}));
  EXPECT_EQ(gpu.temperature, (gpu_temperature{64, 87, 92}));
  EXPECT_EQ(gpu.power, (gpu_power{690'123, std::nullopt}));
  EXPECT_EQ(gpu.clocks, (gpu_clocks{1980, 2619, std::nullopt, std::nullopt}));
  EXPECT_EQ(gpu.throttle_bits, gpu_throttle::software_power_cap);
  EXPECT_EQ(gpu.ecc, (gpu_ecc{true, 0, 10, 1, 11}));
  EXPECT_EQ(gpu.mig, std::nullopt);
  ASSERT_EQ(gpu.processes.size(), 2U);
  EXPECT_EQ(gpu.processes[0], (gpu_process{100, gpu_work::compute, std::nullopt}));
  EXPECT_EQ(gpu.processes[1], (gpu_process{101, gpu_work::compute, 1024}));
  EXPECT_TRUE(gpu.processes_are_known);
}

TEST(RUN9_nvml, of_any_age_says_what_it_can) {
  const auto reading = nvml::read_gpus(bare());
  ASSERT_TRUE(reading);
  gpu_device nothing;
  EXPECT_EQ(reading->gpus, std::vector<gpu_device>{nothing});
}

TEST(RUN9_nvml, tells_a_gpu_that_is_lost_and_reads_the_others) {
  auto with = whole();
  devices = 3;
  with.by_index = [](unsigned index, device* of) {
    *of = reinterpret_cast<device>(static_cast<std::intptr_t>(index) + 1);
    return index == 1 ? int{nvml::gpu_is_lost} : int{nvml::success};
  };
  with.uuid = [](device of, char* text, unsigned room) {
    std::snprintf(text, room, "GPU-%d", number_of(of));
    return int{nvml::success};
  };
  const auto reading = nvml::read_gpus(with);
  ASSERT_TRUE(reading);
  ASSERT_EQ(reading->gpus.size(), 3U);
  EXPECT_TRUE(reading->gpus[1].problem.has_value());
  EXPECT_EQ(reading->gpus[1].index, 1);
  EXPECT_EQ(reading->gpus[2].uuid, "GPU-2");
  EXPECT_FALSE(reading->gpus[2].problem.has_value());
}

TEST(RUN9_nvml, keeps_at_most_so_many_processes) {
  const auto with = whole();
  processes = 300;
  const auto reading = nvml::read_gpus(with);
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->gpus.at(0).processes.size(), max_gpu_processes);
  EXPECT_EQ(reading->gpus.at(0).processes_left_out, 44);
}

TEST(RUN9_nvml, that_cannot_begin_says_why) {
  auto with = bare();
  with.init = [] { return int{nvml::driver_not_loaded}; };
  const auto away = nvml::read_gpus(with);
  ASSERT_FALSE(away);
  EXPECT_EQ(away.error().code, errc::unavailable);
  EXPECT_EQ(away.error().detail, "the driver is not loaded");
  EXPECT_EQ(shutdowns, 0);
  with = bare();
  with.count = [](unsigned*) { return 999; };
  EXPECT_FALSE(nvml::read_gpus(with));
  EXPECT_EQ(shutdowns, 1);
}
