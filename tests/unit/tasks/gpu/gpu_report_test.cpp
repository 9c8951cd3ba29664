// The report on GPUs: what it says of them, what it finds, and whose processes it names.

#include "tasks/gpu/gpu_report.hpp"

#include "adapters/simulated/simulated_engine.hpp"
#include "codec/codec.hpp"
#include "tasks/gpu/gpu_reader.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::tasks;
using adapters::gpu_device;
using adapters::gpu_reading;
namespace throttle = adapters::gpu_throttle;

gpu_reading one(const std::function<void(gpu_device&)>& change) {
  gpu_reading reading;
  reading.origin = adapters::gpu_origin::nvml;
  auto& gpu = reading.gpus.emplace_back();
  gpu.name = "NVIDIA T4";
  change(gpu);
  return reading;
}

/// "error hot, notice ecc".
std::string findings_of(const std::function<void(gpu_device&)>& change) {
  std::string all;
  for (const auto& one : report_on(one(change), {}, 0).findings) {
    all += (all.empty() ? "" : ", ") + std::string(domain::name_of(one.level)) + " " + one.what;
  }
  return all;
}

}  // namespace

TEST(RUN9_gpu_report, of_a_machine_without_a_gpu_says_so) {
  const auto report = report_on({}, {}, 1'700'000'000'000'000);
  EXPECT_EQ(report.summary, "No GPU found.");
  EXPECT_TRUE(report.findings.empty());
  EXPECT_EQ(codec::encode_document(report),
            R"({"cuda_version":null,"driver_version":null,"findings":[],"format":1,"gpus":[],)"
            R"("gpus_left_out":0,"made_at":"2023-11-14T22:13:20.000000Z","problems":[],)"
            R"("source":"none","summary":"No GPU found."})");
  EXPECT_EQ(to_markdown(report),
            "# GPU report\n\nMade at 2023-11-14T22:13:20.000000Z. No GPU found.\n");
}

TEST(RUN9_gpu_report, finds_heat) {
  EXPECT_EQ(findings_of([](auto& g) { g.temperature = {40, 90, 95}; }), "");
  EXPECT_EQ(findings_of([](auto& g) { g.temperature = {85, 90, 95}; }), "");
  EXPECT_EQ(findings_of([](auto& g) { g.temperature = {86, 90, 95}; }), "warning hot");
  EXPECT_EQ(findings_of([](auto& g) { g.temperature = {90, 90, 95}; }), "error hot");
  EXPECT_EQ(findings_of([](auto& g) { g.temperature.now_c = 89; }), "");
  EXPECT_EQ(findings_of([](auto& g) { g.temperature.now_c = 90; }), "warning hot");
  EXPECT_EQ(findings_of([](auto& g) { g.temperature = {50, 0, 0}; }), "") << "0 is no threshold";
}

TEST(RUN9_gpu_report, finds_what_holds_the_clocks_down) {
  EXPECT_EQ(findings_of([](auto& g) {
              g.throttle_bits = throttle::idle | throttle::application_clocks |
                                throttle::sync_boost | throttle::display_clocks;
            }),
            "");
  EXPECT_EQ(findings_of([](auto& g) { g.throttle_bits = throttle::software_power_cap; }),
            "notice power_limit");
  EXPECT_EQ(findings_of([](auto& g) { g.throttle_bits = throttle::software_thermal; }),
            "warning throttled");
  for (const auto bit :
       {throttle::hardware_slowdown, throttle::hardware_thermal, throttle::hardware_power_brake}) {
    EXPECT_EQ(findings_of([&](auto& g) { g.throttle_bits = bit; }), "error throttled");
  }
  EXPECT_EQ(throttle_words(0), std::vector<std::string>{});
  EXPECT_EQ(
      throttle_words(0x9 | 0x4000),
      (std::vector<std::string>{"idle", "slowed down by the hardware", "for another reason"}));
}

TEST(RUN9_gpu_report, finds_memory_errors_fullness_and_lost_ones) {
  EXPECT_EQ(findings_of([](auto& g) { g.ecc = {true, 0, 0, 0, 0}; }), "");
  EXPECT_EQ(findings_of([](auto& g) { g.ecc = {true, 0, 2, 0, 2}; }), "error ecc");
  EXPECT_EQ(findings_of([](auto& g) { g.ecc = {true, 0, 0, 0, 2}; }), "warning ecc");
  EXPECT_EQ(findings_of([](auto& g) { g.ecc = {true, 5, 1, 5, 1}; }), "error ecc, notice ecc");
  EXPECT_EQ(findings_of([](auto& g) { g.ecc.enabled = false; }), "notice ecc_off");
  EXPECT_EQ(findings_of([](auto& g) { g.memory = {1000, 949, 51}; }), "");
  EXPECT_EQ(findings_of([](auto& g) { g.memory = {1000, 950, 50}; }), "notice memory_full");
  EXPECT_EQ(findings_of([](auto& g) { g.memory = {0, 0, 0}; }), "");
  EXPECT_EQ(findings_of([](auto& g) { g.problem = "the GPU is lost"; }), "error lost");
}

TEST(RUN9_gpu_report, puts_the_worst_first_and_counts_kinds) {
  auto reading = one([](auto& g) { g.memory = {1000, 999, 1}; });
  for (int i = 1; i < 3; ++i) {
    auto& gpu = reading.gpus.emplace_back();
    gpu.index = i;
    gpu.name = i == 1 ? "NVIDIA T4" : "NVIDIA L4";
  }
  reading.gpus[2].temperature = {99, 90, 95};
  reading.gpus_left_out = 1;
  const auto report = report_on(reading, {}, 0);
  EXPECT_EQ(report.summary, "4 GPUs: 1 × NVIDIA L4, 2 × NVIDIA T4.");
  ASSERT_EQ(report.findings.size(), 2U);
  EXPECT_EQ(report.findings[0].what, "hot");
  EXPECT_EQ(report.findings[0].gpu, 2);
}

TEST(RUN9_gpu_report, tells_unknown_from_none) {
  const auto json = codec::encode_document(report_on(one([](auto&) {}), {}, 0));
  EXPECT_NE(json.find(R"("processes":null)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("throttle_reasons":null)"), std::string::npos);
  EXPECT_NE(json.find(R"("draw_mw":null)"), std::string::npos);
  const auto known = codec::encode_document(report_on(one([](auto& g) {
                                                        g.processes_are_known = true;
                                                        g.throttle_bits = 0;
                                                      }),
                                                      {}, 0));
  EXPECT_NE(known.find(R"("processes":[])"), std::string::npos);
  EXPECT_NE(known.find(R"("throttle_reasons":[])"), std::string::npos);
}

TEST(RUN9_gpu_report, names_from_outside_stay_inside_of_their_cells) {
  const auto text = to_markdown(report_on(one([](auto& g) {
                                            g.name = "a`|b\n# c";
                                            g.processes_are_known = true;
                                            g.processes = {{7, {}, 1 << 30}};
                                          }),
                                          {{7, {"x|<script>", "web"}}}, 0));
  EXPECT_NE(text.find("| name | `` a`\\|b # c `` |"), std::string::npos) << text;
  EXPECT_NE(text.find("| 7 | compute | 1.0 GiB | ` x\\|<script> ` | ` web ` |"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("\n# c"), std::string::npos);
}

namespace {

const std::string id_web(64, 'a');
const std::string id_other(64, 'b');
const uuid tenant = *parse_uuid("01000000-0000-7000-8000-0000000000aa");
const uuid this_log = *parse_uuid("01000000-0000-7000-8000-0000000000cc");

class one_gpu final : public adapters::gpu_source {
 public:
  outcome<gpu_reading> read(const std::function<bool()>&) override {
    return one([](auto& g) {
      g.processes_are_known = true;
      for (std::int64_t pid : {11, 12, 13, 14}) g.processes.push_back({pid, {}, 100 - pid});
    });
  }
};

/// 11 is in `web`, 12 in the other one, 13 in none, and 14 is gone.
class three_processes final : public adapters::process_table {
 public:
  outcome<std::string> groups_of(std::int64_t pid) const override {
    if (pid == 14) return reject(errc::not_found, "gone");
    if (pid == 13) return std::string("0::/user.slice\n");
    return "0::/docker/" + (pid == 11 ? id_web : id_other) + "\n";
  }
  outcome<std::string> name_of(std::int64_t pid) const override {
    return "python" + std::to_string(pid);
  }
  outcome<adapters::net_sockets> sockets_of(std::int64_t) const override {
    return adapters::net_sockets{};
  }
};

class two_containers final : public adapters::simulated_engine {
 public:
  void list(std::vector<adapters::label_filter>,
            reply_slot<std::vector<adapters::container_summary>> slot) override {
    if (away) return slot.answer(reject(errc::engine_unavailable, "away"));
    slot.answer(
        std::vector<adapters::container_summary>{{id_web, "web", "", "", "running", labels, {}},
                                                 {id_other, "other", "", "", "running", {}, {}}});
  }
  bool away = false;
  adapters::label_map labels;
};

/// Which of the processes have a name.
std::string named(two_containers& engine, const std::vector<allowed_container>& allowed,
                  bool is_first = true) {
  one_gpu gpus;
  const three_processes processes;
  const std::atomic<bool> stops = false;
  const auto report = read_gpu_report({gpus, processes, engine, real_clock()}, allowed,
                                      {tenant, this_log, is_first}, stops);
  EXPECT_TRUE(report);
  std::string all;
  for (const auto& process : *report->gpus.at(0).processes) {
    EXPECT_EQ(process.name.has_value(), process.container.has_value());
    if (process.name) all += *process.name + "@" + *process.container + " ";
  }
  EXPECT_EQ(report->gpus.at(0).processes->size(), 4U);
  EXPECT_EQ(report->problems.size(), engine.away && !allowed.empty() ? 1U : 0U);
  return all;
}

}  // namespace

TEST(RUN9_gpu_report, names_processes_of_listed_containers_only) {
  two_containers engine;
  EXPECT_EQ(named(engine, {}), "");
  EXPECT_EQ(named(engine, {{"web", {}}}), "python11@web ");
  EXPECT_EQ(named(engine, {{"web", id_web}}), "python11@web ");
  EXPECT_EQ(named(engine, {{"web", id_other}}), "") << "another one has that name now";
  EXPECT_EQ(named(engine, {{"other", {}}, {"web", {}}}), "python11@web python12@other ");
  engine.away = true;
  EXPECT_EQ(named(engine, {{"web", {}}}), "");
}

TEST(P17_gpu_report, names_processes_of_what_is_no_job_to_the_first_tenant_only) {
  two_containers engine;
  EXPECT_EQ(named(engine, {{"other", {}}, {"web", {}}}, false), "");
  engine.labels = {{"reeve.instance", to_string(this_log)}, {"reeve.tenant", to_string(tenant)}};
  EXPECT_EQ(named(engine, {{"other", {}}, {"web", {}}}, false), "python11@web ");
}

TEST(P17_gpu_report, names_no_process_of_another_tenants_job) {
  two_containers engine;
  engine.labels = {{"reeve.instance", to_string(this_log)}, {"reeve.tenant", to_string(tenant)}};
  EXPECT_EQ(named(engine, {{"web", {}}}), "python11@web ");
  engine.labels = {{"reeve.tenant", "01000000-0000-7000-8000-0000000000bb"}};
  EXPECT_EQ(named(engine, {{"web", {}}}), "");
  const auto sees = [](const std::string& name) {
    return may_look_at({name, {}}, id_web, name, {}, {tenant, this_log, true});
  };
  EXPECT_TRUE(sees("reeve-0000000000aa-01000000-0000-7000-8000-000000000001-a1"));
  EXPECT_FALSE(sees("reeve-0000000000bb-01000000-0000-7000-8000-000000000001-a1"));
}
