// A `log_triage` job's attempt: work that Reeve does itself. It has no effect outside the log, so
// after a crash it is simply done again, three times at most.

#include "actors/runs/job_attempt.hpp"
#include "domain/supervision/work_item.hpp"

#include <algorithm>

namespace reeve::actors {
namespace {

using domain::end_reason;

class triage_attempt final : public job_attempt {
 public:
  using job_attempt::job_attempt;

  void prepare() override {
    using lists = executed<domain::container_list_state>;
    run_.ports().container_allowlist(run_.state().tenant, then<lists>([this](outcome<lists> found) {
                                       if (!found) return again([this] { prepare(); });
                                       check(*found->state);
                                     }));
  }

  /// Whatever stopped it, it is done again: the former try left nothing behind.
  void resume(bool crashed) override {
    intended_ = true;
    const auto& open = job().attempts.back();
    if (open.quarantined) return;
    if (!crashed) return load_targets();
    const auto verdict = domain::take_up({domain::work_status::open, open.works});
    if (verdict.next == domain::work_next::quarantine) {
      return note(domain::work_quarantined{job_, open.number, verdict.n}, [] {});
    }
    const domain::work_attempted next{job_, open.number, verdict.n, run_.epoch()};
    const auto go = [this, next] { note(next, [this] { load_targets(); }); };
    verdict.is_last_try() ? ask_turn(domain::last_try_after_ms, go) : go();
  }
  void released() override { load_targets(); }

  void cancel() override {
    if (!intended_) return close();
    end(end_reason::cancelled);
  }

 private:
  void again(std::function<void()> f) {
    run_.after(std::chrono::milliseconds(run_.ports().settings.retry_ms), later(std::move(f)));
  }

  void note(domain::run_event what, std::function<void()> go) {
    run_machine::decision d;
    d.decide = [what](const domain::run_state&) -> outcome<domain::run_events> {
      return domain::run_events{what};
    };
    d.then = [this, keep = shared_from_this(), go](outcome<done> ok) {
      if (!closed_ && ok) go();
    };
    run_.decide(std::move(d));
  }

  /// Named ones are checked again; without names all active entries are read. Files need no list.
  bool targets_from(const domain::container_list_state& list) {
    if (!domain::check_allowed(task(), {}, list, "")) return false;
    containers_.clear();
    if (task().params.containers) {
      for (const auto& name : *task().params.containers) {
        containers_.push_back(domain::allowing_entry(list, name)->name);
      }
    } else if (!task().params.files) {
      for (const auto& [name, id] : list.active) containers_.push_back(name);
    }
    return true;
  }

  void check(const domain::container_list_state& list) {
    if (!targets_from(list)) return refuse(end_reason::not_allowlisted);
    run_machine::decision d;
    d.guard = {{domain::stream_of<domain::container_list_state>(run_.state().tenant),
                list.stream_version}};
    domain::attempt_intended intent;
    intent.executor = "reeve";
    intent.engine = std::string(run_.ports().engines.preferred().kind());
    intent.epoch = run_.epoch();
    d.decide = [job = job_, intent](const domain::run_state& s) {
      return domain::decide_intend(s, job, intent);
    };
    d.then = [this, keep = shared_from_this()](outcome<done> ok) {
      if (closed_) return;
      if (ok) {
        intended_ = true;
        return load_baseline();
      }
      if (ok.error().code == errc::guard_conflict) return prepare();
      close();
    };
    run_.decide(std::move(d));
  }

  void load_targets() {
    using lists = executed<domain::container_list_state>;
    run_.ports().container_allowlist(run_.state().tenant, then<lists>([this](outcome<lists> found) {
                                       if (!found) return again([this] { load_targets(); });
                                       if (targets_from(*found->state)) return load_baseline();
                                       end(end_reason::not_allowlisted);
                                     }));
  }

  time_us since_us() const {
    const auto& launch = *run_.state().launch;
    const auto& since = task().since ? task().since : launch.since;
    if (!since) return 0;
    if (*since == "last_success") return launch.since_at ? launch.since_at->at : 0;
    return parse_time(*since).value_or(0);
  }

