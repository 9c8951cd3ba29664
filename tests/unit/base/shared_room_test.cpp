// P17: room that tenants share is bounded in all and for each of them.

#include "base/shared_room.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;

const uuid ann = derived_uuid({}, "ann");
const uuid bob = derived_uuid({}, "bob");
const uuid cid = derived_uuid({}, "cid");

}  // namespace

TEST(P17_shared_room, passes_over_who_has_his_share_and_lets_wait_where_there_is_none) {
  shared_room room({50, 100});
  EXPECT_EQ(room.fits(ann, 50), turn_verdict::take);
  room.hold(ann, 50);
  EXPECT_EQ(room.fits(ann, 1), turn_verdict::pass_over);
  EXPECT_EQ(room.fits(bob, 50), turn_verdict::take);
  room.hold(bob, 40);
  EXPECT_EQ(room.fits(bob, 10), turn_verdict::take);
  EXPECT_EQ(room.fits(bob, 11), turn_verdict::pass_over);
  EXPECT_EQ(room.fits(cid, 10), turn_verdict::take);
  EXPECT_EQ(room.fits(cid, 11), turn_verdict::wait);
  room.let_go(ann, 1);
  EXPECT_EQ(room.fits(cid, 11), turn_verdict::take);
  EXPECT_EQ(room.held(), 89U);
  EXPECT_EQ(room.held_by(ann), 49U);
}

TEST(P17_shared_room, gives_what_is_larger_than_it_is_to_one_at_a_time) {
  shared_room room({50, 100});
  EXPECT_EQ(room.fits(ann, 300), turn_verdict::take);
  room.hold(ann, 300);
  EXPECT_EQ(room.fits(bob, 1), turn_verdict::wait);
  EXPECT_EQ(room.fits(ann, 1), turn_verdict::pass_over);
  room.let_go(ann, 300);
  EXPECT_EQ(room.held(), 0U);
  room.hold(bob, 1);
  EXPECT_EQ(room.fits(ann, 60), turn_verdict::take) << "larger than a share, and all that it has";
  EXPECT_EQ(room.fits(ann, 100), turn_verdict::wait);
}
