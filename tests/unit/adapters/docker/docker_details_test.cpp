// How containers are connected, as the engine's API tells it (1.41), and answers that are none.

#include "adapters/docker/docker_details.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::adapters;

// Shortened to what is read and what must not be.
const std::string web = R"({"Id":"aa11","Name":"/web","Image":"sha256:00ff","State":{
  "Status":"running","Pid":4242},"Config":{"Image":"nginx:1.25","Env":["PASSWORD=hunter2hunter2"],
  "Cmd":["nginx"],"Labels":{"com.docker.compose.service":"web","n":"1"}},
  "HostConfig":{"NetworkMode":"front","Binds":["/srv/secret:/x"]},
  "Mounts":[{"Type":"volume","Name":"pages","Source":"/var/lib/docker/volumes/pages/_data",
    "Destination":"/usr/share/nginx","RW":false},
    {"Type":"bind","Source":"/srv/secret","Destination":"/x","RW":true}],
  "NetworkSettings":{"Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"},
    {"HostIp":"::","HostPort":"8080"}],"443/tcp":null,"53/udp":[],"x/tcp":null},
    "Networks":{"front":{"NetworkID":"f00d","IPAddress":"10.1.0.2","GlobalIPv6Address":""},
      "back":{"NetworkID":"beef","IPAddress":"10.2.0.2","GlobalIPv6Address":"fd00::2"}}}})";

}  // namespace

TEST(RUN10_details, are_read_from_the_engines_answer) {
  const auto found = parse_details(web);
  ASSERT_TRUE(found) << found.error().detail;
  EXPECT_EQ(found->id, "aa11");
  EXPECT_EQ(found->name, "web");
  EXPECT_EQ(found->image, "nginx:1.25");
  EXPECT_EQ(found->image_id, "sha256:00ff");
  EXPECT_EQ(found->status, "running");
  EXPECT_EQ(found->pid, 4242);
  EXPECT_EQ(found->network_mode, "front");
  EXPECT_EQ(found->labels.at("com.docker.compose.service"), "web");
  ASSERT_EQ(found->networks.size(), 2U);
  EXPECT_EQ(found->networks[0].name, "back");
  EXPECT_EQ(found->networks[0].address6, "fd00::2");
  EXPECT_EQ(found->networks[1].address, "10.1.0.2");
  EXPECT_EQ(found->networks[1].id, "f00d");
  ASSERT_EQ(found->ports.size(), 4U) << "two bindings, two that are not published";
  EXPECT_EQ(found->ports[0].container_port, 443);
  EXPECT_EQ(found->ports[0].host_port, 0);
  EXPECT_EQ(found->ports[1].protocol, "udp");
  EXPECT_EQ(found->ports[2].host_address, "0.0.0.0");
  EXPECT_EQ(found->ports[3].host_port, 8080);
  ASSERT_EQ(found->volumes.size(), 1U) << "folders of the host are not told";
  EXPECT_EQ(found->volumes[0].name, "pages");
  EXPECT_TRUE(found->volumes[0].read_only);
}

TEST(RUN10_details, of_one_that_never_ran_have_nothing) {
  const auto found = parse_details(
      R"({"Id":"a","Name":"/n","State":{"Status":"created","Pid":0},"Config":null,"Mounts":null,)"
      R"("NetworkSettings":{"Ports":null,"Networks":{"none":null}}})");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->pid, 0);
  EXPECT_TRUE(found->ports.empty());
  ASSERT_EQ(found->networks.size(), 1U);
  EXPECT_EQ(found->networks[0].id, "");
}

TEST(RUN10_details, that_are_none_are_told) {
  for (const char* text : {"", "[]", "{}", "null", R"({"Id":"a"})", R"({"Id":1,"State":[]})"}) {
    const auto found = parse_details(text);
    ASSERT_FALSE(found) << text;
    EXPECT_EQ(found.error().code, errc::engine_unreadable) << text;
  }
}

TEST(RUN10_networks, are_read_from_the_engines_answer) {
  const auto found =
      parse_networks(R"([{"Id":"f00d","Name":"front","Driver":"bridge","Internal":true},)"
                     R"({"Id":"beef","Name":"back","Driver":"overlay"}])");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_TRUE((*found)[0].internal);
  EXPECT_EQ((*found)[1].driver, "overlay");
  for (const char* text : {"{}", "[1]", R"([{"Id":"a"}])", "x"}) {
    EXPECT_FALSE(parse_networks(text)) << text;
  }
}
