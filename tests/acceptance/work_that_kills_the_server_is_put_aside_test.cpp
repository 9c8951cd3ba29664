// P26: a job over whose work the server dies three times is put aside, told, and waits for an
// operator; deaths that it has no part in put nothing aside.

#include "tests/support/engine.hpp"
#include "tests/support/server.hpp"
#include "tests/support/tally.hpp"
#include "tests/support/work.hpp"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using nlohmann::json;
using support::job_named;
using support::must_get;
using support::server;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// A server that stands still at the creation of a container, to be killed there.
class deadly {
 public:
  explicit deadly(const std::string& docker)
      : folder_(support::work_dir(), "q"), reeve_(options(docker)) {}

  server& reeve() { return reeve_; }
  support::api_client api() const { return reeve_.api(); }
  const support::tally starts;

  /// Launches one job, and the server dies over its start three times. The job.
  std::string put_aside() {
    support::allow_image(api());
    const json run = support::launch(api(), support::inline_launch({starts.task("a")}));
    run_ = run.at("id");
    for (int deaths = 0; deaths < 3; ++deaths) {
      EXPECT_TRUE(support::eventually([&] { return fs::exists(file()); })) << deaths << " deaths";
      reeve_.kill_hard();
      // As long as the file is there nobody stops.
      if (deaths < 2) fs::remove(file());
      reeve_.start();
    }
    const json job = run.at("jobs").at(0);
    EXPECT_TRUE(support::eventually([&] { return quarantined().size() == 1; }));
    return job.at("id");
  }
  const std::string& run() const { return run_; }
  json quarantined() const {
    return must_get(api(), "/api/jobs?is_quarantined=true").at("results");
  }
  json events(const std::string& type) const {
    const json page = must_get(api(), "/api/events?type=" + type + "&stream=run-" + run_);
    return page.at("results");
  }

 private:
  fs::path file() const { return folder_.path() / "stopped"; }
  support::server_options options(const std::string& docker) const {
    support::server_options o;
    o.docker = docker;
    o.environment["REEVE_MOUNT_ROOTS"] = starts.root();
    o.environment["REEVE_TEST_STOP_AT"] = "before_create=" + file().string();
    return o;
  }

  support::scratch_dir folder_;
  server reeve_;
  std::string run_;
};

/// Wrong in every way that a word on quarantined work can be.
void expect_refused(const support::api_client& admin, const server& reeve, const std::string& job,
                    const std::string& word) {
  const std::string target = "/api/jobs/" + job + "/" + word;
  EXPECT_EQ(reeve.anonymous().post(target, json::object()).status, 401);
  for (const auto& token :
       {support::new_token(admin, "viewer"), support::new_token(reeve.system_api(), "auditor")}) {
    EXPECT_EQ(admin.as(token).post(target, json::object()).status, 403);
  }
  EXPECT_EQ(reeve.system_api().post(target, json::object()).status, 404) << "a foreign tenant";
  EXPECT_EQ(reeve.system_api().get("/api/jobs?is_quarantined=true").json().at("results").size(),
            0U);
  EXPECT_EQ(admin.post(target, {{"force", true}}).status, 422);
  EXPECT_EQ(admin.post(target, json::object(), {{"If-Match", "\"old\""}}).status, 412);
}

}  // namespace

TEST(P26_quarantine, takes_what_killed_the_server_three_times_and_an_operator_has_it_tried_again) {
  REEVE_TEST_TIME_LIMIT(60);
  deadly d(support::real_engine());
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(d.api()));
  const auto job = d.put_aside();
  EXPECT_EQ(d.quarantined()[0].at("id"), job);
  EXPECT_EQ(d.quarantined()[0].at("pending_reason"), "quarantined");
  EXPECT_EQ(d.events("work_attempted").size(), 2U);
  EXPECT_EQ(d.events("work_quarantined")[0].at("payload").at("crashes"), 3);
  EXPECT_EQ(d.starts.starts_of("a"), 0);
  // Nobody else waits for it.
  const json other = support::launch(d.api(), support::inline_launch({d.starts.task("b")}));
  EXPECT_EQ(support::await_run(d.api(), other.at("id")).at("status"), "success");
  d.reeve().crash_and_restart();
  ASSERT_EQ(d.quarantined().size(), 1U) << "it stays aside";
  expect_refused(d.api(), d.reeve(), job, "retry");
  const auto api = d.api();
  const auto document = api.get("/api/jobs/" + job);
  const std::string target = "/api/jobs/" + job + "/retry";
  const support::header_list headers{{"Idempotency-Key", "once-more"},
                                     {"If-Match", document.header("ETag")}};
  const auto first = api.post(target, {{"reason", "the disk is mended"}}, headers);
  ASSERT_EQ(first.status, 202) << first.body;
  EXPECT_EQ(first.json().at("is_quarantined"), false);
  EXPECT_EQ(support::await_run(api, d.run()).at("status"), "success");
  EXPECT_EQ(d.starts.starts_of("a"), 1);
  EXPECT_EQ(api.post(target, {{"reason", "the disk is mended"}}, headers).body, first.body);
  EXPECT_EQ(api.post(target, json::object()).status, 409) << "it is not quarantined any more";
  ASSERT_EQ(d.events("work_released").size(), 1U);
  const json said = d.events("work_released")[0];
  EXPECT_EQ(said.at("payload").at("reason"), "the disk is mended");
  EXPECT_EQ(said.at("principal"), must_get(api, "/api/whoami").at("principal"));
}

