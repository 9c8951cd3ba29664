#include "tasks/triage/triage_attempt.hpp"

#include "tasks/triage/triage_since.hpp"
#include "tasks/triage/triage_worker.hpp"

#include <utility>

namespace reeve::tasks {

using domain::end_reason;
namespace attempts = domain::attempts;

namespace {

class triage_kind final : public task_kind {
 public:
  explicit triage_kind(const kind_surroundings& around)
      : worker_({around.open_logs, {}}, around.engine, around.clock) {}
  std::unique_ptr<attempt_work> make_attempt(attempt_host& host) override {
    return std::make_unique<triage_attempt>(host, worker_);
  }

 private:
  triage_worker worker_;
};

const domain::log_triage_params& params_of(const attempt_host& host) {
  return std::get<domain::log_triage_params>(host.task().params);
}

}  // namespace

std::unique_ptr<task_kind> open_triage(const kind_surroundings& around) {
  return std::make_unique<triage_kind>(around);
}

void triage_attempt::read_list(std::function<void(const domain::container_list_state&)> go) {
  using answer = std::shared_ptr<const domain::container_list_state>;
  host_.ports().containers(host_.run().tenant,
                           host_.then<answer>([this, go = std::move(go)](outcome<answer> list) {
                             if (!list)
                               return host_.feed(attempts::failed{attempts::failure::busy});
                             if (targets_from(**list)) return go(**list);
                             host_.feed(attempts::refused{end_reason::not_allowlisted});
                           }));
}

/// Named ones are checked again; without names all active entries are read. Files need no list.
bool triage_attempt::targets_from(const domain::container_list_state& list) {
  if (!domain::check_allowed(host_.task(), {}, list, "")) return false;
  const auto& params = params_of(host_);
  containers_.emplace();
  ids_.clear();
  if (params.containers) {
    for (const auto& name : *params.containers) add_target(*domain::allowing_entry(list, name));
  } else if (!params.files) {
    for (const auto& [name, id] : list.active) {
      if (const auto* entry = domain::allowing_entry(list, name)) add_target(*entry);
    }
  }
  return true;
}

void triage_attempt::add_target(const domain::container_allowed& entry) {
  containers_->push_back(entry.name);
  if (entry.container_id) ids_.emplace(entry.name, *entry.container_id);
}

void triage_attempt::allow() {
  read_list([this](const domain::container_list_state& list) {
    guard_ = {domain::stream_of<domain::container_list_state>(host_.run().tenant),
              list.stream_version};
    host_.feed(attempts::allowed{});
  });
}

intention triage_attempt::intend() {
  intention what;
  what.intent.executor = "reeve";
  what.intent.engine = std::string(host_.ports().engines.preferred().kind());
  what.guard = guard_;
  return what;
}

/// Taken up again, the list is asked again too.
void triage_attempt::submit() {
  if (!containers_) {
    return read_list([this](const auto&) { submit(); });
  }
  ++round_;
  const auto now = host_.ports().clock.now_us();
  its_ = attempts::execution{"", attempts::execution_phase::running, now};
  ended_.reset();
  its_end_ = std::make_shared<work_stop>();
  host_.feed(attempts::submitted{*its_});
  if (its_end_) find_baseline();  // else it was stopped in between
}

/// What containers wrote is read from the engine, files are not.
void triage_attempt::reach() {
  const auto& params = params_of(host_);
  if (params.files && !params.containers) return host_.feed(attempts::reached{});
  auto& engine = host_.ports().engines.preferred();
  engine.reach(host_.answered<done>([this](done) { host_.feed(attempts::reached{}); }));
}

void triage_attempt::find() {
  if (!its_) return host_.feed(attempts::found{});
  host_.feed(attempts::found{attempts::found_where::here, *its_});
}

void triage_attempt::watch(const std::string&) {
  watched_ = true;
  if (ended_) end(std::move(*ended_));
}

void triage_attempt::end(input how) {
  ended_ = std::move(how);
  if (std::exchange(watched_, false)) host_.feed(*std::exchange(ended_, std::nullopt));
}

/// What waits leaves the worker's queue, and what it has begun ends soon; nobody waits for it.
void triage_attempt::let_go() {
  ++round_;
  if (its_end_) std::exchange(its_end_, nullptr)->stop();
}

void triage_attempt::stop(const std::string&) {
  if (!its_ || its_->phase == attempts::execution_phase::ended) {
    return host_.feed(attempts::stopped{false});
  }
  let_go();
  its_->phase = attempts::execution_phase::ended;
  host_.feed(attempts::stopped{true});
  end(attempts::watched{});
}

template <class T, class F>
reply_slot<T> triage_attempt::in_round(F f) {
  return host_.then<T>([this, round = round_, f = std::move(f)](outcome<T> answer) mutable {
    if (round == round_) f(std::move(answer));
  });
}

/// The report of the same task in the last successful run, if it is there; else the work goes on
/// without a baseline.
void triage_attempt::find_baseline() {
  baseline_.clear();
  before_.reset();
  const auto& before = host_.run().launch->since_run;
  if (!before) return work();
  using answer = std::shared_ptr<const domain::run_state>;
  host_.ports().read_run(host_.run().tenant, *before, in_round<answer>([this](auto state) {
                           if (!state) return work();
                           before_ = *state;
                           find_report(*before_);
                         }));
}

void triage_attempt::find_report(const domain::run_state& before) {
  for (const auto& other : before.jobs) {
    if (before.task_of(other).name != host_.task().name) continue;
    for (const auto& artifact : other.artifacts) {
      if (artifact.name == triage_json_name) return read_report(artifact.content);
    }
  }
  work();
}

void triage_attempt::read_report(const domain::blob_ref& blob) {
  constexpr std::int64_t page = 256 * 1024;
  const auto have = static_cast<std::int64_t>(baseline_.size());
  if (have >= blob.bytes) return work();
  host_.ports().reads.blob(host_.run().tenant, blob.sha256, have, page,
                           in_round<std::string>([this, blob](outcome<std::string> bytes) {
                             if (!bytes || bytes->empty()) {
                               baseline_.clear();
                               return work();
                             }
                             baseline_ += *bytes;
                             read_report(blob);
                           }));
}

void triage_attempt::work() {
  const auto& params = params_of(host_);
  triage_request request;
  request.tenant = host_.run().tenant;
  request.is_first_tenant = host_.ports().is_first_tenant(request.tenant);
  request.instance = host_.ports().instance;
  request.containers = *containers_;
  request.container_ids = ids_;
  request.files = params.files.value_or(std::vector<std::string>{});
  request.since_us = since_of(*host_.run().launch, host_.task(), before_.get());
  before_.reset();
  request.max_lines = params.max_lines.value_or(10'000'000);
  request.baseline_json = std::exchange(baseline_, {});
  if (!request.baseline_json.empty()) {
    request.baseline_run = to_string(*host_.run().launch->since_run);
  }
  request.job = host_.job().id;
  request.its_end = its_end_;
  using result = std::vector<produced_artifact>;
  triage_.run(std::move(request),
              in_round<result>([this](outcome<result> made) { worked(std::move(made)); }));
}

void triage_attempt::worked(outcome<std::vector<produced_artifact>> made) {
  if (made) {
    made_ = std::move(*made);
    stored_.clear();
    its_->phase = attempts::execution_phase::ended;
    its_->finished_at = host_.ports().clock.now_us();
    return end(attempts::watched{});
  }
  // Whatever came of it, it is not being done any more.
  its_.reset();
  switch (made.error().code) {
    case errc::engine_unavailable:
    case errc::timed_out:
      return end(attempts::failed{attempts::failure::away});
    case errc::overloaded:
      return end(attempts::failed{attempts::failure::busy});
    case errc::not_found:
      return end(attempts::refused{end_reason::input_missing});
    default:
      return end(attempts::refused{end_reason::internal_error});
  }
}

/// Bytes first, one artifact after the other, then the events that name them.
void triage_attempt::collect(const std::string& execution) {
  if (stored_.size() == made_.size())
    return host_.feed(attempts::collected{.log = {}, .gone = false, .artifacts = stored_});
  const auto& next = made_[stored_.size()];
  auto bytes = std::make_shared<const std::string>(next.bytes);
  domain::artifact_stored e;
  e.job = host_.job().id;
  e.name = next.name;
  e.media_type = next.media_type;
  e.content.bytes = static_cast<std::int64_t>(bytes->size());
  host_.ports().blobs.put(host_.run().tenant, bytes,
                          host_.then<digest>([this, execution, e](outcome<digest> stored) mutable {
                            if (!stored)
                              return host_.feed(attempts::failed{attempts::failure::busy});
                            e.content.sha256 = *stored;
                            stored_.push_back(std::move(e));
                            collect(execution);
                          }));
}

void triage_attempt::forget() {
  host_.feed(attempts::forgotten{});
}

}  // namespace reeve::tasks
