#pragma once
// The beginning of a container's output, taken while it runs: the engine lets go of the oldest once
// it has 16 MiB, and a job can write as much in a third of a second.
//
// The output is followed from the container's start, counted and not kept, in one of the places for
// that (early_rooms.hpp). Once there is a quarter of a MiB all of it is read, and what it begins
// with kept; and again at four times of what there was, up to 6 MiB, where that was less than is
// stored of a beginning. Of a job that writes less nothing is read. All of it is read, because how
// much the engine has is what says that it still has the first byte. A shortage of places or of
// room, a call that fails, and a server that takes the attempt over too late mean that the
// beginning may be lost, as it was said before.
//
// In the attempt's own context, and the attempt is never told of it.

#include "tasks/attempt_work.hpp"
#include "tasks/container/early_rooms.hpp"
#include "tasks/container/joined_output.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace reeve::tasks {

class early_output {
 public:
  explicit early_output(attempt_host& host) : host_(host) {}

  /// The execution runs; perhaps it is not the first time that this is said.
  void watch(adapters::work_engine& engine, const std::string& execution);
  /// It has ended. `then` is called once what is being read has come, at once or later.
  void end(std::function<void()> then);
  /// What was read at the end, with what was taken.
  adapters::kept_output join(adapters::kept_output rest, std::size_t bytes_each) const;
  /// Nobody waits for anything any more, and nothing is held.
  void let_go();

 private:
  enum class phase { idle, queueing, counting, reading, over };

  void count();
  void try_later(std::int64_t after_ms);
  void give_way();
  void counted(const outcome<done>& how);
  void stop_counting(phase next);
  void read();
  void took(outcome<adapters::kept_output> read, std::shared_ptr<early_rooms::room> held);
  bool keep(adapters::kept_output read, std::shared_ptr<early_rooms::room> held);

  static constexpr std::size_t first_look_bytes = 256 << 10;

  attempt_host& host_;
  adapters::work_engine* engine_ = nullptr;
  std::string execution_;
  phase phase_ = phase::idle;
  std::int64_t turn_ = 0;                      // of the phase: what was asked in another is old
  std::int64_t retry_ms_ = 1'000;              // for a place
  std::size_t look_bytes_ = first_look_bytes;  // as the engine counts, about
  std::shared_ptr<void> place_;
  std::shared_ptr<void> waits_;            // for one
  std::shared_ptr<call_stopper> stopper_;  // of what is counted or read
  std::optional<output_beginning> begun_;
  std::shared_ptr<early_rooms::room> held_;  // for it
  std::function<void()> then_;
};

}  // namespace reeve::tasks
