// From a job to the container that executes it: whom it runs as and what it may have on disk.

#include "tasks/container/container_spec_of.hpp"
#include "tests/unit/domain/runs/run_steps.hpp"

#include <gmock/gmock.h>

namespace {

using namespace reeve;
using domain::container_params;
using testing::ElementsAre;

adapters::container_spec spec_of(const std::function<void(container_params&)>& set,
                                 const adapters::image_info& image = {}, bool has_models = false) {
  auto task = steps::container_task("a");
  steps::as<container_params>(task).command = std::vector<std::string>{"true"};
  set(steps::as<container_params>(task));
  domain::image_list_state images;
  steps::take(images, decide(images, domain::allow_image{domain::image_allowed{
                                         steps::id_of(900), steps::box, {}, false, "", true}}));
  steps::driven_run run({task}, {}, images);
  run.start(0);
  auto intent = run.job(0).attempts[0].intent;
  if (has_models) intent.llm = true;
  return tasks::container_spec_of(steps::id_of(1), run.state, run.job(0), intent, image,
                                  "/srv/llm");
}

TEST(P11_container, is_told_its_user_in_numbers_whatever_its_image_says) {
  adapters::image_info image;
  image.user = "root";
  EXPECT_EQ(spec_of([](auto&) {}, image).user, "65534:65534");
  EXPECT_EQ(spec_of([](auto& p) { p.user = "007"; }, image).user, "7:7");
  EXPECT_EQ(spec_of([](auto& p) { p.user = "7:8"; }, image).user, "7:8");
  EXPECT_EQ(spec_of([](auto& p) { p.user = "0"; }, image).user, "0:0");
}

TEST(LLM4_container, has_the_socket_and_is_told_of_it_only_if_its_attempt_says_so) {
  const auto without = spec_of([](auto&) {});
  EXPECT_EQ(without.llm_folder, "");
  EXPECT_EQ(without.pids_limit, 256);
  auto with = spec_of([](auto&) {}, {}, true);
  EXPECT_EQ(with.llm_folder, "/srv/llm");
  EXPECT_THAT(with.entrypoint, testing::Contains("llm=/reeve/llm/reeve.sock"));
  EXPECT_EQ(with.pids_limit, 257) << "the relay is none of its own";
  EXPECT_EQ(with.network, adapters::network_mode::none);
  EXPECT_TRUE(with.environment.empty()) << "the token is in no digest of it";
  tasks::give_token(with, "rva_x");
  EXPECT_THAT(with.environment, ElementsAre("REEVE_LLM_TOKEN=rva_x"));
  EXPECT_EQ(spec_of([](auto& p) { p.pids = 32768; }, {}, true).pids_limit, 32768);
}

TEST(P11_disk, is_bounded_wherever_the_engine_keeps_what_is_written) {
  EXPECT_THAT(spec_of([](auto&) {}).entrypoint,
              ElementsAre("/reeve/reeve-init", "/reeve/state/started", "disk=268435456",
                          "watch=/reeve", "--"));
  adapters::image_info image;
  image.volumes = {"/data/", "cache", "/srv/in"};
  const auto spec = spec_of(
      [](auto& p) {
        p.disk_mb = 3;
        p.writable_root = true;
        p.mounts = std::vector<domain::mount_spec>{{"/srv/in", "/srv/in", false}};
      },
      image);
  EXPECT_THAT(spec.entrypoint,
              ElementsAre("/reeve/reeve-init", "/reeve/state/started", "disk=3145728",
                          "watch=/reeve", "watch=/", "watch=/data", "watch=/cache", "--"));
  EXPECT_THAT(spec.command, ElementsAre("true"));
  EXPECT_THAT(spec.image_volumes, ElementsAre("/data", "/cache")) << "and no other is expected";
  image.volumes = {"/reeve", "/data", "/data/", "/reeve/"};
  EXPECT_THAT(spec_of([](auto&) {}, image).image_volumes, ElementsAre("/data"));
}

}  // namespace
