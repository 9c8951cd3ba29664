// What a container's parameters may say of variables and users.

#include "domain/runs/task.hpp"
#include "tests/unit/domain/aggregate_steps.hpp"

#include <functional>

namespace {

using namespace reeve;
using namespace reeve::domain;
using steps::accepted;
using steps::pointer_of;

std::string checked(const std::function<void(container_params&)>& set) {
  container_params p;
  p.image = "localhost:1/box:1";
  set(p);
  return pointer_of(check_params(p, "/params"));
}

TEST(RUN11_container, takes_the_names_of_variables_that_programs_use) {
  const auto given = [](const std::string& name, const std::string& value) {
    return checked([&](auto& p) { p.env.emplace()[name] = value; });
  };
  for (const char* good : {"_A1", "a", "spring.datasource.url", "xpack.security.enabled",
                           "http-proxy", "ProgramFiles(x86)", "a/b~c:d", ".x", "-"}) {
    EXPECT_EQ(given(good, ""), accepted) << good;
  }
  EXPECT_EQ(given(std::string(128, 'a'), ""), accepted);
  for (const std::string& bad :
       {std::string(), std::string("1A"), std::string("A=B"), std::string("="), std::string("a b"),
        std::string("a\n"), std::string("a\x7f"), std::string("\xc3\xa9"), std::string("a\0", 2),
        std::string(129, 'a')}) {
    EXPECT_EQ(given(bad, ""), "/params/env") << bad;
  }
  EXPECT_EQ(given("a/b~c", std::string(8193, 'x')), "/params/env/a~1b~0c");
}

TEST(P11_container, that_runs_as_root_writes_to_no_mount) {
  const auto mounted = [](const char* user, bool read_only) {
    return checked([&](auto& p) {
      if (*user != 0) p.user = user;
      p.mounts = std::vector<mount_spec>{{"/srv/a", "/a", true}, {"/srv/b", "/b", read_only}};
    });
  };
  for (const char* root : {"0", "0:7", "7:0", "00"}) {
    EXPECT_EQ(mounted(root, false), "/params/mounts/1/read_only") << root;
    EXPECT_EQ(mounted(root, true), accepted) << root;
  }
  for (const char* other : {"", "7", "7:8"}) EXPECT_EQ(mounted(other, false), accepted) << other;
}

TEST(P11_container, mounts_nothing_in_what_it_mounts) {
  const auto mounted = [](const char* one, const char* other) {
    return checked([&](auto& p) {
      p.mounts = std::vector<mount_spec>{{"/srv/a", one, true}, {"/srv/b", other, true}};
    });
  };
  EXPECT_EQ(mounted("/in", "/in/deep"), "/params/mounts/1/target");
  EXPECT_EQ(mounted("/in/very/deep", "/in"), "/params/mounts/0/target");
  EXPECT_EQ(mounted("/in", "/inside"), accepted);
  EXPECT_EQ(mounted("/in/a", "/in/b"), accepted);
}

TEST(RUN11_container, has_a_user_in_numbers) {
  EXPECT_EQ(user_of({}), (user_numbers{65534, 65534}));
  EXPECT_EQ(user_of("7"), (user_numbers{7, 7}));
  EXPECT_EQ(user_of("007:8"), (user_numbers{7, 8}));
  EXPECT_EQ(user_of("2147483647:1"), (user_numbers{2147483647, 1}));
  for (const char* root : {"0", "00", "0:0", "0:7", "7:0", "7:000"}) {
    EXPECT_TRUE(user_of(root).is_root()) << root;
  }
  EXPECT_FALSE(user_of("10:100").is_root());
  EXPECT_EQ(demands_of(container_params{}).user, (user_numbers{65534, 65534}));
  EXPECT_FALSE(demands_of(log_triage_params{}).user) << "it runs no command";
}

}  // namespace