TEST(P26_quarantine, ends_as_a_failure_when_an_operator_discards_it) {
  REEVE_TEST_TIME_LIMIT(60);
  deadly d("simulated");
  const auto job = d.put_aside();
  expect_refused(d.api(), d.reeve(), job, "discard");
  const auto listed = d.reeve().command({"jobs", "list", "--quarantined"});
  EXPECT_EQ(listed.status, 0) << listed.output;
  EXPECT_THAT(listed.output, testing::HasSubstr(job));
  const auto discarded = d.reeve().command({"jobs", "discard", job, "--reason", "not worth it"});
  EXPECT_EQ(discarded.status, 0) << discarded.output;
  EXPECT_EQ(d.reeve().command({"jobs", "discard", job}).status, 4) << "refused: it is over";
  const json over = support::await_run(d.api(), d.run());
  EXPECT_EQ(over.at("status"), "failed");
  EXPECT_EQ(job_named(over, "count").at("reason"), "quarantined");
  EXPECT_EQ(d.events("work_discarded")[0].at("payload").at("reason"), "not worth it");
  EXPECT_EQ(d.quarantined().size(), 0U);
  EXPECT_EQ(d.starts.starts_of("a"), 0);
}

TEST(P26_quarantine, does_not_take_what_ran_while_the_server_was_killed) {
  support::server_options options;
  options.docker = support::real_engine();
  server reeve(options);
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(reeve.api()));
  support::allow_image(reeve.api());
  const json task = support::shell_task("long", "sleep 60");
  const std::string run = support::launch(reeve.api(), support::inline_launch({task})).at("id");
  const json started = support::await_started(reeve.api(), run, "long");
  for (int n = 0; n < 3; ++n) reeve.crash_and_restart();
  const std::string id = job_named(started, "long").at("attempts").at(0).at("container_id");
  const support::engine on;
  on.call("POST", "/containers/" + id + "/kill");
  const json over = support::await_run(reeve.api(), run);
  EXPECT_EQ(job_named(over, "long").at("reason"), "exited") << over.dump(1);
  EXPECT_EQ(job_named(over, "long").at("attempts").size(), 1U);
  // One that ended before the last start looked for it costs a note, and is taken up all the same.
  EXPECT_LE(reeve.database().number("SELECT count(*) FROM reeve.events WHERE type LIKE 'work_%'"),
            1);
}

TEST(P26_quarantine, does_not_take_what_only_waited_for_an_engine) {
  const support::scratch_dir folder(support::work_dir(), "q");
  const auto socket = folder.path() / "sock", stopped = folder.path() / "stopped";
  fs::create_symlink(support::engine_socket(), socket);
  const support::tally starts;
  support::server_options options;
  options.docker = "unix://" + socket.string();
  options.environment["REEVE_MOUNT_ROOTS"] = starts.root();
  options.environment["REEVE_TEST_STOP_AT"] = "before_create=" + stopped.string();
  server reeve(options);
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(reeve.api()));
  support::allow_image(reeve.api());
  const std::string run =
      support::launch(reeve.api(), support::inline_launch({starts.task("a")})).at("id");
  ASSERT_TRUE(support::eventually([&] { return fs::exists(stopped); }));
  fs::remove(socket);
  for (int deaths = 0; deaths < 4; ++deaths) {
    reeve.kill_hard();
    reeve.start();
    EXPECT_TRUE(support::eventually(
        [&] { return must_get(reeve.api(), "/api/engine").at("available") == false; }));
  }
  const auto noted = [&] {
    return reeve.database().number("SELECT count(*) FROM reeve.events WHERE type LIKE 'work_%'");
  };
  EXPECT_EQ(noted(), 0);
  fs::create_symlink(support::engine_socket(), socket);
  const json over = support::await_run(reeve.api(), run);
  EXPECT_EQ(over.at("status"), "success") << over.dump(1);
  EXPECT_EQ(noted(), 1) << "the first death was over the attempt itself";
  EXPECT_EQ(starts.starts_of("a"), 1);
}
