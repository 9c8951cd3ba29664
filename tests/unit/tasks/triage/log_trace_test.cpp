// RUN8: a stack trace is one record with its line, and swallows nothing of others.
#include "tasks/triage/log_reader.hpp"
#include "tasks/triage/log_triage.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace {

using namespace reeve::tasks;

using texts = std::vector<std::string>;

/// "severity lines text" of each record.
texts trace_records(const std::vector<std::string>& lines) {
  record_reader reader(4096);
  std::vector<log_record> done;
  for (const auto& line : lines) reader.add(line, std::nullopt, done);
  reader.finish(done);
  texts found;
  for (const auto& one : done) {
    found.push_back(std::string(reeve::domain::name_of(one.severity)) + " " +
                    std::to_string(one.lines) + " " + one.text);
  }
  return found;
}

TEST(RUN8_trace, of_java_has_its_causes_whatever_words_they_hold) {
  EXPECT_EQ(
      trace_records({"ERROR c.a.Foo - could not save",
                     "org.springframework.dao.DataIntegrityViolationException: no",
                     "\tat org.springframework.orm.jpa.X.convert(X.java:276)",
                     "Caused by: org.postgresql.util.PSQLException: ERROR: null value in \"x\"",
                     "  Detail: Failing row contains (1).",
                     "\tat org.postgresql.core.v3.Q.receive(Q.java:2552)", "\t... 12 more",
                     "INFO next"}),
      (texts{"error 7 ERROR c.a.Foo - could not save | Caused by: "
             "org.postgresql.util.PSQLException: ERROR: null value in \"x\"",
             "info 1 INFO next"}));
  EXPECT_EQ(trace_records({"Exception in thread \"main\" java.lang.IllegalStateException: full",
                           "\tat a.B.c(B.java:1)", "Caused by: a.Gone: x"}),
            (texts{"error 3 Exception in thread \"main\" java.lang.IllegalStateException: full | "
                   "Caused by: a.Gone: x"}));
}

TEST(RUN8_trace, worse_than_the_line_above_is_a_record_of_its_own) {
  EXPECT_EQ(trace_records({"2023-01-01T10:00:04Z WARN  cache is slow",
                           "java.lang.OutOfMemoryError: Java heap space",
                           "2023-01-01T10:00:05Z INFO next"}),
            (texts{"warning 1 2023-01-01T10:00:04Z WARN  cache is slow",
                   "fatal 1 java.lang.OutOfMemoryError: Java heap space",
                   "info 1 2023-01-01T10:00:05Z INFO next"}));
  EXPECT_EQ(trace_records({"WARN will retry", "java.io.IOException: gone", "WARN will retry"}),
            (texts{"warning 1 WARN will retry", "error 1 java.io.IOException: gone",
                   "warning 1 WARN will retry"}));
  EXPECT_EQ(trace_records({"WARN will retry", "java.io.IOException: gone", "\tat a.B.c(B.java:1)"}),
            texts{"warning 3 WARN will retry | java.io.IOException: gone"})
      << "its frames follow: the logger has called it a warning";
  EXPECT_EQ(trace_records({"WARN will retry", "java.io.IOException: gone"}).size(), 2U);
  EXPECT_EQ(trace_records({"INFO start", "  Out of memory: Killed process 7"}).size(), 2U);
  EXPECT_EQ(trace_records({"INFO start", "  it failed"}).size(), 2U);
  EXPECT_EQ(trace_records({"ERROR a", "java.io.IOException: b", "java.io.IOException: c"}).size(),
            2U);
}

TEST(RUN8_trace, of_a_go_panic_that_http_caught) {
  EXPECT_EQ(
      trace_records({"2019/01/15 09:48:06 http: panic serving [::1]:54143: test panic",
                     "goroutine 24 [running]:", "net/http.(*conn).serve.func1(0xc00007eaa0)",
                     "\t/usr/local/go/src/net/http/server.go:1746 +0xd0",
                     "main.doPanic(0x12f0ea0, 0xc00010e1c0)", "\t/src/httppanic.go:8 +0x39",
                     "created by net/http.(*Server).Serve in goroutine 1", "done (all of it)"}),
      (texts{"error 7 2019/01/15 09:48:06 http: panic serving [::1]:54143: test panic",
             "unknown 1 done (all of it)"}));
  EXPECT_EQ(
      trace_records({"fatal error: unexpected signal", "[signal SIGSEGV: segmentation violation]",
                     "", "goroutine 1 [running]:", "runtime.throw({0x1, 0x2})",
                     "\t/go/panic.go:1 +0x1", "rax    0x0", "exit status 2", "next"}),
      (texts{"fatal 8 fatal error: unexpected signal", "unknown 1 next"}));
}

TEST(RUN8_trace, of_rust_is_named_by_the_line_below) {
  EXPECT_EQ(trace_records({"thread 'main' panicked at src/main.rs:2:5:",
                           "index out of bounds: the len is 3 but the index is 99",
                           "note: run with `RUST_BACKTRACE=1` environment variable",
                           "2023-01-01T10:00:02Z INFO next"}),
            (texts{"fatal 3 thread 'main' panicked at src/main.rs:2:5: | index out of bounds: the "
                   "len is 3 but the index is 99",
                   "info 1 2023-01-01T10:00:02Z INFO next"}));
  EXPECT_EQ(trace_records({"thread 'main' panicked at 'boom', src/main.rs:2:5", "stack backtrace:",
                           "   0: rust_begin_unwind", "             at /rustc/x", "server stopped"})
                .size(),
            2U);
}

