// P17, RUN8: an attempt of Reeve's own work says whose turn it takes, and takes what it has waiting
// out of its queue when nobody wants it any more.

#include "tasks/own/own_attempt.hpp"

#include "tasks/triage/triage_attempt.hpp"
#include "tests/unit/actors/runs/memory_log.hpp"
#include "tests/unit/domain/runs/run_steps.hpp"

#include <gtest/gtest.h>
#include <optional>
#include <variant>

namespace {

using namespace reeve;
using namespace reeve::tasks;
namespace attempts = domain::attempts;

class no_blobs final : public persistence::blob_port {
 public:
  void put(uuid, std::shared_ptr<const std::string>, reply_slot<digest>) override {}
};

class host final : public attempt_host {
 public:
  explicit host(domain::task_params params, std::optional<uuid> since = {}) {
    launched.tenant = steps::tenant;
    launched.jobs.resize(1);
    launched.jobs[0].id = steps::id_of(3);
    domain::task_spec task;
    task.name = "a";
    task.params = std::move(params);
    domain::run_launched launch;
    launch.directive.tasks = {std::move(task)};
    launch.since_run = since;
    launched.launch = decltype(launched.launch)(std::move(launch));
    its_ports.containers = [](uuid, auto slot) {
      slot.answer(std::make_shared<const domain::container_list_state>());
    };
  }

  const attempt_ports& ports() const override { return its_ports; }
  const domain::run_state& run() const override { return launched; }
  const domain::job_state& job() const override { return launched.jobs[0]; }
  void feed(attempts::input what) override { fed.push_back(std::move(what)); }
  void when_allowed(std::function<void(fencing_token)>) override {}
  void after(std::chrono::milliseconds, std::function<void()>) override {}
  std::function<void(std::function<void()>)> gate() override {
    return [](const std::function<void()>& f) { f(); };
  }
  template <class Input>
  bool was_fed() const {
    return !fed.empty() && std::holds_alternative<Input>(fed.back());
  }

  memory_log::store log;
  memory_log::reads reads{log};
  no_blobs blobs;
  adapters::work_engines engines;
  redactor redact;
  text_pool texts;
  domain::run_state launched;
  attempt_ports its_ports{reads, blobs, engines, redact, texts,   real_clock(),
                          {},    {},    {},      {},     {},      {},
                          {},    4096,  -1,      {},     nullptr, [](const uuid&) { return true; }};
  std::vector<attempts::input> fed;
};

/// As in a queue: begun by nobody yet.
struct kept_work {
  uuid tenant, job;
  std::shared_ptr<work_stop> its;
  reply_slot<std::vector<produced_artifact>> slot;
};

class kept_triage final : public triage_port {
 public:
  void run(triage_request request, reply_slot<std::vector<produced_artifact>> slot) override {
    last = {request.by.tenant, request.job, request.its_end, std::move(slot)};
    containers = std::move(request.containers);
    ++begun;
  }
  kept_work last;
  std::vector<allowed_container> containers;
  int begun = 0;
};

class kept_attempt final : public own_attempt {
 public:
  using own_attempt::own_attempt;
  kept_work last;

 private:
  bool needs_engine() const override { return false; }
  const std::vector<std::string>* names() const override { return nullptr; }
  void work(std::vector<allowed_container>, std::shared_ptr<work_stop> its,
            reply_slot<artifacts> slot) override {
    last = {source().tenant, source().job, std::move(its), std::move(slot)};
  }
};

/// What holds for both.
void expect_leaves(host& here, attempt_work& work, kept_work& last) {
  work.submit();
  ASSERT_TRUE(here.was_fed<attempts::submitted>());
  EXPECT_EQ(last.tenant, steps::tenant);
  EXPECT_EQ(last.job, steps::id_of(3));
  const auto first = last.its;
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->is_stopped());
  work.stop("");
  EXPECT_TRUE(first->is_stopped());
  EXPECT_TRUE(here.was_fed<attempts::stopped>());
  const auto said = here.fed.size();
  last.slot.answer(reject(errc::unavailable, "TEST: it left"));
  EXPECT_EQ(here.fed.size(), said) << "nobody waits for that";
  // Begun once more, and abandoned by its run.
  work.submit();
  ASSERT_NE(last.its, first);
  EXPECT_FALSE(last.its->is_stopped());
  work.let_go();
  EXPECT_TRUE(last.its->is_stopped());
  work.let_go();
}

TEST(P17_own_attempt, that_is_stopped_or_let_go_stops_what_waits) {
  host here(domain::gpu_report_params{});
  kept_attempt work(here);
  expect_leaves(here, work, work.last);
}

TEST(P17_triage_attempt, that_is_stopped_or_let_go_stops_what_waits) {
  domain::log_triage_params params;
  params.files = std::vector<std::string>{"a.log"};
  host here(params);
  kept_triage triage;
  triage_attempt work(here, triage);
  expect_leaves(here, work, triage.last);
}

TEST(P17_triage_attempt, that_was_stopped_takes_nothing_that_its_first_try_asked_for) {
  host here(domain::log_triage_params{}, steps::id_of(8));
  using answer = reply_slot<std::shared_ptr<const domain::run_state>>;
  std::vector<answer> asked;
  here.its_ports.read_run = [&asked](uuid, uuid, answer slot) { asked.push_back(slot); };
  kept_triage triage;
  triage_attempt work(here, triage);
  work.submit();
  ASSERT_EQ(asked.size(), 1U) << "for the last success";
  work.stop("");
  work.submit();
  ASSERT_EQ(asked.size(), 2U);
  asked[0].answer(reject(errc::not_found, "TEST: late"));
  EXPECT_EQ(triage.begun, 0);
  asked[1].answer(reject(errc::not_found, "TEST: there is none"));
  EXPECT_EQ(triage.begun, 1);
  EXPECT_FALSE(triage.last.its->is_stopped());
}

TEST(RUN8_triage_attempt, reads_a_container_once_that_is_named_twice) {
  domain::container_list_state list;
  const std::string id(64, 'c');
  domain::evolve(list, domain::container_allowed{steps::id_of(4), "web", id, ""}, {});
  domain::log_triage_params params;
  params.containers = std::vector<std::string>{"web", id};
  host here(params);
  here.its_ports.containers = [&list](uuid, auto slot) {
    slot.answer(std::make_shared<const domain::container_list_state>(list));
  };
  kept_triage triage;
  triage_attempt work(here, triage);
  work.submit();
  ASSERT_EQ(triage.containers.size(), 1U);
  EXPECT_EQ(triage.containers[0].name, "web");
  EXPECT_EQ(triage.containers[0].id, id);
}

}  // namespace
