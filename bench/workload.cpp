#include "bench/workload.hpp"

#include "actors/append_of.hpp"
#include "domain/access/container_names.hpp"
#include "persistence/journal.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace reeve::bench {
namespace {

using domain::run_state;

constexpr const char* image_id =
    "sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945";
constexpr const char* container_id =
    "9d2c57e3fcb1c1d4a9ab6e6ab5b4e6b1c1f0e8d7c6b5a49382716f5e4d3c2b1a";

enum class step_of { launch, run_start, intent, create, start, end, job_end, run_end };

std::span<const step_of> steps_of(run_life life) {
  using enum step_of;
  static constexpr std::array short_one = {launch, intent, job_end, run_end};
  static constexpr std::array whole = {launch, run_start, intent,  create,
                                       start,  end,       job_end, run_end};
  if (life == run_life::whole) return whole;
  return short_one;
}

domain::attempt_intended sample_intent(const uuid& tenant, const uuid& job) {
  domain::attempt_intended intended;
  intended.job = job;
  intended.attempt = 1;
  intended.container_name = domain::container_name_of(tenant, job, 1);
  intended.image = "localhost:1/box:1";
  intended.image_id = image_id;
  intended.executor = "engine";
  intended.engine = "docker";
  intended.timeout_ms = 3'600'000;
  return intended;
}

domain::attempt_ended sample_end(const uuid& job) {
  domain::attempt_ended ended;
  ended.job = job;
  ended.attempt = 1;
  ended.exit_code = 0;
  ended.log = domain::blob_ref{sha256("its output"), 10};
  return ended;
}

}  // namespace

domain::run_launched sample_launch() {
  domain::task_spec task;
  domain::container_params params;
  task.name = "container";
  params.image = "localhost:1/box:1";
  params.command = std::vector<std::string>{"/bin/sh", "-c", "make report && ls -l /reeve"};
  params.env = domain::env_map{{"STAGE", "nightly"},
                               {"REGION", "north"},
                               {"REPORT_FOLDER", "/reeve/outputs/reports"},
                               {"SOURCE", "warehouse-7"},
                               {"KEEP_DAYS", "14"},
                               {"CHECKSUMS", "sha256"},
                               {"NOTIFY", "reports@warehouse-7.example"},
                               {"TEMPLATE", "daily-with-totals"}};
  task.params = std::move(params);
  domain::run_launched launch;
  launch.id = real_ids().next();
  launch.directive.name = "nightly-report";
  launch.directive.description = "Builds the report of the day and checks it";
  launch.directive.tasks = {task};
  launch.jobs = {real_ids().next()};
  launch.expected_engine = "simulated";
  launch.labels = {{"team", "data"}, {"purpose", "nightly-report"}};
  return launch;
}

void run_author::begin_run() {
  auto state = std::make_shared<run_state>();
  state->tenant = tenant_;
  state_ = std::move(state);
}

domain::run_event run_author::event() {
  const auto step = steps_of(life_)[step_];
  if (step == step_of::launch) return sample_launch();
  const auto& job = state_->jobs.front().id;
  switch (step) {
    case step_of::run_start:
      return domain::run_started{};
    case step_of::intent:
      return sample_intent(tenant_, job);
    case step_of::create:
      return domain::container_created{job, 1, container_id};
    case step_of::start:
      return domain::attempt_started{job, 1, false, domain::timestamp{real_clock().now_us()}};
    case step_of::end:
      return sample_end(job);
    case step_of::job_end:
      return domain::job_finished{job, domain::job_status::success, domain::end_reason::exited};
    default:
      return domain::run_finished{domain::run_status::success};
  }
}

persistence::append_request run_author::next() {
  if (step_ == 0) begin_run();
  events_ = {event()};
  const uuid run = step_ == 0 ? std::get<domain::run_launched>(events_[0]).id : state_->id;
  meta_ = {};
  meta_.principal = "token:0190b3f2-7d3e-7c4a-9b1f-0c2d3e4f5a6b";
  meta_.command_id = real_ids().next();
  meta_.correlation_id = run;
  if (step_ > 0) meta_.causation_id = state_->last_position;
  auto request = actors::append_of<run_state>(state_, events_, tenant_,
                                              domain::stream_of<run_state>(run), meta_);
  if (step_ == 0) {
    persistence::command_key key;
    key.tenant = tenant_;
    key.principal = meta_.principal;
    key.route = "POST /api/runs/launch";
    key.key = to_string(run);
    key.request_digest = sha256(key.key);
    request.command = std::move(key);
  }
  return request;
}

void run_author::appended(const persistence::append_result& result) {
  state_ = actors::after<run_state>(state_, events_, result.stamps, tenant_, meta_.principal);
  step_ = (step_ + 1) % steps_of(life_).size();
}

std::int64_t write_log(const bench_database& db, const uuid& tenant, std::int64_t events,
                       run_life life) {
  persistence::journal_config config;
  config.url = db.logins.writer_url;
  persistence::journal journal(std::move(config));
  need(journal.open(), "the journal does not open");
  // As many as one batch takes.
  constexpr std::int64_t at_once = 512;
  const auto steps = steps_of(life).size();
  for (std::int64_t left = events / static_cast<std::int64_t>(steps); left > 0; left -= at_once) {
    const auto count = static_cast<std::size_t>(std::min(left, at_once));
    std::vector<run_author> authors(count, run_author(tenant, life));
    for (std::size_t step = 0; step < steps; ++step) {
      std::vector<persistence::append_request> requests;
      for (auto& author : authors) requests.push_back(author.next());
      auto answers = journal.append_batch(requests);
      for (std::size_t i = 0; i < answers.size(); ++i) {
        authors[i].appended(need(std::move(answers[i]), "an append"));
      }
    }
  }
  return journal.head().position;
}

}  // namespace reeve::bench
