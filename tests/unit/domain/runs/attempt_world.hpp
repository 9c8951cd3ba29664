#pragma once
// One attempt in a world of virtual time: an engine that does what Docker does, a log, a server
// that can die, and the rules that must hold of what comes out. The rules look at the world's own
// truth, never at the machine's state.

#include "domain/runs/attempt.hpp"
#include "tests/unit/domain/runs/attempt_rules.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <vector>

namespace attempt_world {

using namespace reeve::domain;
using namespace reeve::domain::attempts;

class world {
 public:
  world(std::uint64_t seed, const defect* planted) : random_(seed), planted_(planted) {
    config_.timeout_ms = between(200, 5'000);
    runs_ms_ = one_in(2) ? between(0, 200) : between(0, 2 * config_.timeout_ms);
    exit_code_ = one_in(2) ? 0 : one_in(6) ? 125 : between(1, 3);
    oom_ = one_in(4);
    refusing_ = one_in(12);
    calm_after_ = now_ms_ + between(0, 20'000);
    trouble_ = one_in(3) ? 0 : between(3, 30);
  }

  void live() {
    boot();
    while (wrong_.empty() && !over_) {
      if (now_ms_ > calm_after_ + 400'000) return fail("it does not end once the faults stop");
      if (!calm() && chance(trouble_)) meddle();
      if (calm() && quarantined_ && !ended_) operate();
      if (events_.empty() && quarantined_) now_ms_ = calm_after_;
      if (!next() && !quarantined_ && !over_) return fail("nothing will ever happen again");
    }
  }

  std::int64_t steps() const { return steps_; }
  const std::string& wrong() const { return wrong_; }
  std::string end() const { return end_; }

 private:
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  bool one_in(std::int64_t n) { return between(1, n) == 1; }
  bool chance(std::int64_t percent) { return between(1, 100) <= percent; }
  bool calm() const { return now_ms_ >= calm_after_; }
  /// An empty one is none.
  void fail(const std::string& what) {
    if (wrong_.empty()) wrong_ = what;
  }

  void later(std::int64_t in_ms, std::function<void()> what) {
    events_.emplace(now_ms_ + in_ms, std::move(what));
  }
  /// Dropped when the server dies before.
  void later_here(std::int64_t in_ms, std::function<void()> what) {
    later(in_ms, [this, life = life_, what = std::move(what)] {
      if (life == life_) what();
    });
  }
  bool next() {
    if (events_.empty()) return false;
    auto first = events_.extract(events_.begin());
    now_ms_ = std::max(now_ms_, first.key());
    first.mapped()();
    return true;
  }

  // The server.

  void boot() {
    ++life_;
    machine_ = state{};
    machine_.config = config_;
    witness_ = witness{.unseen = recorded_.has_value()};
    if (ended_) {
      over_ = true;  // the log is closed; what is left is the reconciler's
    } else if (!intended_) {
      deadline_ms_ = now_ms_ + config_.timeout_ms;
      feed(begin{});
    } else {
      resume r;
      r.recorded = recorded_;
      r.taken_up = taken_up_;
      r.works = works_;
      r.crashed = std::exchange(crashed_, false);
      r.cancelled = cancelled_;
      r.stopping = stopping_;
      unsure_stop_ = unsure_stop_ || stopping_.has_value();
      r.quarantined = quarantined_;
      r.rest_ms = std::max<std::int64_t>(0, deadline_ms_ - now_ms_);
      feed(r);
    }
  }

  void feed(input what) {
    if (planted_ != nullptr && planted_->input) planted_->input(what, machine_);
    auto result = step(std::move(machine_), what);
    machine_ = std::move(result.state);
    if (planted_ != nullptr && planted_->effects) planted_->effects(result.effects, machine_);
    ++steps_;
    const bool is_stopped = stop_asked_in_ == life_;
    if (cancelled_ && !is_stopped && let_run(result.effects)) return fail("cancelled, it runs on");
    for (const auto& e : result.effects) {
      std::visit([this](const auto& each) { happen(each); }, e);
      if (!wrong_.empty()) return;
    }
  }
  void answer(input what) {
    later_here(between(0, 40), [this, what] { feed(what); });
  }

  // The log. A commit in doubt is one whose server died before it heard of it.

  void write(std::function<void()> durable, input told = written{}) {
    later_here(between(0, 20), [this, durable = std::move(durable), told] {
      durable();
      if (!calm() && chance(trouble_ / 3)) return die(one_in(2));
      feed(told);
    });
  }
  void die(bool crashed) {
    // What was sent is done or never comes.
    crashed_ = crashed;
    later(between(0, 300), [this] { boot(); });
    ++life_;
  }

  void happen(const ask_allowed& /*e*/) {
    if (auto why = trouble()) return answer(failed{*why});
    answer(allowed{});
  }
  void happen(const write_intent& /*e*/) {
    if (cancelled_) return answer(unwritten{});
    if (!calm() && one_in(20)) return answer(moved{});
    write([this] {
      if (intended_) fail("two intents");
      intended_ = true;
    });
  }
  void happen(const write_refusal& /*e*/) {
    write([this] { finish("no attempt"); });
  }
  void happen(const write_started& e) {
    write([this, e] {
      if (recorded_) return;
      recorded_ = e.what;
      taken_up_ = taken_up_ || e.adopted;
      works_ = 0;
      deadline_ms_ = now_ms_ + config_.timeout_ms;
    });
  }
  void happen(const write_work& e) {
    if (reached_in_ != life_) fail("it waited for an engine, and a crash was counted");
    write([this, e] {
      works_ = e.n;
      taken_up_ = taken_up_ || !recorded_;
    });
  }
  void happen(const ask_turn& e) {
    later_here(e.after_ms, [this] { feed(turn{}); });
  }
  void happen(const write_quarantine& /*e*/) {
    if (reached_in_ != life_) fail("it waited for an engine, and a crash was counted");
    write([this] { quarantined_ = true; });
  }
  void happen(const tell_waiting& /*e*/) {}
  void happen(const set_timer& e) {
    later_here(e.after_ms, [this, e] { feed(timer_fired{e.token}); });
  }
  void happen(const attempts::close& /*e*/) {
    if (!ended_ && !cancelled_) fail("closed without an end");
    if (!ended_) end_ = "no attempt";
    over_ = true;
  }
  void happen(const write_end& e) {
    if (discarded_) return answer(unwritten{});  // an operator ended it meanwhile
    write([this, e] {
      if (discarded_) return;
      check_end(e);
      finish(std::string(name_of(e.why)));
    });
  }
  void finish(const std::string& how) {
    if (ended_) fail("two ends");
    ended_ = true;
    end_ = how;
  }

  void check_end(const write_end& e) {
    fail(broken_rule(e, truth_of(past_, recorded_), config_.timeout_ms, unsure_stop_));
    fail(witness_.broken_rule(e));
  }

  // The engine.

  std::optional<failure> trouble() {
    if (away_) return failure::away;
    if (calm() || !chance(trouble_)) return std::nullopt;
    return static_cast<failure>(between(0, 4));
  }

  void happen(const submit& /*e*/) {
    if (!intended_) return fail("a start before its intent");
    if (submitted_in_ == life_ && !looked_) return fail("a second start without a look");
    submitted_in_ = life_;
    looked_ = false;
    const auto why = trouble();
    if (why == failure::away || why == failure::busy) {
      looked_ = why == failure::busy;
      return answer(failed{*why});
    }
    if (refusing_) return answer(refused{end_reason::engine_refused});
    if (why && one_in(2)) return answer(failed{*why, false});
    if (body_ && body_->started) return answer(failed{failure::broken, false});
    body_ = body{"c" + std::to_string(++made_), {}, {}, 0, false, {}};
    if (why && one_in(2)) return answer(failed{*why, one_in(2)});
    start();
    if (why) return answer(failed{*why, true});
    answer(submitted{body_->seen()});
  }

  void start() {
    body_->started = now_ms_;
    body_->finished.reset();
    if (marked_) return end_body(125, false);
    marked_ = true;
    if (++executed_ > 1) return fail("executed twice");
    later(runs_ms_, [this, id = body_->id, at = now_ms_] {
      if (body_ && body_->id == id && body_->running() && body_->started == at) {
        body_->oom = oom_;
        end_body(exit_code_, false);
      }
    });
  }
  void end_body(std::int64_t code, bool by_us) {
    body_->finished = now_ms_;
    body_->code = code;
    past_[*body_->started] = {code, now_ms_ - *body_->started, by_us};
    for (auto& each : std::exchange(body_->waiters, {})) each(code);
  }
  void happen(const withhold& /*e*/) {}  // it came too late
  void happen(const reach& /*e*/) {
    const auto why = trouble();
    later_here(between(0, 40), [this, why] {
      if (!why || *why >= failure::broken) reached_in_ = life_;
      feed(why ? input(failed{*why}) : reached{});
    });
  }
  void happen(const find& /*e*/) {
    witness_.replaced = false;
    if (auto why = trouble()) return answer(failed{*why});
    later_here(between(0, 20), [this] {
      looked_ = true;
      reached_in_ = life_;
      if (elsewhere_) return feed(found{found_where::other_engine, {}});
      witness_.saw(body_, recorded_);
      if (!body_) return feed(found{erased_ ? found_where::erased : found_where::nowhere, {}});
      feed(found{found_where::here, body_->seen()});
    });
  }
  void happen(const watch& e) {
    if (auto why = trouble()) return answer(failed{*why});
    if (!body_ || body_->id != e.id) return answer(failed{failure::broken});
    if (!body_->running()) return answer(watched{body_->code});
    body_->waiters.push_back([this, life = life_](std::int64_t code) {
      later(between(0, 30), [this, life, code] {
        if (life != life_) return;
        if (chance(calm() ? 0 : trouble_ / 3)) return feed(failed{failure::silent});
        feed(watched{code});
      });
    });
  }
  void happen(const write_stop& e) {
    stop_asked_in_ = life_;
    write([this, e] { stopping_ = e.why; }, stop_written{});
  }
  void happen(const attempts::stop& e) {
    stop_asked_in_ = life_;
    if (!stopping_) return fail("a stop before its intent");
    const auto why = trouble();
    if (why == failure::away || why == failure::busy) return answer(stop_failed{*why});
    unsure_stop_ = unsure_stop_ || why.has_value();
    const bool lost = why && one_in(2);
    auto ended = std::make_shared<bool>(false);
    later(between(0, 20), [this, id = e.id, lost, ended] {
      *ended = body_ && body_->id == id && body_->running() && !lost;
      if (*ended) end_body(143, true);
    });
    later_here(between(21, 40), [this, why, ended] {
      if (why) return feed(stop_failed{*why});
      feed(stopped{*ended});
    });
  }
  void happen(const collect& /*e*/) {
    witness_.collected = true;
    if (auto why = trouble()) return answer(failed{*why});
    answer(collected{.log = blob_ref{}});
  }
  void happen(const forget& /*e*/) {
    if (!ended_) return fail("removed before its end was written");
    if (trouble()) return answer(forgotten{false});
    body_.reset();
    answer(forgotten{});
  }

  // Everybody else.

  void meddle() {
    switch (between(0, 9)) {
      case 0:
        if (body_ && body_->running()) end_body(137, false);  // docker kill
        return;
      case 1:
        if (body_ && body_->started) {  // docker restart
          if (body_->running()) end_body(143, false);
          later(between(1, 30), [this] {
            if (body_ && !body_->running()) start();
          });
        }
        return;
      case 2:
        if (body_ && one_in(3)) {  // docker rm -f
          if (body_->running()) end_body(137, false);
          body_.reset();
        } else if (body_ && !body_->running() && one_in(3)) {  // docker system prune
          body_.reset();
          marked_ = false;
          erased_ = true;
        }
        return;
      case 3:
      case 4:
        away_ = true;
        return later(between(10, 8'000), [this] {
          away_ = false;
          if (one_in(2)) later_here(0, [this] { feed(engine_back{}); });
        });
      case 5:
        return die(false);
      case 6:
        return die(true);
      case 7:
        if (one_in(10)) elsewhere_ = true;
        return;
      default:
        if (!one_in(10) || cancelled_ || ended_) return;
        cancelled_ = true;
        feed(attempts::cancel{});
    }
  }
  void operate() {
    quarantined_ = false;
    works_ = 0;
    if (one_in(2)) return feed(operator_retries{});
    discarded_ = true;
    finish("quarantined");
    feed(operator_discards{});
  }

  std::mt19937_64 random_;
  const defect* planted_;
  attempts::config config_;
  state machine_;
  std::multimap<std::int64_t, std::function<void()>> events_;
  std::int64_t now_ms_ = 1'000;
  std::int64_t calm_after_ = 0;
  std::int64_t trouble_ = 0, runs_ms_ = 0, exit_code_ = 0;
  bool oom_ = false, refusing_ = false, looked_ = false, crashed_ = false;
  int life_ = 0, submitted_in_ = 0, stop_asked_in_ = 0, reached_in_ = 0;
  // The log.
  bool intended_ = false, ended_ = false, taken_up_ = false, cancelled_ = false;
  bool quarantined_ = false, discarded_ = false;
  std::optional<execution> recorded_;
  std::optional<end_reason> stopping_;
  std::int64_t works_ = 0, deadline_ms_ = 0;
  // The engine.
  std::optional<body> body_;
  std::map<std::int64_t, truth> past_;  // by start
  bool marked_ = false, erased_ = false, away_ = false, elsewhere_ = false, unsure_stop_ = false;
  witness witness_;
  int made_ = 0, executed_ = 0;

  bool over_ = false;
  std::int64_t steps_ = 0;
  std::string end_ = "none", wrong_;
};

}  // namespace attempt_world
