// RUN14: the output of a job that writes faster than its engine keeps is followed: each line is
// there once and in order, or a `gap` stands where some are missing.

#include "tests/support/engine.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/server.hpp"
#include "tests/support/tally.hpp"
#include "tests/support/watchdog.hpp"
#include "tests/support/work.hpp"

#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>
#include <optional>
#include <string>

using nlohmann::json;
using support::must_post;
using namespace std::chrono_literals;

namespace {

/// Of 110 bytes each: 33 MB, of which an engine keeps 14 to 16.
constexpr std::int64_t lines = 300'000;
/// Line 0; the others at once when it is let go; and one when it is stopped.
const std::string script =
    "trap 'echo 300001 stopped; exit 0' TERM; echo 0 begun; " +
    std::string(support::tally::until_go) + "; awk 'BEGIN { x = \"" + std::string(102, 'x') +
    "\"; for (i = 1; i <= 300000; ++i) print i \" \" x }'; tail -f /dev/null & wait";

const auto soon = 20s * support::time_factor();

/// What follows it says of the lines that run: their number; nothing for other events.
std::optional<std::int64_t> number_of(const support::sse_event& event) {
  const std::string before = "\"text\":\"";
  const auto at = event.data.find(before);
  // What is stored is told as well once the job has ended, and has no time.
  const bool is_live = event.data.find("\"at\":") != event.data.npos;
  if (event.name != "line" || !is_live || at == event.data.npos) return std::nullopt;
  const auto digit = event.data.find_first_of("0123456789", at + before.size());
  EXPECT_EQ(digit, at + before.size()) << event.data;
  return std::strtoll(event.data.c_str() + at + before.size(), nullptr, 10);
}

/// The lines of one stream, looked at as they come.
class followed {
 public:
  explicit followed(support::sse_reader stream) : stream_(std::move(stream)) {}

  /// Up to that line; false: it does not come.
  bool await(std::int64_t number) {
    while (last_ < number) {
      const auto event = stream_.next(soon);
      if (!event) ADD_FAILURE() << "nothing came behind line " << last_ << ", " << gaps_ << " gaps";
      if (!event) return false;
      if (event->name == "gap") is_gap_ = true;
      if (event->name == "gap") continue;
      const auto line = number_of(*event);
      if (!line) ADD_FAILURE() << event->name << " " << event->data << " behind line " << last_;
      if (!line) return false;
      look_at(*line);
    }
    return true;
  }
  std::int64_t count() const { return count_; }
  std::int64_t gaps() const { return gaps_; }
  /// Line numbers at which something is missing unsaid, or comes again, or a gap is told for
  /// nothing.
  std::int64_t faults() const { return faults_; }
  std::int64_t first_fault() const { return first_fault_; }

 private:
  void look_at(std::int64_t line) {
    ++count_;
    gaps_ += is_gap_ ? 1 : 0;
    const bool is_next = line == last_ + 1;
    if (line <= last_ || is_next == is_gap_) {
      if (faults_++ == 0) first_fault_ = line;
    }
    is_gap_ = false;
    last_ = std::max(last_, line);
  }

  support::sse_reader stream_;
  bool is_gap_ = false;
  std::int64_t last_ = -1;
  std::int64_t count_ = 0, gaps_ = 0, faults_ = 0, first_fault_ = 0;
};

}  // namespace

TEST(RUN14_fast_output, is_followed_line_by_line_or_with_a_gap_where_some_are_missing) {
  support::allow_time(std::chrono::seconds(120));
  support::server_options options;
  const support::tally gate;
  options.docker = support::real_engine();
  options.environment["REEVE_MOUNT_ROOTS"] = gate.root();
  const support::server reeve(options);
  const auto api = reeve.api();
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(api));
  support::allow_image(api);
  const json run = support::launch(api, support::inline_launch({gate.doing("j", script)}));
  const auto target =
      "/api/jobs/" + run.at("jobs").at(0).at("id").get<std::string>() + "/logs/stream";

  followed from_the_beginning(api.events(target));
  ASSERT_TRUE(from_the_beginning.await(0));
  gate.let_go();
  EXPECT_TRUE(from_the_beginning.await(lines)) << "the last line";
  EXPECT_EQ(from_the_beginning.faults(), 0)
      << "the first at line " << from_the_beginning.first_fault();
  EXPECT_GT(from_the_beginning.count(), lines / 10) << from_the_beginning.gaps() << " gaps";

  // The engine has let go of the beginning, and of a secret that it may have been part of.
  auto late = api.events(target);
  const auto gap = late.next(soon);
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->name, "gap");
  const auto line = late.next(soon);
  ASSERT_TRUE(line);
  EXPECT_GT(number_of(*line).value_or(0), 1);

  must_post(api, "/api/runs/" + run.at("id").get<std::string>() + "/cancel", json::object(), 202);
  EXPECT_TRUE(from_the_beginning.await(lines + 1)) << "what it says at its end";
  EXPECT_EQ(from_the_beginning.faults(), 0);
}
