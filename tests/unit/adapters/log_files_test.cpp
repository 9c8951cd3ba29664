// RUN8: files below the log folder, and nothing else.
#include "adapters/log_files.hpp"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace {

namespace fs = std::filesystem;
using reeve::errc;
using reeve::adapters::log_file_limits;
using reeve::adapters::log_folder;

class RUN8_log_files : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "reeve-logs-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    base_ = pattern;
    logs_ = base_ / "logs";
    fs::create_directories(logs_ / "sub" / "deeper");
    put(base_ / "outside.log", "outside\n");
    put(logs_ / "a.log", "one\ntwo\nthree");
    put(logs_ / "sub" / "b.log", "b\n");
  }
  void TearDown() override { fs::remove_all(base_); }

  static void put(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  static void set_time(const fs::path& path, std::int64_t seconds) {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }
  log_folder folder(log_file_limits limits = {}) const {
    auto opened = log_folder::open(logs_.string(), limits);
    EXPECT_TRUE(opened.ok());
    return std::move(opened).value();
  }
  std::vector<std::string> lines(const log_folder& from, const std::string& name) const {
    std::vector<std::string> all;
    const auto done = from.read(name, std::nullopt, [&](std::string_view line) {
      all.emplace_back(line);
      return true;
    });
    EXPECT_TRUE(done.ok()) << name;
    return all;
  }
  errc refusal(const std::string& name) const {
    const auto done = folder().read(name, std::nullopt, [](std::string_view) { return true; });
    EXPECT_FALSE(done.ok()) << name;
    return done.ok() ? errc::internal : done.error().code;
  }

  fs::path base_;
  fs::path logs_;
};

}  // namespace

