#pragma once
// A container's output on its way into the store: redacted in steps on the threads of a text pool,
// with what is said of its lines.

#include "base/redact.hpp"
#include "base/slot.hpp"
#include "base/text_pool.hpp"
#include "domain/runs/line_streams.hpp"
#include "domain/runs/run_types.hpp"
#include "tasks/container/stored_log.hpp"

#include <cstddef>
#include <cstdint>
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
};

/// Why a job ended, as reeve-init says at the end of the output: disk_limit, out_of_memory or
/// nothing. The engine reads the two streams side by side: what the job wrote may stand behind that
/// line, as much as pipes and the engine's buffers hold, and right before it.
std::optional<domain::end_reason> told_by_init(const adapters::kept_output& kept,
                                               std::int64_t disk_bytes);

/// The work of a pool's threads on one output.
class log_redaction {
 public:
  /// As `output_redaction` has it.
  log_redaction(adapters::kept_output kept, const redactor& rules, std::size_t limit);

  /// Whether there is more to do; answered when there is not, but for one that is stopped.
  bool step(const text_leave& leave, const reply_slot<finished_log>& slot);

 private:
  finished_log finished(stored_text log) const;

  const adapters::kept_output kept_;
  output_redaction work_;
};

}  // namespace reeve::tasks
