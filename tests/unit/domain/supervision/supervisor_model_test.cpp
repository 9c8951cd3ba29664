// P26: the supervisor against an oracle, in random worlds of children that answer late, crash, hang
// and outlive their kill. The seed is printed; REEVE_TEST_SEED repeats a run. Planted defects show
// that the oracle would notice.
#include "domain/supervision/supervisor.hpp"
#include "tests/unit/domain/supervision/supervisor_oracle.hpp"

#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <memory>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace reeve::domain;
using effects_list = std::vector<supervisor_effect>;

constexpr std::int64_t ms = 1000;

/// A defect is planted by lying to the machine about its rules, or by bending what goes in or out.
struct defect {
  const char* name;
  std::function<void(supervisor_config&, std::vector<child_spec>&)> rules;
  std::function<void(supervisor_input&, const supervisor_state&)> input;
  std::function<void(effects_list&)> effects;
};

struct totals {
  std::int64_t steps = 0;
  std::int64_t restarts = 0;
  std::int64_t escalations = 0;
  std::int64_t stale = 0;
  std::string wrong;
};

class world {
 public:
  world(std::uint64_t seed, const defect* planted, totals& sums)
      : random_(seed), planted_(planted), sums_(sums) {
    supervisor_config config;
    config.strategy = static_cast<restart_strategy>(upto(2));
    config.max_restarts = upto(6);
    config.period_us = between(2'000, 30'000) * ms;
    config.backoff_base_us = between(50, 200) * ms;
    config.backoff_cap_us = between(400, 5'000) * ms;
    config.healthy_us = between(1'000, 20'000) * ms;
    config.kill_wait_us = 500 * ms;
    config.max_added_grace_us = 700 * ms;
    config.max_children = 9;
    config.seed = random_();
    std::vector<child_spec> specs;
    for (std::int64_t i = 0, n = upto(5); i < n; ++i)
      specs.push_back(spec("c" + std::to_string(i)));
    oracle_ = std::make_unique<supervisor_oracle::oracle>(config, specs);
    if (planted_ != nullptr && planted_->rules) planted_->rules(config, specs);
    machine_ = make_supervisor(config, specs);
  }

  void live() {
    feed(begin_children{});
    for (auto left = between(20, 400); left > 0 && going(); --left) {
      if (upto(9) == 0) meddle();
      next();
    }
    calm_ = true;
    while (going() && !events_.empty()) next();
    if (going()) oracle_->check_settled();
    if (going()) feed(shut_down{});
    while (going() && !events_.empty()) next();
    if (oracle_->wrong().empty()) oracle_->check_settled();
    sums_.wrong = oracle_->wrong();
    sums_.restarts += machine_.restarts;
    sums_.escalations += machine_.escalate ? 1 : 0;
    sums_.stale += oracle_->stale();
  }

 private:
  using life = std::pair<child_id, std::int64_t>;

  std::int64_t between(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  std::int64_t upto(std::int64_t high) { return between(0, high); }
  child_spec spec(std::string name) {
    return {std::move(name), static_cast<restart_kind>(upto(2)), between(200, 2'000) * ms,
            between(100, 1'000) * ms};
  }
  bool going() const { return !oracle_->ended() && oracle_->wrong().empty(); }
  void later(std::int64_t in_us, std::function<void()> what) {
    events_.emplace(now_ + in_us, std::move(what));
  }
  void next() {
    if (events_.empty()) return;
    auto first = events_.extract(events_.begin());
    now_ = first.key();
    first.mapped()();
  }

  void feed(supervisor_input input) {
    auto told = input;
    if (planted_ != nullptr && planted_->input) planted_->input(told, machine_);
    auto result = step(std::move(machine_), told, now_);
    machine_ = std::move(result.state);
    if (planted_ != nullptr && planted_->effects) planted_->effects(result.effects);
    ++sums_.steps;
    oracle_->step(input, result.effects, now_);
    for (const auto& effect : result.effects) {
      std::visit([this](const auto& each) { happen(each); }, effect);
    }
  }

  // What the children make of the effects.

  void happen(const start_child& e) {
    const life id{e.child, e.incarnation};
    alive_.insert(id);
    if (calm_ || upto(9) > 0) later(upto(calm_ ? 100 : 2'200) * ms, [=, this] { ready(id); });
    if (calm_ || upto(9) < 3) return;
    const std::int64_t lengths[] = {300, 5'000, 60'000};
    const exit_class ends[] = {exit_class::failed, exit_class::failed, exit_class::killed,
                               exit_class::normal, exit_class::shutdown};
    const auto why = ends[upto(4)];
    later(upto(lengths[upto(2)]) * ms, [=, this] {
      if (!calm_) exit(id, why);
    });
  }
  void happen(const stop_child& e) {
    const life id{e.child, e.incarnation};
    if (!calm_ && upto(9) == 0) return;
    later(upto(calm_ ? 50 : 1'200) * ms, [=, this] { exit(id, exit_class::shutdown); });
  }
  void happen(const kill_child& e) {
    const life id{e.child, e.incarnation};
    const bool stuck = !calm_ && upto(150) == 0;
    later((stuck ? 900 : upto(400)) * ms, [=, this] { exit(id, exit_class::killed); });
  }
  void happen(const set_timer& e) {
    later(e.at_us - now_, [=, this] { feed(timer_fired{e.child, e.token}); });
  }
  void happen(const report_fact& /*e*/) {}
  void happen(const child_added& /*e*/) {}
  void happen(const child_removed& /*e*/) {}
  void happen(const forget_child& /*e*/) {}
  void happen(const all_up& /*e*/) {}
  void happen(const gave_up& /*e*/) {}
  void happen(const all_stopped& /*e*/) {}

  void ready(life id) {
    if (alive_.contains(id)) feed(child_ready{id.first, id.second});
  }
  void exit(life id, exit_class why) {
    if (alive_.erase(id) > 0) feed(child_exited{id.first, id.second, why});
  }

  /// Something from outside, or an answer from a former life.
  void meddle() {
    const auto name = "r" + std::to_string(upto(5));
    const auto what = upto(5);
    if (what == 0) return feed(remove_child{name});
    if (what <= 2) return feed(add_child{spec(name)});
    if (what == 3) return feed(remove_child{"c0"});
    const auto child = between(1, 8);
    const auto found = oracle_->children().find(child);
    const auto known = found == oracle_->children().end() ? 1 : found->second.incarnation;
    const life id{child, between(0, std::max<std::int64_t>(0, known - 1))};
    if (alive_.contains(id)) return;
    if (what == 4) return feed(child_ready{id.first, id.second});
    feed(child_exited{id.first, id.second, exit_class::failed});
  }

  std::mt19937_64 random_;
  const defect* planted_;
  totals& sums_;
  supervisor_state machine_;
  std::unique_ptr<supervisor_oracle::oracle> oracle_;
  std::multimap<std::int64_t, std::function<void()>> events_;
  std::set<life> alive_;
  std::int64_t now_ = 0;
  bool calm_ = false;
};

std::uint64_t seed_of_this_run() {
  const char* given = std::getenv("REEVE_TEST_SEED");
  const auto seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "REEVE_TEST_SEED=" << seed << "\n";
  return seed;
}

/// What GoogleTest shows of one that is not noticed.
void PrintTo(const defect& planted, std::ostream* out) {
  *out << planted.name;
}

/// Worlds, one after the other, until so many steps are done or something is wrong.
totals run_worlds(std::uint64_t seed, std::int64_t steps, const defect* planted = nullptr) {
  totals sums;
  std::mt19937_64 seeds(seed);
  while (sums.steps < steps && sums.wrong.empty()) world(seeds(), planted, sums).live();
  return sums;
}

template <class Effect>
bool drop_one(effects_list& list) {
  for (auto it = list.begin(); it != list.end(); ++it) {
    if (!std::holds_alternative<Effect>(*it)) continue;
    list.erase(it);
    return true;
  }
  return false;
}

const defect defects[] = {
    {"intensity_one_too_many", [](auto& c, auto&) { ++c.max_restarts; }, {}, {}},
    {"intensity_one_too_few", [](auto& c, auto&) { --c.max_restarts; }, {}, {}},
    {"window_too_short", [](auto& c, auto&) { c.period_us = c.period_us * 9 / 10; }, {}, {}},
    {"backoff_too_short", [](auto& c, auto&) { c.backoff_base_us /= 3; }, {}, {}},
    {"backoff_without_cap", [](auto& c, auto&) { c.backoff_cap_us *= 3; }, {}, {}},
    {"backoff_never_reset", [](auto& c, auto&) { c.healthy_us *= 1'000'000; }, {}, {}},
    {"backoff_reset_by_the_first_answer", [](auto& c, auto&) { c.healthy_us = 0; }, {}, {}},
    {"kill_before_the_grace_is_over",
     [](auto&, auto& specs) {
       for (auto& s : specs) s.grace_us -= 1;
     },
     {},
     {}},
    {"start_timeout_too_long",
     [](auto&, auto& specs) {
       for (auto& s : specs) s.start_timeout_us += 1;
     },
     {},
     {}},
    {"rest_for_one_stops_everybody",
     [](auto& c, auto&) {
       if (c.strategy == restart_strategy::rest_for_one) c.strategy = restart_strategy::all_for_one;
     },
     {},
     {}},
    {"all_for_one_spares_the_earlier",
     [](auto& c, auto&) {
       if (c.strategy == restart_strategy::all_for_one) c.strategy = restart_strategy::rest_for_one;
     },
     {},
     {}},
    {"temporary_is_restarted",
     [](auto&, auto& specs) {
       for (auto& s : specs) s.restart = std::min(s.restart, restart_kind::transient);
     },
     {},
     {}},
    {"transient_is_restarted_after_a_normal_end",
     [](auto&, auto& specs) {
       for (auto& s : specs) {
         if (s.restart == restart_kind::transient) s.restart = restart_kind::permanent;
       }
     },
     {},
     {}},
    {"stale_answers_are_believed",
     {},
     [](auto& input, const auto& state) {
       auto* exit = std::get_if<child_exited>(&input);
       if (exit == nullptr) return;
       const auto found = state.children.find(exit->child);
       if (found != state.children.end()) exit->incarnation = found->second.incarnation;
     },
     {}},
    {"a_stop_is_skipped", {}, {}, [](auto& list) { drop_one<stop_child>(list); }},
    {"a_kill_is_skipped", {}, {}, [](auto& list) { drop_one<kill_child>(list); }},
    {"a_timer_is_lost", {}, {}, [](auto& list) { drop_one<set_timer>(list); }},
    {"a_fact_is_not_reported", {}, {}, [](auto& list) { drop_one<report_fact>(list); }},
    {"the_end_is_not_told", {}, {}, [](auto& list) { drop_one<gave_up>(list); }},
    {"starts_twice",
     {},
     {},
     [](auto& list) {
       for (const auto& e : list) {
         if (std::holds_alternative<start_child>(e)) return list.push_back(e);
       }
     }},
    {"stops_the_first_first",
     {},
     {},
     [](auto& list) {
       for (auto& e : list) {
         if (auto* stop = std::get_if<stop_child>(&e)) *stop = {1, 1};
       }
     }},
};

class supervisor_defects : public testing::TestWithParam<defect> {};

TEST_P(supervisor_defects, is_noticed_by_the_oracle) {
  const auto seed = seed_of_this_run();
  const auto sums = run_worlds(seed, 100'000, &GetParam());
  EXPECT_NE(sums.wrong, "") << "the planted defect was not noticed in " << sums.steps << " steps";
}

INSTANTIATE_TEST_SUITE_P(P26_planted, supervisor_defects, testing::ValuesIn(defects),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace

TEST(P26_supervisor, agrees_with_the_oracle_for_100000_random_steps) {
  const auto sums = run_worlds(seed_of_this_run(), 100'000);
  EXPECT_EQ(sums.wrong, "");
  EXPECT_GE(sums.steps, 100'000);
  // The worlds were no quiet ones.
  EXPECT_GT(sums.restarts, 1'000);
  EXPECT_GT(sums.escalations, 100);
  EXPECT_GT(sums.stale, 1'000);
}

TEST(P26_supervisor, is_deterministic_for_a_seed) {
  const auto once = run_worlds(7, 5'000);
  const auto again = run_worlds(7, 5'000);
  EXPECT_EQ(once.steps, again.steps);
  EXPECT_EQ(once.restarts, again.restarts);
  EXPECT_EQ(once.stale, again.stale);
}
