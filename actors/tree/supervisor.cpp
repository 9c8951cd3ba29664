#include "actors/tree/supervisor.hpp"

#include <deque>
#include <functional>
#include <map>
#include <utility>

namespace reeve::actors {
namespace {

using domain::child_id;

struct supervised_child {
  child_spec spec;
  caf::actor actor;
};

domain::child_spec rules_of(const child_spec& spec) {
  using std::chrono::microseconds;
  return {spec.name, spec.restart, microseconds(spec.start_timeout).count(),
          microseconds(spec.grace).count()};
}

std::vector<domain::child_spec> rules_of(const std::vector<child_spec>& specs) {
  std::vector<domain::child_spec> rules;
  rules.reserve(specs.size());
  for (const auto& spec : specs) rules.push_back(rules_of(spec));
  return rules;
}

class supervisor_state {
 public:
  static inline const char* name = "supervisor";
  using pointer = caf::stateful_actor<supervisor_state>*;

  supervisor_state() = default;
  supervisor_state(const supervisor_state&) = delete;
  supervisor_state& operator=(const supervisor_state&) = delete;
  /// A supervisor that is killed, or fails itself, leaves nobody behind.
  ~supervisor_state();

  void init(pointer self, std::shared_ptr<const supervision> shared, supervisor_spec spec,
            std::function<void()> on_up);
  void feed(domain::supervisor_input input);
  domain::refusal add(child_spec spec);
  domain::refusal remove(std::string child);

 private:
  void carry_out(const domain::start_child& e);
  void carry_out(const domain::stop_child& e);
  void carry_out(const domain::kill_child& e);
  void carry_out(const domain::set_timer& e);
  void carry_out(const domain::report_fact& e);
  void carry_out(const domain::child_added& e);
  void carry_out(const domain::child_removed& e) { answer_ = e.why; }
  void carry_out(const domain::forget_child& e);
  void carry_out(const domain::all_up& e);
  void carry_out(const domain::gave_up& e);
  void carry_out(const domain::all_stopped& e);

  caf::actor incarnate(child_id id, std::int64_t incarnation);
  void show(child_id id);

