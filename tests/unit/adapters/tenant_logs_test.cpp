// P17, RUN8: each tenant's log files in a folder of its own, and nothing that the server writes.
#include "adapters/tenant_logs.hpp"

#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <optional>
#include <stdlib.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace reeve;
using adapters::log_files;
using adapters::open_tenant_logs;

const uuid first_tenant = derived_uuid({}, "first");
const uuid second_tenant = derived_uuid({}, "second");

class P17_tenant_logs : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "reeve-tenants-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    base_ = pattern;
    put("logs/web/a.log", "of the first one");
    put("logs/" + to_string(second_tenant) + "/b.log", "of the second one");
    put("data/token", "rv_secret");
    put("data/pg/log", "of the database");
    places_ = {at("logs"), {at("data")}, {at("data/pg"), at("uploads")}};
  }
  void TearDown() override { fs::remove_all(base_); }

  std::string at(const std::string& name) const { return (base_ / name).string(); }
  void put(const std::string& name, const std::string& text) const {
    fs::create_directories((base_ / name).parent_path());
    std::ofstream(base_ / name, std::ios::binary) << text;
  }
  outcome<std::unique_ptr<log_files>> open(const uuid& tenant) const {
    return open_tenant_logs(places_, tenant, tenant == first_tenant);
  }
  static std::vector<std::string> names(const log_files& from) {
    std::vector<std::string> all;
    const auto listed = from.list(std::nullopt);
    EXPECT_TRUE(listed);
    for (const auto& one : listed->files) all.push_back(one.name);
    return all;
  }
  static std::string text(const log_files& from, const std::string& name) {
    std::string all;
    const auto read = from.read(name, std::nullopt, [&all](std::string_view line) {
      all += line;
      return true;
    });
    return read ? all : std::string(reeve::name_of(read.error().code));
  }

  fs::path base_;
  adapters::log_places places_;
};

using names_of = std::vector<std::string>;

TEST_F(P17_tenant_logs, the_first_tenant_has_the_folder_without_those_of_others) {
  const auto logs = open(first_tenant);
  ASSERT_TRUE(logs) << logs.error().detail;
  EXPECT_EQ(names(**logs), names_of{"web/a.log"});
  EXPECT_EQ(text(**logs, "web/a.log"), "of the first one");
  std::string loud = to_string(second_tenant);
  for (char& c : loud) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  put("logs/" + loud + "/c.log", "whose is this");
  const auto absent = text(**logs, "web/none.log");
  EXPECT_EQ(absent, "not_found");
  for (const auto& name :
       {to_string(second_tenant) + "/b.log", to_string(second_tenant) + "/none.log",
        to_string(second_tenant), loud + "/c.log", to_string(first_tenant) + "/a.log"}) {
    EXPECT_EQ(text(**logs, name), absent) << name;
  }
  put("logs/web/" + to_string(second_tenant) + "/d.log", "an id further down is nobody's");
  EXPECT_EQ(text(**logs, "web/" + to_string(second_tenant) + "/d.log"),
            "an id further down is nobody's");
}

TEST_F(P17_tenant_logs, another_tenant_has_the_folder_of_its_id_and_nothing_around_it) {
  const auto logs = open(second_tenant);
  ASSERT_TRUE(logs) << logs.error().detail;
  EXPECT_EQ(names(**logs), names_of{"b.log"});
  EXPECT_EQ(text(**logs, "b.log"), "of the second one");
  for (const char* name : {"web/a.log", "../web/a.log", "..", "/etc/passwd", ""}) {
    EXPECT_NE(text(**logs, name), "of the first one") << name;
  }
  EXPECT_EQ(open(derived_uuid({}, "third")).error().code, errc::not_found);
  EXPECT_EQ(open(system_tenant).error().code, errc::not_found);
}

TEST_F(P17_tenant_logs, what_only_has_a_tenants_name_is_refused) {
  const auto third = derived_uuid({}, "third"), fourth = derived_uuid({}, "fourth");
  put("logs/" + to_string(third), "a file");
  fs::create_directory_symlink(at("logs/web"), at("logs/" + to_string(fourth)));
  EXPECT_EQ(open(third).error().code, errc::forbidden);
  EXPECT_EQ(open(fourth).error().code, errc::forbidden);
}

TEST_F(P17_tenant_logs, links_lead_to_nobody) {
  fs::create_symlink(at("logs/web/a.log"), at("logs/" + to_string(second_tenant) + "/link.log"));
  fs::create_directory_symlink(at("logs/web"), at("logs/" + to_string(second_tenant) + "/web"));
  const auto logs = open(second_tenant);
  ASSERT_TRUE(logs);
  EXPECT_EQ(names(**logs), names_of{"b.log"});
  EXPECT_EQ(text(**logs, "link.log"), "forbidden");
  EXPECT_EQ(text(**logs, "web/a.log"), "forbidden");
}

TEST_F(P17_tenant_logs, what_the_server_writes_is_no_log) {
  // The log folder holds the data folder, as when both lie in one place.
  places_.logs = base_.string();
  auto logs = open(first_tenant);
  ASSERT_TRUE(logs);
  EXPECT_EQ(names(**logs),
            (names_of{"logs/" + to_string(second_tenant) + "/b.log", "logs/web/a.log"}));
  EXPECT_EQ(text(**logs, "data/token"), "forbidden");
  EXPECT_EQ(text(**logs, "data/pg/log"), "forbidden");
  // The other way round: in a folder of its own within the data folder nothing is the server's.
  put("data/logs/c.log", "an application's");
  places_.logs = at("data/logs");
  logs = open(first_tenant);
  ASSERT_TRUE(logs);
  EXPECT_EQ(names(**logs), names_of{"c.log"});
  for (const char* own : {"data", "data/pg", "data/pg/base"}) {
    fs::create_directories(at(own));
    places_.logs = at(own);
    EXPECT_EQ(open(first_tenant).error().code, errc::unavailable) << own;
  }
  fs::create_directory_symlink(at("data"), at("elsewhere"));
  places_.logs = at("elsewhere");
  EXPECT_EQ(open(first_tenant).error().code, errc::unavailable);
}

/// Whatever it is called, by the file itself.
TEST_F(P17_tenant_logs, the_log_of_this_process_is_kept_out) {
  put("logs/server.log", "");
  const int kept = ::dup(STDERR_FILENO);
  ASSERT_NE(std::freopen(at("logs/server.log").c_str(), "a", stderr), nullptr);
  std::fputs("what the server says\n", stderr);
  std::fflush(stderr);
  fs::rename(at("logs/server.log"), at("logs/renamed.log"));
  const auto logs = open(first_tenant);
  const auto all = logs ? names(**logs) : names_of{};
  const auto got = logs ? text(**logs, "renamed.log") : std::string();
  ::dup2(kept, STDERR_FILENO);
  ::close(kept);
  ASSERT_TRUE(logs);
  EXPECT_EQ(all, names_of{"web/a.log"});
  EXPECT_EQ(got, "forbidden");
}

}  // namespace
