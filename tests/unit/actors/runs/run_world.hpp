#pragma once
// A run's actor with nothing but memory below it.

#include "actors/runs/run_actor.hpp"
#include "adapters/container_work.hpp"
#include "adapters/proc/proc_files.hpp"
#include "adapters/simulated/simulated_engine.hpp"
#include "tests/support/eventually.hpp"
#include "tests/unit/actors/runs/memory_log.hpp"
#include "tests/unit/domain/runs/run_steps.hpp"

#include <algorithm>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <condition_variable>
#include <gtest/gtest.h>
#include <utility>
#include <vector>

namespace run_world {

using namespace reeve;
using namespace reeve::actors;
using namespace std::chrono_literals;
using domain::run_state;

/// One file, which is read once somebody lets it.
class slow_logs final : public adapters::log_files {
 public:
  outcome<adapters::log_file_list> list(std::optional<time_us>) const override {
    return adapters::log_file_list{};
  }
  outcome<adapters::log_file_reading> read(
      const std::string&, std::optional<time_us>,
      const std::function<bool(std::string_view)>& receive) const override {
    wait();
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
  static void wait() {
    std::unique_lock lock(gate().mutex);
    gate().changed.wait_for(lock, 30s, [] { return gate().is_open; });
  }
  static void open(bool now) {
    const std::lock_guard lock(gate().mutex);
    gate().is_open = now;
    gate().changed.notify_all();
  }
};

/// No GPU, once somebody lets it be said.
class slow_gpus final : public adapters::gpu_source {
 public:
  outcome<adapters::gpu_reading> read(const std::function<bool()>&) override {
    slow_logs::wait();
    return adapters::gpu_reading{};
  }
};

/// Tells of its networks once somebody lets it.
class slow_engine final : public adapters::simulated_engine {
 public:
  void list_networks(reply_slot<std::vector<adapters::network_summary>> slot) override {
    slow_logs::wait();
    adapters::simulated_engine::list_networks(std::move(slot));
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

  void launch(domain::task_spec task) { launch_all({std::move(task)}); }
  void launch_all(std::vector<domain::task_spec> tasks, const std::string& image = steps::box) {
    ports.attempts.images = always(steps::listing(image));
    auto launch = steps::launch_of(std::move(tasks));
    launch.secrets = &secrets;
    auto launched = launch.decided({}, steps::listing(image));
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

  domain::secret_list_state secrets;  // as the launch finds them
  const std::string stream = domain::stream_of<run_state>(steps::id_of(500));
  memory_log::store log;
  memory_log::reads reads{log};
  no_blobs blobs;
  leadership lead{real_clock()};
  redactor redact;
  text_pool texts;
  slow_engine engine;
  adapters::container_work work{engine, 10};
  adapters::work_engines engines;
  slow_gpus gpus;
  adapters::proc_files processes;
  tasks::task_kinds kinds{{engine, real_clock(),
                           [](const uuid&) {
                             return outcome<std::unique_ptr<adapters::log_files>>(
                                 std::make_unique<slow_logs>());
                           },
                           gpus, processes}};
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
  ready_queue ready{10, 1};  // one start at a time
  run_ports ports{journal,
                  lead,
                  reads,
                  engine,
                  kinds,
                  {reads, blobs, engines, redact, texts, real_clock(),
                   [](const uuid&, const std::string&) { return true; },
                   always(steps::listing(steps::box)), always(domain::container_list_state{}),
                   [](uuid, uuid, auto slot) { slot.answer(reject(errc::not_found, "none")); },
                   [] { return std::optional<std::string>(); }, [] {}, steps::id_of(1), 1 << 20, -1,
                   always(domain::secret_list_state{}), nullptr, [](const uuid&) { return true; }},
                  registry,
                  real_clock(),
                  real_ids(),
                  std::make_shared<spare_volumes>(spare_ports{
                      engine, [this] { return lead.token(); }, real_ids(), steps::id_of(1)}),
                  ready,
                  std::make_shared<last_tries>(),
                  {}};
  caf::actor_system_config config;
  caf::actor_system system{config};
  caf::actor actor;
};

}  // namespace run_world
