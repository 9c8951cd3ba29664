#pragma once
// What must be true of any supervisor, worked out anew from its inputs and effects alone: an oracle
// for the random model test. It shares the vocabulary with the machine, but none of its code, and
// never looks at its state or its timers.

#include "domain/supervision/supervisor_types.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace supervisor_oracle {

using namespace reeve::domain;

struct watched {
  child_spec spec;
  bool added = false;
  bool removed = false;
  bool done = false;  // not to be started again
  std::int64_t incarnation = 0;
  bool alive = false;
  bool up = false;
  bool asked = false;
  bool killed = false;
  bool with_group = false;  // goes down because a sibling failed
  bool lost = false;        // unreachable
  bool due = false;         // under one_for_one: to be restarted between low and high
  std::int64_t started_at = 0, up_at = 0, asked_at = 0, killed_at = 0, low = 0, high = 0;
  exit_class kill_reason = exit_class::killed;
  int failures = 0;

  bool is_starting() const { return alive && !up && !asked && !killed; }
  bool is_up() const { return up && !asked && !killed; }
};

class oracle {
 public:
  oracle(supervisor_config config, const std::vector<child_spec>& specs)
      : config_(std::move(config)) {
    for (const auto& spec : specs) children_[++last_static_].spec = spec;
    next_ = last_static_ + 1;
  }

  /// The first thing that was wrong; empty = nothing yet.
  const std::string& wrong() const { return wrong_; }
  bool ended() const { return ended_; }
  bool closing() const { return closing_; }
  const std::map<child_id, watched>& children() const { return children_; }
  std::int64_t stale() const { return stale_; }

  void step(const supervisor_input& input, const std::vector<supervisor_effect>& effects,
            std::int64_t now) {
    now_ = now;
    last_added_stop_ = 0;
    std::visit([this](const auto& each) { take(each); }, input);
    for (const auto& effect : effects) {
      if (ended_) fail("an effect after the end");
      std::visit([this](const auto& each) { check(each); }, effect);
    }
    if (!facts_.empty()) fail("a fact was not reported");
    if (answer_due_) fail("an answer is missing");
    check_progress();
  }

  /// Nothing is left to happen: everybody who should be up is.
  void check_settled() {
    for (const auto& [id, c] : children_) {
      if (!closing_ && !c.done && !c.is_up()) fail("child " + std::to_string(id) + " is not up");
    }
    if (closing_ && !ended_) fail("it never ended");
  }

 private:
  struct expected_fact {
    child_id child;
    fact_kind what;
    exit_class why;
    std::int64_t in_window;
  };

  void fail(const std::string& why) {
    if (wrong_.empty()) wrong_ = why + " at " + std::to_string(now_) + " us";
  }
  void need(bool good, const char* why) {
    if (!good) fail(why);
  }
  bool alone() const { return config_.strategy == restart_strategy::one_for_one; }
  watched* known(child_id id, std::int64_t incarnation) {
    const auto found = children_.find(id);
    if (found == children_.end() || found->second.incarnation != incarnation) return nullptr;
    return &found->second;
  }
  bool any_alive_after(child_id id) const {
    return std::any_of(children_.upper_bound(id), children_.end(),
                       [](const auto& each) { return each.second.alive; });
  }
  std::int64_t in_window() {
    while (!failed_at_.empty() && failed_at_.front() + config_.period_us <= now_) {
      failed_at_.pop_front();
    }
    return static_cast<std::int64_t>(failed_at_.size());
  }

  void expect(child_id child, fact_kind what, exit_class why) {
    facts_.push_back({child, what, why, in_window()});
  }

  // Inputs: what has to follow.

  void take(const begin_children& /*i*/) { running_ = true; }
  void take(const timer_fired& /*i*/) {}
  void take(const shut_down& /*i*/) { closing_ = true; }
  void take(const child_ready& i) {
    auto* c = known(i.child, i.incarnation);
    if (c == nullptr || !c->is_starting()) {
      ++stale_;
      return;
    }
    c->up = true;
    c->up_at = now_;
    const auto what = i.incarnation == 1 ? fact_kind::started : fact_kind::restarted;
    expect(i.child, what, exit_class::normal);
  }
  void take(const child_exited& i) {
    auto* c = known(i.child, i.incarnation);
    if (c == nullptr || !c->alive) {
      ++stale_;
      return;
    }
    ended(i.child, *c, c->killed ? c->kill_reason : i.why);
  }
  void take(const add_child& i) {
    answer_due_ = true;
    answer_ = refusal::none;
    if (closing_ || !running_) {
      answer_ = refusal::not_running;
    } else if (find(i.spec.name) != 0) {
      answer_ = refusal::duplicate;
    } else if (static_cast<std::int64_t>(children_.size()) >= config_.max_children) {
      answer_ = refusal::full;
    } else {
      auto& c = children_[next_];
      c.spec = i.spec;
      c.spec.grace_us = std::min(c.spec.grace_us, config_.max_added_grace_us);
      c.added = true;
    }
  }
  void take(const remove_child& i) {
    answer_due_ = true;
    answer_ = refusal::none;
    const auto id = find(i.name);
    if (closing_ || !running_) {
      answer_ = refusal::not_running;
    } else if (id == 0) {
      answer_ = refusal::unknown;
    } else if (id <= last_static_) {
      answer_ = refusal::fixed;
    } else {
      children_[id].removed = true;
      if (!children_[id].alive) children_[id].done = true;
    }
  }
  child_id find(const std::string& name) const {
    for (const auto& [id, c] : children_) {
      if (c.spec.name == name) return id;
    }
    return 0;
  }

