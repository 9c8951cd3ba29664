#include "adapters/docker/log_follow.hpp"

#include "adapters/docker/output_reader.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace reeve::adapters {
namespace {

using steady = std::chrono::steady_clock;

// A reading that brought so much was not the last one of many.
constexpr std::size_t much_bytes = 256 << 10;
constexpr std::int64_t least_pause_ms = 500;
constexpr std::int64_t most_pause_ms = 5'000;

}  // namespace

/// One answer of the engine, handed on line by line.
class log_follow::part final : public body_sink {
 public:
  part(log_follow& of, bool is_followed, bool is_last)
      : of_(of), is_followed_(is_followed), is_last_(is_last) {}

  void restart() override { frames_ = log_demultiplexer{false, all_lines}; }
  bool take(std::string_view bytes) override {
    const bool more = frames_.feed(bytes);
    pass_on(frames_.take());
    return more && !is_cut();
  }
  bool is_full() const override { return of_.to_->is_full(); }

  /// Beyond what can be trusted.
  bool is_cut() const { return is_followed_ && in_file_ >= of_.trusted_ && is_joinable(); }
  bool is_last() const { return is_last_; }
  std::size_t brought() const { return brought_; }
  std::int64_t took_ms() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - began_).count();
  }
  /// A line without an end may go on in the next answer.
  outcome<done> finish() {
    if (is_last_) pass_on(frames_.finish());
    if (!is_cut() && !is_last_ && frames_.is_inside()) return reject(errc::internal, broken_log);
    return check_end(frames_);
  }

 private:
  bool is_joinable() const { return of_.place_.is_stamped(); }
  void pass_on(std::vector<log_line> lines) {
    if (!is_followed_) lines = join_.behind(std::move(lines));
    if (lines.empty()) return;
    if (!is_followed_ && !std::exchange(is_begun_, true) && join_.may_lack()) of_.to_->lost();
    for (const auto& line : lines) {
      of_.place_.took(line);
      in_file_ += bytes_in_file(line);
      brought_ += line.text.size();
    }
    of_.to_->take(std::move(lines));
  }

  log_follow& of_;
  const bool is_followed_;
  const bool is_last_;
  log_join join_{of_.place_};
  log_demultiplexer frames_{false, all_lines};
  bool is_begun_ = false;
  std::size_t in_file_ = 0;
  std::size_t brought_ = 0;
  const steady::time_point began_ = steady::now();
};

void log_follow::begin() {
  const auto self = shared_from_this();
  const auto first = std::make_shared<part>(*this, true, true);
  ask_.follow(first,
              reply_slot<done>([self, first](outcome<done> how) { self->followed(*first, how); }));
}

void log_follow::followed(part& it, const outcome<done>& how) {
  if (!how) return slot_.answer(how);
  if (!it.is_cut()) return slot_.answer(it.finish());
  next_round(0);
}

/// What has ended before it is read says nothing more.
void log_follow::next_round(std::int64_t after_ms) {
  ask_.runs(after_ms, reply_slot<bool>([self = shared_from_this()](outcome<bool> runs) {
              if (!runs) return self->slot_.answer(runs.error());
              self->read_on(!*runs);
            }));
}

void log_follow::read_on(bool is_last) {
  const auto self = shared_from_this();
  const auto next = std::make_shared<part>(*this, false, is_last);
  ask_.read(place_.since_ns(), next,
            reply_slot<done>([self, next](outcome<done> how) { self->was_read(*next, how); }));
}

void log_follow::was_read(part& it, const outcome<done>& how) {
  if (!how) return slot_.answer(how);
  const auto end = it.finish();
  if (!end || it.is_last()) return slot_.answer(end);
  if (it.brought() >= much_bytes) return next_round(0);
  next_round(std::clamp(4 * it.took_ms(), least_pause_ms, most_pause_ms));
}

}  // namespace reeve::adapters
