// P26: the supervisor as actors, in virtual time.
#include "actors/tree/supervisor.hpp"

#include <algorithm>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

enum class conduct {
  answers,
  mute,
  throws_in_init,
  ignores_stop,
  factory_throws,
  factory_gives_none
};
enum class how { crash, end, fail };
struct poke {
  how what = how::crash;
};

}  // namespace

REEVE_LOCAL_MSG(poke)

namespace {

using namespace reeve::actors;
using namespace std::chrono_literals;
using reeve::domain::exit_class;
using reeve::domain::fact_kind;
using reeve::domain::refusal;
using reeve::domain::restart_kind;
using reeve::domain::restart_strategy;
using reeve::domain::supervision_fact;
using testing::ElementsAre;

constexpr const char* secret = "a-text-that-must-not-leave";

/// A child whose conduct the test changes from outside; all runs on the test's thread.
struct probe {
  conduct does = conduct::answers;
  int starts = 0;
  caf::actor actor;
  child_context context;
  std::vector<child_context> contexts;
};

caf::behavior probe_actor(caf::event_based_actor* self, const std::shared_ptr<probe>& p) {
  if (p->does == conduct::throws_in_init) throw std::runtime_error(secret);
  if (p->does == conduct::ignores_stop) self->set_exit_handler([](caf::exit_msg& /*m*/) {});
  if (p->does != conduct::mute) p->contexts.back().ready();
  return {[self](const poke& m) {
    if (m.what == how::crash) throw std::runtime_error(secret);
    if (m.what == how::end) self->quit();
    if (m.what == how::fail) self->quit(caf::make_error(caf::sec::runtime_error, secret));
  }};
}

class supervisor_actor_test : public testing::Test {
 protected:
  supervisor_actor_test() {
    config_.set("scheduler.policy", caf::atom("testing"));
    system_ = std::make_unique<caf::actor_system>(config_);
    scheduler_ = dynamic_cast<caf::scheduler::test_coordinator*>(&system_->scheduler());
    shared_.sink = [this](const supervision_fact& fact) { facts_.push_back(fact); };
  }

  ~supervisor_actor_test() override {
    if (root_) cc::kill_now(root_);
    root_ = nullptr;
    run();
    for (auto& p : probes_) p->actor = nullptr;
  }

  child_spec child(const std::string& name, std::shared_ptr<probe>& out,
                   restart_kind kind = restart_kind::permanent) {
    out = std::make_shared<probe>();
    probes_.push_back(out);
    return {name, kind, 1s, 2s, [p = out](caf::actor_system& system, const child_context& context) {
              ++p->starts;
              if (p->does == conduct::factory_throws) throw std::runtime_error(secret);
              if (p->does == conduct::factory_gives_none) return caf::actor{};
              p->contexts.push_back(context);
              p->actor = cc::spawn<caf::event_based_actor>(system, probe_actor, p);
              return p->actor;
            }};
  }

  supervisor_spec spec(restart_strategy strategy, std::vector<child_spec> children) {
    supervisor_spec made;
    made.config.strategy = strategy;
    made.children = std::move(children);
    return made;
  }

  void start(supervisor_spec tree) {
    root_ = spawn_root(*system_, shared_, std::move(tree),
                       [this](exit_class why) { root_exits_.push_back(why); });
    run();
  }

