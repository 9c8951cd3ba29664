// What `reeve token reset` promises: the token is shown before anything waits for it, and whoever
// could not be shown one has asked for none.

#include "cli/commands.hpp"
#include "cli/server_identity.hpp"
#include "tests/unit/cli/client_peer.hpp"
#include "tests/unit/cli/standard_output.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <signal.h>
#include <stdexcept>
#include <string>
#include <sys/inotify.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace reeve::cli;
using namespace client_peer;
using standard_output::redirected;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
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
    auto pattern = (std::filesystem::temp_directory_path() / "reeve-reset-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = pattern;
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

  /// The same beside a server, while somebody takes the request away once the token is shown.
  ended reset_taken(bool json) const {
    const auto server =
        server_identity::take(config_.values.data + "/server-id", reeve::real_ids());
    EXPECT_TRUE(server);
    // Before the thread may look: the line of an earlier one is not this one's.
    std::filesystem::remove(shown_file());
    std::thread taker([this] {
      const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
      while (std::chrono::steady_clock::now() < until) {
        if (is_asked_for() && contents_of(shown_file()).ends_with('\n')) {
          std::filesystem::remove(request_file());
          return;
        }
        std::this_thread::yield();
      }
    });
    auto e = reset(json);
    taker.join();
    return e;
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

TEST_F(ACC1_token_reset, asks_for_none_before_it_was_shown) {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  const int changes = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  ASSERT_GE(::inotify_add_watch(changes, config_.values.data.c_str(), IN_CREATE | IN_MOVED_TO), 0);
  int channel[2];
  ASSERT_EQ(::pipe(channel), 0);
  ::close(channel[0]);
  testing::internal::CaptureStderr();
  int code = -1;
  {
    const redirected to(channel[1]);
    code = token(config_, {"reset"}, false);
  }
  const auto told = testing::internal::GetCapturedStderr();
  ::close(channel[1]);
  ::signal(SIGPIPE, before);
  EXPECT_EQ(code, exit_unreachable);
  EXPECT_THAT(told, HasSubstr("could not be written"));
  // Not for a moment: a server, or a kill of the command, may come at any.
  char events[1024];
  EXPECT_EQ(::read(changes, events, sizeof events), -1) << "something was written for a server";
  ::close(changes);
}

TEST_F(ACC1_token_reset, says_that_what_it_showed_opens_nothing) {
  config_.values.data = folder_ + "/none";
  const auto e = reset(false);
  EXPECT_EQ(e.code, exit_refused);
  EXPECT_THAT(e.err, AllOf(HasSubstr("opens nothing"), HasSubstr("cannot be written")));
}

TEST_F(ACC1_token_reset, asks_a_server_that_is_still_to_come) {
  const auto e = reset(false);
  EXPECT_EQ(e.code, exit_ok) << e.err;
  EXPECT_THAT(e.out, StartsWith("rv_"));
  EXPECT_THAT(e.err, HasSubstr("opens once a server leads"));
  EXPECT_TRUE(is_asked_for());
  const auto second = reset(false);
  EXPECT_EQ(second.code, exit_refused) << "one waits already";
  EXPECT_EQ(second.out, "") << "a token that opens nothing";
}

TEST_F(ACC1_token_reset, waits_for_no_server_that_has_died) {
  peer stranger({http(200, "{}")});
  put("endpoint", stranger.url() + "\n");
  const auto e = reset(false);
  EXPECT_EQ(e.code, exit_ok) << e.err;
  EXPECT_THAT(e.err, HasSubstr("opens once a server leads"));
  EXPECT_THAT(stranger.requests(), SizeIs(0));
}

TEST_F(ACC1_token_reset, shows_the_token_before_it_waits_and_tries_it) {
  for (const bool json : {false, true}) {
    peer server({http(200, "{}")});
    put("endpoint", server.url() + "\n");
    const auto e = reset_taken(json);
    EXPECT_EQ(e.code, exit_ok) << e.err;
    EXPECT_THAT(e.err, HasSubstr("opens now"));
    const auto begin = e.out.find("rv_");
    ASSERT_NE(begin, std::string::npos) << e.out;
    EXPECT_THAT(e.out, StartsWith(json ? "{\"id\":\"" : "rv_"));
    const auto shown = e.out.substr(begin, e.out.find_first_of("\"\n", begin) - begin);
    ASSERT_THAT(server.requests(), SizeIs(1));
    EXPECT_THAT(server.requests()[0],
                AllOf(StartsWith("GET /api/whoami HTTP/1.1\r\n"),
                      HasSubstr("\r\nAuthorization: Bearer " + shown + "\r\n")));
  }
}

TEST_F(ACC1_token_reset, does_not_take_a_missing_file_for_a_server) {
  for (const auto& [status, code] : {std::pair{401, exit_refused}, {503, exit_unreachable}}) {
    peer server({problem(status, "some_code")});
    put("endpoint", server.url() + "\n");
    const auto e = reset_taken(false);
    EXPECT_EQ(e.code, code) << status;
    EXPECT_THAT(e.err,
                AllOf(HasSubstr("is gone"), HasSubstr("does not open"),
                      HasSubstr("answers " + std::to_string(status)), Not(HasSubstr("opens now"))));
  }
  put("endpoint", "http://127.0.0.1:1\n");
  const auto e = reset_taken(true);
  EXPECT_EQ(e.code, exit_unreachable);
  EXPECT_THAT(e.err, AllOf(HasSubstr("does not open"), Not(HasSubstr("opens now"))));
}

TEST_F(ACC1_token_reset, asks_nobody_whose_address_is_only_configured) {
  put("endpoint", "");
  peer stranger({http(200, "{}")});
  config_.values.listen = stranger.url().substr(std::string("http://").size());
  const auto e = reset_taken(false);
  EXPECT_EQ(e.code, exit_unreachable);
  EXPECT_THAT(e.err, AllOf(HasSubstr("no address"), Not(HasSubstr("opens now"))));
  EXPECT_THAT(stranger.requests(), SizeIs(0)) << "a token that opens went to a stranger";
}
