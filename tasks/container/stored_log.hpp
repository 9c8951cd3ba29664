#pragma once
// What is kept of a container's output: pure.

#include "adapters/engine_port.hpp"
#include "base/redact.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace reeve::tasks {

/// What is collected at each end beyond the half of the limit, so that a secret which the cut goes
/// through is seen whole. More than the redactor ever holds back (64 KiB of a line and the longest
/// form of a secret, 48 KiB) and another such secret.
inline constexpr std::size_t redaction_margin = 256 << 10;

/// How many bytes of each end `stored_output` needs for a limit.
constexpr std::size_t ends_of(std::size_t limit) {
  return limit / 2 + redaction_margin;
}

struct stored_text {
  std::string text;
  bool truncated = false;  // something was left out for its size, or all for its processor time
};

/// Whether the work may go on; asked at least every 64 KiB.
using may_go_on_fn = std::function<bool()>;

/// Redacted, and at most `limit` bytes (at least 1024): all of it; or its beginning and its end,
/// and between them a line that says how many of the job's bytes are left out. Cuts are between
/// lines where one ends nearby, and never inside a character. Where the engine may have let go of
/// the beginning, a line in its place says so. When the work may not go on, nothing that is not
/// redacted is kept: a line says how much was left out.
stored_text stored_output(const adapters::kept_output& kept, const redactor& redact,
                          std::size_t limit, const may_go_on_fn& may_go_on = {});

/// Nothing of it but a line that says how much it was.
stored_text nothing_of(const adapters::kept_output& kept);

}  // namespace reeve::tasks
