#pragma once
// A call of an upstream of language models, as who makes one sees it. Any thread.

#include "base/call_stopper.hpp"
#include "base/outcome.hpp"
#include "base/slot.hpp"
#include "domain/runs/llm_settings.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace reeve::adapters {

struct upstream_call {
  domain::llm_upstream to;
  std::string path;                         // behind its URL: "/chat/completions"
  std::shared_ptr<const std::string> body;  // JSON
  bool streams = false;                     // it may last longer, and answers piece by piece
};

/// Bytes that are not all there yet. Pulled: an upstream that is faster than its reader has to
/// wait.
class upstream_bytes {
 public:
  virtual ~upstream_bytes() = default;
  /// The next ones, or none at the end. An error: it broke off. One call is open at a time.
  virtual void next(reply_slot<std::string> slot) = 0;
  /// Nobody wants more; an open `next` is dropped.
  virtual void cancel() = 0;
};

/// Of what an upstream says, no client is asked to wait longer.
inline constexpr int most_retry_after_s = 600;

struct upstream_answer {
  int status = 0;
  std::string body;                      // whole; at most 64 KiB of what is no success
  std::shared_ptr<upstream_bytes> rest;  // instead, of events that come with a success
  bool is_cut = false;                   // a success, of which only the beginning is in `body`
  /// 1..most_retry_after_s: the wait that it asks for; nothing: it tells none that can be.
  std::optional<int> retry_after_s = {};
};

/// Answered with the head of the answer, or all of it. Errors, none of which tells anything of what
/// was sent or answered: `unavailable`: nothing has gone to it. Else it may have worked:
/// `timed_out`, `invalid` (it broke off, refuses with too many words, or was stopped).
using call_upstream_fn = std::function<void(
    upstream_call what, std::shared_ptr<call_stopper> stopper, reply_slot<upstream_answer> slot)>;

}  // namespace reeve::adapters
