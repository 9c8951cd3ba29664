// What may be mounted in a container before it is started, and which paths must not be links.

#include "adapters/docker/container_places.hpp"

#include "adapters/docker/docker_answers.hpp"

#include <gmock/gmock.h>

namespace {

using namespace reeve::adapters;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

container_spec spec_with(std::vector<std::string> image_volumes,
                         std::vector<std::string> binds = {}) {
  container_spec spec;
  spec.name = spec.volume = "reeve-x-a1";
  spec.image_volumes = std::move(image_volumes);
  for (auto& target : binds) spec.mounts.push_back({"/srv/in", std::move(target), true});
  return spec;
}

std::string refused(const container_spec& spec, const std::vector<container_mount>& mounts) {
  const auto places = places_of(spec, mounts);
  if (places) return "accepted";
  EXPECT_EQ(places.error().code, reeve::errc::invalid);
  return places.error().detail;
}

const container_mount ours{"reeve-x-a1", "/reeve"};

}  // namespace

TEST(P11_places, of_the_usual_container_need_no_look) {
  const auto places = places_of(spec_with({}), {ours});
  ASSERT_TRUE(places);
  EXPECT_THAT(*places, IsEmpty());
}

TEST(P11_places, are_targets_and_what_lies_above_them) {
  const auto places = places_of(spec_with({"/var/data", "/cache"}, {"/in"}),
                                {{"v1", "/var/data/"}, ours, {"v2", "/cache"}, {"", "/in"}});
  ASSERT_TRUE(places) << places.error().detail;
  EXPECT_THAT(*places, ElementsAre("/cache", "/in", "/reeve", "/var", "/var/data"));
}

TEST(P11_places, are_refused_over_the_attempts_volume) {
  for (const char* path : {"/reeve", "/reeve/", "/reeve/state", "/x/../reeve/out", "/"}) {
    EXPECT_THAT(refused(spec_with({path}), {ours, {"v", path}}),
                HasSubstr("mounted over the attempt's volume"))
        << path;
  }
  EXPECT_THAT(refused(spec_with({}), {ours, ours}), HasSubstr("over the attempt's volume"));
  EXPECT_EQ(refused(spec_with({"/reeves"}), {ours, {"v", "/reeves"}}), "accepted");
  EXPECT_THAT(refused(spec_with({}), {{"other", "/reeve"}}), HasSubstr("/reeve"));
  EXPECT_THAT(refused(spec_with({}), {}), HasSubstr("is not mounted"));
}

TEST(LLM4_places, has_the_folder_with_the_socket_and_nothing_else_there) {
  auto spec = spec_with({});
  EXPECT_THAT(refused(spec, {ours, {"", "/reeve/llm"}}), HasSubstr("over the attempt's volume"));
  spec.llm_folder = "/srv/llm";
  EXPECT_EQ(refused(spec, {ours, {"", "/reeve/llm"}}), "accepted");
  EXPECT_EQ(refused(spec, {{"", "/reeve/llm"}, ours}), "accepted");
  EXPECT_THAT(refused(spec, {ours}), HasSubstr("a mount is missing: /reeve/llm"));
  for (const auto& other : {container_mount{"v", "/reeve/llm"}, container_mount{"", "/reeve/llm/x"},
                            container_mount{"", "/reeve/state"}}) {
    EXPECT_THAT(refused(spec, {ours, other}), HasSubstr("over the attempt's volume"));
  }
  EXPECT_THAT(refused(spec, {ours, {"", "/reeve/llm"}, {"", "/reeve/llm"}}),
              HasSubstr("over the attempt's volume"));
}

TEST(P11_places, are_those_that_were_asked_for_and_no_other) {
  EXPECT_THAT(refused(spec_with({}), {ours, {"v", "/data"}}), HasSubstr("not asked for: /data"));
  EXPECT_THAT(refused(spec_with({"/data"}), {ours, {"v", "/data"}, {"w", "/data/"}}),
              HasSubstr("not asked for: /data"));
  EXPECT_THAT(refused(spec_with({"/data"}), {ours}), HasSubstr("is missing: /data"));
  EXPECT_THAT(refused(spec_with({}, {"/in"}), {ours}), HasSubstr("is missing: /in"));
}

/// Others may write to a folder of the host and put a link there after every look.
TEST(P11_places, are_refused_in_a_folder_of_the_host) {
  EXPECT_THAT(refused(spec_with({}, {"/in", "/in/deep"}), {ours, {"", "/in"}, {"", "/in/deep"}}),
              HasSubstr("lies in another one: /in/deep"));
  EXPECT_THAT(refused(spec_with({"/in/data"}, {"/in"}), {ours, {"", "/in"}, {"v", "/in/data"}}),
              HasSubstr("lies in another one: /in/data"));
  EXPECT_EQ(refused(spec_with({"/in"}, {"/in/deep"}), {ours, {"v", "/in"}, {"", "/in/deep"}}),
            "accepted");
}

TEST(P11_places, are_told_apart_by_the_engines_own_words) {
  const auto kind = [](std::string_view field) {
    const auto told = parse_path_stat(field);
    return told ? static_cast<int>(*told) : -1;
  };
  // {"name":"reeve","size":4096,"mode":2147484141,"linkTarget":""}
  EXPECT_EQ(kind("eyJuYW1lIjoicmVldmUiLCJzaXplIjo0MDk2LCJtb2RlIjoyMTQ3NDg0MTQxLCJsaW5rVGFyZ2V0Ijoi"
                 "In0="),
            static_cast<int>(path_kind::folder));
  // {"name":"data","size":6,"mode":134218239,"linkTarget":"/reeve"}
  EXPECT_EQ(kind("eyJuYW1lIjoiZGF0YSIsInNpemUiOjYsIm1vZGUiOjEzNDIxODIzOSwibGlua1RhcmdldCI6Ii9yZWV2"
                 "ZSJ9"),
            static_cast<int>(path_kind::link));
  // {"name":"f","size":1,"mode":420}
  EXPECT_EQ(kind("eyJuYW1lIjoiZiIsInNpemUiOjEsIm1vZGUiOjQyMH0="),
            static_cast<int>(path_kind::other));
  for (const char* bad : {"", "%", "e30=", "eyJtb2RlIjoiMSJ9"}) EXPECT_EQ(kind(bad), -1) << bad;
}

TEST(P11_places, are_read_from_what_the_engine_says_of_a_container) {
  const auto told =
      parse_container(R"({"Id":"a","Name":"/n","State":{"Status":"created"},"Config":{},"Mounts":[)"
                      R"({"Type":"volume","Name":"v","Destination":"/reeve"},)"
                      R"({"Type":"bind","Source":"/srv","Destination":"/in"},)"
                      R"({"Type":"tmpfs","Destination":"/tmp"}]})");
  ASSERT_TRUE(told) << told.error().detail;
  ASSERT_EQ(told->mounts.size(), 2U);
  EXPECT_EQ(told->mounts[0].volume, "v");
  EXPECT_EQ(told->mounts[0].target, "/reeve");
  EXPECT_EQ(told->mounts[1].volume, "");
  EXPECT_EQ(told->mounts[1].target, "/in");
}
