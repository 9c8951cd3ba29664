#pragma once
// The output of an attempt that runs, as it comes: redacted like what is stored of it, for one
// reader.
//
// It is read from the engine's beginning each time, because what is a secret may be told by the
// lines before it; who has some of it already is given what comes behind. The lines are those that
// will be stored, with the same numbers, as long as the engine has lost none. Of what the reader
// has not taken about 256 KiB are held, and the engine is not read meanwhile. Redaction is the work
// of the pool's threads, a piece at a time, in turns with everything else that waits there. Safe to
// call from any thread.

#include "adapters/work_engine_port.hpp"
#include "base/redact.hpp"
#include "base/text_pool.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::tasks {

struct live_line {
  std::int64_t number = 0;  // from 1
  std::int64_t at_ns = 0;   // by the engine's clock; 0: it did not say
  bool is_err = false;
  bool is_ended = true;  // false: the same line goes on
  std::string text;      // at most 16 KiB, without its newline
  bool is_gap = false;   // it is none: some may be missing here
};

/// The last line that a reader has; 0: none. It is found again by its number; by its time where the
/// engine has lost lines, or the line of that number is another one.
struct live_place {
  std::int64_t line = 0;
  std::int64_t at_ns = 0;
};

/// Which lines behind a gap may be the rest of what was begun before it: the first ones, and of the
/// stream that wrote less of those as many more, unless they were begun some seconds later.
class hidden_lines {
 public:
  explicit hidden_lines(std::size_t bytes = 0) : all_left_(bytes), left_{bytes, bytes} {}
  /// To be asked once of each line, in order.
  bool hides(const adapters::log_line& line);

 private:
  std::size_t all_left_;
  std::array<std::size_t, 2> left_;
  std::int64_t until_ns_ = 0;
};

class live_output final : public adapters::output_sink,
                          public std::enable_shared_from_this<live_output> {
 public:
  struct surroundings {
    adapters::work_engine& engine;
    text_pool& texts;
    work_source whose;  // its turn in the pool
    redactor rules;
    std::string execution;
    live_place after;
    /// There is something to take, or `state` is another one. Any thread, but none that holds a
    /// lock of this.
    std::function<void()> changed;
  };
  /// Everything that is referred to outlives the call of `stop`.
  static std::shared_ptr<live_output> begin(surroundings around);
  explicit live_output(surroundings around);

  /// Nobody takes anything any more.
  void stop();
  /// What has come, in order; about so many bytes of it.
  std::vector<live_line> take(std::size_t most_bytes);
  /// `over`: everything was taken, and no more will come. `broken`: the engine went away, or has no
  /// such output; another one may be begun.
  enum class phase { going, over, broken };
  phase state() const;

  void take(std::vector<adapters::log_line> lines) override;
  /// What came last may be the beginning of a secret and what comes next the rest of one, so that
  /// neither is shown: of the first what the redactor holds back, of the second so many lines
  /// as lost_beginning.hpp has bytes for, whole ones.
  void lost() override;
  bool is_full() const override;

 private:
  struct line_mark {
    std::int64_t at_ns = 0;
    bool is_err = false;
    bool is_hidden = false;
    bool is_gap = false;  // none of a line
  };
  struct piece {
    std::string raw;
    bool is_at_gap = false;  // behind it
    bool is_last = false;
  };
  void ended(const outcome<done>& how);
  void redact_more();
  void redact_next(text_pool::room held);
  void redact_piece();
  piece take_piece();
  void redacted(std::string_view text, const piece& of);
  bool is_behind_place(const line_mark& mark, bool is_ended);
  bool is_place_known() const;
  void give(std::string_view text, const line_mark& mark, bool is_ended);
  void pass_gap();
  void tell_gap();

  const surroundings around_;
  const std::shared_ptr<call_stopper> stopper_ = std::make_shared<call_stopper>();
  const std::shared_ptr<work_stop> cancelled_ = std::make_shared<work_stop>();
  redacting_stream rules_;  // of the one piece of work that is under way

  mutable std::mutex mutex_;
  std::deque<std::string> raw_{{}};  // not redacted yet; between two of them is a gap
  std::size_t raw_bytes_ = 0;
  hidden_lines hidden_;
  std::deque<line_mark> marks_;  // of the lines that have ended and were not given yet, and gaps
  line_mark open_mark_;          // of the one that has not
  bool has_open_ = false;
  std::string rest_;         // redacted, of a line whose end has not come
  std::int64_t number_ = 1;  // of that line
  std::deque<live_line> lines_;
  std::size_t lines_bytes_ = 0;
  bool is_skipping_;
  bool is_numbered_ = true;  // as the reader's lines are
  bool is_any_lost_ = false;
  bool is_at_gap_ = false;  // the last that was given is one
  bool is_working_ = false;
  bool has_ended_ = false;
  bool is_broken_ = false;
  bool is_finished_ = false;  // all of it is redacted
};

}  // namespace reeve::tasks
