// Log triage, over logs of real containers and over files: templates ranked by severity, novelty
// and frequency, as JSON and as Markdown, and what is new since the last successful run.

#include "tests/support/engine.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

using nlohmann::json;
using support::must_get;
using support::must_post;
using support::server;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

namespace {

/// A server with a folder of log files and two listed containers that have written something.
class triage_case {
 public:
  triage_case()
      : logs_(support::work_dir(), "l"),
        label_("reeve.test=triage-" + std::to_string(::getpid())),
        cleanup_(support::engine(), label_),
        reeve_(options()) {
    fs::permissions(logs_.path(), fs::perms::all);
  }
  support::api_client api() const { return reeve_.api(); }
  support::api_client system_api() const { return reeve_.system_api(); }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((logs_.path() / name).parent_path());
    std::ofstream(logs_.path() / name, std::ios::app) << text;
  }
  const fs::path& logs() const { return logs_.path(); }
  /// A container that has said that and ended.
  std::string container(const std::string& name, const std::string& script,
                        const json& labels = json::object(),
                        const std::string& log_driver = "json-file") const {
    const support::engine engine;
    const std::string full = name + "-" + std::to_string(::getpid());
    json all = {{"reeve.test", label_.substr(11)}};
    all.update(labels);
    engine.start(engine.create(full, {{"Image", support::box_image},
                                      {"Cmd", {"sh", "-c", script}},
                                      {"NetworkDisabled", true},
                                      {"HostConfig", {{"LogConfig", {{"Type", log_driver}}}}},
                                      {"Labels", all}}));
    EXPECT_TRUE(
        support::eventually([&] { return engine.inspect(full)["State"]["Status"] == "exited"; }));
    return full;
  }
  std::string directive(const json& params) const {
    return must_post(api(), "/api/directives",
                     {{"name", "watch"},
                      {"tasks", json::array({{{"kind", "task1"}, {"params", params}}})}},
                     201)
        .at("id");
  }
  json run(const json& body) const {
    return support::await_run(api(), support::launch(api(), body).at("id"));
  }
  json report(const json& run) const { return must_get(api(), artifact(run, "log_triage.json")); }
  std::string markdown(const json& run) const {
    return api().get(artifact(run, "log_triage.md")).body;
  }
  static std::string artifact(const json& run, const std::string& name) {
    return "/api/jobs/" + run.at("jobs").at(0).at("id").get<std::string>() + "/artifacts/" + name;
  }

 private:
  support::server_options options() const {
    support::server_options made;
    made.docker = support::real_engine();
    made.environment["REEVE_LOGS"] = logs_.path();
    return made;
  }

  support::scratch_dir logs_;
  std::string label_;
  support::engine_cleanup cleanup_;
  server reeve_;
};

const json* finding(const json& report, const std::string& part) {
  for (const json& one : report.at("findings")) {
    if (one.at("template").get<std::string>().find(part) != std::string::npos) return &one;
  }
  return nullptr;
}

}  // namespace

