#include "base/log.hpp"
#include "base/metrics.hpp"
#include "codec/json.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using namespace reeve;
using testing::HasSubstr;
using testing::Not;

/// Sets the log up for one test and puts it back afterwards.
class GW4_log : public testing::Test {
 protected:
  ~GW4_log() override { set_up_log({}); }

  template <class Action>
  static std::string logged(log_options options, Action action) {
    options.lines_per_second =
        options.lines_per_second == 2000 ? 1'000'000 : options.lines_per_second;
    set_up_log(std::move(options));
    testing::internal::CaptureStderr();
    action();
    return testing::internal::GetCapturedStderr();
  }
  static std::size_t lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }
};

}  // namespace

TEST_F(GW4_log, writes_json_lines) {
  const auto text = logged({}, [] {
    log_info("run \"x\" launched\n", {{"run", "r-1"},
                                      {"tasks", 3},
                                      {"share", 0.5},
                                      {"ok", true},
                                      {"nan", std::numeric_limits<double>::quiet_NaN()},
                                      {"bad", std::string("\xff{}%s")}});
  });
  ASSERT_EQ(lines(text), 1U);
  const auto line = codec::parse_strict(text);
  ASSERT_TRUE(line.ok()) << text;
  const auto root = line->root();
  EXPECT_EQ(root.find("message")->as_string(), "run \"x\" launched\n");
  EXPECT_EQ(root.find("level")->as_string(), "info");
  EXPECT_EQ(root.find("time")->as_string().size(), 27U);
  EXPECT_EQ(root.find("run")->as_string(), "r-1");
  EXPECT_EQ(root.find("tasks")->as_int(), 3);
  EXPECT_EQ(root.find("share")->as_double(), 0.5);
  EXPECT_TRUE(root.find("ok")->as_bool());
  EXPECT_TRUE(root.find("nan")->is_null());
  EXPECT_EQ(root.find("bad")->as_string(), "\xef\xbf\xbd{}%s");
}

TEST_F(GW4_log, writes_text_lines_that_stay_one_line) {
  const auto text = logged({.json = false}, [] { log_warn("two\nlines", {{"path", "a b\n"}}); });
  EXPECT_EQ(lines(text), 1U);
  EXPECT_THAT(text, HasSubstr(" warn  two\\nlines path=\"a b\\n\"\n"));
}

TEST_F(GW4_log, leaves_out_what_is_below_its_level) {
  const auto everything = [] {
    log_debug("1");
    log_info("2");
    log_warn("3");
    log_error("4");
  };
  EXPECT_EQ(lines(logged({}, everything)), 3U);
  EXPECT_EQ(lines(logged({.least = log_level::debug}, everything)), 4U);
  EXPECT_EQ(lines(logged({.least = log_level::error}, everything)), 1U);
  EXPECT_EQ(parse_log_level("warn"), log_level::warn);
  EXPECT_FALSE(parse_log_level("WARN"));
}

TEST_F(GW4_log, passes_every_line_through_redaction_before_it_is_cut) {
  const std::string secret(5'000, 's');
  const auto hide = [&](std::string_view line) {
    std::string text(line);
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret)) {
      text.replace(at, secret.size(), "[redacted]");
    }
    return text;
  };
  const std::string filler(4'000, 'f');  // the secret would lie across the cut
  for (const bool json : {true, false}) {
    const auto text = logged({.json = json, .redact = hide}, [&] {
      log_info("m", {{"a", filler}, {"b", secret}});
    });
    EXPECT_THAT(text, HasSubstr("[redacted]"));
    EXPECT_THAT(text, Not(HasSubstr("sss")));
  }
}

TEST_F(GW4_log, withholds_a_line_whose_redaction_fails) {
  const auto broken = [](std::string_view) -> std::string { throw std::runtime_error("no"); };
  const auto text = logged({.redact = broken}, [] { log_info("hunter2"); });
  EXPECT_THAT(text, HasSubstr("withheld"));
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
}

