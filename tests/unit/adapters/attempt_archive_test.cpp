#include "adapters/attempt_archive_port.hpp"

#include <gtest/gtest.h>

using namespace reeve::adapters;

TEST(CTR3_attempt_archive, the_usual_one_is_made_once_and_another_users_for_itself) {
  const auto usual = attempt_archive({}), again = attempt_archive({});
  ASSERT_TRUE(usual && again);
  EXPECT_EQ(usual->get(), again->get()) << "it has about a megabyte, and each attempt needs it";
  const auto other = attempt_archive({.uid = 1000, .gid = 1000, .inputs = {}});
  ASSERT_TRUE(other);
  EXPECT_EQ((*other)->size(), (*usual)->size());
  EXPECT_NE(**other, **usual) << "its folders have another owner";
}

TEST(CTR3_attempt_archive, inputs_are_in_it_and_one_with_a_bad_name_is_named) {
  const auto with = attempt_archive({.inputs = {{.name = "a.txt", .content = "the input\n"}}});
  ASSERT_TRUE(with);
  EXPECT_NE((*with)->find("in/a.txt"), std::string::npos);
  EXPECT_NE((*with)->find("the input\n"), std::string::npos);
  const auto bad =
      attempt_archive({.inputs = {{.name = "a", .content = ""}, {.name = "../b", .content = ""}}});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().field, "/1/name");
}
