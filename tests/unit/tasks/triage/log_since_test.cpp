// RUN6, RUN8: the time of a line, and what is read since a time: a local time is never taken for
// UTC, and a line whose time is not known is never left out.
#include "tasks/triage/log_since.hpp"

#include "codec/codec.hpp"
#include "tasks/triage/log_triage_markdown.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace {

using namespace reeve::tasks;
using reeve::us_per_second;

constexpr reeve::time_us since_now = 1'795'172'400'000'000;  // 2026-11-20T11:00:00Z

std::int64_t new_york(reeve::time_us) {
  return -5 * 3600;
}

triage_options ten_minutes() {
  triage_options options;
  options.now = since_now;
  options.since = since_now - 600 * us_per_second;
  return options;
}

triage_report report_on(const std::vector<std::string>& lines, const triage_options& options) {
  log_triage triage(options, reeve::redactor(), std::nullopt);
  const auto source = triage.open("a.log", log_source_kind::file);
  for (const auto& line : lines) triage.add(*source, line);
  return triage.finish();
}

std::string read(std::string_view line) {
  const auto found = time_of_record(line, since_now);
  if (!found) return "none";
  return reeve::format_time(found->at).substr(0, 26) + (found->zoned ? "Z" : "?");
}

TEST(RUN8_time, formats_with_and_without_a_zone) {
  EXPECT_EQ(read("[Fri Sep 09 10:42:29.902022 2011] [core:error] x"),
            "2011-09-09T10:42:29.902022?");
  EXPECT_EQ(read("Fri Sep  9 10:42:29 CEST 2011 x"), "2011-09-09T08:42:29.000000Z");
  EXPECT_EQ(read("Fri, 09 Sep 2011 10:42:29 +0200 x"), "2011-09-09T08:42:29.000000Z");
  EXPECT_EQ(read("[09-Sep-2011 10:42:29 UTC] PHP Warning: x"), "2011-09-09T10:42:29.000000Z");
  EXPECT_EQ(read("[09-Sep-2011 10:42:29 Europe/Berlin] x"), "2011-09-09T10:42:29.000000?");
  EXPECT_EQ(read("1:M 01 Jan 2023 10:00:00.000 # x"), "2023-01-01T10:00:00.000000?");
  EXPECT_EQ(read("E0922 04:52:43.787224 1 a.go:1] x"), "2026-09-22T04:52:43.787224?");
  EXPECT_EQ(read("03-17 16:13:38.811  1702  2395 D A: x"), "2026-03-17T16:13:38.811000?");
  EXPECT_EQ(read("2026-11-20 06:00:00.000 EST [7] ERROR:  x"), "2026-11-20T11:00:00.000000Z");
  EXPECT_EQ(read("2026-11-20 06:00:00.000 CST [7] ERROR:  x"), "2026-11-20T06:00:00.000000?");
  EXPECT_EQ(read("2026-11-20 06:00:00+00 x"), "2026-11-20T06:00:00.000000Z");
  EXPECT_EQ(read("2026-11-20 06:00:00 ESTATE x"), "2026-11-20T06:00:00.000000?");
  EXPECT_EQ(read("Nov 20 06:00:00.25 host app[1]: x"), "2026-11-20T06:00:00.250000?");
  EXPECT_EQ(read("h - - [20/Nov/2026:06:00:00 -0500] \"GET /\""), "2026-11-20T11:00:00.000000Z");
  EXPECT_EQ(read(R"({"ts":1795161600000001,"msg":"x"})"), "2026-11-20T08:00:00.000001Z");
  EXPECT_EQ(read(R"({"time":1795161600000001000,"msg":"x"})"), "2026-11-20T08:00:00.000001Z");
  EXPECT_EQ(read(R"({"t":{"$date":"2026-11-20T08:00:00Z"},"msg":"x"})"),
            "2026-11-20T08:00:00.000000Z");
  for (const auto* none : {"9999999999999999999 x", "Fri Sep 09 10:42:29 x", "Fri", "1:M 01 Jan",
                           "E0922", "E9922 04:52:43.7 x", "09-Sep-2011", "1:", "11-20 "}) {
    EXPECT_EQ(read(none), "none") << none;
  }
}

