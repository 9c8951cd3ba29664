// EV10: an export takes the place of an earlier one once there is something to put there.

#include "cli/commands.hpp"
#include "cli/text_input.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace reeve::cli;

class EV10_export : public testing::Test {
 protected:
  EV10_export() {
    auto pattern = (std::filesystem::temp_directory_path() / "reeve-export-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = pattern;
    path_ = folder_ + "/log.ndjson";
    std::ofstream(path_) << "an earlier export\n";
  }
  ~EV10_export() override { std::filesystem::remove_all(folder_); }

  std::string content() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string folder_, path_;
};

}  // namespace

TEST_F(EV10_export, leaves_an_earlier_one_alone_where_there_is_no_database) {
  loaded_config config;
  config.values.data = folder_ + "/elsewhere";
  testing::internal::CaptureStderr();
  const int code = export_log(config, {path_, "", false});
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("reeve: "));
  EXPECT_EQ(code, exit_unreachable);
  EXPECT_EQ(content(), "an earlier export\n");
}

TEST_F(EV10_export, replaces_an_earlier_one_with_its_first_byte) {
  for (const bool zstd : {false, true}) {
    std::ofstream(path_) << "an earlier export\n";
    ASSERT_EQ(::chmod(path_.c_str(), 0640), 0);
    const auto link = folder_ + "/link";
    std::filesystem::remove(link);
    std::filesystem::create_symlink(path_, link);
    {
      auto out = open_text_output(link, zstd);
      ASSERT_TRUE(out);
      EXPECT_EQ(content(), "an earlier export\n");
      EXPECT_TRUE((*out)->write("new\n") && (*out)->finish());
    }
    auto in = open_text_input(path_);
    ASSERT_TRUE(in);
    EXPECT_EQ((*in)->line(), "new");
    EXPECT_EQ((*in)->line(), std::nullopt);
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_EQ(std::filesystem::status(path_).permissions(), std::filesystem::perms(0640));
  }
  auto nothing = open_text_output(path_, false);
  ASSERT_TRUE(nothing);
  EXPECT_TRUE((*nothing)->finish());
  EXPECT_EQ(content(), "") << "whole, and empty";
}

TEST_F(EV10_export, writes_to_what_is_no_file_and_tells_what_was_lost) {
  const auto writes = [](const std::string& path) {
    auto out = open_text_output(path, false);
    return out && (*out)->write("new\n") && (*out)->finish();
  };
  EXPECT_TRUE(writes("/dev/null"));
  EXPECT_FALSE(writes("/dev/full"));
  EXPECT_FALSE(writes(folder_));
  EXPECT_FALSE(writes(folder_ + "/none/log.ndjson"));
}

TEST_F(EV10_export, is_not_looked_for_in_a_folder) {
  const auto in = open_text_input(folder_);
  ASSERT_FALSE(in);
  EXPECT_EQ(in.error().detail, folder_ + " is a folder");
}
