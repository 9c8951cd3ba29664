#include "tests/support/crash_cell.hpp"

#include "tests/support/eventually.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

namespace support {

namespace {

std::string socket_of(const std::string& url) {
  return url.substr(std::string("unix://").size());
}

/// Whether the container has been started when the server stands still there.
bool is_started(const std::string& step) {
  const auto at = [](const std::string& name) {
    return std::find(crash_steps.begin(), crash_steps.end(), name);
  };
  return at(step) > at("before_start");
}

}  // namespace

crash_cell::crash_cell(fault what, std::string step, const std::string& engine,
                       std::map<std::string, std::string> environment)
    : what_(what),
      step_(std::move(step)),
      on_(socket_of(engine)),
      environment_(std::move(environment)),
      folder_(work_dir(), "x") {}

server_options crash_cell::options(bool stops) const {
  server_options o;
  o.docker = "unix://" + on_.socket();
  o.database_url = database_.url();
  o.environment = environment_;
  o.environment["REEVE_MOUNT_ROOTS"] = starts_.root();
  o.arguments = {"--reconcile-s", "1", "--orphan-s", "1"};
  o.ready_within = 30s;
  if (stops) o.environment["REEVE_TEST_STOP_AT"] = step_ + "=" + file();
  o.start = false;
  return o;
}

void crash_cell::begin() {
  first_ = std::make_unique<server>(options(true));
  first_->start_without_waiting();
  if (what_ != fault::leader) return;
  standby_ = std::make_unique<server>(options(false));
  volumes_ = std::make_unique<volume_watch>(on_);
}

/// It works long enough to be met by a fault that falls while it runs.
nlohmann::json crash_cell::task() const {
  const bool runs = step_ == "after_start" || step_ == "before_wait";
  const std::string works = is_cancelled() ? "30" : runs ? "2" : "0.3";
  nlohmann::json t = starts_.task("a");
  t["params"]["command"][2] = "echo started | tee -a /tally/a; sleep " + works;
  return t;
}

void crash_cell::launch() {
  first_->await_ready();
  token_ = first_->token();
  cleanup_ = std::make_unique<engine_cleanup>(on_, "reeve.tenant=" + tenant_of(first_->api()));
  allow_image(first_->api());
  if (standby_) standby_->start_without_waiting();
  run_ = support::launch(first_->api(), inline_launch({task()}, {{"stop_grace_s", 1}})).at("id");
  if (!is_cancelled()) return;
  await_started(first_->api(), run_, "count");
  try {
    must_post(first_->api(), "/api/runs/" + run_ + "/cancel", nlohmann::json::object(), 202);
  } catch (const http_timeout&) {
    // It stands still at the step, perhaps before it has answered.
  }
}

long crash_cell::intended() const {
  pg database(database_.url());
  return database.number(
      "SELECT count(*) FROM reeve.events WHERE stream = $1 AND type = 'attempt_intended'",
      {"run-" + run_});
}

/// What the log says of the run, for people.
std::string crash_cell::events() const {
  pg database(database_.url());
  const auto told = database.cell(
      "SELECT string_agg(type || ' ' || payload::text, chr(10) ORDER BY version) FROM reeve.events"
      " WHERE stream = $1",
      {"run-" + run_});
  return told.value_or("no events");
}

void crash_cell::await_step() {
  if (!eventually([&] { return std::filesystem::exists(file()); })) {
    throw std::runtime_error("the server never came by: " + events());
  }
  stopped_at_ = std::chrono::steady_clock::now();
  stopped_by_wall_clock_ =
      std::chrono::file_clock::to_sys(std::filesystem::last_write_time(file()));
  if (is_started(step_)) eventually([&] { return starts_.starts_of("a") > 0; });
  facts_.executed_at_stop = starts_.starts_of("a");
  facts_.intended_at_stop = intended();
}

void crash_cell::kill() {
  first_->kill_hard();
  first_->start_without_waiting();
}

/// Somebody leads again.
void crash_cell::recover() {
  if (what_ == fault::server) first_->await_ready();
  if (what_ == fault::leader) standby_->await_ready();
}

api_client crash_cell::api() const {
  return api_client(standby_ ? standby_->address() : first_->address(), token_);
}

void crash_cell::await_end() {
  facts_.run = await_run(api(), run_, 60s);
  facts_.intended = intended();
  facts_.executed = starts_.starts_of("a");
}

void crash_cell::wake_leader() {
  if (what_ != fault::leader) return;
  const auto over = stopped_at_ + 10s;
  eventually(11s, [&] { return std::chrono::steady_clock::now() > over; });
  first_->resume();
}

void crash_cell::look_back() {
  facts_.left_an_orphan = !eventually([&] { return on_.containers("reeve.run=" + run_).empty(); });
  if (what_ != fault::leader) return;
  facts_.exit_status = first_->await_exit(20s);
  facts_.executed_at_last = starts_.starts_of("a");
  const std::string volume =
      job_named(facts_.run, "count").at("attempts").at(0).at("container_name");
  if (!eventually([&] { return volumes_->removal_of(volume).has_value(); })) {
    throw std::runtime_error("the volume " + volume + " stayed");
  }
  facts_.volume_stayed_for = *volumes_->removal_of(volume) - stopped_by_wall_clock_;
}

std::string crash_cell::log() const {
  return (first_ ? first_->log() : "") + (standby_ ? standby_->log() : "") + engine_log();
}

std::vector<crash_facts> crash_together(fault what, const std::vector<std::string>& steps) {
  std::unique_ptr<private_dockerd> own;
  if (what == fault::engine) own = std::make_unique<private_dockerd>();
  std::vector<std::unique_ptr<crash_cell>> cells;
  for (const auto& step : steps) {
    cells.push_back(std::make_unique<crash_cell>(what, step, own ? own->url() : real_engine()));
  }
  // What goes wrong with one keeps no other from going on.
  const auto all = [&](void (crash_cell::*act)()) {
    for (auto& each : cells) {
      if (!each->facts().trouble.empty()) continue;
      try {
        ((*each).*act)();
      } catch (const std::exception& why) {
        each->facts().trouble = why.what();
      }
    }
  };
  all(&crash_cell::begin);
  all(&crash_cell::launch);
  all(&crash_cell::await_step);
  if (what == fault::server) all(&crash_cell::kill);
  if (own) {
    own->kill_hard();
    all(&crash_cell::resume);
    own->start();
  }
  all(&crash_cell::recover);
  all(&crash_cell::await_end);
  all(&crash_cell::wake_leader);
  all(&crash_cell::look_back);
  std::vector<crash_facts> seen;
  for (auto& each : cells) {
    each->facts().log = each->log();
    seen.push_back(each->facts());
  }
  return seen;
}

}  // namespace support