  void run() { scheduler_->run(); }
  void pass(std::chrono::milliseconds time) {
    for (auto left = time; left > 0ms; left -= 10ms) {
      scheduler_->advance_time(10ms);
      run();
    }
  }
  void hit(const std::shared_ptr<probe>& p, how what = how::crash) {
    cc::post(p->actor, poke{what});
    run();
  }
  /// Facts as "restarted root/a#2" since the last call.
  std::vector<std::string> told() {
    std::vector<std::string> out;
    for (const auto& fact : std::exchange(facts_, {})) {
      auto text = std::string(name_of(fact.what)) + " " + fact.path + "#" +
                  std::to_string(fact.incarnation);
      if (fact.reason != exit_class::normal) text += " " + std::string(name_of(fact.reason));
      out.push_back(text);
    }
    return out;
  }
  std::string row(const std::string& path) {
    for (const auto& each : shared_.board->rows()) {
      if (each.path == path) {
        return each.state + "#" + std::to_string(each.incarnation) + " " + each.last_exit;
      }
    }
    return "none";
  }
  refusal add(const caf::actor& supervisor, child_spec added) {
    caf::scoped_actor self{*system_};
    auto asked = cc::ask(&*self, supervisor, 1000ms, add_child_message{std::move(added)});
    run();
    auto answer = refusal::unknown;
    asked.receive([&](const add_result& r) { answer = r.why; }, [](const caf::error&) {});
    return answer;
  }

  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* scheduler_ = nullptr;
  supervision shared_;
  std::vector<supervision_fact> facts_;
  std::vector<exit_class> root_exits_;
  std::vector<std::shared_ptr<probe>> probes_;
  caf::actor root_;
};

}  // namespace

TEST_F(supervisor_actor_test, P26_exception_leads_to_a_new_incarnation_and_tells_no_text) {
  std::shared_ptr<probe> a;
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  start(spec(restart_strategy::one_for_one, {child("a", a)}));
  hit(a);
  EXPECT_EQ(row("root/a"), "waiting#1 failed");
  pass(40ms);
  EXPECT_EQ(a->starts, 1);
  pass(70ms);
  EXPECT_EQ(a->starts, 2);
  EXPECT_EQ(row("root/a"), "up#2 failed");
  hit(a, how::fail);
  const auto err = testing::internal::GetCapturedStderr();
  const auto out = testing::internal::GetCapturedStdout();
  EXPECT_THAT(told(), ElementsAre("started root/a#1", "exited root/a#1 failed",
                                  "restarted root/a#2", "exited root/a#2 failed"));
  EXPECT_EQ(err + out, "");
}

TEST_F(supervisor_actor_test, P26_unexpected_messages_are_not_printed) {
  std::shared_ptr<probe> a;
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  start(spec(restart_strategy::one_for_one, {child("a", a)}));
  cc::post(a->actor, std::string(secret));
  run();
  const auto err = testing::internal::GetCapturedStderr();
  const auto out = testing::internal::GetCapturedStdout();
  EXPECT_EQ(err + out, "");
  EXPECT_EQ(row("root/a"), "up#1 ");
}

TEST_F(supervisor_actor_test, P26_init_that_does_not_answer_is_killed) {
  std::shared_ptr<probe> a;
  auto tree = spec(restart_strategy::one_for_one, {child("a", a)});
  a->does = conduct::mute;
  start(std::move(tree));
  pass(990ms);
  EXPECT_EQ(row("root/a"), "starting#1 ");
  EXPECT_EQ(row("root"), "starting#1 ");
  pass(10ms);
  EXPECT_THAT(told(), ElementsAre("exited root/a#1 start_timeout"));
  a->does = conduct::answers;
  pass(110ms);
  EXPECT_THAT(told(), ElementsAre("restarted root/a#2"));
  EXPECT_EQ(row("root"), "up#1 ");
}

TEST_F(supervisor_actor_test, P26_starts_that_fail_are_failures_of_the_child) {
  for (auto does :
       {conduct::throws_in_init, conduct::factory_throws, conduct::factory_gives_none}) {
    std::shared_ptr<probe> a;
    auto tree = spec(restart_strategy::one_for_one, {child("a", a)});
    a->does = does;
    start(std::move(tree));
    EXPECT_THAT(told(), ElementsAre("exited root/a#1 failed"));
    a->does = conduct::answers;
    pass(110ms);
    EXPECT_THAT(told(), ElementsAre("restarted root/a#2"));
    cc::stop(root_);
    run();
    told();
  }
}

