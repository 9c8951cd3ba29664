#include "actors/runs/orphan_watch.hpp"

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
  c.name = "name-" + id;
  c.labels = {{"reeve.run", run}};
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
                               {volume("name-a", "active"),
                                volume("name-b", "over"),
                                volume("alone", "over"),
                                volume("kept", "active"),
                                {"without", {}}},
                               owned);
  // The volume of a stray container goes with it.
  EXPECT_THAT(found, ElementsAre(stray{"b", "name-b"}, stray{"", "alone"}, stray{"", "without"}));
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
  const std::vector<stray> both = {{"b", "name-b"}, {"", "alone"}};
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