TEST(RUN8_log_triage, reads_every_listed_container_and_ranks_what_it_finds) {
  triage_case here;
  const auto web = here.container(
      "web",
      "for i in 1 2 3 4 5 6 7; do echo \"INFO request $i took ${i}0 ms\"; done; "
      "echo 'ERROR: disk /dev/sda1 is full at 97%' >&2; echo password=hunter2hunter2");
  const auto queue =
      here.container("queue", "echo 'WARN: queue depth 812'; echo 'FATAL: giving up'");
  here.container("hidden", "echo 'FATAL: nobody listed me'");
  for (const auto& name : {web, queue}) {
    must_post(here.api(), "/api/allowlists/containers", {{"name", name}}, 201);
  }
  const json run = here.run({{"tasks", {"log_triage"}}});
  ASSERT_EQ(run.at("status"), "success") << run.dump(1);

  const json list = must_get(
      here.api(), "/api/jobs/" + run.at("jobs").at(0).at("id").get<std::string>() + "/artifacts");
  ASSERT_EQ(list.at("results").size(), 2U);
  EXPECT_EQ(run.at("jobs").at(0).at("artifacts").size(), 2U);
  for (const json& one : list.at("results")) {
    const auto answer = here.api().get(triage_case::artifact(run, one.at("name")));
    EXPECT_EQ(answer.header("Content-Type"), one.at("media_type"));
    EXPECT_EQ(answer.body.size(), one.at("bytes").get<std::size_t>());
  }
  const json report = here.report(run);
  EXPECT_EQ(report.at("totals").at("lines"), 11);
  EXPECT_EQ(report.at("totals").at("fatal"), 1);
  EXPECT_EQ(report.at("totals").at("error"), 1);
  EXPECT_EQ(report.at("totals").at("warning"), 1);
  ASSERT_EQ(report.at("sources").size(), 2U);
  const json* fatal = finding(report, "giving up");
  const json* requests = finding(report, "request");
  ASSERT_NE(fatal, nullptr) << report.dump(1);
  ASSERT_NE(requests, nullptr) << report.dump(1);
  EXPECT_EQ(fatal->at("rank"), 1);
  EXPECT_EQ(fatal->at("severity"), "fatal");
  EXPECT_EQ(requests->at("count"), 7);
  EXPECT_EQ(requests->at("sources").at(0).at("source"), web);
  EXPECT_GT(fatal->at("score").at("total"), requests->at("score").at("total"));
  EXPECT_EQ(fatal->at("novelty"), "no_baseline");
  EXPECT_THAT(report.dump(), Not(HasSubstr("nobody listed me")));
  EXPECT_THAT(report.dump(), Not(HasSubstr("hunter2")));
  const std::string markdown = here.markdown(run);
  EXPECT_THAT(markdown, HasSubstr("# "));
  EXPECT_THAT(markdown, HasSubstr("giving up"));
  EXPECT_THAT(markdown, Not(HasSubstr("hunter2")));
}

TEST(RUN8_log_triage, tells_of_what_it_cannot_read_and_reads_the_rest) {
  triage_case here;
  const auto silent =
      here.container("silent", "echo 'ERROR: nobody keeps this'", json::object(), "none");
  const auto well = here.container("well", "echo 'ERROR: this is kept'");
  here.write("ok.log", "ERROR: in a file\n");
  here.write("old.log.1.gz", std::string("\x1F\x8B\x08\0\0\0\0\0\0\x03K\n", 12));
  for (const auto& name : {silent, well}) {
    must_post(here.api(), "/api/allowlists/containers", {{"name", name}}, 201);
  }
  const json run = here.run({{"tasks",
                              {{{"kind", "log_triage"},
                                {"params",
                                 {{"containers", {silent, well}},
                                  {"files", {"old.log.1.gz", "absent.log", "ok.log"}}}}}}}});
  ASSERT_EQ(run.at("status"), "success") << run.dump(1);
  const json report = here.report(run);
  ASSERT_EQ(report.at("sources").size(), 5U);
  const auto problem = [&](std::size_t i) { return report.at("sources").at(i).at("problem"); };
  EXPECT_THAT(problem(0).get<std::string>(), HasSubstr("log driver")) << report.dump(1);
  EXPECT_TRUE(problem(1).is_null());
  EXPECT_THAT(problem(2).get<std::string>(), HasSubstr("gzip"));
  EXPECT_THAT(problem(3).get<std::string>(), HasSubstr("no such log file"));
  EXPECT_TRUE(problem(4).is_null());
  EXPECT_EQ(report.at("totals").at("error"), 2);
  EXPECT_THAT(here.markdown(run), HasSubstr("gzip"));
}

