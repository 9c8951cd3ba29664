// Programs of others are bounded in time and output, see nothing of ours, and leave nothing behind.

#include "adapters/program_runner.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::adapters;

program_call shell(const std::string& script) {
  program_call call;
  call.words = {"/bin/sh", "-c", script};
  return call;
}

std::string code_of(const outcome<program_end>& end) {
  return end ? "ok" : std::string(name_of(end.error().code));
}

}  // namespace

TEST(RUN9_programs, tell_what_they_print_and_how_they_end) {
  program_runner runner;
  const auto good = runner.run(shell("printf 'a b'; echo lost >&2; exit 7"));
  ASSERT_TRUE(good) << good.error().detail;
  EXPECT_EQ(good->output, "a b");
  EXPECT_EQ(good->exit_code, 7);
  EXPECT_EQ(good->signal, 0);
  const auto shot = runner.run(shell("kill -SEGV $$"));
  ASSERT_TRUE(shot);
  EXPECT_EQ(shot->signal, SIGSEGV);
  EXPECT_EQ(shot->exit_code, -1);
  program_call absent;
  absent.words = {"/no/such/program"};
  EXPECT_EQ(code_of(runner.run(absent)), "not_found");
  absent.words = {"/etc/passwd"};
  EXPECT_EQ(code_of(runner.run(absent)), "not_found") << "it cannot be executed";
}

TEST(RUN9_programs, see_neither_the_environment_nor_other_descriptors) {
  ::setenv("REEVE_TEST_SECRET", "hunter2hunter2", 1);
  program_runner runner;
  const auto seen = runner.run(shell("env; echo fds $(ls /proc/self/fd | wc -l)"));
  ::unsetenv("REEVE_TEST_SECRET");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->output.find("hunter2"), std::string::npos);
  EXPECT_NE(seen->output.find("LC_ALL=C"), std::string::npos);
  // Its three, and the one with which ls reads the folder.
  EXPECT_NE(seen->output.find("fds 4"), std::string::npos) << seen->output;
}

TEST(RUN9_programs, that_hang_are_killed_with_their_children) {
  program_runner runner;
  auto call = shell("sleep 60 & sleep 60");
  call.deadline_ms = 200;
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(code_of(runner.run(call)), "timed_out");
  // One that closes its output and stays is no better.
  call = shell("exec >&-; exec sleep 60");
  call.deadline_ms = 200;
  EXPECT_EQ(code_of(runner.run(call)), "timed_out");
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(30));
  EXPECT_EQ(code_of(runner.run(shell("true"))), "ok") << "nothing of them is left";
}

TEST(RUN9_programs, that_talk_without_an_end_are_cut) {
  program_runner runner;
  auto call = shell("while :; do echo yes; done");
  call.output_bytes = 1000;
  const auto end = runner.run(call);
  ASSERT_TRUE(end);
  EXPECT_TRUE(end->truncated);
  EXPECT_EQ(end->output.size(), 1000U);
  EXPECT_EQ(end->exit_code, -1);
}

TEST(RUN9_programs, end_when_nobody_wants_them_any_more) {
  program_runner runner;
  auto call = shell("sleep 60");
  int asked = 0;
  call.is_wanted = [&asked] { return ++asked < 3; };
  EXPECT_EQ(code_of(runner.run(call)), "unavailable");
  call = shell("exec >&-; exec sleep 60");
  call.is_wanted = [&asked] { return ++asked < 20; };
  EXPECT_EQ(code_of(runner.run(call)), "unavailable");
}