TEST_F(supervisor_actor_test, P26_nested_supervisor_escalates_as_one_failure) {
  std::shared_ptr<probe> a;
  std::shared_ptr<probe> b;
  auto inner = spec(restart_strategy::one_for_one, {child("a", a), child("b", b)});
  inner.config.max_restarts = 1;
  start(spec(restart_strategy::rest_for_one,
             {supervisor_child("in", restart_kind::permanent, std::move(inner))}));
  EXPECT_THAT(told(),
              ElementsAre("started root/in/a#1", "started root/in/b#1", "started root/in#1"));
  hit(a);
  pass(110ms);
  hit(a);
  EXPECT_THAT(told(), ElementsAre("exited root/in/a#1 failed", "restarted root/in/a#2",
                                  "exited root/in/a#2 failed", "escalated root/in#1 failed",
                                  "exited root/in/b#1 shutdown", "exited root/in#1 failed"));
  EXPECT_EQ(row("root/in/a"), "none");
  pass(110ms);
  EXPECT_THAT(told(),
              ElementsAre("started root/in/a#1", "started root/in/b#1", "restarted root/in#2"));
  EXPECT_EQ(shared_.board->totals().escalations, 1);
  EXPECT_TRUE(root_exits_.empty());
}

TEST_F(supervisor_actor_test, P26_the_roots_death_is_told) {
  std::shared_ptr<probe> a;
  std::shared_ptr<probe> b;
  auto tree = spec(restart_strategy::one_for_one, {child("a", a), child("b", b)});
  tree.config.max_restarts = 0;
  start(std::move(tree));
  hit(a);
  EXPECT_THAT(root_exits_, ElementsAre(exit_class::failed));
  EXPECT_THAT(told(), ElementsAre("started root/a#1", "started root/b#1", "exited root/a#1 failed",
                                  "escalated root#1 failed", "exited root/b#1 shutdown"));
  EXPECT_EQ(row("root"), "finished#1 ");
}

TEST_F(supervisor_actor_test, P26_stops_in_reverse_order_and_kills_after_the_grace) {
  std::shared_ptr<probe> a;
  std::shared_ptr<probe> b;
  std::shared_ptr<probe> c;
  auto tree = spec(restart_strategy::rest_for_one, {child("a", a), child("b", b), child("c", c)});
  b->does = conduct::ignores_stop;
  start(std::move(tree));
  told();
  cc::stop(root_);
  run();
  EXPECT_THAT(told(), ElementsAre("exited root/c#1 shutdown"));
  EXPECT_EQ(row("root/b"), "stopping#1 ");
  EXPECT_EQ(row("root/a"), "up#1 ");
  pass(1990ms);
  EXPECT_TRUE(told().empty());
  pass(10ms);
  EXPECT_THAT(told(), ElementsAre("exited root/b#1 timeout", "exited root/a#1 shutdown"));
  EXPECT_THAT(root_exits_, ElementsAre(exit_class::shutdown));
}

TEST_F(supervisor_actor_test, P26_a_supervisor_that_is_killed_leaves_nobody_behind) {
  std::shared_ptr<probe> a;
  auto inner = spec(restart_strategy::one_for_one, {child("a", a)});
  const auto slot = std::make_shared<actor_slot>();
  start(spec(restart_strategy::one_for_one,
             {supervisor_child("in", restart_kind::temporary, std::move(inner), slot)}));
  const auto orphan = a->actor;
  bool gone = false;
  cc::when_gone(orphan,
                [&](const caf::error& why) { gone = exit_class_of(why) == exit_class::killed; });
  cc::kill_now(slot->get());
  run();
  EXPECT_TRUE(gone);
  EXPECT_EQ(row("root/in"), "finished#1 killed");
  EXPECT_EQ(row("root/in/a"), "none");
}

TEST_F(supervisor_actor_test, P26_answers_of_a_dead_incarnation_are_dropped_and_counted) {
  std::shared_ptr<probe> a;
  auto tree = spec(restart_strategy::one_for_one, {child("a", a)});
  start(std::move(tree));
  hit(a);
  a->does = conduct::mute;
  pass(110ms);
  a->contexts.at(0).ready();
  run();
  EXPECT_EQ(row("root/a"), "starting#2 failed");
  EXPECT_EQ(shared_.board->totals().stale_answers, 1);
  a->contexts.at(1).ready();
  run();
  EXPECT_EQ(row("root/a"), "up#2 failed");
}