TEST(RUN8_time, of_the_line_that_says_its_zone_wins_over_its_envelope) {
  EXPECT_EQ(read("Nov 20 06:00:00 h app[1]: 2026-11-20T11:00:00Z x"),
            "2026-11-20T11:00:00.000000Z");
  EXPECT_EQ(read("Nov 20 06:00:00 h app[1]: 2026-11-20 01:00:00 x"), "2026-11-20T06:00:00.000000?");
  EXPECT_EQ(read("2026-11-20T11:00:00Z stderr F E1120 06:00:00.1 1 a.go:1] x"),
            "2026-11-20T11:00:00.000000Z");
  EXPECT_EQ(read("Nov 20 06:00:00 h app[1]: {\"ts\":1795161600,\"msg\":\"x\"}"),
            "2026-11-20T08:00:00.000000Z");
}

TEST(RUN6_since, a_local_time_that_may_be_new_is_kept) {
  const std::vector<std::string> lines = {"Nov 20 05:58:00 host app[1]: ERROR new trouble",
                                          "2026-11-20 05:58:00.000 EST [7] ERROR:  other trouble"};
  auto options = ten_minutes();
  for (const bool knows : {false, true}) {
    if (knows) options.local_offset_s = new_york;
    const auto report = report_on(lines, options);
    ASSERT_EQ(report.findings.size(), 2U);
    EXPECT_EQ(report.sources[0].older_lines, 0);
    EXPECT_EQ(report.sources[0].undated_lines, knows ? 0 : 1);
    if (!knows) continue;
    for (const auto& one : report.findings) {
      EXPECT_EQ(one.first_seen->at, since_now - 120 * us_per_second) << one.text;
    }
  }
  const auto old = report_on({"Nov 19 05:58:00 host app[1]: ERROR old trouble",
                              "[Thu Nov 19 20:42:29.902022 2026] [core:error] old trouble"},
                             options);
  EXPECT_TRUE(old.findings.empty()) << "older wherever it was written";
  EXPECT_EQ(old.sources[0].older_lines, 2);
}

TEST(RUN6_since, a_line_without_a_time_is_left_out_only_with_its_record) {
  const auto report = report_on(
      {"2026-11-20T10:00:00Z ERROR old", "java.io.IOException: old", "\tat old.frame(1)", "",
       "Caused by: old.Cause: x", "server stopped", "  more of it", "2026-11-20T10:00:01Z INFO old",
       "Traceback (most recent call last):", "  File \"a.py\"", "ValueError: bad"},
      ten_minutes());
  EXPECT_EQ(report.sources[0].older_lines, 6);
  EXPECT_EQ(report.sources[0].undated_lines, 5);
  ASSERT_EQ(report.findings.size(), 2U);
  EXPECT_NE(to_markdown(report).find("5 kept whose time is not known"), std::string::npos);
}

TEST(RUN6_since, colours_and_byte_order_marks_count_for_nothing) {
  const std::string mark = "\xEF\xBB\xBF";
  const std::vector<std::string> plain = {
      "2026-11-20T10:49:59Z ERROR old", "2026-11-20T10:51:00.000000Z ERROR myapp: lost",
      "ERROR 2026-11-20T10:49:59Z old", "ERROR 2026-11-20T10:52:00Z myapp: lost"};
  const std::vector<std::string> coloured = {
      mark + "2026-11-20T10:49:59Z ERROR old",
      "\x1B[2m2026-11-20T10:51:00.000000Z\x1B[0m \x1B[31mERROR\x1B[0m myapp: lost",
      "\x1B[31mERROR\x1B[0m 2026-11-20T10:49:59\x1B[0mZ old",
      mark + "\x1B]0;title\x07" + "ERROR \x1B[1m2026-11-20T10:52:00Z\x1B[0m myapp: lost"};
  const auto expected = report_on(plain, ten_minutes());
  const auto found = report_on(coloured, ten_minutes());
  ASSERT_EQ(expected.findings.size(), 2U);
  ASSERT_EQ(found.findings.size(), 2U);
  EXPECT_EQ(found.sources[0].older_lines, 2);
  EXPECT_EQ(found.sources[0].undated_lines, 0);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(found.findings[i].text, expected.findings[i].text);
    ASSERT_TRUE(found.findings[i].first_seen) << found.findings[i].text;
    EXPECT_EQ(found.findings[i].first_seen->at, expected.findings[i].first_seen->at);
  }
  // The zone counts though a colour stands before it, and so does a time inside of an envelope.
  EXPECT_EQ(
      report_on({"2026-11-20 10:49:59\x1B[0m UTC ERROR old"}, ten_minutes()).sources[0].older_lines,
      1);
  EXPECT_EQ(
      report_on({"Nov 20 06:00:00 h app[1]: \x1B[2m2026-11-20T10:49:59Z\x1B[0m old"}, ten_minutes())
          .sources[0]
          .older_lines,
      1);
}

