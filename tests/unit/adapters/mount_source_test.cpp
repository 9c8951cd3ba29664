// What of the host may be mounted.

#include "adapters/mount_source.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <stdexcept>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using reeve::adapters::may_mount;
using reeve::adapters::mount_rules;

class P11_mounts : public testing::Test {
 protected:
  void SetUp() override {
    auto pattern = (fs::temp_directory_path() / "reeve-mounts.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = fs::canonical(pattern);
    for (const char* folder : {"jobs/in", "reeve/data/pg", "reeve/data-old", "elsewhere", "logs"}) {
      fs::create_directories(root_ / folder);
    }
    std::ofstream(root_ / "reeve/sock") << "\n";
    rules_.roots = {root_.string()};
    rules_.own = {at("reeve/data"), at("reeve/sock")};
  }
  void TearDown() override { fs::remove_all(root_); }

  std::string at(const std::string& below) const { return (root_ / below).string(); }
  bool may(const std::string& below) const { return may_mount(at(below), rules_); }

  fs::path root_;
  mount_rules rules_;
};

TEST_F(P11_mounts, are_below_a_root_there_and_no_link) {
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "jobs/link");
  EXPECT_TRUE(may("jobs"));
  EXPECT_TRUE(may("jobs/in"));
  EXPECT_FALSE(may("jobs/link"));
  EXPECT_FALSE(may("jobs/absent"));
  EXPECT_FALSE(may_mount("/", rules_));
  rules_.roots = {at("jobs")};
  EXPECT_TRUE(may("jobs"));
  EXPECT_FALSE(may("elsewhere"));
  EXPECT_FALSE(may("job"));
  rules_.roots.clear();
  EXPECT_FALSE(may("jobs/in"));
}

/// A job that may rename a part of the path would choose what the engine mounts.
TEST_F(P11_mounts, lie_where_nobody_else_can_replace_them) {
  using enum fs::perms;
  fs::permissions(root_ / "jobs/in", all);
  EXPECT_TRUE(may("jobs/in")) << "what is in it is the job's business";
  for (const auto by : {group_write, others_write}) {
    fs::permissions(root_ / "jobs", owner_all | group_exec | others_exec | by);
    EXPECT_FALSE(may("jobs/in"));
    EXPECT_TRUE(may("jobs"));
    fs::permissions(root_ / "jobs", sticky_bit, fs::perm_options::add);
    EXPECT_TRUE(may("jobs/in")) << "only its owner renames it there";
  }
  if (::geteuid() != 0) return;  // who is not root gives nothing away
  ASSERT_EQ(::chown(at("jobs/in").c_str(), 4711, 4711), 0);
  EXPECT_FALSE(may("jobs/in")) << "its owner could";
  fs::permissions(root_ / "jobs", owner_all | group_exec | others_exec);
  EXPECT_TRUE(may("jobs/in"));
  ASSERT_EQ(::chown(at("jobs").c_str(), 4711, 4711), 0);
  EXPECT_FALSE(may("jobs/in"));
  EXPECT_TRUE(may("jobs"));
}

TEST_F(P11_mounts, hold_nothing_of_reeves_own_neither_in_them_nor_above) {
  for (const char* refused : {"reeve/data", "reeve/data/pg", "reeve", "reeve/sock", ""}) {
    EXPECT_FALSE(may(refused)) << refused;
  }
  EXPECT_FALSE(may_mount(root_.string(), rules_));
  EXPECT_TRUE(may("reeve/data-old")) << "a name that only begins so";
  EXPECT_TRUE(may("logs"));
  rules_.own.push_back(at("logs") + "/");
  EXPECT_FALSE(may("logs")) << "written with a slash at its end";
  rules_.own.push_back(at("jobs/in/../in/later/deep"));
  EXPECT_FALSE(may("jobs/in")) << "what is made later would lie in it";
  EXPECT_FALSE(may("jobs"));
  EXPECT_TRUE(may("elsewhere"));
}

TEST_F(P11_mounts, are_held_against_the_folders_that_links_lead_to) {
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "jobs/data");
  rules_.own = {at("jobs/data")};
  EXPECT_FALSE(may("elsewhere"));
  EXPECT_TRUE(may("jobs/in"));
  rules_.own = {at("jobs/data/below")};
  EXPECT_FALSE(may("elsewhere"));
  // A folder under a second name, as a bind mount gives it one: for a file, a link does.
  fs::create_hard_link(root_ / "reeve/sock", root_ / "jobs/in/other");
  rules_.own = {at("reeve/sock")};
  EXPECT_FALSE(may("jobs/in/other"));
}

TEST_F(P11_mounts, are_held_against_relative_folders_too) {
  const auto before = fs::current_path();
  fs::current_path(root_ / "reeve");
  rules_.own = {"./data"};
  EXPECT_FALSE(may("reeve/data/pg"));
  EXPECT_FALSE(may("reeve"));
  EXPECT_TRUE(may("jobs"));
  fs::current_path(before);
}

}  // namespace
