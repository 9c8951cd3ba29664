#include "domain/runs/run.hpp"
#include "domain/supervision/work_item.hpp"

#include <algorithm>

namespace reeve::domain {
namespace {

constexpr std::int64_t most_backoff_ms = 300'000;

const job_state* job_named(const run_state& s, const std::string& name) {
  for (const auto& job : s.jobs) {
    if (s.task_of(job).name == name) return &job;
  }
  return nullptr;
}

enum class needs { met, open, failed };

needs needs_of(const run_state& s, const job_state& job) {
  auto result = needs::met;
  for (const auto& name : s.task_of(job).needs) {
    const auto* other = job_named(s, name);
    if (other == nullptr || (is_terminal(other->status) && other->status != job_status::success)) {
      return needs::failed;
    }
    if (other->status != job_status::success) result = needs::open;
  }
  return result;
}

run_status end_of(const run_state& s) {
  std::size_t good = 0;
  std::size_t cancelled = 0;
  for (const auto& job : s.jobs) {
    if (job.status == job_status::success) ++good;
    if (job.status == job_status::cancelled) ++cancelled;
  }
  if (good == s.jobs.size()) return run_status::success;
  if (s.cancel_requested && cancelled > 0) return run_status::cancelled;
  return good > 0 ? run_status::partial : run_status::failed;
}

/// Jobs whose needs cannot be met any more, in one sweep until nothing changes.
void cancel_unreachable(run_state& s, run_events& events) {
  for (bool changed = true; changed;) {
    changed = false;
    for (auto& job : s.jobs) {
      if (job.status != job_status::pending || needs_of(s, job) != needs::failed) continue;
      events.push_back(job_finished{job.id, job_status::cancelled, end_reason::need_failed});
      job.status = job_status::cancelled;
      changed = true;
    }
  }
}

std::int64_t retries_of(const run_state& s, const job_state& job) {
  return s.task_of(job).retries.value_or(s.launch->directive.limits.retries);
}

bool may_retry(end_reason reason) {
  switch (reason) {
    case end_reason::exited:
    case end_reason::timed_out:
    case end_reason::out_of_memory:
    case end_reason::disk_limit:
    case end_reason::engine_refused:
    case end_reason::engine_unavailable:
    case end_reason::start_failed:
    case end_reason::input_missing:
    case end_reason::internal_error:
      return true;
    default:
      return false;
  }
}

/// The run starts with the first thing that one of its jobs does.
run_events started_before(const run_state& s) {
  return s.status == run_status::pending ? run_events{run_started{}} : run_events{};
}

std::int64_t backoff_ms(const run_state& s, std::int64_t attempt) {
  std::int64_t ms = s.launch->directive.limits.retry_base_ms;
  for (std::int64_t i = 1; i < attempt && ms < most_backoff_ms; ++i) ms *= 2;
  return std::min(ms, most_backoff_ms);
}

/// The quarantined attempt that an operator may decide about.
outcome<const attempt_state*> chosen_attempt(const run_state& s, const uuid& id,
                                             const std::string& reason, operator_choice choice) {
  const auto* job = s.find(id);
  if (job == nullptr) return reject(errc::not_found, "there is no such resource");
  if (auto ok = check_reason(reason); !ok) return ok.error();
  const auto* open = job->open_attempt();
  work_item item{work_status::finished};
  if (open != nullptr) {
    item = {open->quarantined ? work_status::quarantined : work_status::open, open->works};
  }
  if (auto ok = chosen(item, choice); !ok) return ok.error();
  return open;
}

/// Of a snapshot that was checked by an earlier version too.
outcome<done> check_root(const task_demands& demands, const image_allowed& entry,
                         const std::string& at) {
  if (!demands.user || !demands.user->is_root()) return done{};
  if (!entry.allow_root.value_or(false)) {
    return reject(errc::not_allowlisted, "the image's entry does not allow user or group 0",
                  at + "/params/user");
  }
  const auto writes = [](const mount_spec& mount) { return !mount.read_only; };
  const auto* mounts = demands.mounts;
  if (mounts == nullptr || std::none_of(mounts->begin(), mounts->end(), writes)) return done{};
  return reject(errc::not_allowlisted, "user or group 0 may only read what it mounts",
                at + "/params/mounts");
}

}  // namespace

outcome<done> check_allowed(const task_spec& task, const image_list_state& images,
                            const container_list_state& containers, const std::string& at) {
  const auto demands = demands_of(task.params);
  if (demands.image != nullptr) {
    auto ref = parse_image_reference(*demands.image);
    if (!ref) return reject(errc::invalid, ref.error().detail, at + "/params/image");
    const auto* entry = allowing_entry(images, *ref);
    if (entry == nullptr) {
      return reject(errc::not_allowlisted, "the image is not on the allowlist",
                    at + "/params/image");
    }
    if (demands.host_network && !entry->allow_host_network) {
      return reject(errc::not_allowlisted, "the image's entry does not allow the host network",
                    at + "/params/network");
    }
    if (auto ok = check_root(demands, *entry, at); !ok) return ok;
  }
  if (demands.containers != nullptr) {
    const auto& names = *demands.containers;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (allowing_entry(containers, names[i]) != nullptr) continue;
      return reject(errc::not_allowlisted, "the container is not on the allowlist",
                    at + "/params/containers/" + std::to_string(i));
    }
  }
  return done{};
}

