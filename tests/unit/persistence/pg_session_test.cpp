// What the database refused is told to a client without the code, which the log has.

#include "persistence/pg_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace reeve::persistence;
using ::testing::HasSubstr;
using ::testing::Not;

}  // namespace

TEST(P24_answers, have_no_code_of_the_database) {
  for (const char* code : {"53300", "57014", "40001", "42501", "42P01", "23514"}) {
    ::testing::internal::CaptureStderr();
    const auto told = answer_of({false, code}).detail;
    (void)::testing::internal::GetCapturedStderr();
    EXPECT_THAT(told, Not(HasSubstr(code)));
    EXPECT_NE(told, "");
  }
  EXPECT_THAT(rejection_of({false, "42501"}).detail, HasSubstr("42501")) << "on the command line";
}

TEST(P24_answers, leave_the_code_in_the_log_once) {
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) (void)answer_of({false, "53T01"});
  (void)answer_of({false, "53T02"});
  (void)answer_of({true, "57P01"});
  const auto log = ::testing::internal::GetCapturedStderr();
  const auto first = log.find("53T01");
  ASSERT_NE(first, log.npos) << log;
  EXPECT_EQ(log.find("53T01", first + 1), log.npos) << log;
  EXPECT_THAT(log, HasSubstr("53T02"));
}
