// The second half of a container's attempt: what it left behind is stored, then it is removed.

#include "actors/runs/container_attempt.hpp"

namespace reeve::actors {

using domain::end_reason;

namespace {

// A log that the engine cannot give (it does not for a container that it failed to remove) must
// not keep a run from its end. Half a second lies between two tries.
constexpr int most_log_failures = 20;

}  // namespace

void container_attempt::collect() {
  engine().inspect(name_, then<info>([this](outcome<info> found) {
                     // An engine that lost the start has nothing to say about the end.
                     const bool lost = found && found->started_at == 0;
                     if (found && !lost) return collect_log(*found);
                     if (lost) return give_up(end_reason::outcome_unknown);
                     const auto code = found.error().code;
                     if (code != errc::not_found) return retry(code, &container_attempt::collect);
                     end(end_reason::outcome_unknown, {}, {}, [this] { remove(); });
                   }));
}

void container_attempt::collect_log(const info& found) {
  adapters::log_query query;
  query.max_bytes = run_.ports().settings.log_bytes;
  query.tty = found.tty;
  using answer = adapters::log_answer;
  engine().logs(name_, query, then<answer>([this, found](outcome<answer> lines) {
                  if (lines) return store_log(found, std::move(*lines));
                  const auto code = lines.error().code;
                  if (code == errc::not_found || code == errc::invalid) return finish(found, {});
                  const bool away = code == errc::engine_unavailable;
                  if (!away && ++log_failures_ > most_log_failures) return finish(found, {});
                  retry(code, &container_attempt::collect);
                }));
}

void container_attempt::store_log(const info& found, adapters::log_answer answer) {
  if (answer.lines.empty()) return finish(found, {});
  std::string text;
  for (const auto& line : answer.lines) {
    text += line.text;
    text += '\n';
  }
  auto kept = std::make_shared<const std::string>(run_.ports().redact.redact(text));
  domain::blob_ref ref;
  ref.bytes = static_cast<std::int64_t>(kept->size());
  ref.truncated = answer.truncated;
  run_.ports().blobs.put(run_.state().tenant, kept,
                         then<digest>([this, found, ref](outcome<digest> stored) mutable {
                           if (!stored) {
                             return retry(stored.error().code, &container_attempt::collect);
                           }
                           ref.sha256 = *stored;
                           finish(found, ref);
                         }));
}

void container_attempt::finish(const info& found, std::optional<domain::blob_ref> log) {
  auto reason = stopping_.value_or(end_reason::exited);
  if (!stopping_ && found.oom_killed) reason = end_reason::out_of_memory;
  // reeve-init says 125 when the marker was there; a command's own 125 is possible only where
  // nothing was taken up again.
  if (!stopping_ && found.exit_code == 125 && recreated_ > 0) reason = end_reason::second_start;
  end(reason, found.exit_code, log, [this] { remove(); });
}

void container_attempt::give_up(end_reason reason) {
  end(reason, {}, {}, [this] { remove(); });
}

/// The end is in the log; what stays behind if this fails is found by reconciliation.
void container_attempt::remove() {
  engine().remove_container(container(), true, then<done>([this](outcome<done> ok) {
                              const bool gone = ok || ok.error().code == errc::not_found;
                              if (gone || ++removals_ >= 3) return removed_container();
                              run_.after(std::chrono::milliseconds(200),
                                         later([this] { remove(); }));
                            }));
}

void container_attempt::removed_container() {
  engine().remove_volume(volume_, then<done>([this](outcome<done>) {
                           if (!image_.id.empty()) run_.ports().spares->refill(image_.id);
                           close();
                         }));
}

}  // namespace reeve::actors
