// P17, P20: work of tenants that waits takes turns, by tenant and by job, within shares.

#include "base/turn_queue.hpp"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace reeve;

/// In their order.
const std::array<uuid, 5> ids = [] {
  std::array made{derived_uuid({}, "a"), derived_uuid({}, "b"), derived_uuid({}, "c"),
                  derived_uuid({}, "d"), derived_uuid({}, "e")};
  std::sort(made.begin(), made.end());
  return made;
}();

work_source from(std::size_t tenant, std::size_t job = 0) {
  return {ids.at(tenant), ids.at(job)};
}

/// Of letters; '-' is what has no place.
class letters {
 public:
  explicit letters(turn_limits limits = {}) : queue(limits) {}
  void push(const work_source& whose, const std::string& all) {
    for (const char letter : all) back += queue.push(whose, letter).value_or('-');
  }
  std::string take_all() {
    std::string order;
    while (const auto next = queue.pop()) order += *next;
    return order;
  }
  turn_queue<char> queue;
  std::string back;
};

}  // namespace

TEST(P20_turn_queue, lets_tenants_take_turns) {
  letters many;
  many.push(from(0), "1234");
  many.push(from(1), "b");
  many.push(from(2), "c");
  many.push(from(1), "B");
  EXPECT_EQ(many.queue.size(), 7U);
  EXPECT_EQ(many.take_all(), "1bc2B34");
  EXPECT_TRUE(many.queue.empty());
  EXPECT_EQ(many.queue.size_of(ids[0]), 0U);
}

TEST(P20_turn_queue, lets_the_jobs_of_a_tenant_take_turns_within_its_own) {
  letters many;
  many.push(from(0, 0), "123");
  many.push(from(0, 1), "xy");
  many.push(from(1, 0), "bcd");  // the same job's id, of another tenant
  EXPECT_EQ(many.take_all(), "1bxc2dy3");
}

TEST(P20_turn_queue, puts_who_comes_back_behind_those_who_wait) {
  letters many;
  many.push(from(0), "1");
  many.push(from(1), "b");
  EXPECT_EQ(many.queue.pop(), '1');
  many.push(from(0), "2");
  EXPECT_EQ(many.take_all(), "b2");
}

TEST(P17_turn_queue, refuses_who_has_a_full_share_and_nobody_else) {
  letters many({2, 100});
  many.push(from(0, 0), "1");
  many.push(from(0, 1), "2");
  many.push(from(0, 2), "3");
  many.push(from(1), "b");
  EXPECT_EQ(many.back, "--3-");
  EXPECT_EQ(many.take_all(), "1b2");
}

TEST(P17_turn_queue, that_is_full_lets_who_has_the_most_give_way) {
  letters many({3, 4});
  many.push(from(0, 0), "12");
  many.push(from(0, 1), "x");
  many.push(from(1), "b");
  EXPECT_EQ(many.back, "----");
  many.push(from(2), "c");  // the end of the longest line makes room
  EXPECT_EQ(many.back, "----2");
  // Nobody has two more than one who has one: who comes now is refused.
  many.push(from(1), "d");
  EXPECT_EQ(many.back, "----2d");
  many.push(from(3), "e");
  EXPECT_EQ(many.back.back(), '1');
  many.push(from(4), "f");
  EXPECT_EQ(many.back.back(), 'f');
  EXPECT_EQ(many.take_all(), "xbce");
}

TEST(P20_turn_queue, passes_over_whom_the_judge_says_and_keeps_his_place) {
  letters many;
  many.push(from(0), "AB");
  many.push(from(1), "b");
  many.push(from(2), "c");
  const auto no_capitals = [](const uuid&, char letter) {
    return letter < 'a' ? turn_verdict::pass_over : turn_verdict::take;
  };
  EXPECT_EQ(many.queue.pop(no_capitals), 'b');
  const auto nothing = [](const uuid&, char) { return turn_verdict::wait; };
  EXPECT_FALSE(many.queue.pop(nothing));
  EXPECT_EQ(many.queue.pop(), 'A') << "its turn is still the first";
  EXPECT_EQ(many.take_all(), "cB");
}

TEST(P17_turn_queue, lets_go_of_what_is_taken_out_and_its_places) {
  letters many({3, 5});
  many.push(from(0, 0), "1x2");
  many.push(from(1, 0), "x");
  many.push(from(1, 1), "b");
  const auto gone = many.queue.remove_if([](char letter) { return letter == 'x'; });
  EXPECT_EQ(gone.size(), 2U);
  EXPECT_EQ(many.queue.size(), 3U);
  EXPECT_EQ(many.queue.size_of(ids[0]), 2U);
  EXPECT_EQ(many.queue.size_of(ids[1]), 1U);
  many.push(from(0, 0), "3");
  EXPECT_EQ(many.back, std::string(6, '-'));
  EXPECT_EQ(many.take_all(), "1b23");
  EXPECT_TRUE(many.queue.remove_if([](char) { return true; }).empty());
}

TEST(P20_turn_queue, moves_what_it_holds) {
  turn_queue<std::unique_ptr<int>> queue({1, 1});
  EXPECT_FALSE(queue.push(from(0), std::make_unique<int>(7)));
  const auto back = queue.push(from(0), std::make_unique<int>(8));
  ASSERT_TRUE(back);
  EXPECT_EQ(**back, 8);
  EXPECT_EQ(**queue.pop(), 7);
}

