// P11: whatever file or folder the configuration names is Reeve's own, so that no job mounts it.

#include "cli/own_paths.hpp"

#include "cli/config_table.hpp"
#include "tests/support/temporary_folder.hpp"

#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <string>
#include <vector>

namespace {

using namespace reeve;
using namespace reeve::cli;
using testing::Contains;
using testing::Each;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::vector<std::string> own_with(const std::string& name, const std::string& value) {
  config c;
  for (const auto& one : settings()) {
    if (one.name != name) continue;
    EXPECT_TRUE(one.set(c, value)) << name;
  }
  return own_paths(c, {});
}

/// By what its row says that it may be. A row cannot leave out its paths, but can say that it has
/// none.
bool is_of_paths(const setting& one) {
  for (const char* word : {"folder", "file", "path"}) {
    if (one.allowed.find(word) != std::string::npos) return true;
  }
  return false;
}

TEST(P11_own_paths, are_those_of_every_setting_that_names_one) {
  std::vector<std::string> seen;
  for (const auto& one : settings()) {
    if (!is_of_paths(one)) continue;
    seen.push_back(one.name);
    if (one.name == "mount_roots") continue;  // they are the jobs'
    ASSERT_TRUE(one.paths) << one.name << ": say in its row which files it names";
    const std::string value = one.name == "docker" ? "unix:///place/of/docker" : "/place/of/it";
    EXPECT_THAT(own_with(one.name, value), Contains(value.substr(value.find("/place"))))
        << one.name;
  }
  EXPECT_THAT(seen,
              testing::IsSupersetOf({"data", "docker", "logs", "uploads", "llm", "mount_roots"}));
  EXPECT_THAT(own_with("mount_roots", "/place/of/jobs"), Not(Contains("/place/of/jobs")));
}

TEST(P11_own_paths, are_the_files_of_every_login) {
  for (const auto& one : settings()) {
    if (!one.is_secret) continue;
    ASSERT_TRUE(one.paths) << one.name;
    const auto own = own_with(one.name, "host=/place/pg dbname=d sslkey=/place/key");
    EXPECT_THAT(own, Contains("/place/pg/.s.PGSQL.5432")) << one.name;
    EXPECT_THAT(own, Contains("/place/key")) << one.name;
  }
}

TEST(P11_own_paths, are_the_keys_of_upstreams_the_cluster_and_the_folders_of_engines) {
  domain::llm_settings llm;
  llm.upstreams.resize(2);
  llm.upstreams[1].key_file = "/place/far.key";
  config c;
  c.data = "/place/data";
  const auto own = own_paths(c, llm);
  EXPECT_THAT(own, Contains("/place/far.key"));
  EXPECT_THAT(own, Contains("/place/data/pg"));
  for (const char* folder : {"/var/lib/docker", "/var/lib/containerd", "/run/docker"}) {
    EXPECT_THAT(own, Contains(folder));
  }
  EXPECT_THAT(own, Each(Not(IsEmpty()))) << "an empty path would be the working directory";
}

TEST(P11_own_paths, are_the_files_that_settings_came_from) {
  const support::temporary_folder folder;
  const std::string file = folder.at("reeve.toml"), password = folder.at("password");
  std::ofstream(file) << "drain_s = 4\n";
  std::ofstream(password) << "hunter2\n";
  const char* before = std::getenv("DATABASE_URL");
  const std::string url = before == nullptr ? "" : before;
  ::unsetenv("DATABASE_URL");
  ::setenv("POSTGRES_HOST", "db.example", 1);
  ::setenv("POSTGRES_PASSWORD_FILE", password.c_str(), 1);
  const auto loaded = load_config({}, file);
  ::unsetenv("POSTGRES_HOST");
  ::unsetenv("POSTGRES_PASSWORD_FILE");
  if (before != nullptr) ::setenv("DATABASE_URL", url.c_str(), 1);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_THAT(loaded->values.read_files, SizeIs(2));
  EXPECT_THAT(own_paths(loaded->values, {}), Contains(file));
  EXPECT_THAT(own_paths(loaded->values, {}), Contains(password));
  const auto without = load_config({}, "");
  ASSERT_TRUE(without);
  EXPECT_THAT(without->values.read_files, IsEmpty());
}

}  // namespace
