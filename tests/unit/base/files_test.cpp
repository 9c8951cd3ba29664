// Small files beside the database: what cannot be read is never taken for missing.

#include "base/files.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace reeve;

class P5_files : public ::testing::Test {
 protected:
  P5_files() {
    auto pattern = (std::filesystem::temp_directory_path() / "reeve-files-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder = pattern;
    path = folder + "/one";
  }
  ~P5_files() override { std::filesystem::remove_all(folder); }

  std::string folder, path;
};

TEST_F(P5_files, are_missing_only_where_there_surely_is_none) {
  EXPECT_TRUE(is_missing(path));
  const auto none = read_small_file(path);
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  // Nobody can open a link to itself, whatever their rights are.
  std::filesystem::create_symlink(path, path);
  EXPECT_FALSE(is_missing(path));
  EXPECT_EQ(read_small_file(path).error().code, errc::invalid);
}

TEST_F(P5_files, that_are_folders_or_too_long_are_refused) {
  EXPECT_EQ(read_small_file(folder).error().code, errc::invalid);
  ASSERT_TRUE(write_small_file(path, "12345"));
  EXPECT_EQ(**read_small_file(path, 5), "12345");
  EXPECT_EQ(read_small_file(path, 4).error().code, errc::invalid);
}

TEST_F(P5_files, are_replaced_whole_and_for_their_owner_only) {
  ASSERT_TRUE(write_small_file(path, "old\n"));
  std::ofstream(path + ".new") << "what a crash left behind";
  ASSERT_TRUE(write_small_file(path, "new\n"));
  EXPECT_EQ(**read_small_file(path), "new\n");
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_TRUE(is_missing(path + ".new"));
}

TEST_F(P5_files, that_cannot_be_written_keep_what_they_had) {
  ASSERT_TRUE(write_small_file(path, "old\n"));
  std::filesystem::create_directories(path + ".new/full");
  EXPECT_EQ(write_small_file(path, "new\n").error().code, errc::unavailable);
  EXPECT_EQ(**read_small_file(path), "old\n");
  EXPECT_EQ(write_small_file(folder + "/none/one", "x").error().code, errc::unavailable);
}

}  // namespace