namespace {

/// What the queue should do, said as simply as can be: one list in the order of coming, and when
/// each tenant and each job last had its turn or began to wait.
class oracle {
 public:
  struct piece {
    std::size_t tenant, job;
    int what;
  };
  explicit oracle(turn_limits limits) : limits_(limits) {}

  /// What has no place; 0: all have one.
  int push(const piece& one) {
    const auto own = count(one.tenant);
    if (own >= limits_.one) return one.what;
    int back = 0;
    if (all.size() >= limits_.all) {
      std::size_t most = 0;
      for (std::size_t t = 1; t < ids.size(); ++t) {
        if (count(t) > count(most)) most = t;
      }
      if (count(most) < own + 2) return one.what;
      back = take_last(most);
    }
    if (count(one.tenant) == 0) tenant_since_[one.tenant] = ++now_;
    if (count(one.tenant, one.job) == 0) job_since_[one.tenant][one.job] = ++now_;
    all.push_back(one);
    return back;
  }

  int pop() {
    std::size_t at = all.size();
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (at == all.size() || is_before(all[i], all[at])) at = i;
    }
    if (at == all.size()) return 0;
    const auto next = all[at];
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(at));
    tenant_since_[next.tenant] = ++now_;
    job_since_[next.tenant][next.job] = ++now_;
    return next.what;
  }

  std::size_t count(std::size_t tenant) const {
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](const piece& p) { return p.tenant == tenant; }));
  }
  std::size_t count(std::size_t tenant, std::size_t job) const {
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const piece& p) {
      return p.tenant == tenant && p.job == job;
    }));
  }

  std::vector<piece> all;

 private:
  bool is_before(const piece& a, const piece& b) const {
    if (a.tenant != b.tenant) return tenant_since_[a.tenant] < tenant_since_[b.tenant];
    return job_since_[a.tenant][a.job] < job_since_[b.tenant][b.job];
  }
  int take_last(std::size_t tenant) {
    std::size_t longest = 0;
    for (std::size_t j = 1; j < ids.size(); ++j) {
      if (count(tenant, j) > count(tenant, longest)) longest = j;
    }
    for (auto i = all.end(); i-- != all.begin();) {
      if (i->tenant != tenant || i->job != longest) continue;
      const int what = i->what;
      all.erase(i);
      return what;
    }
    return 0;
  }

  const turn_limits limits_;
  std::array<int, 5> tenant_since_{};
  std::array<std::array<int, 5>, 5> job_since_{};
  int now_ = 0;
};

}  // namespace

TEST(P20_turn_queue, does_what_a_simple_one_does_whatever_comes) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 dice(seed);
    const auto below = [&dice](std::size_t n) { return dice() % n; };
    const turn_limits limits{1 + below(6), 1 + below(15)};
    turn_queue<int> queue(limits);
    oracle simple(limits);
    for (int what = 1; what <= 300; ++what) {
      const auto act = below(10);
      if (act < 6) {
        // The first tenant brings the most.
        const auto tenant = below(2) == 0 ? 0 : below(5);
        const auto job = below(5);
        ASSERT_EQ(queue.push(from(tenant, job), what).value_or(0), simple.push({tenant, job, what}))
            << seed;
      } else if (act < 9) {
        ASSERT_EQ(queue.pop().value_or(0), simple.pop()) << seed << " at " << what;
      } else {
        const int kind = static_cast<int>(below(4));
        const auto is = [kind](int each) { return each % 4 == kind; };
        const auto gone = queue.remove_if(is);
        ASSERT_EQ(gone.size(),
                  std::erase_if(simple.all, [&](const auto& p) { return is(p.what); }));
      }
      ASSERT_EQ(queue.size(), simple.all.size());
      ASSERT_LE(queue.size(), limits.all);
      for (std::size_t t = 0; t < ids.size(); ++t) {
        ASSERT_EQ(queue.size_of(ids[t]), simple.count(t));
        ASSERT_LE(queue.size_of(ids[t]), limits.one);
      }
    }
  }
}

/// Whatever others bring and have waiting: the first piece of a tenant's only job is taken within
/// one round of tenants, and that of his second job within two.
TEST(P20_turn_queue, starves_nobody) {
  std::mt19937 dice(7);
  turn_queue<int> queue({64, 256});
  const auto flood = [&](int pieces) {
    for (int i = 0; i < pieces; ++i) {
      const auto tenant = std::array<std::size_t, 3>{0, 3, 4}.at(dice() % 3);
      (void)queue.push(from(tenant, dice() % 5), 0);
    }
  };
  flood(150);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(queue.push(from(2, 0), 0));
  EXPECT_FALSE(queue.push(from(2, 1), 2));
  EXPECT_FALSE(queue.push(from(1), 1));
  std::array<int, 3> taken_at{};
  for (int taken = 1; taken <= 20; ++taken) {
    flood(8);
    const auto next = queue.pop();
    ASSERT_TRUE(next);
    taken_at.at(static_cast<std::size_t>(*next)) = taken;
  }
  EXPECT_EQ(taken_at[1], 5);
  EXPECT_EQ(taken_at[2], 9);
}