TEST_F(GW4_log, cuts_long_lines) {
  for (const auto& big : {std::string(1'000'000, 'x'), std::string(20'000, '\x01'), [] {
                            std::string text;
                            while (text.size() < 30'000) text += "😀";
                            return text;
                          }()}) {
    const auto json = logged({}, [&] { log_error("m", {{"big", big}}); });
    EXPECT_LE(json.size(), 8 * 1024U + 1);
    const auto line = codec::parse_strict(json);
    ASSERT_TRUE(line.ok()) << json;
    EXPECT_TRUE(line->root().find("truncated")->as_bool());
    EXPECT_THAT(std::string(line->root().find("message")->as_string()), HasSubstr("\"big\":"));
    const auto text = logged({.json = false}, [&] { log_error("m", {{"big", big}}); });
    EXPECT_LE(text.size(), 8 * 1024U + 1);
    EXPECT_THAT(text, HasSubstr(" [truncated]\n"));
  }
}

TEST_F(GW4_log, bounds_the_lines_of_a_second_without_losing_errors) {
  const auto text = logged({.lines_per_second = 10}, [] {
    for (int i = 0; i < 1'000; ++i) log_info("flood");
    log_error("important");
  });
  // The thousand lines may lie on both sides of a second's end, which a third cannot be.
  EXPECT_LE(lines(text), 2 * 10 + 3U);
  EXPECT_GE(lines(text), 11U);
  EXPECT_THAT(text, HasSubstr("important"));
}

TEST(GW4_metrics, counts_and_gives_text) {
  metrics_registry registry;
  const auto requests =
      registry.counter("reeve_requests_total", "Requests.", {{"route", "/a\"\n"}});
  requests.add();
  requests.add(2);
  requests.add(-5);
  EXPECT_EQ(requests.value(), 3);
  EXPECT_EQ(registry.counter("reeve_requests_total", "Requests.", {{"route", "/a\"\n"}}).value(),
            3);
  const auto depth = registry.gauge("reeve_queue_depth", "Queue.");
  depth.set(7);
  depth.add(-2);
  EXPECT_EQ(depth.value(), 5);
  const auto latency = registry.histogram("reeve_latency_seconds", "Latency.", {1, 0.1, 1});
  latency.observe(0.05);
  latency.observe(0.5);
  latency.observe(50);
  const auto text = registry.text();
  EXPECT_THAT(text, HasSubstr("# TYPE reeve_requests_total counter"));
  EXPECT_THAT(text, HasSubstr("reeve_requests_total{route=\"/a\\\"\\n\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("reeve_queue_depth 5\n"));
  EXPECT_THAT(text, HasSubstr("reeve_latency_seconds_bucket{le=\"0.1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("reeve_latency_seconds_bucket{le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("reeve_metrics_refused_total 0\n"));
}

TEST(GW4_metrics, what_cannot_be_registered_still_counts) {
  metrics_registry registry;
  registry.counter("reeve_a", "A.").add();
  registry.gauge("reeve_a", "Another kind.").set(9);
  registry.counter("not a name", "Bad.").add();
  registry.counter("reeve_b", "Bad label.", {{"0", "x"}}).add();
  registry.histogram("reeve_a", "Another kind.", {1}).observe(1);
  const auto text = registry.text();
  EXPECT_THAT(text, HasSubstr("reeve_a 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("not a name")));
  EXPECT_THAT(text, HasSubstr("reeve_metrics_refused_total 4\n"));
}

TEST(GW4_metrics, series_are_limited) {
  metrics_registry registry;
  for (std::size_t i = 0; i < max_series + 10; ++i) {
    registry.counter("reeve_many", "Many.", {{"i", std::to_string(i)}}).add();
  }
  EXPECT_THAT(registry.text(), HasSubstr("reeve_metrics_refused_total 10\n"));
}

TEST(GW4_metrics, many_threads_count_exactly) {
  metrics_registry registry;
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&registry] {
      const auto counter = registry.counter("reeve_shared_total", "Shared.");
      const auto histogram =
          registry.histogram("reeve_shared_seconds", "Shared.", latency_bounds());
      for (int n = 0; n < 10'000; ++n) {
        counter.add();
        histogram.observe(0.001);
      }
    });
  }
  for (auto& worker : workers) worker.join();
  EXPECT_EQ(registry.counter("reeve_shared_total", "Shared.").value(), 40'000);
  EXPECT_THAT(registry.text(), HasSubstr("reeve_shared_seconds_count 40000\n"));
}
