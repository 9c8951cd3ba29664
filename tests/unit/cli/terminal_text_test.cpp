// UI2: nothing that somebody else wrote does anything to the terminal on which it is shown.

#include "cli/terminal_text.hpp"

#include "cli/client.hpp"
#include "cli/output.hpp"
#include "cli/text_input.hpp"
#include "tests/unit/cli/client_peer.hpp"
#include "tests/unit/cli/standard_output.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <termios.h>
#include <unistd.h>

namespace {

using namespace reeve;
using namespace reeve::cli;
using namespace client_peer;
using testing::HasSubstr;

/// Everything that harms, and beside it what looks like it and does not: é, €, an emoji, U+00A0.
const std::string nasty =
    "\x1b]52;c;aGk=\x07 \xc2\x9b\x33\x31m \x9b\x33m \xe2\x80\xae\xe2\x80\x8f "
    "\xe2\x81\xa6\xe2\x81\xa9 "
    "\xd8\x9c\x7f\xe2\x80\xa8 a\rb \xff\xe2\x80 \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xc2\xa0.";
const std::string harmless =
    "?]52;c;aGk=? ?31m ?3m ?? ?? ??? a?b ?? \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xc2\xa0.";

/// Standard output is a terminal while this is there.
class terminal {
 public:
  terminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    char name[64];
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0 ||
        ::ptsname_r(master_, name, sizeof name) != 0) {
      throw std::runtime_error("no terminal can be made");
    }
    slave_ = ::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    termios as_it_comes{};
    ::tcgetattr(slave_, &as_it_comes);
    ::cfmakeraw(&as_it_comes);
    ::tcsetattr(slave_, TCSANOW, &as_it_comes);
  }
  ~terminal() {
    ::close(slave_);
    ::close(master_);
  }
  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;

  /// What `act` writes to it; less than its buffer holds.
  template <class Act>
  std::string shows(Act act) {
    {
      const standard_output::redirected out(slave_);
      act();
    }
    ::fcntl(master_, F_SETFL, O_NONBLOCK);
    char bytes[4096];
    const auto count = ::read(master_, bytes, sizeof bytes);
    return count < 0 ? std::string() : std::string(bytes, static_cast<std::size_t>(count));
  }

 private:
  int master_ = -1;
  int slave_ = -1;
};

class UI2_terminal : public testing::Test {
 protected:
  UI2_terminal() { ::setenv("REEVE_TOKEN", "secret-token", 1); }
  ~UI2_terminal() override { ::unsetenv("REEVE_TOKEN"); }

  std::string shown(const std::string& answer, const std::vector<std::string>& words,
                    const char* output = "") {
    const peer p({answer});
    client_options client;
    client.url = p.url();
    client.output = output;
    client.json = !client.output.empty();
    return terminal_.shows([&] { runs(loaded_config(), client, words); });
  }

  terminal terminal_;
};

}  // namespace

TEST(UI2_printable, has_nothing_that_moves_hides_or_turns_round) {
  EXPECT_EQ(printable(nasty), harmless);
  EXPECT_EQ(printable("a\tb\nc\r\n"), "a?b?c??") << "a cell is one line";
  EXPECT_EQ(printable(""), "");
  for (unsigned code = 0x80; code < 0xa0; ++code) {
    const char single = static_cast<char>(code);
    EXPECT_EQ(printable(std::string("\xc2") + single), "?") << code;
    EXPECT_EQ(printable(std::string(1, single)), "?") << code;
  }
  // The neighbours of each range.
  for (const std::string beside :
       {"\xd8\x9b", "\xd8\x9d", "\xe2\x80\x8d", "\xe2\x80\x90", "\xe2\x80\xa7", "\xe2\x80\xaf",
        "\xe2\x81\xa5", "\xe2\x81\xaa"}) {
    EXPECT_EQ(printable(beside), beside);
  }
}

TEST(UI2_terminal_filter, sees_what_is_cut_anywhere) {
  const std::string text = nasty + "\n\tnext\r\nlast\r";
  const std::string whole = harmless + "\n\tnext\nlast?";
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); ++second) {
      terminal_filter filter;
      auto out = filter.take(std::string_view(text).substr(0, first));
      out += filter.take(std::string_view(text).substr(first, second - first));
      out += filter.take(std::string_view(text).substr(second));
      ASSERT_EQ(out + filter.finish(), whole) << first << ", " << second;
    }
  }
}

TEST(UI2_terminal_filter, leaves_json_its_meaning) {
  const std::string json = "{\"name\":\"\xc2\x9b\xe2\x80\xae\x7f \xd8\x9c\xc3\xa9\"}";
  terminal_filter filter(true);
  const auto escaped = filter.take(json) + filter.finish();
  EXPECT_EQ(escaped, "{\"name\":\"\\u009b\\u202e\\u007f \\u061c\xc3\xa9\"}");
  const auto before = parse_answer(json), after = parse_answer(escaped);
  ASSERT_TRUE(before && after);
  EXPECT_EQ(member_text(after->root(), "name"), member_text(before->root(), "name"));
}

TEST_F(UI2_terminal, gets_logs_and_artifacts_without_harm) {
  EXPECT_EQ(shown(http(200, nasty + "\n"), {"logs", "j"}), harmless + "\n");
  EXPECT_EQ(shown(http(200, nasty), {"artifacts", "j", "a"}), harmless);
}

TEST_F(UI2_terminal, gets_tables_and_json_without_harm) {
  const std::string row = "{\"id\":\"r\xe2\x80\xaex\",\"status\":\"\xc2\x9bx\"}";
  const auto list = http(200, "{\"next\":null,\"results\":[" + row + "]}");
  EXPECT_THAT(shown(list, {"list"}), HasSubstr("r?x  ?x\n"));
  const std::string escaped = R"({"id":"r\u202ex","status":"\u009bx"})";
  EXPECT_THAT(shown(list, {"list"}, "json"), HasSubstr("[" + escaped + "]"));
  EXPECT_EQ(shown(list, {"list"}, "ndjson"), escaped + "\n");
  EXPECT_EQ(shown(http(200, row), {"show", "r"}, "json"), escaped + "\n");
}

TEST_F(UI2_terminal, gets_problems_without_harm) {
  const std::string body =
      "{\"title\":\"T\xe2\x80\xae.\",\"detail\":\"d\xc2\x9bx\",\"status\":409}";
  testing::internal::CaptureStderr();
  shown(http(409, body), {"show", "r"});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "reeve: T?. d?x\n");
  EXPECT_THAT(shown(http(409, body), {"show", "r"}, "json"), HasSubstr(R"(d\u009bx)"));
}

TEST_F(UI2_terminal, gets_an_export_without_harm_and_none_compressed) {
  const auto written = terminal_.shows([] {
    auto out = open_text_output("-", false);
    ASSERT_TRUE(out);
    // Cut in the middle of U+202E.
    EXPECT_TRUE((*out)->write("{\"a\":\"\xe2\x80") && (*out)->write("\xae\"}\n"));
    EXPECT_TRUE((*out)->finish());
  });
  EXPECT_EQ(written, "{\"a\":\"\\u202e\"}\n");
  EXPECT_EQ(terminal_.shows([] {
    const auto out = open_text_output("-", true);
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().code, errc::invalid);
  }),
            "");
}
