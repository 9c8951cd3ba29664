// What a command could not show is no success.

#include "cli/output.hpp"

#include "cli/commands.hpp"
#include "tests/unit/cli/standard_output.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve::cli;
using standard_output::redirected;

/// Of a command that prints this and would end with this code. The loss is told whatever the code.
int exit_code_of(const std::string& where, const std::string& text, int code) {
  testing::internal::CaptureStderr();
  int given = -1;
  {
    const redirected out(where);
    std::fputs(text.c_str(), stdout);
    given = code_after_output(code);
  }
  const auto told = testing::internal::GetCapturedStderr();
  const bool is_lost = where == "/dev/full" && !text.empty();
  EXPECT_EQ(told, is_lost ? "reeve: the output could not be written\n" : "");
  return given;
}

}  // namespace

TEST(UI2_output, that_cannot_be_written_is_a_failure) {
  const std::string line = "ok  database\n";
  EXPECT_EQ(exit_code_of("/dev/full", line, exit_ok), exit_unreachable);
  // More than any buffer holds: the write before the last one has failed already.
  EXPECT_EQ(exit_code_of("/dev/full", std::string(1 << 20, 'x'), exit_ok), exit_unreachable);
}

TEST(UI2_output, hides_no_other_failure_and_is_told_beside_it) {
  EXPECT_EQ(exit_code_of("/dev/full", "row\n", exit_run_failed), exit_run_failed);
  EXPECT_EQ(exit_code_of("/dev/full", "row\n", exit_refused), exit_refused);
}

TEST(UI2_output, that_was_written_leaves_the_code_alone) {
  EXPECT_EQ(exit_code_of("/dev/null", "row\n", exit_ok), exit_ok);
  EXPECT_EQ(exit_code_of("/dev/null", "row\n", exit_not_found), exit_not_found);
  EXPECT_EQ(exit_code_of("/dev/full", "", exit_ok), exit_ok) << "nothing was to be shown";
}
