#include "tasks/triage/triage_attempt.hpp"

#include "tasks/triage/triage_since.hpp"
#include "tasks/triage/triage_worker.hpp"

#include <utility>

namespace reeve::tasks {

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

/// What containers wrote is read from the engine, files are not.
bool triage_attempt::needs_engine() const {
  const auto& params = params_of(host_);
  return params.containers || !params.files;
}

const std::vector<std::string>* triage_attempt::names() const {
  static const std::vector<std::string> none;
  const auto& params = params_of(host_);
  if (params.containers) return &*params.containers;
  return params.files ? &none : nullptr;
}

template <class T, class F>
reply_slot<T> triage_attempt::while_it_goes_on(const prepared& p, F f) {
  return host_.then<T>([p, f = std::move(f)](outcome<T> answer) mutable {
    if (!p->its->is_stopped()) f(std::move(answer));
  });
}

/// The report of the same task in the last successful run comes first, if it is there; else the
/// work goes on without a baseline.
void triage_attempt::work(std::vector<allowed_container> may_touch, std::shared_ptr<work_stop> its,
                          reply_slot<artifacts> slot) {
  const auto p = std::make_shared<preparation>();
  p->may_touch = std::move(may_touch);
  p->its = std::move(its);
  p->slot = std::move(slot);
  const auto& before = host_.run().launch->since_run;
  if (!before) return begin(p);
  using answer = std::shared_ptr<const domain::run_state>;
  host_.ports().read_run(host_.run().tenant, *before,
                         while_it_goes_on<answer>(p, [this, p](outcome<answer> state) {
                           if (!state) return begin(p);
                           p->before = *state;
                           find_report(p);
                         }));
}

void triage_attempt::find_report(const prepared& p) {
  for (const auto& other : p->before->jobs) {
    if (p->before->task_of(other).name != host_.task().name) continue;
    for (const auto& artifact : other.artifacts) {
      if (artifact.name == triage_json_name) return read_report(p, artifact.content);
    }
  }
  begin(p);
}

void triage_attempt::read_report(const prepared& p, const domain::blob_ref& blob) {
  constexpr std::int64_t page = std::int64_t{256} * 1024;
  const auto have = static_cast<std::int64_t>(p->baseline.size());
  if (have >= blob.bytes) return begin(p);
  host_.ports().reads.blob(
      host_.run().tenant, blob.sha256, have, page,
      while_it_goes_on<std::string>(p, [this, p, blob](outcome<std::string> bytes) {
        if (!bytes || bytes->empty()) {
          p->baseline.clear();
          return begin(p);
        }
        p->baseline += *bytes;
        read_report(p, blob);
      }));
}

void triage_attempt::begin(const prepared& p) {
  const auto& params = params_of(host_);
  triage_request request;
  request.by = viewer();
  request.containers = std::move(p->may_touch);
  request.files = params.files.value_or(std::vector<std::string>{});
  request.since_us = since_of(*host_.run().launch, host_.task(), p->before.get());
  request.max_lines = params.max_lines.value_or(10'000'000);
  request.baseline_json = std::move(p->baseline);
  if (!request.baseline_json.empty()) {
    request.baseline_run = to_string(*host_.run().launch->since_run);
  }
  request.job = source().job;
  request.its_end = p->its;
  triage_.run(std::move(request), std::move(p->slot));
}

}  // namespace reeve::tasks