TEST(RUN8_trace, of_php_ends_where_it_was_thrown) {
  EXPECT_EQ(trace_records({"PHP Fatal error:  Uncaught Exception: boom in /srv/a.php:3",
                           "Stack trace:", "#0 /srv/b.php(9): run()", "#1 {main}",
                           "  thrown in /srv/a.php on line 3", "next"}),
            (texts{"fatal 5 PHP Fatal error:  Uncaught Exception: boom in /srv/a.php:3",
                   "unknown 1 next"}));
}

TEST(RUN8_trace, of_python_takes_its_chain_and_no_stranger) {
  EXPECT_EQ(trace_records({"Traceback (most recent call last):", "  File \"a.py\", line 1",
                           "    x()", "KeyError: 1", "",
                           "During handling of the above exception, another exception occurred:",
                           "", "Traceback (most recent call last):", "  File \"a.py\", line 2",
                           "app.errors.Gone", "started again"}),
            (texts{"error 8 app.errors.Gone", "unknown 1 started again"}));
  EXPECT_EQ(trace_records(
                {"Traceback (most recent call last):", "  File \"a.py\", line 1", "ValueError: a",
                 "Traceback (most recent call last):", "  File \"b.py\", line 1", "ValueError: b"}),
            (texts{"error 3 ValueError: a", "error 3 ValueError: b"}));
  EXPECT_EQ(trace_records({"Traceback (most recent call last):", "  File \"a.py\", line 1",
                           "the next line was lost"})
                .size(),
            2U);
}

TEST(RUN8_trace, of_a_python_group_is_drawn_with_bars) {
  EXPECT_EQ(
      trace_records({"ERROR:root:many", "  + Exception Group Traceback (most recent call last):",
                     "  |   File \"x.py\", line 3, in <module>",
                     "  | ExceptionGroup: many (2 sub-exceptions)",
                     "  +-+---------------- 1 ----------------",
                     "    | Traceback (most recent call last):", "    |   File \"x.py\", line 5",
                     "    | ValueError: 1", "    +---------------- 2 ----------------",
                     "    | TypeError: 2", "    +------------------------------------",
                     "INFO:root:next"}),
      (texts{"error 11 ERROR:root:many | ExceptionGroup: many (2 sub-exceptions)",
             "info 1 INFO:root:next"}));
}

TEST(RUN8_trace, of_a_database_driver_has_its_details) {
  EXPECT_EQ(trace_records({"Traceback (most recent call last):", "  File \"a.py\", line 1",
                           "sqlalchemy.exc.IntegrityError: (psycopg2.errors.UniqueViolation) twice",
                           "DETAIL:  Key (id)=(1) already exists.", "", "[SQL: INSERT INTO t]",
                           "[parameters: {'id': 1}]",
                           "(Background on this error at: https://sqlalche.me/e/14/gkpj)", "next"}),
            (texts{"error 7 sqlalchemy.exc.IntegrityError: (psycopg2.errors.UniqueViolation) twice",
                   "unknown 1 next"}));
}

TEST(RUN8_trace, of_dotnet_has_its_inner_exceptions) {
  EXPECT_EQ(
      trace_records({"Unhandled exception. System.InvalidOperationException: boom",
                     " ---> System.TimeoutException: inner", "   at A.B() in /a.cs:line 3",
                     "   --- End of inner exception stack trace ---", "   at A.C()",
                     "--- End of stack trace from previous location ---", "   at A.D()", "next"})
          .size(),
      2U);
}

TEST(RUN8_trace, is_whole_though_the_other_channel_speaks_in_between) {
  triage_options options;
  options.now = 1'795'172'400'000'000;
  log_triage triage(options, reeve::redactor(), std::nullopt);
  const auto source = *triage.open("web", log_source_kind::container);
  const auto say = [&](log_channel channel, std::string_view line) {
    triage.add(source, line, options.now, channel);
  };
  say(log_channel::err, "2024-01-01T00:00:00Z ERROR boom");
  say(log_channel::out, "2024-01-01T00:00:00Z INFO served");
  say(log_channel::err, "\tat a.b.C(C.java:1)");
  say(log_channel::out, "2024-01-01T00:00:00Z INFO served");
  say(log_channel::err, "Caused by: java.io.IOException: disk");
  const auto report = triage.finish();
  ASSERT_EQ(report.findings.size(), 2U);
  EXPECT_EQ(report.findings[0].text, "error ERROR boom | Caused by: java.io.IOException: disk");
  EXPECT_EQ(report.findings[0].example_lines, 3);
  EXPECT_EQ(report.findings[1].text, "info INFO served");
  EXPECT_EQ(report.findings[1].count, 2);
  EXPECT_EQ(report.sources[0].lines, 5);
}

}  // namespace