TEST_F(RUN8_log_files, reads_lines_of_files_below) {
  EXPECT_EQ(lines(folder(), "a.log"), (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_EQ(lines(folder(), "sub/b.log"), (std::vector<std::string>{"b"}));
  put(logs_ / "empty.log", "");
  EXPECT_TRUE(lines(folder(), "empty.log").empty());
}

TEST_F(RUN8_log_files, refuses_names_that_lead_out) {
  const std::vector<std::string> names = {"",
                                          ".",
                                          "..",
                                          "../outside.log",
                                          "/etc/passwd",
                                          "sub/../a.log",
                                          "sub//b.log",
                                          "./a.log",
                                          "sub/",
                                          "a\nb",
                                          std::string("a\0.log", 6),
                                          "\xFF.log",
                                          std::string(2000, 'a')};
  for (const auto& name : names) EXPECT_EQ(refusal(name), errc::invalid) << name;
  EXPECT_EQ(refusal("missing.log"), errc::not_found);
}

TEST_F(RUN8_log_files, follows_no_symbolic_link) {
  fs::create_symlink(base_ / "outside.log", logs_ / "link.log");
  fs::create_symlink("a.log", logs_ / "inside.log");
  fs::create_directory_symlink(base_, logs_ / "up");
  EXPECT_EQ(refusal("link.log"), errc::forbidden);
  EXPECT_EQ(refusal("inside.log"), errc::forbidden);
  EXPECT_EQ(refusal("up/outside.log"), errc::forbidden);
  const auto listed = folder().list();
  ASSERT_TRUE(listed.ok());
  for (const auto& file : listed->files) {
    EXPECT_TRUE(file.name == "a.log" || file.name == "sub/b.log") << file.name;
  }
}

TEST_F(RUN8_log_files, reads_regular_files_only_and_does_not_block) {
  ASSERT_EQ(::mkfifo((logs_ / "pipe.log").c_str(), 0600), 0);
  EXPECT_EQ(refusal("pipe.log"), errc::forbidden);
  EXPECT_EQ(refusal("sub"), errc::forbidden);
}

TEST_F(RUN8_log_files, lists_in_order_and_within_limits) {
  put(logs_ / ".hidden", "x");
  put(logs_ / "sub" / "deeper" / "c.log", "c\n");
  auto listed = folder().list();
  ASSERT_TRUE(listed.ok());
  ASSERT_EQ(listed->files.size(), 3U);
  EXPECT_EQ(listed->files[0].name, "a.log");
  EXPECT_EQ(listed->files[0].bytes, 13);
  EXPECT_EQ(listed->files[1].name, "sub/b.log");
  EXPECT_EQ(listed->files[2].name, "sub/deeper/c.log");
  EXPECT_FALSE(listed->truncated);
  log_file_limits few;
  few.files = 2;
  listed = folder(few).list();
  EXPECT_EQ(listed->files.size(), 2U);
  EXPECT_TRUE(listed->truncated);
  log_file_limits flat;
  flat.depth = 0;
  listed = folder(flat).list();
  EXPECT_EQ(listed->files.size(), 1U);
  EXPECT_TRUE(listed->truncated);
}

TEST_F(RUN8_log_files, since_leaves_out_what_was_not_modified) {
  set_time(logs_ / "a.log", 1'000'000);
  set_time(logs_ / "sub" / "b.log", 2'000'000);
  const reeve::time_us since = 1'500'000 * reeve::us_per_second;
  const auto listed = folder().list(since);
  ASSERT_EQ(listed->files.size(), 1U);
  EXPECT_EQ(listed->files[0].name, "sub/b.log");
  EXPECT_EQ(listed->files[0].modified_at, 2'000'000 * reeve::us_per_second);
  int calls = 0;
  const auto done = folder().read("a.log", since, [&](std::string_view) { return ++calls > 0; });
  ASSERT_TRUE(done.ok());
  EXPECT_TRUE(done->unchanged);
  EXPECT_EQ(calls, 0);
}

TEST_F(RUN8_log_files, of_a_large_file_the_last_whole_lines) {
  log_file_limits small;
  small.file_bytes = 9;
  auto got = lines(folder(small), "a.log");  // "two\nthree" are the last nine bytes
  EXPECT_EQ(got, (std::vector<std::string>{"two", "three"}));
  small.file_bytes = 8;
  got = lines(folder(small), "a.log");
  EXPECT_EQ(got, (std::vector<std::string>{"three"}));
  const auto done =
      folder(small).read("a.log", std::nullopt, [](std::string_view) { return true; });
  EXPECT_TRUE(done->truncated);
}

TEST_F(RUN8_log_files, long_lines_come_in_parts_and_the_receiver_can_stop) {
  put(logs_ / "long.log", std::string(250'000, 'x') + "\nnext\nlast\n");
  log_file_limits limits;
  limits.line_bytes = 100'000;
  const auto got = lines(folder(limits), "long.log");
  ASSERT_EQ(got.size(), 5U);
  EXPECT_EQ(got[2].size(), 50'000U);
  EXPECT_EQ(got[4], "last");
  int calls = 0;
  const auto done = folder().read("a.log", std::nullopt, [&](std::string_view) {
    ++calls;
    return false;
  });
  EXPECT_TRUE(done->stopped);
  EXPECT_EQ(calls, 1);
}

TEST_F(RUN8_log_files, a_missing_folder_is_an_error) {
  const auto opened = log_folder::open((base_ / "nowhere").string());
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, errc::unavailable);
}

TEST_F(RUN8_log_files, names_what_is_no_text_and_hands_nothing_of_it_over) {
  put(logs_ / "old.log.1.gz", std::string("\x1F\x8B\x08\0\0\0\0\0\0\x03K\xCB\n", 13));
  // Entered in its middle, it is told by its beginning all the same.
  const auto few = folder({.files = 1000, .depth = 4, .file_bytes = 4, .line_bytes = 100});
  bool given = false;
  const auto done = few.read("old.log.1.gz", std::nullopt, [&](std::string_view) {
    given = true;
    return true;
  });
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->no_text, "compressed with gzip");
  EXPECT_EQ(done->lines, 0);
  EXPECT_FALSE(given);
  EXPECT_TRUE(lines(folder(), "old.log.1.gz").empty());
}
