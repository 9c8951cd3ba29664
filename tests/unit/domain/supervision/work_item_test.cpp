// P26: after the third crash a work item is quarantined; an operator retries or discards it.
#include "domain/supervision/work_item.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve::domain;

work_item crashed(work_item item, int times) {
  for (int i = 0; i < times; ++i) item = after(item, take_up(item));
  return item;
}

}  // namespace

TEST(P26_work_item, each_new_try_after_a_crash_has_its_number) {
  EXPECT_EQ(take_up(work_item{}), (work_verdict{work_next::run, 1}));
  EXPECT_EQ(take_up(crashed({}, 1)), (work_verdict{work_next::run, 2}));
}

TEST(P26_work_item, last_try_is_the_one_before_quarantine) {
  EXPECT_FALSE(take_up(work_item{}).is_last_try());
  EXPECT_TRUE(take_up(crashed({}, 1)).is_last_try());
  EXPECT_FALSE(take_up(crashed({}, 2)).is_last_try());
}

TEST(P26_work_item, third_crash_quarantines) {
  EXPECT_EQ(take_up(crashed({}, 2)), (work_verdict{work_next::quarantine, 3}));
  EXPECT_EQ(crashed({}, 3).status, work_status::quarantined);
}

TEST(P26_work_item, count_from_the_log_holds_across_process_deaths) {
  const work_item rebuilt{work_status::open, 2};
  EXPECT_EQ(take_up(rebuilt).next, work_next::quarantine);
}

TEST(P26_work_item, nothing_is_taken_up_that_is_not_open) {
  for (auto status : {work_status::quarantined, work_status::finished, work_status::discarded}) {
    const work_item item{status, 1};
    EXPECT_EQ(take_up(item).next, work_next::nothing);
    EXPECT_EQ(after(item, take_up(item)), item);
  }
}

TEST(P26_work_item, operator_retries_with_a_fresh_count_or_discards) {
  const auto item = crashed({}, 3);
  const auto retried = chosen(item, operator_choice::retry);
  ASSERT_TRUE(retried.ok());
  EXPECT_EQ(take_up(*retried), (work_verdict{work_next::run, 1}));
  const auto discarded = chosen(item, operator_choice::discard);
  ASSERT_TRUE(discarded.ok());
  EXPECT_EQ(take_up(*discarded).next, work_next::nothing);
}

TEST(P26_work_item, operator_is_refused_while_it_is_not_quarantined) {
  for (auto status : {work_status::open, work_status::finished, work_status::discarded}) {
    const auto refused = chosen(work_item{status, 0}, operator_choice::retry);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, reeve::errc::conflict);
  }
}
