// RUN8: words make a line an error where they say so, and not as pieces of names or as counts of
// nothing.
#include "tasks/triage/log_marker.hpp"

#include "tasks/triage/log_severity.hpp"

#include <gtest/gtest.h>
#include <string_view>

namespace {

using reeve::tasks::log_severity;
using reeve::tasks::severity_of;

std::string_view marked(std::string_view line) {
  return reeve::domain::name_of(severity_of(line));
}

TEST(RUN8_marker, inside_a_name_says_nothing) {
  for (const auto* line : {"Compiling thiserror v1.0.50",
                           "gcc -Wall -Werror -c x.c",
                           "copying errors.py",
                           "Setting up liberror-perl",
                           "User error_user logged in",
                           "downloaded failed_logins.csv",
                           "opening /srv/errors",
                           "unpacking libgpg-error0 (1.46-1)",
                           "added http-errors@2.0.0",
                           "import pkg/errors",
                           "reading C:\\errors\\a.txt",
                           "set --error-limit 3",
                           "open error.log",
                           "kept error2.txt",
                           "wrote FooException.java",
                           "see /login?error=1",
                           "on_error = continue",
                           "fail_on_error: true",
                           "read_timeout: 30s",
                           "proxy-timeout 30",
                           "display_errors: On",
                           "is_deprecated = x",
                           "app.errors loaded",
                           "wrote ERRORS.md",
                           "using prefailed state"}) {
    EXPECT_EQ(marked(line), "unknown") << line;
  }
}

TEST(RUN8_marker, that_counts_nothing_says_nothing) {
  for (const auto* line :
       {"error count: 0", "error_count=0 warnings=0", "Error rate: 0.00%", "errors found: 0",
        "\"errors\": [], \"ok\": true", "\"error\": \"\", \"n\": 1", "{failed: 0, ok: 3}",
        "TX errors 0  dropped 0", "errorCount=0", "done (0 failed, 9 passed)", "failed 0/3",
        "failures: none", "error_code: 0", "last run: errors=null", "io_errors=0", "(no errors)",
        "rx-errors: 0", "error code: 0", "with 0 error(s)"}) {
    EXPECT_EQ(marked(line), "unknown") << line;
  }
}

TEST(RUN8_marker, with_a_number_of_a_name_or_prose_behind_it_counts) {
  for (const auto* line :
       {"worker 0 failed to start", "shard 0 failed: lost", "attempt 0 failed", "task 0 panic: x",
        "request failed: none of the upstreams answered", "TypeError: null is not an object",
        "login failed: false positive of the scanner", "request failed: '' is not a valid id"}) {
    EXPECT_NE(marked(line), "unknown") << line;
  }
  for (const auto* line :
       {"9 passed and 0 failed", "with 0 failed", "last error: null code: 3",
        "errors: none, 3 left", "failures: none - well", "errors=none left", "found 0 errors"}) {
    EXPECT_EQ(marked(line), "unknown") << line;
  }
}

TEST(RUN8_marker, that_is_a_word_or_ends_the_name_of_an_exception_counts) {
  for (const auto* line : {"java.lang.NullPointerException",
                           "RuntimeError: x",
                           "ValueError:",
                           "error: x",
                           "errors: 3",
                           "error_count=3",
                           "error count: 3",
                           "Error rate: 0.50%",
                           "errorCount=3",
                           "E0001 error[E0308]",
                           "app/main.c:3:5: error: x",
                           "foo-error: bar",
                           "ssl_error: bad hello",
                           "psycopg2.errors.UniqueViolation: twice",
                           "payment_failed order=7",
                           "event=auth_failed",
                           "Connecting...failed",
                           "10 errors",
                           "0.5% failed",
                           "io_errors=3",
                           "jobs_failed=3",
                           "b'it broke\\nerror: x'",
                           "ERROR_FILE_NOT_FOUND is what it said",
                           "it failed.",
                           "(failed)",
                           "cause=\"error\"",
                           "connection refused 0.0.0.0:80",
                           "Killed process 123 (java) total-vm:1kB",
                           "sh: 1: foo: not found",
                           "/bin/sh: 1: foo: not found",
                           "bash: foo: command not found",
                           "error: no such file",
                           "error code: 28"}) {
    EXPECT_EQ(marked(line), "error") << line;
  }
  for (const auto* line : {"fatal error: x", "invoked oom-killer: gfp_mask=0", "panic: 0",
                           "java.lang.OutOfMemoryError: heap", "worker[1]: segfault at 0 ip 0"}) {
    EXPECT_EQ(marked(line), "fatal") << line;
  }
  for (const auto* line : {"access_denied for bob", "cannot bind 0.0.0.0:80", "a timeout of 3s"}) {
    EXPECT_EQ(marked(line), "warning") << line;
  }
  EXPECT_EQ(marked("user bob: not found"), "unknown") << "no shell has said it";
}

TEST(RUN8_marker, of_a_short_line_of_a_request_is_its_status) {
  EXPECT_EQ(marked("GET /api/errors 200 12ms"), "info");
  EXPECT_EQ(marked("GET /api/users 500 12ms"), "error");
  EXPECT_EQ(marked("POST /api/users 502 12.3 ms - 17"), "error");
  EXPECT_EQ(marked("INFO GET /api/users 503 in 12ms"), "error");
  EXPECT_EQ(marked("GET /api/users 404 - 2ms"), "notice");
  EXPECT_EQ(marked("DELETE /failed/7 204"), "info");
  EXPECT_EQ(marked("called GET /users 500 times"), "unknown");
  EXPECT_EQ(marked("FORGET /users 500 12ms"), "unknown");
  EXPECT_EQ(marked("GET /users 5000 12ms"), "unknown");
}

}  // namespace