TEST_F(supervisor_actor_test, P26_a_request_to_a_dead_actor_is_answered_with_an_error) {
  std::shared_ptr<probe> a;
  start(spec(restart_strategy::one_for_one, {child("a", a)}));
  const auto dead = a->actor;
  caf::scoped_actor self{*system_};
  auto crashing = cc::ask(&*self, dead, 1000ms, poke{how::crash});
  auto queued = cc::ask(&*self, dead, 1000ms, poke{how::end});
  run();
  auto late = cc::ask(&*self, dead, 1000ms, poke{how::end});
  run();
  int errors = 0;
  for (auto* each : {&crashing, &queued, &late}) {
    each->receive([] {}, [&](const caf::error&) { ++errors; });
  }
  EXPECT_EQ(errors, 3);
}

TEST_F(supervisor_actor_test, P26_others_find_the_incarnation_that_is_up) {
  std::shared_ptr<probe> a;
  auto described = child("a", a);
  described.slot = std::make_shared<actor_slot>();
  const auto slot = described.slot;
  auto tree = spec(restart_strategy::one_for_one, {std::move(described)});
  EXPECT_FALSE(slot->get());
  start(std::move(tree));
  const auto first = slot->get();
  EXPECT_EQ(first, a->actor);
  hit(a);
  EXPECT_FALSE(slot->get());
  pass(110ms);
  EXPECT_EQ(slot->get(), a->actor);
  EXPECT_NE(slot->get(), first);
}

TEST_F(supervisor_actor_test, P26_children_are_added_and_go_by_ending) {
  std::shared_ptr<probe> run1;
  std::shared_ptr<probe> run2;
  const auto slot = std::make_shared<actor_slot>();
  start(spec(restart_strategy::rest_for_one,
             {supervisor_child("runs", restart_kind::permanent,
                               spec(restart_strategy::one_for_one, {}), slot)}));
  told();
  EXPECT_EQ(add(slot->get(), child("r1", run1, restart_kind::transient)), refusal::none);
  EXPECT_EQ(add(slot->get(), child("r1", run2, restart_kind::transient)), refusal::duplicate);
  EXPECT_EQ(row("root/runs/r1"), "up#1 ");
  hit(run1);
  pass(110ms);
  hit(run1, how::end);
  EXPECT_THAT(told(), ElementsAre("started root/runs/r1#1", "exited root/runs/r1#1 failed",
                                  "restarted root/runs/r1#2", "exited root/runs/r1#2"));
  EXPECT_EQ(row("root/runs/r1"), "none");
  EXPECT_EQ(add(slot->get(), child("r1", run2, restart_kind::temporary)), refusal::none);
  cc::post(slot->get(), remove_child_message{"r1"});
  run();
  EXPECT_THAT(told(), ElementsAre("started root/runs/r1#1", "exited root/runs/r1#1 shutdown"));
}

TEST_F(supervisor_actor_test, P26_ten_thousand_added_children_stop_together) {
  std::shared_ptr<probe> each;
  const auto slot = std::make_shared<actor_slot>();
  start(spec(restart_strategy::one_for_one,
             {supervisor_child("runs", restart_kind::permanent,
                               spec(restart_strategy::one_for_one, {}), slot)}));
  for (int i = 0; i < 10'000; ++i) {
    cc::post(slot->get(), add_child_message{child("r" + std::to_string(i), each)});
  }
  run();
  EXPECT_EQ(shared_.board->rows().size(), 10'002U);
  cc::stop(root_);
  run();
  EXPECT_THAT(root_exits_, ElementsAre(exit_class::shutdown));
  EXPECT_EQ(std::count_if(facts_.begin(), facts_.end(),
                          [](const auto& f) { return f.reason == exit_class::shutdown; }),
            10'001);
}
