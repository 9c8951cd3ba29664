// What `reeve token reset` promises: the token is shown before anything waits for it, and whoever
// could not be shown one has asked for none.

#include "cli/commands.hpp"
#include "tests/unit/cli/standard_output.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <unistd.h>

namespace {

using namespace reeve::cli;
using standard_output::redirected;
using testing::HasSubstr;
using testing::StartsWith;

struct ended {
  int code = -1;
  std::string out, err;
};

std::string contents_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class ACC1_token_reset : public testing::Test {
 protected:
  ACC1_token_reset() {
    char folder[] = "/tmp/reeve-reset-XXXXXX";
    folder_ = ::mkdtemp(folder);
    config_.values.data = folder_ + "/data";
    std::filesystem::create_directory(config_.values.data);
  }
  ~ACC1_token_reset() override { std::filesystem::remove_all(folder_); }

  ended reset(bool json, const std::string& out = "") const {
    const auto shown = out.empty() ? shown_file() : out;
    testing::internal::CaptureStderr();
    ended e;
    {
      const redirected to(shown);
      e.code = token(config_, {"reset"}, json);
    }
    e.err = testing::internal::GetCapturedStderr();
    if (out.empty()) e.out = contents_of(shown);
    return e;
  }
  std::string shown_file() const { return folder_ + "/shown"; }
  std::string request_file() const { return config_.values.data + "/token-reset"; }
  bool is_asked_for() const { return std::filesystem::exists(request_file()); }
  void put(const std::string& name, const std::string& text) const {
    std::ofstream(config_.values.data + "/" + name) << text;
  }

  std::string folder_;
  loaded_config config_;
};

}  // namespace

TEST_F(ACC1_token_reset, asks_for_no_token_that_nobody_was_shown) {
  for (const bool json : {false, true}) {
    const auto e = reset(json, "/dev/full");
    EXPECT_EQ(e.code, exit_unreachable);
    EXPECT_THAT(e.err, HasSubstr("could not be written"));
    EXPECT_FALSE(is_asked_for()) << "a server would make it for nobody";
  }
}

TEST_F(ACC1_token_reset, asks_a_server_that_is_still_to_come) {
  const auto e = reset(false);
  EXPECT_EQ(e.code, exit_ok) << e.err;
  EXPECT_THAT(e.out, StartsWith("rv_"));
  EXPECT_THAT(e.err, HasSubstr("opens once a server leads"));
  EXPECT_TRUE(is_asked_for());
  EXPECT_EQ(reset(false).code, exit_refused) << "one waits already";
}
