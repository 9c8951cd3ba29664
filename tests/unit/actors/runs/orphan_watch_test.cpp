#include "actors/runs/orphan_watch.hpp"

#include "base/ids.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace reeve;
using namespace reeve::actors;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

constexpr std::int64_t minute = 60'000'000;

adapters::container_summary container(const std::string& id, const std::string& run) {
  adapters::container_summary c;
  c.id = id;
  c.name = "reeve-spare-" + id;
  c.labels = {{"reeve.run", run}, {"reeve.spare", "x"}};
  return c;
}

adapters::volume_summary volume(const std::string& name, const std::string& run) {
  return {name, {{"reeve.run", run}}};
}

bool owned(const adapters::label_map& labels) {
  const auto run = labels.find("reeve.run");
  return run != labels.end() && run->second == "active";
}

}  // namespace

TEST(CTR6_orphans, are_what_no_active_run_owns) {
  const auto found = strays_of({container("a", "active"), container("b", "over")},
                               {volume("reeve-spare-a", "active"),
                                volume("reeve-spare-b", "over"),
                                volume("alone", "over"),
                                volume("kept", "active"),
                                {"without", {}}},
                               owned);
  // The volume of a stray container goes with it.
  EXPECT_THAT(found,
              ElementsAre(stray{"b", "reeve-spare-b"}, stray{"", "alone"}, stray{"", "without"}));
}

TEST(CTR6_orphans, have_the_name_that_goes_with_their_labels) {
  const uuid tenant = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057");
  const uuid job = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8058");
  adapters::container_summary one;
  one.id = "a";
  one.name = "reeve-b302099a8057-" + to_string(job) + "-a2";
  one.labels = {
      {"reeve.tenant", to_string(tenant)}, {"reeve.job", to_string(job)}, {"reeve.attempt", "2"}};
  EXPECT_TRUE(is_named_by_its_labels(one));
  EXPECT_EQ(strays_of({one}, {}, owned).size(), 1U);
  auto copy = one;
  copy.name = "copy";
  EXPECT_FALSE(is_named_by_its_labels(copy));
  EXPECT_THAT(strays_of({copy}, {}, owned), IsEmpty());
  copy = one;
  copy.labels["reeve.attempt"] = "1";
  EXPECT_FALSE(is_named_by_its_labels(copy));
  copy.labels["reeve.attempt"] = "2x";
  EXPECT_FALSE(is_named_by_its_labels(copy));
  EXPECT_FALSE(is_named_by_its_labels({}));
}

TEST(CTR6_orphans, are_no_volumes_that_a_container_has) {
  auto one = container("a", "active");
  one.volumes = {"prepared"};
  EXPECT_THAT(strays_of({one}, {volume("prepared", "over")}, owned), IsEmpty());
  EXPECT_THAT(strays_of({}, {volume("prepared", "over")}, owned),
              ElementsAre(stray{"", "prepared"}));
}

TEST(CTR6_orphans, are_told_once_and_removed_after_two_looks_and_a_minute) {
  orphan_watch watch(minute);
  const std::vector<stray> both = {{"b", "reeve-spare-b"}, {"", "alone"}};
  const auto first = watch.look(both, 5);
  EXPECT_EQ(first.fresh, both);
  EXPECT_THAT(first.due, IsEmpty());
  const auto second = watch.look(both, minute + 4);
  EXPECT_THAT(second.fresh, IsEmpty());
  EXPECT_THAT(second.due, IsEmpty());
  EXPECT_EQ(watch.look(both, minute + 5).due, both);
  // A removal that did not work is tried again with each look, and told no second time.
  const auto again = watch.look({{"", "alone"}}, minute + 6);
  EXPECT_THAT(again.fresh, IsEmpty());
  EXPECT_THAT(again.due, ElementsAre(stray{"", "alone"}));
  EXPECT_THAT(watch.look({}, minute + 7).due, IsEmpty());
  EXPECT_THAT(watch.look({{"", "alone"}}, minute + 8).fresh, ElementsAre(stray{"", "alone"}));
}

TEST(CTR6_orphans, a_container_and_a_volume_of_one_name_are_two) {
  orphan_watch watch(minute);
  watch.look({{"x", "n"}}, 0);
  const auto next = watch.look({{"", "x"}}, 2 * minute);
  EXPECT_THAT(next.due, IsEmpty());
  EXPECT_THAT(next.fresh, ElementsAre(stray{"", "x"}));
}
