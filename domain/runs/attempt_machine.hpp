#pragma once
// The machine behind step() of domain/runs/attempt.hpp, for its own two sources: attempt.cpp goes
// as far as the start, attempt_end.cpp from there.

#include "domain/runs/attempt.hpp"

#include <utility>
#include <vector>

namespace reeve::domain::attempts {

/// The engine has spoken, and speaking again it may say the same.
constexpr bool is_answer(failure why) {
  return why == failure::broken || why == failure::unreadable;
}

/// It has not spoken: what happens meanwhile, nobody sees.
constexpr bool is_mute(failure why) {
  return why == failure::away || why == failure::silent;
}

class machine {
 public:
  machine(state& s, std::vector<effect>& effects) : s_(s), out_(effects) {}

  void on(const begin&);
  void on(const resume& input);
  void on(const allowed&);
  void on(const refused& input);
  void on(const reached&);
  void on(const failed& input);
  void on(const written&);
  void on(const moved&);
  void on(const unwritten&);
  void on(const submitted& input);
  void on(const found& input);
  void on(const watched& input);
  void on(const stop_written&);
  void on(const stopped& input);
  void on(const stop_failed& input);
  void on(const collected& input);
  void on(const forgotten& input);
  void on(const timer_fired& input);
  void on(const engine_back&);
  void on(const turn&);
  void on(const cancel&);
  void on(const operator_retries&);
  void on(const operator_discards&);

 private:
  bool is(phase p) const { return s_.phase == p; }
  /// Made in place: g++ 12 takes the move of a temporary variant for a read of what is not there.
  template <class Effect>
  void emit(Effect effect) {
    out_.emplace_back(std::in_place_type<Effect>, std::move(effect));
  }
  std::int64_t arm(std::int64_t after_ms);
  void enter(phase next);
  void ask(phase next);
  void pause(failure why, std::int64_t after_ms);
  void pause(failure why);
  void go_on();

  void refuse(end_reason why);
  void end(end_reason why);
  void end_stopped();
  end_reason why_stopped() const;
  void engine_answered();
  void finish();
  void close();

  void submit_failed(const failed& input);
  void reach_failed(failure why);
  void find_failed(failure why);
  void collect_failed(failure why);
  void found_here(const execution& what);
  void first_look(const execution& what);
  void keep_time(const execution& what);
  void found_nowhere();
  void verified(const found& input);
  void replaced();
  void record(const execution& what, bool adopted);
  void recorded();
  void submit_again();
  void note();
  void try_again();
  void conclude();
  bool in_time() const;
  bool may_end_at_once() const;

  void want_stop(end_reason why);
  void send_stop();

  state& s_;
  std::vector<effect>& out_;
};

}  // namespace reeve::domain::attempts