TEST(RUN8_since, a_byte_order_mark_makes_no_template_of_its_own) {
  const std::string mark = "\xEF\xBB\xBF";
  const auto report =
      report_on({mark + "2026-11-20T10:50:00Z ERROR lost", "2026-11-20T10:50:00Z ERROR lost",
                 mark + R"({"level":"error","msg":"gone"})", R"({"level":"error","msg":"gone"})"},
                {});
  ASSERT_EQ(report.findings.size(), 2U);
  for (const auto& one : report.findings) EXPECT_EQ(one.count, 2) << one.text;
  EXPECT_EQ(report.findings[0].example.find(mark), std::string::npos);
}

TEST(RUN6_since, both_lines_of_java_util_logging_have_one_time) {
  const std::vector<std::string> lines = {"Nov 19, 2026 2:54:28 PM com.example.Server start",
                                          "SEVERE: old trouble",
                                          "java.io.IOException: old",
                                          "\tat old.frame(1)",
                                          "Nov 20, 2026 10:55:00 AM com.example.Server start",
                                          "SEVERE: new trouble"};
  auto options = ten_minutes();
  options.local_offset_s = [](reeve::time_us) { return std::int64_t{0}; };
  const auto report = report_on(lines, options);
  EXPECT_EQ(report.sources[0].older_lines, 4);
  EXPECT_EQ(report.sources[0].undated_lines, 0);
  for (const auto& one : report.findings) {
    EXPECT_EQ(one.text.find("old"), std::string::npos) << one.text;
    ASSERT_TRUE(one.first_seen) << one.text;
    EXPECT_EQ(one.first_seen->at, since_now - 300 * us_per_second);
  }
  const auto alone =
      report_on({"2026-11-19T00:00:00Z INFO old", "SEVERE: of unknown time"}, options);
  EXPECT_EQ(alone.sources[0].undated_lines, 1);
}

TEST(RUN6_since, minutes_are_older_only_when_all_of_them_is) {
  auto options = ten_minutes();
  *options.since += 30 * us_per_second;  // 10:50:30
  const auto report =
      report_on({"2026-11-20 10:49Z ERROR old", "2026-11-20 10:50Z ERROR may be new",
                 "2026-11-20 10:51Z ERROR new"},
                options);
  EXPECT_EQ(report.sources[0].older_lines, 1);
  EXPECT_EQ(report.sources[0].undated_lines, 1);
}

TEST(RUN6_since, lines_of_unknown_time_are_kept_and_counted) {
  const auto report = report_on(
      {"ERROR old as it may be", "7/16/2021 11:46:59 ERROR old perhaps",
       "ERROR the backup of 2021-07-16 11:46:59 is lost", "ERROR 2021-07-16T11:46:59Z old"},
      ten_minutes());
  EXPECT_EQ(report.sources[0].lines, 3);
  EXPECT_EQ(report.sources[0].undated_lines, 3);
  EXPECT_EQ(report.sources[0].older_lines, 1);
  const auto json = reeve::codec::encode_document(report);
  EXPECT_NE(json.find("\"undated_lines\":3"), std::string::npos) << json;
  auto earlier = json;
  earlier.replace(earlier.find(",\"undated_lines\":3"), 18, "");
  reeve::codec::json_limits limits;
  const auto read = reeve::codec::decode_text<triage_report>(earlier, limits);
  ASSERT_TRUE(read) << "a report of an earlier version, which has no such member";
  EXPECT_EQ(read->sources[0].lines, 3);
}

}  // namespace
