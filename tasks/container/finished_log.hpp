#pragma once
// A container's output on its way into the store: redacted in steps on the threads of a text pool,
// with what is said of its lines.

#include "base/redact.hpp"
#include "base/slot.hpp"
#include "base/text_pool.hpp"
#include "domain/runs/line_streams.hpp"
#include "tasks/container/stored_log.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace reeve::tasks {

/// An output as it is stored.
struct finished_log {
  std::shared_ptr<const std::string> text;
  std::shared_ptr<const std::string> marks;  // those of its lines, packed, if they are needed
  bool truncated = false;
  std::optional<domain::log_streams> streams;
  bool over_disk = false;  // it holds what reeve-init says of a job that had too much on disk
};

/// Whether the end of the output holds the line by which reeve-init says that a job had too much on
/// disk. The engine reads the two streams side by side: what the job wrote may stand behind it, as
/// much as pipes and the engine's buffers hold, and right before it.
bool tells_of_disk(const adapters::kept_output& kept, const std::string& line);

/// The work of a pool's threads on one output.
class log_redaction {
 public:
  /// `over_disk` is told on; the rest is as `output_redaction` has it.
  log_redaction(adapters::kept_output kept, const redactor& rules, std::size_t limit,
                bool over_disk);

  /// Whether there is more to do; answered when there is not, but for one that is stopped.
  bool step(const text_leave& leave, const reply_slot<finished_log>& slot);

 private:
  finished_log finished(stored_text log) const;

  const adapters::kept_output kept_;
  const bool over_disk_;
  output_redaction work_;
};

}  // namespace reeve::tasks
