#include "domain/supervision/supervisor.hpp"

#include <algorithm>
#include <utility>

namespace reeve::domain {
namespace {

/// splitmix64 (Steele, Lea, Flood 2014): small, and good enough to keep restarts apart.
std::uint64_t next_random(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

bool wants_restart(restart_kind kind, exit_class why) {
  if (kind == restart_kind::transient) return is_abnormal(why);
  return kind == restart_kind::permanent;
}

class machine {
 public:
  machine(supervisor_state& state, std::vector<supervisor_effect>& effects)
      : s_(state), out_(effects) {}

  void on(const begin_children& input);
  void on(const child_ready& input);
  void on(const child_exited& input);
  void on(const timer_fired& input);
  void on(const add_child& input);
  void on(const remove_child& input);
  void on(const shut_down& input);

 private:
  bool alone() const { return s_.config.strategy == restart_strategy::one_for_one; }
  /// Whether the child has no place in the order of starting and stopping.
  bool independent(const child_state& c) const { return alone() && c.added; }
  std::int64_t in_window() const { return static_cast<std::int64_t>(s_.restarts_at_us.size()); }
  /// Made in place: g++ 12 takes the move of a temporary variant for a read of what is not there.
  template <class Effect>
  void emit(Effect effect) {
    out_.emplace_back(std::in_place_type<Effect>, std::move(effect));
  }
  child_state* current(child_id id, std::int64_t incarnation);
  void tell(child_id id, const child_state& c, fact_kind what, exit_class why);
  std::int64_t arm(child_id id, std::int64_t at_us);

  void start(child_id id, child_state& c);
  void ask_to_stop(child_id id, child_state& c);
  void kill(child_id id, child_state& c, exit_class why);
  void retire(child_id id, child_state& c);
  void gone(child_id id, child_state& c, exit_class why);
  void gone_with_its_group(child_id id, child_state& c, child_phase was, exit_class why);
  void failed(child_id id, child_state& c, child_phase was, exit_class why);
  void give_up(exit_class cause);
  void close();

  void advance();
  bool swept();
  void start_due_alone();
  void start_due_in_order();
  void announce();
  void forget_old_restarts();

  supervisor_state& s_;
  std::vector<supervisor_effect>& out_;
};

child_state* machine::current(child_id id, std::int64_t incarnation) {
  const auto found = s_.children.find(id);
  if (found == s_.children.end() || found->second.incarnation != incarnation) return nullptr;
  return is_alive(found->second.phase) ? &found->second : nullptr;
}

void machine::tell(child_id id, const child_state& c, fact_kind what, exit_class why) {
  forget_old_restarts();
  emit(report_fact{
      id,
      {child_path(s_, c), what, why, c.incarnation, c.restarts(), in_window(), s_.stale_answers}});
}

std::int64_t machine::arm(child_id id, std::int64_t at_us) {
  emit(set_timer{id, s_.next_token, at_us});
  return s_.next_token++;
}

void machine::forget_old_restarts() {
  auto& times = s_.restarts_at_us;
  while (!times.empty() && s_.now_us - times.front() >= s_.config.period_us) times.pop_front();
}

// What happens to one child.

void machine::start(child_id id, child_state& c) {
  ++c.incarnation;
  c.phase = child_phase::starting;
  if (independent(c)) ++s_.added_alive;
  emit(start_child{id, c.incarnation});
  c.timer = arm(id, s_.now_us + c.spec.start_timeout_us);
}

void machine::ask_to_stop(child_id id, child_state& c) {
  c.phase = child_phase::stopping;
  emit(stop_child{id, c.incarnation});
  c.timer = arm(id, s_.now_us + c.spec.grace_us);
}

void machine::kill(child_id id, child_state& c, exit_class why) {
  c.phase = child_phase::killing;
  c.kill_reason = why;
  emit(kill_child{id, c.incarnation});
  c.timer = arm(id, s_.now_us + s_.config.kill_wait_us);
}

void machine::retire(child_id id, child_state& c) {
  c.phase = child_phase::finished;
  if (!c.added) return;
  emit(forget_child{id});
  s_.ids.erase(c.spec.name);
  s_.children.erase(id);
}

void machine::gone(child_id id, child_state& c, exit_class why) {
  const auto was = std::exchange(c.phase, child_phase::finished);
  c.timer = 0;
  c.kill_reason.reset();
  if (independent(c)) --s_.added_alive;
  tell(id, c, fact_kind::exited, why);
  if (why == exit_class::unreachable) return give_up(why);
  if (s_.phase == supervisor_phase::closing || c.leaving) {
    retire(id, c);
    return advance();
  }
  if (s_.sweep_after && id > *s_.sweep_after) return gone_with_its_group(id, c, was, why);
  if (wants_restart(c.spec.restart, why)) return failed(id, c, was, why);
  retire(id, c);
  advance();
}

/// It went down because a sibling failed: no failure of its own, even if it crashed on the way.
void machine::gone_with_its_group(child_id id, child_state& c, child_phase was, exit_class why) {
  const bool asked = was == child_phase::stopping || was == child_phase::killing;
  const bool done =
      c.spec.restart == restart_kind::temporary || (!asked && !wants_restart(c.spec.restart, why));
  if (done) {
    retire(id, c);
  } else {
    c.phase = child_phase::waiting;
  }
  advance();
}

void machine::failed(child_id id, child_state& c, child_phase was, exit_class why) {
  const bool was_up = was == child_phase::up;
  if (was_up && s_.now_us - c.up_since_us >= s_.config.healthy_us) c.failures = 0;
  forget_old_restarts();
  if (in_window() >= s_.config.max_restarts) {
    return give_up(why);
  }
  s_.restarts_at_us.push_back(s_.now_us);
  ++s_.restarts;
  const auto full = full_backoff_us(s_.config, c.failures++);
  const auto half = static_cast<std::uint64_t>(full / 2);
  const auto due =
      s_.now_us + full - static_cast<std::int64_t>(next_random(s_.random) % (half + 1));
  c.phase = child_phase::waiting;
  if (alone()) {
    c.delayed = true;
    c.timer = arm(id, due);
  } else {
    // Whoever fails while a group goes down stands before it: the group can only grow.
    s_.sweep_after = s_.config.strategy == restart_strategy::all_for_one ? 0 : id;
    s_.hold_until_us = s_.hold_timer == 0 ? due : std::max(due, s_.hold_until_us);
    s_.hold_timer = arm(0, s_.hold_until_us);
  }
  advance();
}

// The end of the supervisor itself.

void machine::give_up(exit_class cause) {
  const bool unreachable = cause == exit_class::unreachable;
  if (s_.escalate == exit_class::unreachable) return advance();
  if (s_.phase == supervisor_phase::running || unreachable) {
    emit(report_fact{0,
                     {s_.config.path, fact_kind::escalated, cause, s_.config.incarnation,
                      s_.restarts, in_window(), s_.stale_answers}});
  }
  s_.escalate = unreachable ? exit_class::unreachable : exit_class::failed;
  close();
}

void machine::close() {
  if (s_.phase == supervisor_phase::running) {
    s_.phase = supervisor_phase::closing;
    s_.sweep_after = 0;
    for (auto it = s_.children.rbegin(); it != s_.children.rend(); ++it) {
      auto& c = it->second;
      if (c.phase == child_phase::waiting) c.phase = child_phase::finished;
      const bool runs = c.phase == child_phase::starting || c.phase == child_phase::up;
      if (independent(c) && runs) ask_to_stop(it->first, c);
    }
  }
  advance();
}

// What follows from the state, after each input.

void machine::advance() {
  if (s_.phase == supervisor_phase::fresh || s_.phase == supervisor_phase::ended) return;
  if (s_.sweep_after && !swept()) return;
  s_.sweep_after.reset();
  if (s_.phase == supervisor_phase::closing) {
    s_.phase = supervisor_phase::ended;
    if (s_.escalate) {
      emit(gave_up{*s_.escalate});
    } else {
      emit(all_stopped{});
    }
    return;
  }
  if (alone()) {
    start_due_alone();
  } else {
    start_due_in_order();
  }
  announce();
}

/// Brings down the last one that is alive; true when none of the group is left.
bool machine::swept() {
  if (alone() && s_.added_alive > 0) return false;
  auto it = alone() ? s_.children.upper_bound(s_.last_static) : s_.children.end();
  while (it != s_.children.begin()) {
    --it;
    auto& [id, c] = *it;
    if (id <= *s_.sweep_after) break;
    if (!is_alive(c.phase)) continue;
    if (c.phase == child_phase::starting || c.phase == child_phase::up) ask_to_stop(id, c);
    return false;
  }
  return true;
}

void machine::start_due_alone() {
  bool line_waits = false;
  for (auto& [id, c] : s_.children) {
    if (id > s_.last_static) break;
    const bool first = c.incarnation == 0;
    if (c.phase == child_phase::waiting && !c.delayed && !(first && line_waits)) start(id, c);
    line_waits = line_waits || (c.phase == child_phase::starting && c.incarnation == 1);
  }
}

void machine::start_due_in_order() {
  if (s_.hold_timer != 0) return;
  for (auto& [id, c] : s_.children) {
    if (c.phase == child_phase::up || c.phase == child_phase::finished) continue;
    if (c.phase == child_phase::waiting) start(id, c);
    return;
  }
}

void machine::announce() {
  if (s_.announced) return;
  for (const auto& [id, c] : s_.children) {
    if (id > s_.last_static) break;
    if (c.phase != child_phase::up && c.phase != child_phase::finished) return;
  }
  s_.announced = true;
  emit(all_up{});
}

// Inputs.

void machine::on(const begin_children& /*input*/) {
  if (s_.phase != supervisor_phase::fresh) return;
  s_.phase = supervisor_phase::running;
  advance();
}

void machine::on(const child_ready& input) {
  auto* c = current(input.child, input.incarnation);
  if (c == nullptr || c->phase != child_phase::starting) {
    ++s_.stale_answers;
    return;
  }
  c->phase = child_phase::up;
  c->up_since_us = s_.now_us;
  c->timer = 0;
  tell(input.child, *c, c->incarnation == 1 ? fact_kind::started : fact_kind::restarted,
       exit_class::normal);
  advance();
}

void machine::on(const child_exited& input) {
  auto* c = current(input.child, input.incarnation);
  if (c == nullptr) {
    ++s_.stale_answers;
    return;
  }
  gone(input.child, *c, c->kill_reason.value_or(input.why));
}

void machine::on(const timer_fired& input) {
  if (input.token == 0) return;
  if (input.child == 0) {
    if (input.token != s_.hold_timer) return;
    s_.hold_timer = 0;
    return advance();
  }
  const auto found = s_.children.find(input.child);
  if (found == s_.children.end() || found->second.timer != input.token) return;
  auto& [id, c] = *found;
  c.timer = 0;
  switch (c.phase) {
    case child_phase::waiting:
      c.delayed = false;
      return independent(c) ? start(id, c) : advance();
    case child_phase::starting:
      return kill(id, c, exit_class::start_timeout);
    case child_phase::stopping:
      return kill(id, c, exit_class::timeout);
    case child_phase::killing:
      return gone(id, c, exit_class::unreachable);
    case child_phase::up:
    case child_phase::finished:
      return;
  }
}

void machine::on(const add_child& input) {
  auto refused = refusal::none;
  if (s_.phase != supervisor_phase::running) {
    refused = refusal::not_running;
  } else if (s_.ids.contains(input.spec.name)) {
    refused = refusal::duplicate;
  } else if (static_cast<std::int64_t>(s_.children.size()) >= s_.config.max_children) {
    refused = refusal::full;
  }
  if (refused != refusal::none) {
    emit(child_added{0, refused});
    return;
  }
  const auto id = s_.next_child++;
  auto& c = s_.children[id];
  c.spec = input.spec;
  c.spec.grace_us = std::min(c.spec.grace_us, s_.config.max_added_grace_us);
  c.added = true;
  s_.ids.emplace(c.spec.name, id);
  emit(child_added{id, refusal::none});
  if (independent(c)) return start(id, c);
  advance();
}

void machine::on(const remove_child& input) {
  const auto found = s_.ids.find(input.name);
  auto refused = refusal::none;
  if (s_.phase != supervisor_phase::running) {
    refused = refusal::not_running;
  } else if (found == s_.ids.end()) {
    refused = refusal::unknown;
  } else if (found->second <= s_.last_static) {
    refused = refusal::fixed;
  }
  emit(child_removed{refused});
  if (refused != refusal::none) return;
  const auto id = found->second;
  auto& c = s_.children[id];
  c.leaving = true;
  if (c.phase == child_phase::starting || c.phase == child_phase::up) return ask_to_stop(id, c);
  if (is_alive(c.phase)) return;
  retire(id, c);
  advance();
}

void machine::on(const shut_down& /*input*/) {
  if (s_.phase == supervisor_phase::fresh) s_.phase = supervisor_phase::running;
  if (s_.phase == supervisor_phase::running) close();
}

}  // namespace

supervisor_step step(supervisor_state state, const supervisor_input& input, std::int64_t now_us) {
  supervisor_step result{std::move(state), {}};
  result.state.now_us = std::max(result.state.now_us, now_us);
  machine m(result.state, result.effects);
  std::visit([&](const auto& each) { m.on(each); }, input);
  return result;
}

}  // namespace reeve::domain