TEST(RUN8_log_triage, says_what_is_new_since_the_last_successful_run) {
  triage_case here;
  here.write("app/server.log",
             "2026-01-01T00:00:00Z ERROR: cannot reach db-7 in 30 ms\n"
             "2026-01-01T00:00:01Z INFO started\n");
  const std::string id = here.directive({{"files", {"app/server.log"}}});
  const json first = here.run({{"directive_id", id}});
  ASSERT_EQ(first.at("status"), "success") << first.dump(1);
  EXPECT_TRUE(here.report(first).at("baseline_run").is_null());

  here.write("app/server.log",
             "2026-01-01T00:01:00Z ERROR: cannot reach db-9 in 45 ms\n"
             "2026-01-01T00:01:01Z ERROR: the tape is on fire\n");
  const json second = here.run({{"directive_id", id}});
  const json report = here.report(second);
  EXPECT_EQ(report.at("baseline_run"), first.at("id"));
  const json* known = finding(report, "cannot reach");
  const json* fresh = finding(report, "tape");
  ASSERT_NE(known, nullptr) << report.dump(1);
  ASSERT_NE(fresh, nullptr) << report.dump(1);
  EXPECT_EQ(known->at("count"), 2);
  EXPECT_EQ(known->at("baseline_count"), 1);
  EXPECT_EQ(known->at("novelty"), "known");
  EXPECT_EQ(fresh->at("novelty"), "new");
  EXPECT_LT(fresh->at("rank"), known->at("rank"));
  EXPECT_EQ(report.at("totals").at("new_templates"), 1);
  EXPECT_THAT(here.markdown(second), HasSubstr("new"));
}

TEST(RUN6_since, last_success_limits_the_input_to_what_came_after_it) {
  triage_case here;
  here.write("a.log", "2020-01-01T00:00:00Z ERROR: long ago\n");
  const std::string id = here.directive({{"files", {"a.log"}}});
  // Nothing has succeeded yet, so nothing is left out.
  const json first = here.run({{"directive_id", id}, {"since", "last_success"}});
  EXPECT_EQ(here.report(first).at("totals").at("lines"), 1);
  here.write("a.log", "2030-01-01T00:00:00Z ERROR: after that\n");
  const json second = here.run({{"directive_id", id}, {"since", "last_success"}});
  const json report = here.report(second);
  EXPECT_FALSE(report.at("since").is_null());
  EXPECT_EQ(report.at("totals").at("lines"), 1) << report.dump(1);
  EXPECT_NE(finding(report, "after that"), nullptr);
  EXPECT_EQ(finding(report, "long ago"), nullptr);
  // The task's own word wins over the launch's.
  const json own = here.run({{"directive",
                              {{"name", "own"},
                               {"tasks", json::array({{{"kind", "log_triage"},
                                                       {"since", "2025-01-01T00:00:00Z"},
                                                       {"params", {{"files", {"a.log"}}}}}})}}},
                             {"since", "2031-01-01T00:00:00Z"}});
  EXPECT_EQ(here.report(own).at("totals").at("lines"), 1);
  // A run that came after the last success of the same directive is listed.
  const json third = support::launch(here.api(), {{"directive_id", id}});
  support::await_run(here.api(), third.at("id"));
  const json list =
      must_get(here.api(), "/api/runs?since=last_success&directive=" + id).at("results");
  EXPECT_EQ(list.size(), 0U);
}

/// A launch with tasks of its own names the default directive too, and reads something else.
TEST(RUN6_since, last_success_is_a_run_of_the_directives_own_tasks) {
  triage_case here;
  here.write("a.log", "2020-01-01T00:00:00Z ERROR: long ago\n");
  here.write("b.log", "2020-01-01T00:00:00Z ERROR: of another task\n");
  const json directives = must_get(here.api(), "/api/directives").at("results");
  const std::string id = directives.at(0).at("id");
  ASSERT_TRUE(directives.at(0).at("is_default"));
  const auto triage = [](const std::string& file) {
    return json::array({{{"kind", "log_triage"}, {"params", {{"files", {file}}}}}});
  };
  const json spec = {{"name", "default"}, {"tasks", triage("a.log")}};
  ASSERT_EQ(here.api().put("/api/directives/" + id, spec).status, 200);
  const json ad_hoc = here.run({{"tasks", triage("b.log")}, {"since", "last_success"}});
  EXPECT_EQ(ad_hoc.at("directive_id"), id);
  EXPECT_EQ(ad_hoc.at("status"), "success") << ad_hoc.dump(1);
  // Its own tasks have not run yet, so nothing is left out.
  const json first = here.run({{"directive_id", id}, {"since", "last_success"}});
  EXPECT_EQ(here.report(first).at("totals").at("lines"), 1) << here.report(first).dump(1);
  EXPECT_TRUE(here.report(first).at("baseline_run").is_null());
  here.run({{"tasks", triage("b.log")}});
  const json second = here.run({{"directive_id", id}, {"since", "last_success"}});
  EXPECT_EQ(here.report(second).at("baseline_run"), first.at("id"));
  EXPECT_EQ(here.report(second).at("totals").at("lines"), 0);
  // And what the directive's own tasks have never read is read by others from its beginning.
  const json other = here.run({{"tasks", triage("b.log")}, {"since", "last_success"}});
  EXPECT_EQ(here.report(other).at("totals").at("lines"), 1);
  const json list =
      must_get(here.api(), "/api/runs?since=last_success&directive=" + id).at("results");
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list.at(0).at("id"), other.at("id"));
}

