// RUN8: the severity of lines, and stack traces that belong to the line before them.
#include "tasks/triage/log_severity.hpp"

#include "tasks/triage/log_record.hpp"

#include <ctime>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace {

using reeve::tasks::line_folder;
using reeve::tasks::log_record;
using reeve::tasks::log_severity;
using reeve::tasks::severity_of;
using enum reeve::tasks::log_severity;

std::vector<log_record> severity_records(const std::vector<std::string>& lines) {
  line_folder folder;
  std::vector<log_record> records;
  for (const auto& line : lines) {
    if (auto record = folder.add(line, std::nullopt)) records.push_back(std::move(*record));
  }
  if (auto record = folder.finish()) records.push_back(std::move(*record));
  return records;
}

struct severity_case {
  std::string line;
  log_severity severity;
};

}  // namespace

class RUN8_severity : public testing::TestWithParam<severity_case> {};

TEST_P(RUN8_severity, is_read_from_the_line) {
  EXPECT_EQ(reeve::domain::name_of(severity_of(GetParam().line)),
            reeve::domain::name_of(GetParam().severity))
      << GetParam().line;
}

INSTANTIATE_TEST_SUITE_P(
    forms, RUN8_severity,
    testing::Values(
        severity_case{"2026-11-20 08:00:00 ERROR x", error}, severity_case{"[warn] slow", warning},
        severity_case{"error: no such file", error}, severity_case{"npm ERR! code 1", error},
        severity_case{"INFO all errors were fixed", log_severity::info},
        severity_case{"2026-11-20 CRITICAL disk", fatal},
        severity_case{"2026/11/20 08:00:00 [crit] 12#0: x", fatal},
        severity_case{"LOG:  database system is ready", log_severity::info},
        severity_case{"FATAL:  role does not exist", fatal},
        severity_case{"{\"level\":\"error\",\"msg\":\"x\"}", error},
        severity_case{"{\"msg\":\"an error\",\"level\":30}", log_severity::info},
        severity_case{"{\"a\":{\"level\":\"fatal\"},\"severity\":\"WARNING\"}", warning},
        severity_case{"{\"msg\":\"level\",\"x\":[\"}\",1]}", unknown},
        severity_case{"ts=1 level=warn msg=\"an error\"", warning},
        severity_case{"<11>app: x", error}, severity_case{"<14>app: failed", log_severity::info},
        severity_case{"<191>app: x", debug}, severity_case{"<999>app: x", unknown},
        severity_case{"E0102 03:04:05.678 1 x.go:1] x", error},
        severity_case{"I0102 03:04:05.678 1 x.go:1] failed", log_severity::info},
        severity_case{"Out of memory: Killed process 1", fatal},
        severity_case{"panic: runtime error", fatal},
        severity_case{"thread 'main' panicked at src/a.rs", fatal},
        severity_case{"Segmentation fault (core dumped)", fatal},
        severity_case{"java.lang.NullPointerException: x", error},
        severity_case{"could not connect: connection refused", error},
        severity_case{"request timed out, retrying", warning},
        severity_case{"done: 0 errors, 0 warnings", unknown},
        severity_case{"finished without errors", unknown},
        severity_case{"{\"error\":null,\"msg\":\"fine\"}", unknown},
        severity_case{"errors=0 checked=12", unknown}, severity_case{"errors=3 checked=12", error},
        severity_case{"10.0.0.1 - - [x] \"GET / HTTP/1.1\" 503 12", error},
        severity_case{"10.0.0.1 - - [x] \"GET / HTTP/1.1\" 401 12", warning},
        severity_case{"10.0.0.1 - - [x] \"GET /error HTTP/1.1\" 200 12", log_severity::info},
        severity_case{"see the log: it is long", unknown},
        severity_case{"reading /var/log/error.log", unknown}, severity_case{"hello", unknown},
        severity_case{"", unknown}, severity_case{"<", unknown}, severity_case{"{", unknown}));

TEST(RUN8_severities, of_markers_in_one_run_take_time_in_proportion) {
  const auto seconds = [](std::size_t words) {
    std::string line = "{";
    for (std::size_t i = 0; i < words; ++i) line += "error";
    line += "=0";
    const auto begin = std::clock();
    EXPECT_EQ(severity_of(line), error);
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  };
  // Each looked at all behind it: sixteen times as long took more than two hundred times the time.
  EXPECT_LT(seconds(12'800), 40 * seconds(800) + 0.25);
  EXPECT_EQ(severity_of("errorMessages=0 \"errors\": \"none\" errors=  0"), unknown);
}

TEST(RUN8_record, java_trace_belongs_to_its_line) {
  const auto records = severity_records(
      {"ERROR payment failed", "java.lang.IllegalStateException: gateway closed",
       "    at a.B.c(B.java:1)", "Caused by: java.net.SocketTimeoutException: Read timed out",
       "    ... 7 more", "INFO next"});
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].lines, 5);
  EXPECT_EQ(records[0].text,
            "ERROR payment failed | Caused by: java.net.SocketTimeoutException: Read timed out");
  EXPECT_EQ(records[0].severity, error);
  EXPECT_EQ(records[1].text, "INFO next");
}

TEST(RUN8_record, python_traceback_is_named_by_its_last_line) {
  const auto records =
      severity_records({"Traceback (most recent call last):", "  File \"a.py\", line 1",
                        "    run()", "KeyError: 'region'", "started again"});
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].text, "KeyError: 'region'");
  EXPECT_EQ(records[0].severity, error);
  EXPECT_EQ(records[0].lines, 4);
  EXPECT_EQ(records[1].text, "started again");
}

TEST(RUN8_record, go_panic_is_one_record) {
  const auto records =
      severity_records({"panic: index out of range", "", "goroutine 1 [running]:", "main.main()",
                        "    /a/b.go:1 +0x1d", "exit status 2", "ready"});
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].severity, fatal);
  EXPECT_EQ(records[0].lines, 6);
}

TEST(RUN8_record, indented_lines_with_a_level_of_their_own_stand_alone) {
  EXPECT_EQ(severity_records({"INFO start", "  ERROR inside", "  ERROR another"}).size(), 3U);
  EXPECT_EQ(severity_records({"  all lines", "  are indented", "  here"}).size(), 3U);
  EXPECT_EQ(severity_records({"config:", "  a: 1", "  b: 2"}).size(), 1U);
}

TEST(RUN8_record, structured_lines_are_their_message) {
  const auto json =
      severity_records({R"({"level":"error","id":7,"msg":"it \"broke\"","err":"no route"})"});
  ASSERT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0].text, "it \"broke\" error: no route");
  const auto logfmt = severity_records({"ts=1 level=info msg=\"sent it\" to=bob"});
  ASSERT_EQ(logfmt.size(), 1U);
  EXPECT_EQ(logfmt[0].text, "sent it");
  for (const auto* broken : {"{\"msg\":\"x", "{\"msg\"}", "{\"a\":{}", "{{{{", "{\"a\":\"\\"}) {
    EXPECT_EQ(severity_records({broken}).size(), 1U) << broken;
  }
}

TEST(RUN8_record, a_record_does_not_grow_without_end) {
  line_folder folder;
  folder.add("start", std::nullopt);
  std::int64_t lines = 0;
  for (int i = 0; i < 5000; ++i) {
    if (const auto record = folder.add("  more", std::nullopt)) {
      EXPECT_LE(record->lines, line_folder::max_lines);
      lines += record->lines;
    }
  }
  EXPECT_GT(lines, 0);
}
