#include "adapters/tar.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using reeve::errc;
using reeve::adapters::make_tar;
using reeve::adapters::tar_entry;
using reeve::adapters::tar_kind;

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// A directory of its own, removed at the end.
struct scratch {
  scratch() {
    std::string pattern = (fs::temp_directory_path() / "reeve-tar-XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~scratch() { fs::remove_all(path); }
  fs::path path;
};

}  // namespace

TEST(RUN7_tar, the_system_tar_reads_what_was_written) {
  std::string deep = std::string(90, 'd') + "/" + std::string(95, 'f');
  std::string odd(513, 'b');
  std::vector<tar_entry> entries{
      {.kind = tar_kind::directory, .name = "./", .mode = 0750},
      {.kind = tar_kind::directory, .name = "sub/", .mode = 0755},
      {.name = "sub/program", .content = "#!/bin/sh\n", .mode = 0555, .modified_s = 1'700'000'000},
      {.name = "empty"},
      {.name = "odd", .content = odd},
      {.kind = tar_kind::symlink, .name = "link", .content = "sub/program"},
      {.name = deep, .content = "deep"}};
  auto tar = make_tar(entries);
  ASSERT_TRUE(tar);
  EXPECT_EQ(tar->size() % 512, 0u);

  scratch dir;
  std::ofstream{dir.path / "a.tar", std::ios::binary} << *tar;
  auto to = dir.path / "out";
  fs::create_directory(to);
  auto command = "tar -xpf " + (dir.path / "a.tar").string() + " -C " + to.string() + " 2>&1";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(read_file(to / "sub/program"), "#!/bin/sh\n");
  EXPECT_EQ(read_file(to / "odd"), odd);
  EXPECT_EQ(read_file(to / "empty"), "");
  EXPECT_EQ(read_file(to / deep), "deep");
  EXPECT_EQ(fs::read_symlink(to / "link"), "sub/program");
  struct stat about {};
  ASSERT_EQ(::stat((to / "sub/program").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0555u);
  EXPECT_EQ(about.st_mtime, 1'700'000'000);
}

TEST(RUN7_tar, owners_stand_in_the_header) {
  auto tar = make_tar({{{.name = "f", .uid = 65534, .gid = 100}}});
  ASSERT_TRUE(tar);
  EXPECT_EQ(tar->substr(108, 7), "0177776");
  EXPECT_EQ(tar->substr(116, 7), "0000144");
}

TEST(RUN7_tar, refuses_names_that_could_escape) {
  for (std::string name : {"", "/etc/passwd", "a//b", "../x", "a/../b", "a/..", "./a", "."}) {
    auto tar = make_tar({{{.name = name}}});
    ASSERT_FALSE(tar) << name;
    EXPECT_EQ(tar.error().code, errc::invalid) << name;
    EXPECT_EQ(tar.error().field, "/0/name") << name;
  }
  EXPECT_FALSE(make_tar({{{.name = std::string("a\0b", 3)}}}));
  EXPECT_FALSE(make_tar({{{.name = std::string(101, 'x')}}})) << "100 bytes without a directory";
}

TEST(RUN7_tar, refuses_what_exceeds_the_limits) {
  std::vector<tar_entry> three{{.name = "a"}, {.name = "b"}, {.name = "c", .content = "12345"}};
  EXPECT_EQ(make_tar(three, {.entries = 2}).error().code, errc::too_large);
  EXPECT_EQ(make_tar(three, {.bytes = 2048}).error().code, errc::too_large);
  EXPECT_TRUE(make_tar(three));
  EXPECT_EQ(make_tar({{{.name = "a", .modified_s = -1}}}).error().code, errc::invalid);
}

/// Those of directory services lie beyond what seven octal digits hold.
TEST(RUN7_tar, writes_large_owners_as_gnu_tar_does) {
  const auto tar = make_tar({{{.name = "a", .uid = 0x7fffffff, .gid = 1u << 21}}});
  ASSERT_TRUE(tar);
  using namespace std::string_view_literals;
  EXPECT_EQ(tar->substr(108, 8), "\x80\0\0\0\x7f\xff\xff\xff"sv);
  EXPECT_EQ(tar->substr(116, 8), "\x80\0\0\0\0\x20\0\0"sv);
}