TEST(RUN8_log_triage, reads_no_file_outside_of_the_log_folder) {
  triage_case here;
  here.write("ok.log", "INFO fine\n");
  fs::create_symlink("/etc/passwd", here.logs() / "link.log");
  fs::create_directory_symlink("/etc", here.logs() / "etc");
  for (const char* name : {"../../etc/passwd", "/etc/passwd", "link.log", "etc/passwd", "./ok.log",
                           "absent.log", "a/../ok.log"}) {
    const auto answer =
        here.api().post("/api/runs/launch",
                        {{"tasks", {{{"kind", "log_triage"}, {"params", {{"files", {name}}}}}}}});
    // Refused at once or when it is looked for; in no case read.
    if (answer.status == 422) continue;
    ASSERT_EQ(answer.status, 201) << name << answer.body;
    const json run = support::await_run(here.api(), answer.json().at("id"));
    EXPECT_EQ(run.at("status"), "failed") << name;
    EXPECT_EQ(run.at("jobs").at(0).at("reason"), "input_missing") << name;
    EXPECT_TRUE(run.at("jobs").at(0).at("artifacts").empty());
  }
  const json good =
      here.run({{"tasks", {{{"kind", "log_triage"}, {"params", {{"files", {"ok.log"}}}}}}}});
  EXPECT_EQ(here.report(good).at("totals").at("lines"), 1);
}

TEST(P17_log_triage, reads_of_each_tenant_the_files_of_its_own_folder) {
  triage_case here;
  const std::string its = support::tenant_of(here.system_api());
  here.write("web.log", "ERROR of the first one\n");
  here.write(its + "/its.log", "ERROR of the other one\n");
  here.write("app/" + its + "/deep.log", "ERROR of an application\n");
  const auto run_of = [](const support::api_client& as, const std::string& name) {
    const json task = {{"kind", "log_triage"}, {"params", {{"files", {name}}}}};
    return support::await_run(as, support::launch(as, {{"tasks", {task}}}).at("id"));
  };
  const auto told = [&](const support::api_client& as, const std::string& name) {
    const json run = run_of(as, name);
    EXPECT_EQ(run.at("status"), "success") << run.dump(1);
    return must_get(as, triage_case::artifact(run, "log_triage.json")).dump();
  };
  EXPECT_THAT(told(here.api(), "web.log"), HasSubstr("of the first one"));
  EXPECT_THAT(told(here.api(), "app/" + its + "/deep.log"), HasSubstr("of an application"));
  EXPECT_THAT(told(here.system_api(), "its.log"), HasSubstr("of the other one"));
  // What lies in another tenant's folder, and what is nowhere, are one.
  for (const auto& name : {its + "/its.log", its + "/none.log", std::string("none.log")}) {
    const json run = run_of(here.api(), name);
    EXPECT_EQ(run.at("status"), "failed") << name;
    EXPECT_EQ(run.at("jobs").at(0).at("reason"), "input_missing") << name;
  }
  for (const char* name : {"web.log", "app/a.log"}) {
    EXPECT_EQ(run_of(here.system_api(), name).at("jobs").at(0).at("reason"), "input_missing");
  }
}

