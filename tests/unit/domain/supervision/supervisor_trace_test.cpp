// P26: the supervisor's semantics as scripted traces. A line is "input => effects"; timers are kept
// by the test and fire in `wait`. "a#2" is the second incarnation of child a; without a number an
// input speaks of the current one. "up" starts everything and answers for every child.
#include "domain/supervision/supervisor.hpp"
#include "tests/unit/domain/supervision/supervisor_traces.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace reeve::domain;
using supervisor_traces::trace;
using supervisor_traces::traces;

std::vector<std::string> words(const std::string& text, char separator) {
  std::vector<std::string> out;
  std::stringstream in(text);
  for (std::string each; std::getline(in, each, separator);) {
    if (!each.empty()) out.push_back(each);
  }
  return out;
}

/// "b:transient" with a start timeout of 1 s and a grace time of 2 s.
child_spec spec_of(const std::string& text) {
  const auto parts = words(text, ':');
  child_spec spec{parts.at(0), restart_kind::permanent, 1'000'000, 2'000'000};
  if (parts.size() > 1) {
    EXPECT_TRUE(from_name(parts.at(1), spec.restart)) << text;
  }
  return spec;
}

constexpr const char* refusals[] = {"none", "duplicate", "full", "not_running", "unknown", "fixed"};

class stage {
 public:
  explicit stage(const std::string& setup) {
    auto parts = words(setup, ' ');
    supervisor_config config;
    config.path = "s";
    config.kill_wait_us = 3'000'000;
    config.max_children = 5;
    EXPECT_TRUE(from_name(parts.at(0), config.strategy)) << setup;
    std::vector<child_spec> specs;
    for (std::size_t i = 1; i < parts.size(); ++i) specs.push_back(spec_of(parts[i]));
    state_ = make_supervisor(config, specs);
  }

  /// Carries one input out and gives what came of it.
  std::string play(const std::string& input) {
    said_.clear();
    const auto parts = words(input, ' ');
    const auto& verb = parts.at(0);
    if (verb == "up") return bring_up();
    if (verb == "wait") wait(std::stoll(parts.at(1)) * 1000);
    if (verb == "begin") feed(begin_children{});
    if (verb == "shutdown") feed(shut_down{});
    if (verb == "ready") answer<child_ready>(parts.at(1));
    if (verb == "exit") answer<child_exited>(parts.at(1), parts.at(2));
    if (verb == "add") feed(add_child{spec_of(parts.at(1))});
    if (verb == "remove") feed(remove_child{parts.at(1)});
    if (verb == "stale") say(std::to_string(state_.stale_answers));
    return said_;
  }

 private:
  void say(const std::string& what) { said_ += said_.empty() ? what : ", " + what; }
  std::string named(child_id id) {
    const auto found = names_.find(id);
    return found == names_.end() ? "?" : found->second;
  }

  void feed(const supervisor_input& input) {
    auto result = step(std::move(state_), input, now_us_);
    state_ = std::move(result.state);
    for (const auto& [id, child] : state_.children) names_[id] = child.spec.name;
    for (const auto& effect : result.effects) {
      std::visit([this](const auto& each) { show(each); }, effect);
    }
  }

  void show(const start_child& e) { say("start " + of(e.child, e.incarnation)); }
  void show(const stop_child& e) { say("stop " + of(e.child, e.incarnation)); }
  void show(const kill_child& e) { say("kill " + of(e.child, e.incarnation)); }
  void show(const set_timer& e) { timers_.emplace(e.at_us, timer_fired{e.child, e.token}); }
  void show(const report_fact& e) {
    auto text = std::string(name_of(e.fact.what)) + " ";
    text += e.child == 0 ? "s" : of(e.child, e.fact.incarnation);
    const bool why = e.fact.what == fact_kind::exited || e.fact.what == fact_kind::escalated;
    if (why) text += " " + std::string(name_of(e.fact.reason));
    say(text);
    EXPECT_EQ(e.fact.path, e.child == 0 ? "s" : "s/" + named(e.child));
  }
  void show(const child_added& e) {
    say(e.child != 0 ? "added" : std::string("refused ") + refusals[static_cast<int>(e.why)]);
  }
  void show(const child_removed& e) {
    if (e.why != refusal::none) say(std::string("refused ") + refusals[static_cast<int>(e.why)]);
  }
  void show(const forget_child& e) { say("forget " + named(e.child)); }
  void show(const all_up& /*e*/) { say("all_up"); }
  void show(const gave_up& e) { say("gave_up " + std::string(name_of(e.why))); }
  void show(const all_stopped& /*e*/) { say("all_stopped"); }
  std::string of(child_id id, std::int64_t incarnation) {
    return named(id) + "#" + std::to_string(incarnation);
  }

