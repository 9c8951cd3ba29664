// OPS4: whom a server should not run as.

#include "cli/doctor.hpp"
#include "domain/runs/task_params.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using reeve::cli::judge_user;
using testing::HasSubstr;

/// Whatever the default user of jobs is: no job runs as the server's own user.
TEST(OPS4_doctor, warns_of_a_server_that_runs_as_the_default_user_of_jobs) {
  const auto told = judge_user(reeve::domain::user_of({}).uid);
  EXPECT_EQ(told.name, "user");
  EXPECT_EQ(told.verdict, "warn");
  EXPECT_THAT(told.seen, HasSubstr("65534"));
  EXPECT_THAT(told.fix, HasSubstr("a user of its own"));
  EXPECT_THAT(told.fix, HasSubstr("`user`"));
}

TEST(OPS4_doctor, warns_of_root_and_of_nobody_else) {
  EXPECT_EQ(judge_user(0).verdict, "warn");
  EXPECT_THAT(judge_user(0).seen, HasSubstr("root"));
  for (const std::int64_t other : {1, 999, 65533, 65535}) {
    EXPECT_EQ(judge_user(other).verdict, "ok") << other;
    EXPECT_EQ(judge_user(other).fix, "") << other;
  }
}

}  // namespace
