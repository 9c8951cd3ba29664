#pragma once
// A log with something of every aggregate, written as the executors write, and its read models.

#include "actors/append_of.hpp"
#include "domain/access/container_names.hpp"
#include "persistence/projection_follower.hpp"
#include "persistence/replay.hpp"
#include "tests/support/environment.hpp"
#include "tests/unit/persistence/journal_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <gtest/gtest.h>

namespace reeve::fixture {

using namespace domain;
using namespace persistence;

/// Calls and waits for the answer.
template <class T, class Call>
outcome<T> asked_of(Call call) {
  auto promise = std::make_shared<std::promise<outcome<T>>>();
  auto future = promise->get_future();
  call(reply_slot<T>([promise](outcome<T> answer) { promise->set_value(std::move(answer)); }));
  if (future.wait_for(std::chrono::seconds(20) * support::time_factor()) !=
      std::future_status::ready) {
    return reject(errc::timed_out, "no answer");
  }
  return future.get();
}

/// Writes as the executors do: decided events with their rows in one append.
template <class State>
class author {
 public:
  author(journal& log, const uuid& tenant, const std::string& stream)
      : log_(log), tenant_(tenant), stream_(stream) {
    auto fresh = std::make_shared<State>();
    fresh->tenant = tenant;
    state = std::move(fresh);
  }
  using events = std::vector<typename aggregate_of<State>::event>;

  void write(const events& decided) {
    event_meta meta;
    meta.principal = "token:test";
    meta.command_id = meta.correlation_id = real_ids().next();
    const auto result =
        append_one(log_, actors::append_of<State>(state, decided, tenant_, stream_, meta));
    ASSERT_TRUE(result) << result.error().detail;
    state = actors::after<State>(state, decided, result->stamps, tenant_, meta.principal);
  }
  void write(const outcome<events>& decided) {
    ASSERT_TRUE(decided) << decided.error().detail;
    write(*decided);
  }

  std::shared_ptr<const State> state;

 private:
  journal& log_;
  uuid tenant_;
  std::string stream_;
};

inline directive_spec spec_named(const std::string& name) {
  directive_spec spec;
  spec.name = name;
  spec.tasks.resize(2);
  spec.tasks[1].params = gpu_report_params{};
  name_tasks(spec.tasks);
  return spec;
}

class read_models_of_a_log : public ::testing::Test {
 protected:
  read_models_of_a_log() : log(journal_told()), tenant(real_ids().next()) {
    if (!log.open()) throw std::runtime_error("the journal does not open");
    options.owner_url = db.url_of(super_user());
  }
  journal_config journal_told() {
    auto config = journal_on(db.writer_url());
    config.holder = &holder;
    config.on_commit = [this](const commit_notice& notice) {
      if (on_commit) on_commit(notice);
    };
    return config;
  }
  static std::string super_user() {
    return pqxx::connection(std::getenv("REEVE_TEST_PG")).username();
  }

  /// Something of every aggregate; runs that ended and one that did not.
  void live_through() {
    write_access();
    write_directives();
    write_images();
    for (const bool is_over : {true, true, false}) write_run(is_over);
    calls = std::make_unique<author<llm_usage_state>>(log, tenant, stream_of<llm_usage_state>(job));
    called_job = job;
    called_run = run;
    write_calls(5);
  }
  void write_calls(std::int64_t count) {
    for (std::int64_t n = 1; n <= count; ++n) {
      calls->write(decide(
          *calls->state,
          record_llm_call{real_ids().next(), called_job, called_run, {"m-1", n, 2 * n, {}, {}}}));
    }
  }
  /// What the follower of a server does, from where a build of the empty log ended if there was no
  /// other one.
  bool follow() {
    const auto& usage = projection_named("llm_usage");
    db.root("INSERT INTO reeve.projections (name, version, columns, state, checkpoint) VALUES ('" +
            std::string(usage.name) + "', " + std::to_string(usage.version) + ", '" +
            columns_of(usage) + "', 'live', 0) ON CONFLICT (name) DO NOTHING");
    const auto followed = follow_to_head(db.writer_url(), usage);
    return followed.ok();
  }
  void write_access() {
    access = std::make_unique<author<access_state>>(log, tenant, stream_of<access_state>(tenant));
    access->write(decide(*access->state, create_tenant{tenant, "first", directive}));
    token_created token;
    token.id = real_ids().next();
    token.name = "one";
    token.secret_hash = sha256("secret");
    access->write(decide(*access->state, create_token{token}));
    access->write(decide(*access->state, revoke_token{token.id}));
    token.id = real_ids().next();
    access->write(decide(*access->state, create_token{token}));
    active_token = token.id;
  }
  version access_version() const { return access->state->stream_version; }
  void revoke(const uuid& token) { access->write(decide(*access->state, revoke_token{token})); }
  void write_directives() {
    author<directive_state> one(log, tenant, stream_of<directive_state>(directive));
    one.write(decide(*one.state, create_directive{directive, spec_named("a"), false}));
    one.write(decide(*one.state, revise_directive{directive, spec_named("b")}));
    one.write(decide(*one.state, revise_directive{directive, spec_named("c")}));
    one.write(decide(*one.state, archive_directive{directive}));
  }
  void write_images() {
    author<image_list_state> images(log, tenant, stream_of<image_list_state>(tenant));
    for (const char* reference : {"localhost:1/a:1", "localhost:1/b:1"}) {
      image_allowed entry;
      entry.id = real_ids().next();
      entry.reference = reference;
      images.write(decide(*images.state, allow_image{entry}));
    }
    images.write(decide(*images.state, deny_image{images.state->entries.begin()->first}));
  }
  void write_run(bool is_over) {
    run_launched launch;
    run = launch.id = real_ids().next();
    launch.directive.name = "launched";
    launch.directive.tasks = spec_named("launched").tasks;
    launch.jobs = {real_ids().next(), real_ids().next()};
    launch.expected_engine = "simulated";
    launch.labels = {{"team", "data"}, {"umlaut", "M\xc3\xbcller, \"x\" {\\}"}};
    job = launch.jobs[0];
    author<run_state> author_of_run(log, tenant, stream_of<run_state>(run));
    author_of_run.write({launch});
    attempt_intended intended;
    intended.job = job;
    intended.attempt = 1;
    intended.container_name = container_name_of(tenant, job, 1);
    intended.image = "localhost:1/a:1";
    author_of_run.write({intended});
    if (!is_over) return;
    author_of_run.write({job_finished{job, job_status::success, end_reason::exited},
                         job_finished{launch.jobs[1], job_status::failed, end_reason::exited},
                         run_finished{run_status::partial}});
  }

  replay_result replayed() {
    auto result = replay(options);
    if (!result) throw std::runtime_error(result.error().detail);
    return std::move(*result);
  }
  std::int64_t rows_of(const replay_result& result, const std::string& table) {
    for (const auto& t : result.tables) {
      if (t.table == table) return t.rows;
    }
    return -1;
  }
  /// A session's temporary tables go shortly after it.
  bool nothing_is_left() {
    return eventually([&] {
      return db.root("SELECT count(*) FROM pg_class WHERE relpersistence <> 'p' AND relkind = 'r'")
                 [0][0]
                     .as<std::int64_t>() == 0;
    });
  }

  std::atomic<int> holder{0};
  std::function<void(const commit_notice&)> on_commit;
  test_database db;
  journal log;
  uuid tenant, directive = real_ids().next(), run, job, called_run, called_job, active_token;
  std::unique_ptr<author<access_state>> access;
  std::unique_ptr<author<llm_usage_state>> calls;
  replay_options options;
};

}  // namespace reeve::fixture