  template <class Input>
  void answer(const std::string& whom, const std::string& why = "normal") {
    const auto parts = words(whom, '#');
    Input input;
    for (const auto& [id, name] : names_) {
      if (name == parts.at(0)) input.child = id;
    }
    const auto found = state_.children.find(input.child);
    if (found != state_.children.end()) input.incarnation = found->second.incarnation;
    if (parts.size() > 1) input.incarnation = std::stoll(parts[1]);
    if constexpr (requires { input.why; }) {
      EXPECT_TRUE(from_name(why, input.why)) << why;
    }
    feed(input);
  }

  void wait(std::int64_t for_us) {
    const auto until = now_us_ + for_us;
    while (!timers_.empty() && timers_.begin()->first <= until) {
      const auto [at, timer] = *timers_.begin();
      timers_.erase(timers_.begin());
      now_us_ = std::max(now_us_, at);
      feed(timer);
    }
    now_us_ = until;
  }

  std::string bring_up() {
    if (state_.phase == supervisor_phase::fresh) feed(begin_children{});
    for (bool again = true; again;) {
      again = false;
      for (const auto& [id, child] : std::map(state_.children)) {
        if (child.phase != child_phase::starting) continue;
        feed(child_ready{id, child.incarnation});
        again = true;
      }
    }
    return "";
  }

  supervisor_state state_;
  std::int64_t now_us_ = 0;
  std::multimap<std::int64_t, timer_fired> timers_;
  std::map<child_id, std::string> names_;
  std::string said_;
};

class supervisor_trace : public testing::TestWithParam<trace> {};

TEST_P(supervisor_trace, has_the_effects_that_were_written_down) {
  stage s(GetParam().setup);
  for (const std::string line : GetParam().lines) {
    const auto arrow = line.find("=>");
    const auto input = line.substr(0, arrow);
    auto expected = arrow == std::string::npos ? "" : line.substr(arrow + 2);
    if (!expected.empty() && expected.front() == ' ') expected.erase(0, 1);
    EXPECT_EQ(s.play(input), expected) << "after: " << line;
  }
}

INSTANTIATE_TEST_SUITE_P(P26_supervisor, supervisor_trace, testing::ValuesIn(traces),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace

TEST(P26_supervisor, has_at_least_forty_traces) {
  EXPECT_GE(std::size(traces), 40U);
}

TEST(P26_supervisor, a_wrong_line_is_noticed) {
  stage s("one_for_one a");
  s.play("up");
  EXPECT_NE(s.play("exit a failed"), "exited a#1 normal");
}

TEST(P26_supervisor, backoff_doubles_to_its_cap) {
  const supervisor_config config;
  EXPECT_EQ(full_backoff_us(config, 0), 100'000);
  EXPECT_EQ(full_backoff_us(config, 1), 200'000);
  EXPECT_EQ(full_backoff_us(config, 8), 25'600'000);
  EXPECT_EQ(full_backoff_us(config, 9), 30'000'000);
  EXPECT_EQ(full_backoff_us(config, 1'000'000), 30'000'000);
}

TEST(P26_supervisor, graces_add_up_for_the_parent) {
  supervisor_config config;
  config.kill_wait_us = 1;
  config.max_added_grace_us = 100;
  EXPECT_EQ(total_grace_us(config, {spec_of("a"), spec_of("b")}), 4'000'103);
}