TEST(P17_log_triage, reads_no_container_of_another_tenants_job) {
  triage_case here;
  const json labels = {{"reeve.instance", "0190a000-0000-7000-8000-000000000001"},
                       {"reeve.tenant", support::tenant_of(here.system_api())},
                       {"reeve.run", "0190a000-0000-7000-8000-000000000002"}};
  const auto foreign = here.container("moved", "echo 'FATAL: of a stranger'", labels);
  const auto own = here.container("plain", "echo 'FATAL: of nobody'");
  const std::string id = support::engine().inspect(foreign).at("Id");
  // It may be listed under a name that has moved, and by its id; it is as if it were not there.
  for (const auto& name : {foreign, own, id.substr(0, 12), id}) {
    must_post(here.api(), "/api/allowlists/containers", {{"name", name}}, 201);
  }
  const json run = here.run({{"tasks", {"log_triage"}}});
  ASSERT_EQ(run.at("status"), "success") << run.dump(1);
  const json report = here.report(run);
  EXPECT_THAT(report.dump(), Not(HasSubstr("of a stranger")));
  EXPECT_NE(finding(report, "of nobody"), nullptr) << report.dump(1);
  ASSERT_EQ(report.at("sources").size(), 4U);
  for (const json& source : report.at("sources")) {
    if (source.at("name") == own) continue;
    EXPECT_EQ(source.at("problem"), "there is no such container") << source;
    EXPECT_EQ(source.at("lines"), 0) << source;
  }
  // By its own name it is not even listed, whether there is one or not.
  const auto refused =
      here.api().post("/api/allowlists/containers",
                      {{"name", "reeve-000000000000-0190a000-0000-7000-8000-000000000003-a1"}});
  EXPECT_EQ(refused.status, 422) << refused.body;
  EXPECT_EQ(support::pointer_of(refused), "/name");
}

/// Neither the answer to the entry nor what tasks say tells whether there is such a container.
TEST(P17_containers, of_no_job_are_there_for_the_first_tenant_only) {
  triage_case here;
  const auto other = here.system_api();
  const auto plain = here.container("plain", "echo 'FATAL: of the host'");
  const auto absent = "absent-" + std::to_string(::getpid());
  const auto listed = [&](const std::string& name) {
    json made = must_post(other, "/api/allowlists/containers", {{"name", name}}, 201);
    for (const char* own : {"id", "name", "created_at", "position"}) made.erase(own);
    return made.dump();
  };
  EXPECT_EQ(listed(plain), listed(absent));
  const auto told = [&](const std::string& name) {
    const json params = {{"containers", {name}}};
    const json reads = {{"kind", "log_triage"}, {"name", "reads"}, {"params", params}};
    const json draws = {{"kind", "service_map"}, {"name", "draws"}, {"params", params}};
    const json run = support::await_run(
        other, support::launch(other, {{"tasks", json::array({reads, draws})}}).at("id"));
    EXPECT_EQ(run.at("status"), "success") << run.dump(1);
    const json report = must_get(other, triage_case::artifact(run, "log_triage.json"));
    const std::string job = support::job_named(run, "draws").at("id");
    const json map = must_get(other, "/api/jobs/" + job + "/artifacts/service_map.json");
    EXPECT_TRUE(report.at("findings").empty()) << report.dump(1);
    std::string all = report.at("sources").dump() + map.at("nodes").dump() +
                      map.at("edges").dump() + map.at("problems").dump();
    for (auto at = all.find(name); at != std::string::npos; at = all.find(name)) {
      all.replace(at, name.size(), "{}");
    }
    return all;
  };
  EXPECT_EQ(told(plain), told(absent));
  EXPECT_THAT(told(plain), HasSubstr("there is no such container"));
  must_post(here.api(), "/api/allowlists/containers", {{"name", plain}}, 201);
  const json own = here.report(here.run({{"tasks", {"log_triage"}}}));
  EXPECT_NE(finding(own, "of the host"), nullptr) << own.dump(1);
}
