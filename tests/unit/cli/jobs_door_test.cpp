// LLM4: the folder with the socket for jobs.

#include "cli/jobs_door.hpp"

#include "base/local_socket.hpp"
#include "tests/support/temporary_folder.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace {

using namespace reeve;
using namespace reeve::cli;
using testing::HasSubstr;
namespace fs = std::filesystem;

config with_door(const std::string& folder, const std::string& data = "/d") {
  config c;
  c.data = data;
  c.llm_socket_folder = folder;
  return c;
}

}  // namespace

TEST(LLM4_jobs_folder, is_below_data_unless_it_is_set) {
  EXPECT_EQ(jobs_door_of(with_door("")).value(), "/d/llm");
  EXPECT_EQ(jobs_door_of(with_door("/srv/x/../llm")).value(), "/srv/llm");
  EXPECT_EQ(jobs_door_of(with_door("/srv/llm/")).value(), "/srv/llm");
  const auto relative = jobs_door_of(with_door("", "var/data")).value();
  EXPECT_TRUE(relative.starts_with("/") && relative.ends_with("/var/data/llm")) << relative;
  EXPECT_EQ(socket_in("/d/llm"), "/d/llm/reeve.sock");
}

TEST(LLM4_jobs_folder, is_refused_when_its_socket_could_have_no_name) {
  EXPECT_TRUE(jobs_door_of(with_door("/" + std::string(95, 'x'))));
  const auto refused = jobs_door_of(with_door("/" + std::string(96, 'x')));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::invalid);
  EXPECT_THAT(refused.error().detail, HasSubstr("llm_socket_folder: /xxx"));
  EXPECT_THAT(refused.error().detail, HasSubstr("at most 96 bytes"));
}

TEST(LLM4_jobs_folder, is_refused_where_others_could_put_another_into_its_place) {
  const support::temporary_folder folder;
  const auto above = fs::canonical(folder.path()).string() + "/above";
  fs::create_directory(above);
  ASSERT_EQ(::chmod(above.c_str(), 0777), 0);
  const auto refused = make_jobs_door(above + "/llm");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::invalid);
  EXPECT_THAT(refused.error().detail, HasSubstr("others may write"));
  ASSERT_EQ(::chmod(above.c_str(), 0755), 0);
  EXPECT_TRUE(make_jobs_door(above + "/llm"));
}

/// What a server says before it starts, and the doctor; nothing is made for it.
TEST(LLM4_jobs_folder, is_judged_before_anything_is_made) {
  const support::temporary_folder folder;
  const auto root = fs::canonical(folder.path()).string();
  const auto why = [&](const std::string& door) {
    const auto told = fit_jobs_door(with_door(root + door, root + "/data"));
    EXPECT_TRUE(told || told.error().code == errc::invalid) << door;
    return told ? "fit: " + told->substr(root.size()) : told.error().detail;
  };
  EXPECT_EQ(why("/a/b/llm"), "fit: /a/b/llm");
  EXPECT_FALSE(fs::exists(root + "/a"));
  fs::create_directories(root + "/above/llm");
  ASSERT_EQ(::chmod((root + "/above").c_str(), 0777), 0);
  for (const char* door : {"/above/llm", "/above/new", "/above/c/d"}) {
    EXPECT_THAT(why(door), HasSubstr("others may write")) << door;
  }
  ASSERT_EQ(::chmod((root + "/above").c_str(), 0755), 0);
  EXPECT_EQ(why("/above/llm"), "fit: /above/llm");
  std::ofstream(root + "/file") << "x";
  EXPECT_THAT(why("/file"), HasSubstr("is no folder"));
  EXPECT_THAT(why("/file/llm"), HasSubstr("/file is not a folder that may be written"));
  std::ofstream(root + "/above/llm/key") << "x";
  EXPECT_THAT(why("/above/llm"), HasSubstr("holds something else"));
  EXPECT_THAT(why("/" + std::string(96, 'x')), HasSubstr("too long for a socket"));
}

TEST(LLM4_jobs_folder, may_lie_in_a_data_folder_that_the_start_closes) {
  const support::temporary_folder folder;
  const auto data = fs::canonical(folder.path()).string() + "/data";
  fs::create_directory(data);
  ASSERT_EQ(::chmod(data.c_str(), 0777), 0);
  EXPECT_TRUE(fit_jobs_door(with_door("", data)));
  EXPECT_FALSE(fit_jobs_door(with_door(data + "/a/llm", data))) << "made by somebody else before";
  EXPECT_FALSE(make_jobs_door(data + "/llm")) << "it was not closed";
}

TEST(LLM4_jobs_folder, that_others_could_write_in_is_closed_before_it_is_looked_at) {
  const support::temporary_folder folder;
  const auto door = fs::canonical(folder.path()).string() + "/llm";
  fs::create_directory(door);
  ASSERT_EQ(::chmod(door.c_str(), 0777), 0);
  EXPECT_TRUE(make_jobs_door(door));
  struct stat about {};
  ASSERT_EQ(::stat(door.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0711U);
}

TEST(LLM4_jobs_folder, lets_every_user_through_and_holds_nothing_else) {
  const support::temporary_folder folder;
  const auto door = fs::canonical(folder.path()).string() + "/llm";
  ASSERT_TRUE(make_jobs_door(door));
  struct stat about {};
  ASSERT_EQ(::stat(door.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0711U);
  {
    const auto other = local_socket::listen(socket_in(door));
    ASSERT_TRUE(other);
    EXPECT_TRUE(make_jobs_door(door));
  }
  fs::remove(socket_in(door));
  std::ofstream(socket_in(door)) << "no socket";
  EXPECT_THAT(make_jobs_door(door).error().detail, HasSubstr("holds something else"));
  fs::remove(socket_in(door));
  std::ofstream(door + "/secrets.key") << "x";
  const auto refused = make_jobs_door(door);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("holds something else"));
  fs::create_directory_symlink(door, folder.at("link"));
  EXPECT_FALSE(make_jobs_door(folder.at("link")));
}