  static bool comes_back(restart_kind kind, exit_class why) {
    if (kind == restart_kind::temporary) return false;
    const bool peaceful = why == exit_class::normal || why == exit_class::shutdown;
    return kind == restart_kind::permanent || !peaceful;
  }

  void ended(child_id id, watched& c, exit_class why) {
    expect(id, fact_kind::exited, why);
    const bool was_up = c.up;
    const bool asked = c.asked || c.killed;
    c.alive = c.up = c.asked = c.killed = false;
    const bool by_itself = !std::exchange(c.with_group, false) && !closing_ && !c.removed;
    if (by_itself && why != exit_class::unreachable) return ended_by_itself(id, c, was_up, why);
    if (why == exit_class::unreachable) {
      c.lost = true;
      if (end_ != exit_class::unreachable) expect(0, fact_kind::escalated, why);
      end_ = exit_class::unreachable;
      closing_ = true;
    } else if (closing_ || c.removed) {
      c.done = true;
    } else {
      const bool finished = !asked && !comes_back(c.spec.restart, why);
      c.done = finished || c.spec.restart == restart_kind::temporary;
    }
  }

  /// A child that ended by itself: perhaps a failure.
  void ended_by_itself(child_id id, watched& c, bool was_up, exit_class why) {
    if (!comes_back(c.spec.restart, why)) {
      c.done = true;
      return;
    }
    if (in_window() >= config_.max_restarts) {
      expect(0, fact_kind::escalated, why);
      end_ = exit_class::failed;
      closing_ = true;
      return;
    }
    failed_at_.push_back(now_);
    if (was_up && now_ - c.up_at >= config_.healthy_us) c.failures = 0;
    const auto doubled = static_cast<double>(config_.backoff_base_us) * std::pow(2, c.failures++);
    const auto cap = static_cast<double>(config_.backoff_cap_us);
    const auto full = static_cast<std::int64_t>(std::min(doubled, cap));
    if (alone()) {
      c.due = true;
      c.low = now_ + full / 2;
      c.high = now_ + full;
      return;
    }
    hold_low_ = std::max(hold_low_, now_ + full / 2);
    hold_high_ = std::max(hold_high_, now_ + full);
    for (auto& [other, d] : children_) {
      const bool along = config_.strategy == restart_strategy::all_for_one || other > id;
      if (d.alive && along) d.with_group = true;
    }
  }

  // Effects: whether they may be.

