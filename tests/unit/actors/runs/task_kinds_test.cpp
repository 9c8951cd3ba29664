// Every kind of tasks, walked from its row: read, refused by the field's name, started, taken up as
// itself by the actor after the one that had begun it, and ended (RUN3, RUN7).

#include "tasks/task_kinds.hpp"

#include "actors/runs/run_actor.hpp"
#include "adapters/container_work.hpp"
#include "adapters/simulated/simulated_engine.hpp"
#include "api/task_json.hpp"
#include "codec/codec.hpp"
#include "codec/field_order.hpp"
#include "tests/support/eventually.hpp"
#include "tests/unit/actors/runs/memory_log.hpp"
#include "tests/unit/domain/runs/run_steps.hpp"

#include <algorithm>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <condition_variable>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::actors;
using namespace std::chrono_literals;
using domain::run_state;

/// Parameters with which a kind ends well in this test's world, as JSON. A new kind has a line
/// here.
const std::map<std::string_view, std::string> samples{
    {"log_triage", R"({"files":["a.log"]})"},
    {"gpu_report", "{}"},
    {"service_map", "{}"},
    {"container", R"({"image":"localhost:1/box:1","command":["sleep","1"]})"}};

std::string task_of(const tasks::task_kind_row& row, const std::string& params) {
  return R"({"kind":")" + std::string(row.name) + R"(","params":)" + params + "}";
}

outcome<std::vector<domain::task_spec>> read(const std::string& task) {
  return api::decode_tasks({{task}}, "/tasks");
}

std::vector<std::string_view> fields_of(const domain::task_params& params) {
  return std::visit(
      []<class Params>(const Params&) {
        const auto names = codec::detail::field_names<Params>();
        return std::vector<std::string_view>(names.begin(), names.end());
      },
      params);
}

/// One file, which is read once somebody lets it.
class slow_logs final : public adapters::log_files {
 public:
  outcome<adapters::log_file_list> list(std::optional<time_us>) const override {
    return adapters::log_file_list{};
  }
  outcome<adapters::log_file_reading> read(
      const std::string&, std::optional<time_us>,
      const std::function<bool(std::string_view)>& receive) const override {
    std::unique_lock lock(gate().mutex);
    gate().changed.wait_for(lock, 30s, [] { return gate().is_open; });
    receive("2026-01-01T00:00:00Z ERROR it broke");
    return adapters::log_file_reading{};
  }
  struct barrier {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_open = false;
  };
  static barrier& gate() {
    static barrier one;
    return one;
  }
  static void open(bool now) {
    const std::lock_guard lock(gate().mutex);
    gate().is_open = now;
    gate().changed.notify_all();
  }
};

class no_blobs final : public persistence::blob_port {
 public:
  void put(uuid, std::shared_ptr<const std::string> bytes, reply_slot<digest> slot) override {
    slot.answer(sha256(*bytes));
  }
};

/// What a run's actor stands on, with nothing but memory below.
class world {
 public:
  world() {
    lead.confirm(1, real_clock().mono_us());
    engines.add(work);
    journal.attach(worker);
  }
  ~world() {
    slow_logs::open(true);
    stop();
    worker->stop(false);
    worker->join();
  }

  void launch(domain::task_spec task) {
    auto launched = steps::launch_of({std::move(task)}).decided();
    ASSERT_TRUE(launched) << launched.error().detail << launched.error().field;
    auto request = append_of<run_state>(std::make_shared<const run_state>(), *launched,
                                        steps::tenant, stream, {});
    ASSERT_TRUE(log.append(request));
  }
  void start() {
    actor = cc::spawn<caf::event_based_actor>(system, [this](caf::event_based_actor* self) {
      return run_actor(self, &ports, {steps::tenant, steps::id_of(500), nullptr, false}, [] {});
    });
  }
  void stop() {
    if (!actor) return;
    cc::kill_now(actor);
    actor = nullptr;
    support::eventually(10s, [this] { return registry.size() == 0; });
  }
  bool has(const std::string& type) const {
    const auto types = log.types_in(stream);
    return std::find(types.begin(), types.end(), type) != types.end();
  }
  bool comes_to(const std::string& type) {
    return support::eventually(30s, [&] {
      lead.confirm(1, real_clock().mono_us());
      return has(type);
    });
  }
  run_state state() const {
    run_state s;
    s.tenant = steps::tenant;
    for (const auto& r : log.read(stream, 0)) EXPECT_TRUE(persistence::evolve_record(s, r));
    return s;
  }

  template <class List>
  static tasks::list_fn<List> always(List list) {
    return [list = std::make_shared<const List>(std::move(list))](
               uuid, reply_slot<std::shared_ptr<const List>> slot) { slot.answer(list); };
  }

