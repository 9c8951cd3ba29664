// What of the host may be mounted.

#include "adapters/mount_source.hpp"

#include <cctype>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <stdexcept>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using reeve::derived_uuid;
using reeve::uuid;
using reeve::adapters::can_list_root;
using reeve::adapters::may_mount;
using reeve::adapters::mount_rules;

const uuid first = derived_uuid({}, "first");
const uuid other_tenant = derived_uuid({}, "second");
const uuid third = derived_uuid({}, "third");

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
  bool may(const std::string& below, const uuid& tenant = first) const {
    return may_mount(at(below), rules_, tenant, tenant == first);
  }
  /// Below the root.
  std::string make_folder(const std::string& below) const {
    fs::create_directories(root_ / below);
    return below;
  }

  fs::path root_;
  mount_rules rules_;
};

TEST_F(P11_mounts, are_below_a_root_there_and_no_link) {
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "jobs/link");
  EXPECT_TRUE(may("jobs"));
  EXPECT_TRUE(may("jobs/in"));
  EXPECT_FALSE(may("jobs/link"));
  EXPECT_FALSE(may("jobs/absent"));
  EXPECT_FALSE(may_mount("/", rules_, first, true));
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
  EXPECT_FALSE(may_mount(root_.string(), rules_, first, true));
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

using P17_mounts = P11_mounts;

TEST_F(P17_mounts, of_the_first_tenant_are_the_roots_without_the_folders_of_others) {
  rules_ = {{at("jobs")}, {}};
  EXPECT_TRUE(may("jobs")) << "there is nobody else";
  const auto theirs = make_folder("jobs/" + to_string(other_tenant));
  make_folder(theirs + "/deep");
  make_folder("jobs/" + to_string(first));
  std::string loud = to_string(third);
  for (char& c : loud) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const auto& refused : {std::string("jobs"), theirs, theirs + "/deep", theirs + "/absent",
                              "jobs/" + to_string(first), make_folder("jobs/" + loud)}) {
    EXPECT_FALSE(may(refused)) << refused;
  }
  EXPECT_TRUE(may("jobs/in"));
  EXPECT_TRUE(may(make_folder("jobs/in/" + to_string(other_tenant))))
      << "further down it is nobody's";
  EXPECT_TRUE(may(make_folder("jobs/" + to_string(other_tenant) + "-old"))) << "a name, and no id";
}

TEST_F(P17_mounts, of_every_other_tenant_lie_in_the_folder_of_its_id) {
  rules_ = {{at("jobs"), at("elsewhere")}, {}};
  const auto own = make_folder("jobs/" + to_string(other_tenant));
  const auto other = make_folder("jobs/" + to_string(third));
  make_folder(own + "/deep");
  make_folder(other + "/" + to_string(other_tenant));
  for (const auto& tenant : {other_tenant, third, reeve::system_tenant}) {
    for (const char* shared : {"jobs", "jobs/in", "elsewhere"}) {
      EXPECT_FALSE(may(shared, tenant)) << shared;
    }
  }
  EXPECT_TRUE(may(own, other_tenant));
  EXPECT_TRUE(may(own + "/deep", other_tenant));
  EXPECT_FALSE(may(own, third));
  EXPECT_FALSE(may(own + "/deep", third));
  EXPECT_FALSE(may(other + "/" + to_string(other_tenant), other_tenant))
      << "it lies in another one's";
  EXPECT_FALSE(may_mount(at("jobs/in/../" + to_string(other_tenant)), rules_, other_tenant, false));
  // In each of the roots.
  EXPECT_TRUE(may(make_folder("elsewhere/" + to_string(other_tenant)), other_tenant));
  EXPECT_FALSE(may("elsewhere/" + to_string(other_tenant), first));
  rules_.own = {at(own + "/deep")};
  EXPECT_FALSE(may(own, other_tenant)) << "what is Reeve's own is nobody's";
}

TEST_F(P17_mounts, hold_no_folder_of_another_tenant_where_roots_lie_in_each_other) {
  rules_ = {{root_.string(), at("jobs")}, {}};
  EXPECT_TRUE(may("jobs"));
  const auto theirs = make_folder("jobs/" + to_string(other_tenant));
  EXPECT_FALSE(may("jobs"));
  EXPECT_FALSE(may(""));
  EXPECT_TRUE(may("jobs/in"));
  EXPECT_TRUE(may(theirs, other_tenant));
  // A root in a tenant's folder is that tenant's.
  rules_.roots = {root_.string(), at(make_folder(to_string(other_tenant) + "/all"))};
  const auto within = make_folder(to_string(other_tenant) + "/all/" + to_string(third));
  EXPECT_FALSE(may(within, third));
  EXPECT_FALSE(may(to_string(other_tenant) + "/all", first));
  EXPECT_FALSE(may(to_string(other_tenant), other_tenant)) << "it would see the third one's";
}

TEST_F(P17_mounts, lead_into_no_folder_of_another_tenant_by_a_link_or_a_second_name) {
  rules_ = {{at("jobs"), at("elsewhere")}, {}};
  make_folder("elsewhere/of-second/deep");
  EXPECT_TRUE(may("elsewhere/of-second"));
  fs::create_directory_symlink(at("elsewhere/of-second"), at("jobs/" + to_string(other_tenant)));
  for (const char* refused : {"elsewhere/of-second", "elsewhere/of-second/deep", "elsewhere"}) {
    EXPECT_FALSE(may(refused)) << refused;
    EXPECT_FALSE(may(refused, other_tenant)) << refused;
  }
  EXPECT_FALSE(may("jobs/" + to_string(other_tenant), other_tenant)) << "it is a link itself";
  // As a folder that is mounted at two places: for a file, a link does.
  std::ofstream(root_ / "jobs/in/file") << "\n";
  EXPECT_TRUE(may("jobs/in/file"));
  fs::create_hard_link(root_ / "jobs/in/file", root_ / "jobs" / to_string(third));
  EXPECT_FALSE(may("jobs/in/file"));
}

/// What cannot be seen may be another tenant's.
TEST_F(P17_mounts, are_none_where_a_root_cannot_be_listed) {
  rules_ = {{at("jobs"), at("elsewhere")}, {}};
  EXPECT_TRUE(can_list_root(at("jobs")));
  EXPECT_TRUE(may("jobs/in"));
  rules_.roots.push_back(at("later"));
  EXPECT_TRUE(may("jobs/in")) << "a root that is not there holds nothing";
  fs::create_symlink("loop", root_ / "loop");
  rules_.roots.push_back(at("loop"));
  EXPECT_FALSE(can_list_root(at("loop")));
  EXPECT_FALSE(may("jobs/in")) << "nobody knows where it leads";
  rules_.roots.pop_back();
  EXPECT_TRUE(may("jobs/in"));
  if (::geteuid() == 0) return;  // who lists every folder
  fs::permissions(root_ / "elsewhere", fs::perms::owner_exec);
  EXPECT_FALSE(can_list_root(at("elsewhere")));
  EXPECT_FALSE(may("jobs/in"));
  fs::permissions(root_ / "elsewhere", fs::perms::owner_all);
}

}  // namespace
