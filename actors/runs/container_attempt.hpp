#pragma once
// A `container` job's attempt: carries out what the machine of domain/runs/attempt.hpp decides, and
// tells it what came of it.

#include "actors/runs/job_attempt.hpp"
#include "adapters/work_engine_port.hpp"
#include "domain/runs/attempt.hpp"

#include <deque>

namespace reeve::actors {

class container_attempt final : public job_attempt {
 public:
  container_attempt(run_machine& run, const uuid& job);

  void prepare() override;
  void resume(bool crashed) override;
  void cancel() override;
  void engine_back() override;
  void released() override;
  void discarded() override;

 private:
  using input = domain::attempts::input;

  /// One input after the other: an effect may be answered while it is carried out.
  void feed(input what);
  void happen(const domain::attempts::ask_allowed&);
  void happen(const domain::attempts::write_intent&);
  void happen(const domain::attempts::write_refusal& e);
  void happen(const domain::attempts::submit&);
  void happen(const domain::attempts::find&);
  void happen(const domain::attempts::write_started& e);
  void happen(const domain::attempts::watch& e);
  void happen(const domain::attempts::write_stop& e);
  void happen(const domain::attempts::stop& e);
  void happen(const domain::attempts::collect& e);
  void happen(const domain::attempts::write_end& e);
  void happen(const domain::attempts::forget&);
  void happen(const domain::attempts::write_work& e);
  void happen(const domain::attempts::ask_turn& e);
  void happen(const domain::attempts::write_quarantine& e);
  void happen(const domain::attempts::tell_waiting&);
  void happen(const domain::attempts::set_timer& e);
  void happen(const domain::attempts::close&);

  void check_lists(const domain::image_list_state& images);
  void find_image(const domain::image_allowed& entry, const std::string& reference);
  void store_log(adapters::log_answer answer);
  /// Appends what `decide` gives; answered by `then` or `unwritten`.
  void write(run_machine::decide_fn decide, input then);
  /// The same for one event about the open attempt.
  template <class Event>
  void write_fact(Event event, input then);

  adapters::work_key key() const;
  adapters::work_spec spec();
  std::function<bool()> may_mount() const;
  const domain::attempt_state& attempt() const { return job().attempts.back(); }
  template <class T, class F>
  reply_slot<T> answered(F good);

  domain::attempts::state machine_;
  std::deque<input> inbox_;
  std::int64_t began_us_ = 0;  // monotonic: its turn in the queue
  bool busy_ = false;
  bool submitted_ = false;         // by this object; a resumed attempt was, perhaps, by another one
  adapters::work_engine* engine_;  // null: this server does not have the attempt's engine
  domain::attempt_intended intent_;
  std::optional<persistence::stream_version> guard_;
  adapters::image_info image_;
  std::string execution_;  // the engine's id of it, once it is known
};

std::shared_ptr<job_attempt> make_container_attempt(run_machine& run, const uuid& job);

}  // namespace reeve::actors
