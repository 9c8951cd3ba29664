#include "tasks/container/early_output.hpp"

#include "tasks/container/stored_log.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

namespace reeve::tasks {
namespace {

/// Beyond it the engine may soon let go of the beginning, and what there is of it is kept.
constexpr std::size_t most_look_bytes = 6 << 20;
constexpr std::int64_t turn_ms = 60'000;
constexpr std::int64_t least_retry_ms = 1'000;
/// Of a line in the engine's log, and of each part of a long one.
constexpr std::size_t around_part = 78;
constexpr std::size_t part_bytes = 16'384;

/// A call that failed so may go well later.
bool is_worth_another(errc code) {
  return code != errc::not_found && code != errc::invalid;
}

/// Counts, and takes no more than that.
class output_count final : public adapters::output_sink {
 public:
  output_count(std::size_t most, std::function<void()> reached)
      : most_(most), reached_(std::move(reached)) {}

  void take(std::vector<adapters::log_line> lines) override {
    for (const auto& line : lines) {
      bytes_ += line.text.size() + around_part * (1 + line.text.size() / part_bytes);
    }
    if (bytes_ >= most_) reach();
  }
  /// What may be gone already has to be taken now, if ever.
  void lost() override { reach(); }
  bool is_full() const override { return is_full_; }
  bool needs_every_line() const override { return false; }

 private:
  void reach() {
    if (!is_full_.exchange(true)) reached_();
  }

  const std::size_t most_;
  const std::function<void()> reached_;
  std::size_t bytes_ = 0;
  std::atomic<bool> is_full_ = false;
};

}  // namespace

void early_output::watch(adapters::work_engine& engine, const std::string& execution) {
  if (host_.ports().early == nullptr || engine.kind() == "simulated") return;
  if (execution_ != execution) {
    let_go();
    look_bytes_ = first_look_bytes;
    execution_ = execution;
    phase_ = phase::idle;
  }
  engine_ = &engine;
  if (phase_ == phase::idle || phase_ == phase::queueing) count();
}

void early_output::count() {
  place_ = host_.ports().early->place();
  if (!place_) {
    if (!waits_) waits_ = host_.ports().early->wait();
    return try_later(std::exchange(retry_ms_, std::min(2 * retry_ms_, turn_ms)));
  }
  waits_.reset();
  retry_ms_ = least_retry_ms;
  phase_ = phase::counting;
  const auto turn = ++turn_;
  auto reached = [this, turn, into = host_.gate()] {
    into([this, turn] {
      if (turn == turn_) read();
    });
  };
  stopper_ = std::make_shared<call_stopper>();
  auto sink = std::make_shared<output_count>(look_bytes_, std::move(reached));
  engine_->follow(execution_, std::move(sink), stopper_,
                  host_.then<done>([this, turn](outcome<done> how) {
                    if (turn == turn_) counted(how);
                  }));
  give_way();
}

/// It has ended; or the engine went away, perhaps for this call alone.
void early_output::counted(const outcome<done>& how) {
  stop_counting(phase::idle);
  if (!how && is_worth_another(how.error().code)) try_later(turn_ms);
}

void early_output::try_later(std::int64_t after_ms) {
  phase_ = phase::queueing;
  host_.after(std::chrono::milliseconds(after_ms), [this, turn = ++turn_] {
    if (turn == turn_) count();
  });
}

/// Those who print nothing for long keep nobody out for long.
void early_output::give_way() {
  host_.after(std::chrono::milliseconds(turn_ms), [this, turn = turn_] {
    if (turn != turn_) return;
    if (!host_.ports().early->give_way()) return give_way();
    stop_counting(phase::idle);
    try_later(turn_ms);
  });
}

void early_output::stop_counting(phase next) {
  ++turn_;
  phase_ = next;
  if (stopper_) stopper_->stop();
  place_.reset();
  waits_.reset();
}

/// In the place that it was counted in: a reading lasts as well.
void early_output::read() {
  auto place = std::move(place_);
  stop_counting(phase::reading);
  place_ = std::move(place);
  const auto each = ends_of(host_.ports().log_bytes);
  auto held = host_.ports().early->keep(host_.run().tenant, 2 * each);
  if (!held) return stop_counting(phase::over);
  stopper_ = std::make_shared<call_stopper>();
  using answer = adapters::kept_output;
  engine_->collect(execution_, each, stopper_,
                   host_.then<answer>([this, turn = turn_, held](outcome<answer> read) {
                     if (turn == turn_) took(std::move(read), held);
                   }));
}

void early_output::took(outcome<adapters::kept_output> read,
                        std::shared_ptr<early_rooms::room> held) {
  place_.reset();
  const bool is_again = !read && is_worth_another(read.error().code);
  const bool is_enough = read ? keep(std::move(*read), std::move(held)) : !is_again;
  phase_ = is_enough || then_ ? phase::over : phase::idle;
  if (phase_ == phase::idle) is_again ? try_later(turn_ms) : count();
  if (const auto then = std::exchange(then_, {})) then();
}

/// True: more of it need not or cannot be had.
bool early_output::keep(adapters::kept_output read, std::shared_ptr<early_rooms::room> held) {
  if (read.lacks_beginning || read.gone) return true;
  const auto seen = read.head.size() + around_part * read.head_lines.size();
  look_bytes_ = 4 * std::max(look_bytes_, seen);
  auto begun = beginning_of(std::move(read), ends_of(host_.ports().log_bytes));
  const bool is_full = begun && begun->is_full;
  if (begun) {
    held->shrink(begun->text.size() + begun->lines.packed().size() +
                 begun->anchors.size() * sizeof(adapters::line_anchor));
    begun_ = std::move(begun);
    held_ = std::move(held);
  }
  return is_full || look_bytes_ > most_look_bytes;
}

void early_output::end(std::function<void()> then) {
  if (phase_ == phase::reading) {
    then_ = std::move(then);
    return;
  }
  if (phase_ != phase::over) stop_counting(phase::over);
  then();
}

adapters::kept_output early_output::join(adapters::kept_output rest, std::size_t bytes_each) const {
  return begun_ ? joined(*begun_, std::move(rest), bytes_each) : std::move(rest);
}

void early_output::let_go() {
  then_ = {};
  stop_counting(phase::over);
  begun_.reset();
  held_.reset();
}

}  // namespace reeve::tasks