  void work() {
    adapters::triage_request request;
    request.containers = containers_;
    request.files = task().params.files.value_or(std::vector<std::string>{});
    request.since_us = since_us();
    request.max_lines = task().params.max_lines.value_or(200'000);
    request.baseline_json = *baseline_;
    if (!baseline_->empty()) request.baseline_run = to_string(*run_.state().launch->since_run);
    using result = std::vector<adapters::produced_artifact>;
    run_.ports().triage.run(std::move(request), then<result>([this](outcome<result> made) {
                              if (made) return store(std::move(*made), 0, {});
                              switch (made.error().code) {
                                case errc::engine_unavailable:
                                case errc::timed_out:
                                  return run_.when_engine(job_, later([this] { work(); }));
                                case errc::overloaded:
                                  return again([this] { work(); });
                                case errc::not_found:
                                  return end(end_reason::input_missing);
                                default:
                                  return end(end_reason::internal_error);
                              }
                            }));
  }

  /// The report of the same task in the last successful run, if it is there; else the work goes on
  /// without a baseline.
  void load_baseline() {
    baseline_ = std::make_shared<std::string>();
    watch_deadline();
    const auto& before = run_.state().launch->since_run;
    if (!before) return work();
    using answer = std::shared_ptr<const domain::run_state>;
    rebuild<domain::run_state>(run_.ports().reads, run_.state().tenant,
                               domain::stream_of<domain::run_state>(*before), no_end,
                               then<answer>([this](outcome<answer> state) {
                                 if (!state) return work();
                                 find_report(**state);
                               }));
  }

  void find_report(const domain::run_state& before) {
    for (const auto& other : before.jobs) {
      if (before.task_of(other).name != task().name) continue;
      for (const auto& artifact : other.artifacts) {
        if (artifact.name == adapters::triage_json_name) return read_report(artifact.content);
      }
    }
    work();
  }

  void read_report(const domain::blob_ref& blob) {
    constexpr std::int64_t page = 256 * 1024;
    const auto have = static_cast<std::int64_t>(baseline_->size());
    if (have >= blob.bytes) return work();
    run_.ports().reads.blob(run_.state().tenant, blob.sha256, have, page,
                            then<std::string>([this, blob](outcome<std::string> bytes) {
                              if (!bytes || bytes->empty()) {
                                baseline_->clear();
                                return work();
                              }
                              *baseline_ += *bytes;
                              read_report(blob);
                            }));
  }

  void watch_deadline() {
    const auto& open = job().attempts.back();
    const auto left =
        domain::rest_ms(open.intended_at, open.intent.timeout_ms, run_.ports().clock.now_us());
    run_.after(std::chrono::milliseconds(left + 1), later([this] { end(end_reason::timed_out); }));
  }

  /// Bytes first, one artifact after the other, then one append that names them all.
  void store(std::vector<adapters::produced_artifact> made, std::size_t next,
             domain::run_events events) {
    if (next == made.size()) {
      return end(end_reason::completed, std::move(events));
    }
    auto bytes = std::make_shared<const std::string>(std::move(made[next].bytes));
    domain::artifact_stored e;
    e.job = job_;
    e.name = made[next].name;
    e.media_type = made[next].media_type;
    e.content.bytes = static_cast<std::int64_t>(bytes->size());
    run_.ports().blobs.put(
        run_.state().tenant, bytes,
        then<digest>([this, made = std::move(made), next, events = std::move(events), e,
                      bytes](outcome<digest> stored) mutable {
          if (!stored) {
            made[next].bytes = *bytes;
            return again([this, made, next, events]() mutable { store(made, next, events); });
          }
          e.content.sha256 = *stored;
          events.push_back(std::move(e));
          store(std::move(made), next + 1, std::move(events));
        }));
  }

  std::vector<std::string> containers_;
  std::shared_ptr<std::string> baseline_;
  bool intended_ = false;
};

}  // namespace

std::shared_ptr<job_attempt> make_triage_attempt(run_machine& run, const uuid& job) {
  return std::make_shared<triage_attempt>(run, job);
}

}  // namespace reeve::actors