  const std::string stream = domain::stream_of<run_state>(steps::id_of(500));
  memory_log::store log;
  memory_log::reads reads{log};
  no_blobs blobs;
  leadership lead{real_clock()};
  redactor redact;
  adapters::simulated_engine engine;
  adapters::container_work work{engine, 10};
  adapters::work_engines engines;
  tasks::task_kinds kinds{{engine, real_clock(), [] {
                             return outcome<std::unique_ptr<adapters::log_files>>(
                                 std::make_unique<slow_logs>());
                           }}};
  journal_port journal;
  std::shared_ptr<journal_worker> worker = std::make_shared<journal_worker>(
      journal_worker_args{nullptr,
                          [this] { return std::make_shared<memory_log::writer>(log); },
                          {},
                          {},
                          {},
                          {},
                          {},
                          {}});
  run_registry registry;
  ready_queue ready{10};
  run_ports ports{
      journal,
      lead,
      reads,
      engine,
      kinds,
      {reads, blobs, engines, redact, real_clock(), [](const std::string&) { return true; },
       always(steps::listing(steps::box)), always(domain::container_list_state{}),
       [](uuid, uuid, auto slot) { slot.answer(reject(errc::not_found, "none")); },
       [] { return std::optional<std::string>(); }, [](const std::string&) {}, steps::id_of(1),
       1 << 20},
      registry,
      real_clock(),
      real_ids(),
      std::make_shared<spare_volumes>(
          spare_ports{engine, [this] { return lead.token(); }, real_ids(), steps::id_of(1)}),
      ready,
      std::make_shared<last_tries>(),
      {}};
  caf::actor_system_config config;
  caf::actor_system system{config};
  caf::actor actor;
};

}  // namespace

TEST(RUN3_task_kinds, are_read_by_name_by_alias_and_with_parameters) {
  for (const auto& row : tasks::task_kind_rows()) {
    ASSERT_TRUE(samples.contains(row.name)) << "give " << row.name << " parameters above";
    std::vector<std::string> forms{task_of(row, samples.at(row.name)),
                                   R"(")" + std::string(row.name) + R"(")"};
    if (!row.alias.empty()) forms.push_back(R"(")" + std::string(row.alias) + R"(")");
    for (const auto& form : forms) {
      const auto task = read(form);
      ASSERT_TRUE(task) << form << task.error().detail;
      EXPECT_EQ(kind_of(task->front().params), row.name) << form;
    }
    // As it stands in the log, and read again from there.
    const auto task = read(forms.front())->front();
    const auto again = codec::decode_text<domain::task_spec>(codec::encode(task));
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ(*again, task);
  }
}

TEST(RUN3_task_kinds, are_refused_by_the_name_of_the_field) {
  for (const auto& row : tasks::task_kind_rows()) {
    const auto kind = *domain::kind_named(row.name);
    const auto own = fields_of(kind);
    for (const auto name : own) {
      const auto task = read(task_of(row, R"({")" + std::string(name) + R"(":{"/":[]}})"));
      ASSERT_FALSE(task) << row.name << " " << name;
      EXPECT_EQ(task.error().code, errc::invalid) << row.name << " " << name;
      EXPECT_TRUE(task.error().field.starts_with("/tasks/0/params/" + std::string(name)));
    }
    for (const auto& other : tasks::task_kind_rows()) {
      for (const auto name : fields_of(*domain::kind_named(other.name))) {
        if (std::find(own.begin(), own.end(), name) != own.end()) continue;
        const auto task = read(task_of(row, R"({")" + std::string(name) + R"(":1})"));
        ASSERT_FALSE(task) << row.name << " " << name;
        EXPECT_EQ(task.error().code, errc::unknown_field) << row.name << " " << name;
        EXPECT_EQ(task.error().field, "/tasks/0/params/" + std::string(name));
      }
    }
  }
}

TEST(RUN7_task_kinds, are_taken_up_as_themselves_and_end) {
  for (const auto& row : tasks::task_kind_rows()) {
    SCOPED_TRACE(row.name);
    slow_logs::open(false);
    world here;
    here.launch(read(task_of(row, samples.at(row.name)))->front());
    here.start();
    if (row.open == nullptr) {
      ASSERT_TRUE(here.comes_to("run_finished"));
      EXPECT_EQ(here.state().jobs[0].reason, domain::end_reason::not_available_yet);
      continue;
    }
    ASSERT_TRUE(here.comes_to("attempt_started"));
    const auto begun = here.state().jobs[0].attempts.at(0).intent;
    here.stop();
    // As after the death of the process that had the leadership before.
    here.ports.settings.died_before_epoch = 2;
    here.start();
    slow_logs::open(true);
    ASSERT_TRUE(here.comes_to("run_finished"));
    const auto job = here.state().jobs[0];
    EXPECT_EQ(job.status, domain::job_status::success);
    ASSERT_EQ(job.attempts.size(), 1U);
    EXPECT_EQ(job.attempts[0].intent, begun);
    const bool own = begun.executor == "reeve";
    EXPECT_EQ(job.reason, own ? domain::end_reason::completed : domain::end_reason::exited);
    EXPECT_EQ(job.attempts[0].exit_code.has_value(), !own);
    EXPECT_EQ(job.attempts[0].container_id.has_value(), !own);
    EXPECT_EQ(job.artifacts.empty(), !own);
    if (own) {
      EXPECT_EQ(job.attempts[0].works, 1) << "it is done again, and that is noted";
    }
  }
}