  void check(const start_child& e) {
    auto* c = known(e.child, e.incarnation - 1);
    if (c == nullptr) return fail("an incarnation was left out or an unknown child started");
    need(running_ && !closing_, "a start while it does not run");
    need(!c->alive && !c->lost, "a start while it is alive");
    need(!c->done && !c->removed, "a start of what was done");
    for (auto it = children_.begin(); it->first != e.child; ++it) {
      const auto& before = it->second;
      if (!alone()) need(before.is_up() || before.done, "a start before an earlier one was up");
      const bool in_line = alone() && !c->added && e.incarnation == 1;
      const bool first = before.is_starting() && before.incarnation == 1;
      if (in_line) need(before.incarnation > 0 && !first, "a first start out of its turn");
    }
    if (!alone()) {
      need(now_ >= hold_low_, "a group started before its backoff");
    } else if (e.incarnation > 1) {
      need(c->due, "a restart without a failure");
      need(now_ >= c->low && now_ <= c->high, "a backoff out of its bounds");
    }
    c->due = false;
    c->incarnation = e.incarnation;
    c->alive = true;
    c->started_at = now_;
  }
  void check(const stop_child& e) {
    auto* c = known(e.child, e.incarnation);
    if (c == nullptr || !c->alive) return fail("a stop of what is not alive");
    need(!c->asked && !c->killed, "a second stop");
    need(closing_ || c->with_group || c->removed, "a stop without a reason");
    if (alone() && c->added) {
      need(last_added_stop_ == 0 || e.child < last_added_stop_, "added ones stop out of order");
      last_added_stop_ = e.child;
    } else if (!c->removed || closing_) {
      need(!any_alive_after(e.child), "a stop before a later one was down");
    }
    c->asked = true;
    c->asked_at = now_;
  }
  void check(const kill_child& e) {
    auto* c = known(e.child, e.incarnation);
    if (c == nullptr || !c->alive) return fail("a kill of what is not alive");
    need(!c->killed, "a second kill");
    if (c->asked) {
      need(now_ == c->asked_at + c->spec.grace_us, "a kill that is not at the end of the grace");
    } else {
      need(!c->up, "a kill of what is up");
      need(now_ == c->started_at + c->spec.start_timeout_us, "a kill not at the start timeout");
    }
    c->kill_reason = c->asked ? exit_class::timeout : exit_class::start_timeout;
    c->killed = true;
    c->killed_at = now_;
  }
  void check(const set_timer& e) { need(e.at_us >= now_, "a timer in the past"); }
  void check(const report_fact& e) {
    const auto& f = e.fact;
    auto* c = known(e.child, f.incarnation);
    if (facts_.empty() && f.reason == exit_class::unreachable && c != nullptr && c->killed) {
      need(now_ == c->killed_at + config_.kill_wait_us, "given up at another time");
      ended(e.child, *c, f.reason);
    }
    if (facts_.empty()) return fail("a fact of nothing");
    const auto expected = facts_.front();
    facts_.pop_front();
    need(e.child == expected.child && f.what == expected.what && f.reason == expected.why,
         "another fact than what happened");
    need(f.stale_answers == stale_, "stale answers are miscounted");
    need(f.in_window == expected.in_window, "restarts in the window are miscounted");
    if (e.child == 0) return;
    if (c == nullptr) return fail("a fact of another incarnation");
    need(f.restarts == std::max<std::int64_t>(0, c->incarnation - 1), "restarts are miscounted");
  }
  void check(const child_added& e) {
    need(std::exchange(answer_due_, false) && e.why == answer_, "a wrong answer to add");
    if (e.child != 0) need(e.child == next_++, "a number that is not new");
  }
  void check(const child_removed& e) {
    need(std::exchange(answer_due_, false) && e.why == answer_, "a wrong answer to remove");
  }
  void check(const forget_child& e) {
    const auto found = children_.find(e.child);
    const bool good = found != children_.end() && found->second.added && !found->second.alive &&
                      found->second.done;
    if (!good) return fail("forgot what was needed");
    children_.erase(found);
  }
  void check(const all_up& /*e*/) {
    need(!std::exchange(announced_, true), "all up twice");
    for (const auto& [id, c] : children_) {
      need(id > last_static_ || c.is_up() || c.done, "all up, but not all are");
    }
  }
  void check(const gave_up& e) { finish(end_ == e.why); }
  void check(const all_stopped& /*e*/) { finish(!end_); }
  void finish(bool as_expected) {
    need(closing_ && as_expected, "ended in another way than it should");
    need(!any_alive_after(0), "ended while a child is alive");
    ended_ = true;
  }

  // After each step: whether something should have happened by now.

  void check_progress() {
    bool earlier_fine = true;
    bool group = false;
    const watched* last = nullptr;
    for (const auto& [id, c] : children_) {
      if (c.is_starting()) need(now_ <= c.started_at + c.spec.start_timeout_us, "no kill came");
      if (c.asked && !c.killed) need(now_ <= c.asked_at + c.spec.grace_us, "grace has no end");
      if (c.killed) need(now_ <= c.killed_at + config_.kill_wait_us, "waits for ever");
      if (c.due && !closing_) need(c.removed || now_ <= c.high, "a restart is overdue");
      need(!c.done || !c.added || c.alive || closing_, "an added child was not forgotten");
      if (c.alive && (closing_ || c.with_group)) last = &c;
      group = group || (c.alive && c.with_group);
    }
    if (last != nullptr) need(last->asked || last->killed, "nobody is asked to go down");
    if (closing_ && last == nullptr) need(ended_, "closed and did not end");
    if (alone() || closing_ || group || !running_ || now_ <= hold_high_) return;
    for (const auto& [id, c] : children_) {
      need(!earlier_fine || c.alive || c.done, "the next one was not started");
      earlier_fine = earlier_fine && (c.is_up() || c.done);
    }
  }

  supervisor_config config_;
  std::map<child_id, watched> children_;
  child_id last_static_ = 0;
  child_id next_ = 1;
  std::int64_t now_ = 0;
  bool running_ = false, closing_ = false, ended_ = false, announced_ = false;
  std::optional<exit_class> end_;
  std::deque<std::int64_t> failed_at_;
  std::int64_t hold_low_ = 0, hold_high_ = 0;
  std::int64_t stale_ = 0;
  std::deque<expected_fact> facts_;
  bool answer_due_ = false;
  refusal answer_ = refusal::none;
  child_id last_added_stop_ = 0;
  std::string wrong_;
};

}  // namespace supervisor_oracle
