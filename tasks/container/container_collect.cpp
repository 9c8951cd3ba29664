// What a container's attempt does once the execution has ended: its output is read, redacted and
// stored.

#include "base/log.hpp"
#include "base/test_point.hpp"
#include "tasks/container/container_attempt.hpp"
#include "tasks/container/container_spec_of.hpp"

#include <utility>

namespace reeve::tasks {

using domain::end_reason;
namespace attempts = domain::attempts;

/// Output that cannot be searched for the secrets that it may hold is kept nowhere.
void container_attempt::collect(const std::string& execution) {
  test_point("collection");
  secrets_.take_up(intent_, [this, execution](const outcome<std::optional<end_reason>>& why) {
    if (!why) return host_.feed(attempts::failed{attempts::failure::busy});
    if (*why) return keep_nothing();
    early_.end([this, execution] { collect_it(execution); });
  });
}

void container_attempt::keep_nothing() {
  log_warn("the output of a job is not kept: it cannot be searched for a secret that it got",
           {{"job", to_string(host_.job().id)}});
  host_.feed(attempts::collected{{}, true});
}

/// Room for the output comes before the output: what was read is never read again for want of it.
void container_attempt::collect_it(const std::string& execution) {
  using room = text_pool::room;
  const auto most = 2 * ends_of(host_.ports().log_bytes);
  host_.ports().texts.ask(source(), most, is_over_,
                          host_.then<room>([this, execution](outcome<room> held) {
                            if (held) return read_output(execution, std::move(*held));
                            host_.feed(attempts::failed{attempts::failure::busy});
                          }));
}

void container_attempt::read_output(const std::string& execution, text_pool::room held) {
  using answer = adapters::kept_output;
  reading_ = std::make_shared<call_stopper>();
  engine_->collect(execution, ends_of(host_.ports().log_bytes), reading_,
                   host_.answered<answer>([this, held = std::move(held)](answer kept) {
                     kept = early_.join(std::move(kept), ends_of(host_.ports().log_bytes));
                     held->shrink(kept.head.size() + kept.tail.size());
                     redact_log(std::move(kept), held);
                   }));
}

/// Not here: what a job printed may take seconds, and this is an actor's context.
void container_attempt::redact_log(adapters::kept_output kept, text_pool::room held) {
  if (kept.head.empty()) return host_.feed(attempts::collected{{}, kept.gone});
  const auto hidden = rules();
  if (!hidden) return keep_nothing();
  attempts::collected what;
  what.gone = kept.gone;
  // At the end of it, which is gone then.
  if (!kept.gone) what.told = told_by_init(kept, disk_bytes_of(params()));
  auto slot = host_.then<finished_log>([this, what](outcome<finished_log> log) {
    if (!log) return host_.feed(attempts::failed{attempts::failure::busy});
    store_log(std::move(*log), what);
  });
  const auto work =
      std::make_shared<log_redaction>(std::move(kept), *hidden, host_.ports().log_bytes);
  host_.ports().texts.post(source(), std::move(held), is_over_,
                           [work, slot](const auto& leave) { return work->step(leave, slot); });
}

void container_attempt::store_log(finished_log log, attempts::collected what) {
  what.log = domain::blob_ref{{}, static_cast<std::int64_t>(log.text->size()), log.truncated};
  what.streams = log.streams;
  host_.ports().blobs.put(
      host_.run().tenant, log.text,
      host_.then<digest>([this, what, marks = log.marks](outcome<digest> stored) mutable {
        if (!stored) return host_.feed(attempts::failed{attempts::failure::busy});
        what.log->sha256 = *stored;
        marks ? store_marks(marks, std::move(what)) : host_.feed(std::move(what));
      }));
}

void container_attempt::store_marks(const std::shared_ptr<const std::string>& marks,
                                    attempts::collected what) {
  what.streams->marks = domain::blob_ref{{}, static_cast<std::int64_t>(marks->size()), false};
  host_.ports().blobs.put(host_.run().tenant, marks,
                          host_.then<digest>([this, what](outcome<digest> stored) mutable {
                            if (!stored)
                              return host_.feed(attempts::failed{attempts::failure::busy});
                            what.streams->marks->sha256 = *stored;
                            host_.feed(std::move(what));
                          }));
}

}  // namespace reeve::tasks
