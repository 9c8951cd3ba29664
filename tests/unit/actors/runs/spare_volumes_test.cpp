// Volumes that are prepared before an attempt needs them.

#include "actors/runs/spare_volumes.hpp"

#include "adapters/simulated/simulated_engine.hpp"
#include "tests/support/eventually.hpp"
#include "tests/unit/adapters/engine_calls.hpp"

#include <atomic>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::adapters;
using actors::spare_volumes;
using engine_calls::ask;
using support::eventually;
using support::patience;
using namespace std::chrono_literals;

/// The simulated engine under the name of a real one; its archives can be made to fail.
class real_looking : public simulated_engine {
 public:
  std::string_view kind() const override { return "docker"; }
  void put_archive(fencing_token by, std::string container, std::string path, shared_bytes tar,
                   reply_slot<done> slot) override {
    ++archives;
    if (broken) return slot.answer(reject(errc::internal, "as told"));
    simulated_engine::put_archive(by, std::move(container), std::move(path), std::move(tar), slot);
  }
  void inspect_image(std::string ref, reply_slot<image_info> slot) override {
    if (!imported) return slot.answer(reject(errc::not_found, "no such image"));
    simulated_engine::inspect_image(std::move(ref), slot);
  }
  void import_image(fencing_token by, tar_source tar, std::string ref,
                    reply_slot<std::string> slot) override {
    ++imports;
    imported = true;
    simulated_engine::import_image(by, std::move(tar), std::move(ref), slot);
  }
  std::atomic<bool> broken{false};
  std::atomic<bool> imported{false};
  std::atomic<int> archives{0}, imports{0};
};

template <class Engine>
class pool_on {
 public:
  Engine engine;
  std::atomic<bool> leads{true};
  uuid instance = real_ids().next();
  std::shared_ptr<spare_volumes> pool = std::make_shared<spare_volumes>(actors::spare_ports{
      engine, [this] { return leads ? std::optional(fencing_token{1}) : std::nullopt; }, real_ids(),
      instance});

  std::vector<volume_summary> volumes() {
    return *ask<std::vector<volume_summary>>([&](auto slot) { engine.list_volumes({}, slot); });
  }
  std::size_t containers() {
    return ask<std::vector<container_summary>>([&](auto slot) { engine.list({}, slot); })->size();
  }
  /// Whether so many volumes and no container are there, soon.
  bool comes_to(std::size_t count) {
    return eventually(patience, [&] { return volumes().size() == count && containers() == 0; });
  }
  /// What is ready, soon.
  std::string take() {
    std::optional<std::string> name;
    eventually(patience, [&] { return (name = pool->take()).has_value(); });
    return name.value_or("none");
  }
};

TEST(RUN7_spares, are_prepared_on_demand_and_taken_once) {
  pool_on<real_looking> here;
  EXPECT_FALSE(here.pool->take());
  here.pool->refill();
  ASSERT_TRUE(here.comes_to(spare_volumes::most));
  const auto first = here.take(), second = here.take();
  EXPECT_NE(first, second);
  EXPECT_FALSE(here.pool->take());
  EXPECT_EQ(here.engine.archives, 2);
  for (const auto& volume : here.volumes()) {
    EXPECT_TRUE(volume.name == first || volume.name == second);
    EXPECT_EQ(volume.labels.at("reeve.instance"), to_string(here.instance));
    EXPECT_TRUE(here.pool->owns(volume.labels));
  }
  here.pool->refill();
  EXPECT_TRUE(here.comes_to(2 * spare_volumes::most));
  EXPECT_EQ(here.engine.imports, 1) << "their own image, once";
}

TEST(RUN7_spares, of_another_process_are_not_this_ones) {
  pool_on<real_looking> here, other;
  here.pool->refill();
  ASSERT_TRUE(here.comes_to(spare_volumes::most));
  EXPECT_FALSE(other.pool->owns(here.volumes().front().labels));
  EXPECT_FALSE(here.pool->owns({}));
}

TEST(RUN7_spares, are_none_on_a_simulated_engine) {
  pool_on<simulated_engine> here;
  here.pool->refill();
  EXPECT_TRUE(here.comes_to(0));
  EXPECT_FALSE(here.pool->take());
}

TEST(RUN7_spares, that_cannot_be_prepared_leave_nothing_and_are_tried_again) {
  pool_on<real_looking> here;
  here.engine.broken = true;
  here.pool->refill();
  ASSERT_TRUE(eventually(patience, [&] { return here.engine.archives > 0; }));
  ASSERT_TRUE(here.comes_to(0));
  EXPECT_FALSE(here.pool->take());
  here.engine.broken = false;
  // The chain that failed may still be cleaning up, and a call is then dropped.
  EXPECT_TRUE(eventually(patience, [&] {
    here.pool->refill();
    return here.volumes().size() == spare_volumes::most;
  }));
  EXPECT_NE(here.take(), "none");
}

TEST(RUN7_spares, go_with_a_stop_and_no_more_are_made) {
  pool_on<real_looking> here;
  here.pool->refill();
  ASSERT_TRUE(here.comes_to(spare_volumes::most));
  EXPECT_TRUE(here.pool->discard(5s));
  EXPECT_TRUE(here.volumes().empty());
  here.pool->refill();
  EXPECT_TRUE(here.comes_to(0));
  EXPECT_FALSE(here.pool->take());
}

TEST(RUN7_spares, that_are_being_made_go_with_a_stop) {
  pool_on<real_looking> here;
  here.pool->refill();
  EXPECT_TRUE(here.pool->discard(5s));
  EXPECT_TRUE(here.volumes().empty());
  EXPECT_EQ(here.containers(), 0U);
}

TEST(P31_spares, are_not_made_by_who_does_not_lead) {
  pool_on<real_looking> here;
  here.leads = false;
  here.pool->refill();
  EXPECT_TRUE(here.comes_to(0));
  here.leads = true;
  here.pool->close();
  here.pool->refill();
  EXPECT_TRUE(here.comes_to(0));
  EXPECT_FALSE(here.pool->take());
}

}  // namespace
