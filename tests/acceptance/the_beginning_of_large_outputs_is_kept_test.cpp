// RUN14: a job that writes more than the engine keeps has the beginning and the end of its output
// stored, because the beginning is taken while it runs.

#include "tests/support/engine.hpp"
#include "tests/support/server.hpp"
#include "tests/support/watchdog.hpp"
#include "tests/support/work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using nlohmann::json;
using support::job_named;
using support::must_get;
using support::shell_task;
using testing::EndsWith;
using testing::StartsWith;
using namespace std::chrono_literals;

namespace {

/// A first line, 40 MB of lines of 100 bytes, and a last line. After 4 MB it rests: the engine then
/// has less than it keeps, but more than what the beginning is taken at.
constexpr const char* writes_much =
    "echo 'the first line'; "
    "awk 'BEGIN { s = sprintf(\"%088d\", 7); for (i = 0; i < 400000; i++) "
    "{ printf \"%010d %s\\n\", i, s; if (i == 40000) { fflush(); system(\"sleep 6\") } } }'; "
    "echo 'the last line'";
constexpr std::size_t written = 40'000'000 + 15 + 14;
constexpr std::size_t limit = 1 << 20;

}  // namespace

TEST(RUN14_large_output, is_stored_with_its_first_and_its_last_line) {
  support::allow_time(std::chrono::seconds(240));
  support::server_options options;
  options.docker = support::real_engine();
  const support::server reeve(options);
  const auto api = reeve.api();
  support::engine on;
  const support::engine_cleanup cleanup(on, "reeve.tenant=" + support::tenant_of(api));
  support::allow_image(api);
  const auto launched = support::launch(
      api, support::inline_launch({shell_task("large", writes_much), shell_task("small", "echo a")},
                                  {{"max_parallel", 2}}));
  const auto run = support::await_run(api, launched.at("id"), 200s);
  ASSERT_EQ(run.at("status"), "success") << run.dump(1);
  const json job = job_named(run, "large");
  const std::string text = support::log_of(api, job.at("id"));
  EXPECT_THAT(text, StartsWith("the first line\n0000000000 0")) << text.substr(0, 200);
  EXPECT_THAT(text, EndsWith("7\nthe last line\n"));
  const auto mark = text.find("[reeve: ");
  ASSERT_NE(mark, std::string::npos);
  EXPECT_EQ(text.find("[reeve: ", mark + 1), std::string::npos) << "one place lacks something";
  const std::string at_least = "[reeve: at least ";
  ASSERT_EQ(text.substr(mark, at_least.size()), at_least) << text.substr(mark, 80);
  // More is missing than the engine had: nobody knows how much more.
  const auto told = std::stoull(text.substr(mark + at_least.size()));
  EXPECT_GT(told, 4'000'000U);
  EXPECT_LE(told + text.size(), written + 80);
  EXPECT_GT(mark, limit * 3 / 8) << "half of the limit is of the beginning";
  EXPECT_GT(text.size() - mark, limit * 3 / 8) << "and half of the end";
  const json log = job.at("attempts").at(0).at("log");
  EXPECT_EQ(log.at("truncated"), true);
  EXPECT_EQ(log.at("bytes").get<std::size_t>(), text.size());
  EXPECT_LE(text.size(), limit);
  EXPECT_EQ(job.at("attempts").at(0).at("log_incomplete"), false);
  const auto answer =
      api.get("/api/jobs/" + job.at("id").get<std::string>() + "/logs?stream=stdout");
  EXPECT_EQ(answer.header("Reeve-Log"), "truncated");
  EXPECT_EQ(answer.body, text) << "all of it is of one stream";
  EXPECT_EQ(support::log_of(api, job_named(run, "small").at("id")), "a\n");
}