run_plan plan(const run_state& state, const std::set<uuid>& resting) {
  run_plan result;
  if (is_terminal(state.status) || state.stream_version == 0) return result;
  run_state s = state;
  cancel_unreachable(s, result.events);
  std::int64_t running = 0;
  std::vector<const job_state*> ready;
  for (const auto& job : s.jobs) {
    if (job.status == job_status::running) ++running;
    if (job.status != job_status::pending || needs_of(s, job) != needs::met) continue;
    if (!s.cancel_requested && !resting.contains(job.id)) ready.push_back(&job);
  }
  const bool over = std::all_of(s.jobs.begin(), s.jobs.end(),
                                [](const auto& job) { return is_terminal(job.status); });
  if (over) {
    result.events.push_back(run_finished{end_of(s)});
    return result;
  }
  std::stable_sort(ready.begin(), ready.end(), [&](const auto* a, const auto* b) {
    return s.task_of(*a).priority > s.task_of(*b).priority;
  });
  const auto room = std::max<std::int64_t>(0, s.launch->directive.limits.max_parallel - running);
  for (const auto* job : ready) {
    if (static_cast<std::int64_t>(result.startable.size()) >= room) break;
    result.startable.push_back(job->id);
  }
  return result;
}

std::int64_t timeout_ms_of(const run_state& state, const job_state& job) {
  const auto& limits = state.launch->directive.limits;
  return state.task_of(job).timeout_s.value_or(limits.timeout_s) * 1000;
}

std::int64_t rest_ms_of(const attempt_state& open, time_us now) {
  const auto whole = open.intent.timeout_ms;
  if (open.started_at) return rest_ms(*open.started_at, whole, now);
  return rest_ms(open.intended_at, std::max<std::int64_t>(0, whole - open.intent.waited_ms), now);
}

outcome<run_events> decide_intend(const run_state& state, const uuid& id, attempt_intended intent) {
  const auto* job = state.find(id);
  if (job == nullptr) return reject(errc::not_found, "there is no such job");
  if (state.cancel_requested || is_terminal(state.status)) {
    return reject(errc::conflict, "the run is over or being cancelled");
  }
  if (job->status != job_status::pending) return reject(errc::conflict, "the job is not pending");
  intent.job = id;
  intent.attempt = static_cast<std::int64_t>(job->attempts.size()) + 1;
  intent.timeout_ms = timeout_ms_of(state, *job);
  run_events events = started_before(state);
  events.push_back(std::move(intent));
  return events;
}

outcome<run_events> decide_end(const run_state& state, const uuid& id, attempt_end how) {
  const auto* job = state.find(id);
  const auto* open = job == nullptr ? nullptr : job->open_attempt();
  if (open == nullptr) return reject(errc::conflict, "the job has no open attempt");
  const auto reason = how.reason;
  const bool good = reason == end_reason::completed ||
                    (reason == end_reason::exited && how.exit_code == std::int64_t{0});
  run_events events{
      attempt_ended{.job = id,
                    .attempt = open->number,
                    .exit_code = how.exit_code,
                    .reason = reason,
                    .log = std::move(how.log),
                    .oom_killed = how.oom_killed,
                    .log_incomplete = how.log_incomplete ? std::optional(true) : std::nullopt,
                    .log_streams = std::move(how.streams)}};
  const bool stop = good || state.cancel_requested || !may_retry(reason) ||
                    open->number > retries_of(state, *job);
  if (!stop) {
    events.push_back(retry_scheduled{id, open->number + 1, backoff_ms(state, open->number)});
    return events;
  }
  auto status = good ? job_status::success : job_status::failed;
  if (reason == end_reason::cancelled) status = job_status::cancelled;
  events.push_back(job_finished{id, status, reason});
  return events;
}

outcome<run_events> decide(const run_state& state, const retry_work& command) {
  auto open = chosen_attempt(state, command.job, command.reason, operator_choice::retry);
  if (!open) return open.error();
  return run_events{work_released{command.job, (*open)->number, command.reason}};
}

outcome<run_events> decide(const run_state& state, const discard_work& command) {
  auto open = chosen_attempt(state, command.job, command.reason, operator_choice::discard);
  if (!open) return open.error();
  run_events events{work_discarded{command.job, (*open)->number, command.reason}};
  auto ended = decide_end(state, command.job, {end_reason::quarantined});
  if (!ended) return ended;
  events.insert(events.end(), ended->begin(), ended->end());
  return events;
}

outcome<run_events> decide_refuse(const run_state& state, const uuid& id, end_reason reason) {
  const auto* job = state.find(id);
  if (job == nullptr) return reject(errc::not_found, "there is no such job");
  if (job->status != job_status::pending) return reject(errc::conflict, "the job is not pending");
  run_events events = started_before(state);
  events.push_back(job_finished{id, job_status::failed, reason});
  return events;
}

outcome<run_events> decide(const run_state& state, const cancel_run&) {
  if (state.stream_version == 0) return reject(errc::not_found, "there is no such resource");
  if (is_terminal(state.status)) return reject(errc::conflict, "the run is over");
  if (state.cancel_requested) return run_events{};
  run_events events{run_cancel_requested{}};
  run_state after = state;
  after.cancel_requested = true;
  bool open = false;
  for (auto& job : after.jobs) {
    open = open || job.status == job_status::running;
    if (job.status != job_status::pending) continue;
    events.push_back(job_finished{job.id, job_status::cancelled, end_reason::cancelled});
    job.status = job_status::cancelled;
  }
  if (!open) events.push_back(run_finished{end_of(after)});
  return events;
}

}  // namespace reeve::domain