  pointer self_ = nullptr;
  std::shared_ptr<const supervision> shared_;
  domain::supervisor_state machine_;
  std::deque<domain::supervisor_input> inputs_;
  bool busy_ = false;
  std::int64_t stale_told_ = 0;
  std::map<child_id, supervised_child> children_;
  std::function<void()> on_up_;
  child_spec being_added_;
  domain::refusal answer_ = domain::refusal::none;
  cc::monitor_table monitors_;
};

supervisor_state::~supervisor_state() {
  for (auto it = children_.rbegin(); it != children_.rend(); ++it) {
    auto& child = it->second;
    if (child.spec.slot) child.spec.slot->put(nullptr);
    if (child.actor) cc::kill_now(child.actor);
  }
  if (shared_) shared_->board->forget_below(machine_.config.path);
}

void supervisor_state::init(pointer self, std::shared_ptr<const supervision> shared,
                            supervisor_spec spec, std::function<void()> on_up) {
  self_ = self;
  shared_ = std::move(shared);
  on_up_ = std::move(on_up);
  machine_ = domain::make_supervisor(std::move(spec.config), rules_of(spec.children));
  child_id id = 0;
  for (auto& child : spec.children) children_[++id].spec = std::move(child);
  shared_->board->forget_below(machine_.config.path);
  shared_->board->set_strategy(machine_.config.path, name_of(machine_.config.strategy));
  for (const auto& [each, child] : children_) show(each);
  monitors_.install(self);
  feed(domain::begin_children{});
}

/// Effects may lead to inputs at once (a factory that fails); those wait for their turn.
void supervisor_state::feed(domain::supervisor_input input) {
  inputs_.push_back(std::move(input));
  if (std::exchange(busy_, true)) return;
  while (!inputs_.empty()) {
    const auto next = std::move(inputs_.front());
    inputs_.pop_front();
    auto result = domain::step(std::move(machine_), next, cc::now_us(self_));
    machine_ = std::move(result.state);
    for (const auto& effect : result.effects) {
      std::visit([this](const auto& each) { carry_out(each); }, effect);
    }
  }
  busy_ = false;
  const auto stale = machine_.stale_answers - std::exchange(stale_told_, machine_.stale_answers);
  if (stale > 0) shared_->board->count({0, 0, stale});
}

domain::refusal supervisor_state::add(child_spec spec) {
  being_added_ = std::move(spec);
  feed(domain::add_child{rules_of(being_added_)});
  return answer_;
}

domain::refusal supervisor_state::remove(std::string child) {
  feed(domain::remove_child{std::move(child)});
  return answer_;
}

caf::actor supervisor_state::incarnate(child_id id, std::int64_t incarnation) {
  const auto& spec = children_.at(id).spec;
  const child_context context{machine_.config.path + "/" + spec.name, incarnation, id,
                              self_->address(), shared_};
  try {
    return spec.start(self_->system(), context);
  } catch (...) {
    // The reason's class is all that is told, whatever it was.
    return nullptr;
  }
}

void supervisor_state::carry_out(const domain::start_child& e) {
  show(e.child);
  auto actor = incarnate(e.child, e.incarnation);
  children_.at(e.child).actor = actor;
  if (!actor) return feed(domain::child_exited{e.child, e.incarnation, domain::exit_class::failed});
  monitors_.watch(self_, actor, [this, e](const caf::error& why) {
    feed(domain::child_exited{e.child, e.incarnation, exit_class_of(why)});
  });
}

void supervisor_state::carry_out(const domain::stop_child& e) {
  show(e.child);
  cc::stop(children_.at(e.child).actor);
}

void supervisor_state::carry_out(const domain::kill_child& e) {
  show(e.child);
  cc::kill_now(children_.at(e.child).actor);
}

void supervisor_state::carry_out(const domain::set_timer& e) {
  const auto delay = std::chrono::microseconds(e.at_us - cc::now_us(self_));
  cc::wake_after(self_, delay, supervisor_timer_message{{e.child, e.token}});
}

void supervisor_state::carry_out(const domain::report_fact& e) {
  const auto& fact = e.fact;
  if (e.child != 0) {
    auto& child = children_.at(e.child);
    show(e.child);
    if (fact.what == domain::fact_kind::exited) {
      if (child.spec.slot) child.spec.slot->put(nullptr);
      // One that is unreachable is kept, so that it is killed again when the supervisor ends.
      if (fact.reason != domain::exit_class::unreachable) child.actor = nullptr;
      shared_->board->set_last_exit(fact.path, name_of(fact.reason));
    } else if (child.spec.slot) {
      child.spec.slot->put(child.actor);
    }
  }
  shared_->board->count({fact.what == domain::fact_kind::restarted ? 1 : 0,
                         fact.what == domain::fact_kind::escalated ? 1 : 0, 0});
  if (shared_->sink) shared_->sink(fact);
}

void supervisor_state::carry_out(const domain::child_added& e) {
  answer_ = e.why;
  if (e.child != 0) children_[e.child].spec = std::move(being_added_);
  being_added_ = {};
}

void supervisor_state::carry_out(const domain::forget_child& e) {
  const auto found = children_.find(e.child);
  shared_->board->forget(machine_.config.path + "/" + found->second.spec.name);
  children_.erase(found);
}

void supervisor_state::carry_out(const domain::all_up& /*e*/) {
  if (on_up_) on_up_();
}

void supervisor_state::carry_out(const domain::gave_up& e) {
  if (e.why == domain::exit_class::unreachable) {
    self_->quit(caf::exit_reason::unreachable);
  } else {
    self_->quit(caf::make_error(caf::sec::runtime_error));
  }
}

void supervisor_state::carry_out(const domain::all_stopped& /*e*/) {
  self_->quit(caf::exit_reason::user_shutdown);
}

void supervisor_state::show(child_id id) {
  const auto found = machine_.children.find(id);
  if (found == machine_.children.end()) return;
  const auto& child = found->second;
  shared_->board->set({domain::child_path(machine_, child),
                       {},
                       std::string(name_of(child.phase)),
                       {},
                       child.incarnation,
                       child.restarts(),
                       shared_->clock->now_us()});
}

caf::behavior supervisor_actor(supervisor_state::pointer self,
                               const std::shared_ptr<const supervision>& shared,
                               const supervisor_spec& spec, const std::function<void()>& on_up) {
  // Only a stop arrives here: a kill ends the actor without asking.
  self->set_exit_handler(
      [self](caf::exit_msg& /*why*/) { cc::state_of(self).feed(domain::shut_down{}); });
  cc::state_of(self).init(self, shared, spec, on_up);
  return {
      [self](const child_ready_message& m) { cc::state_of(self).feed(m.ready); },
      [self](const supervisor_timer_message& m) { cc::state_of(self).feed(m.timer); },
      [self](const add_child_message& m) { return add_result{cc::state_of(self).add(m.spec)}; },
      [self](const remove_child_message& m) {
        return remove_result{cc::state_of(self).remove(m.name)};
      },
  };
}

caf::actor spawn_supervisor(caf::actor_system& system, std::shared_ptr<const supervision> shared,
                            supervisor_spec spec, std::string path, std::int64_t incarnation,
                            std::function<void()> on_up) {
  // Each supervisor and incarnation has its own jitter, so that siblings do not move in step.
  const auto own = std::hash<std::string>{}(path) ^ static_cast<std::uint64_t>(incarnation);
  spec.config.seed = shared->seed ^ own;
  spec.config.path = std::move(path);
  spec.config.incarnation = incarnation;
  return cc::spawn<caf::stateful_actor<supervisor_state>>(
      system, supervisor_actor, std::move(shared), std::move(spec), std::move(on_up));
}

}  // namespace

void child_context::ready() const {
  const auto parent = caf::actor_cast<caf::actor>(supervisor);
  if (parent) cc::post_urgent(parent, child_ready_message{{id, incarnation}});
}

child_spec supervisor_child(std::string name, domain::restart_kind restart, supervisor_spec spec,
                            std::shared_ptr<actor_slot> slot) {
  using std::chrono::milliseconds;
  const auto rules = rules_of(spec.children);
  child_spec child;
  child.name = std::move(name);
  child.restart = restart;
  child.start_timeout = milliseconds(domain::total_start_us(rules) / 1000);
  child.grace = milliseconds(domain::total_grace_us(spec.config, rules) / 1000);
  child.slot = std::move(slot);
  child.start = [spec = std::move(spec)](caf::actor_system& system, const child_context& context) {
    return spawn_supervisor(system, context.shared, spec, context.path, context.incarnation,
                            [context] { context.ready(); });
  };
  return child;
}

caf::actor spawn_root(caf::actor_system& system, supervision shared, supervisor_spec spec,
                      std::function<void(domain::exit_class)> on_exit, std::string name) {
  auto all = std::make_shared<const supervision>(std::move(shared));
  const auto show = [all, name](std::string_view state) {
    all->board->set({name, {}, std::string(state), {}, 1, 0, all->clock->now_us()});
  };
  show("starting");
  auto root = spawn_supervisor(system, all, std::move(spec), name, 1, [show] { show("up"); });
  cc::when_gone(root, [show, on_exit = std::move(on_exit)](const caf::error& why) {
    show("finished");
    on_exit(exit_class_of(why));
  });
  return root;
}

domain::exit_class exit_class_of(const caf::error& why) {
  using domain::exit_class;
  if (!why || why == caf::exit_reason::normal) return exit_class::normal;
  if (why == caf::exit_reason::user_shutdown) return exit_class::shutdown;
  if (why == caf::exit_reason::kill) return exit_class::killed;
  if (why == caf::exit_reason::unreachable) return exit_class::unreachable;
  return exit_class::failed;
}

}  // namespace reeve::actors
