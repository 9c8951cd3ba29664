// Denied by default, on a real engine: what is not on a list is refused with the name of the field,
// and the engine has not seen anything of it, neither at the launch nor after a later revocation.

#include "tests/support/engine.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <unistd.h>

using nlohmann::json;
using support::must_get;
using support::must_post;
using support::server;
using namespace std::chrono_literals;

namespace {

support::server_options on_engine() {
  support::server_options options;
  options.docker = support::real_engine();
  return options;
}

/// What the engine has ever done with containers of that label, oldest first. Its answer ends by
/// itself, because the end of the time asked for has passed already.
std::vector<std::string> actions_with(const std::string& label) {
  // The engine's clock counts whole seconds here, and it is ours.
  const auto now = std::to_string(std::time(nullptr));
  const json filters = {{"label", {label}}, {"type", {"container"}}};
  std::string encoded;
  for (const unsigned char c : filters.dump()) {
    char code[4];
    std::snprintf(code, sizeof code, "%%%02X", c);
    encoded += code;
  }
  const auto answer =
      support::engine().call("GET", "/events?since=1&until=" + now + "&filters=" + encoded);
  std::vector<std::string> actions;
  std::istringstream lines(answer.body);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) actions.push_back(json::parse(line).at("Action"));
  }
  return actions;
}

json image_launch(const std::string& image, const json& params = json::object()) {
  json task = support::box_task("t", {"true"}, params);
  task["params"]["image"] = image;
  return support::inline_launch({task});
}

void expect_refused(const support::http_response& answer, const std::string& pointer) {
  EXPECT_EQ(answer.status, 403) << answer.body;
  EXPECT_EQ(answer.json().at("type"), "urn:reeve:error:not_allowlisted");
  EXPECT_EQ(support::pointer_of(answer), pointer) << answer.body;
}

}  // namespace

TEST(P11_images, that_are_not_listed_are_refused_before_the_engine_is_asked) {
  server reeve(on_engine());
  const auto api = reeve.api();
  auto database = reeve.database();
  const auto tenant = support::tenant_of(api);
  const support::engine_cleanup cleanup(support::engine(), "reeve.tenant=" + tenant);
  const auto before = support::events_of(database, tenant);
  const std::string at = "/directive/tasks/0/params/image";
  expect_refused(api.post("/api/runs/launch", image_launch(support::box_image)), at);
  expect_refused(api.post("/api/runs/launch", image_launch("nginx")), at);
  expect_refused(
      api.post("/api/runs/launch", {{"tasks", {"log_triage", support::box_task("b", {"true"})}}}),
      "/tasks/1/params/image");
  EXPECT_EQ(support::events_of(database, tenant), before);

  // The entry is for this tag alone, however the name is written.
  const json entry = support::allow_image(api);
  EXPECT_EQ(entry.at("digest").get<std::string>().substr(0, 7), "sha256:");
  for (const char* other : {"localhost:1/box", "localhost:1/box:2", "localhost:1/box:1x", "box:1",
                            "localhost:2/box:1", "localhost:1/box/box:1", "docker.io/box:1"}) {
    expect_refused(api.post("/api/runs/launch", image_launch(other)), at);
  }
  const json listed = must_get(api, "/api/runs").at("results");
  EXPECT_EQ(listed.size(), 0U);
  EXPECT_EQ(support::engine().containers("reeve.tenant=" + tenant).size(), 0U);
  EXPECT_TRUE(actions_with("reeve.tenant=" + tenant).empty());
  // And the listed one runs, which all of these looks can see.
  const json run =
      support::await_run(api, support::launch(api, image_launch(support::box_image)).at("id"));
  EXPECT_EQ(run.at("status"), "success") << run.dump(1);
  EXPECT_TRUE(support::eventually([&] { return !actions_with("reeve.tenant=" + tenant).empty(); }));
}

TEST(P11_requests, for_more_than_the_entry_allows_are_refused) {
  server reeve(on_engine());
  const auto api = reeve.api();
  support::allow_image(api);
  const std::string at = "/directive/tasks/0/params";
  expect_refused(
      api.post("/api/runs/launch", image_launch(support::box_image, {{"network", "host"}})),
      at + "/network");
  for (const char* folder : {"/etc", "/var/run", "/var/run/docker.sock", "/tmp"}) {
    const json mounts = json::array({{{"source", folder}, {"target", "/in"}}});
    expect_refused(
        api.post("/api/runs/launch", image_launch(support::box_image, {{"mounts", mounts}})),
        at + "/mounts/0");
  }
  // The engine's own words are not ours: none of them is passed on.
  for (const char* word : {"privileged", "cap_add", "Privileged", "pid", "ipc", "devices", "binds",
                           "HostConfig", "security_opt", "userns"}) {
    const auto answer =
        api.post("/api/runs/launch", image_launch(support::box_image, {{word, true}}));
    EXPECT_EQ(answer.status, 422) << word << answer.body;
    EXPECT_EQ(support::pointer_of(answer), at + "/" + word);
  }
  EXPECT_EQ(must_get(api, "/api/runs").at("results").size(), 0U);
}

TEST(RUN11_mounts, stay_below_the_configured_roots_also_behind_links) {
  const support::scratch_dir root(support::work_dir(), "m");
  namespace fs = std::filesystem;
  fs::permissions(root.path(), fs::perms::others_read | fs::perms::others_exec,
                  fs::perm_options::add);
  fs::create_directories(root.path() / "in/deep");
  std::ofstream(root.path() / "in/file") << "seen\n";
  fs::create_directory_symlink("/etc", root.path() / "link");
  fs::create_directory_symlink("in", root.path() / "near");
  auto options = on_engine();
  options.environment["REEVE_MOUNT_ROOTS"] = root.path();
  server reeve(options);
  const auto api = reeve.api();
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(api));
  support::allow_image(api);
  const auto task = [&](const std::string& below) {
    const json mounts =
        json::array({{{"source", root.path().string() + below}, {"target", "/in"}}});
    return support::shell_task("m", "cat /in/file; touch /in/new || echo read-only",
                               {{"mounts", mounts}});
  };
  for (const char* outside : {"/link", "/near", "/link/ssl", "/absent", "-not"}) {
    expect_refused(api.post("/api/runs/launch", support::inline_launch({task(outside)})),
                   "/directive/tasks/0/params/mounts/0");
  }
  for (const char* odd : {"/../etc", "/in/..", "/in/../in"}) {
    EXPECT_EQ(api.post("/api/runs/launch", support::inline_launch({task(odd)})).status, 422) << odd;
  }
  const json run =
      support::await_run(api, support::launch(api, support::inline_launch({task("/in")})).at("id"));
  const std::string log = support::log_of(api, run.at("jobs").at(0).at("id"));
  EXPECT_NE(log.find("seen\n"), std::string::npos) << run.dump(1) << log;
  EXPECT_NE(log.find("read-only"), std::string::npos) << log;

  // A folder that became a link between the launch and the start is not followed.
  json late = task("/in/deep");
  late["needs"] = {"first"};
  const json swapped = support::launch(
      api, support::inline_launch({support::box_task("first", {"sleep", "1"}), late}));
  support::await_job(api, swapped.at("id"), "first", "running");
  fs::remove(root.path() / "in/deep");
  fs::create_directory_symlink("/etc", root.path() / "in/deep");
  const json over = support::await_run(api, swapped.at("id"));
  EXPECT_EQ(support::job_named(over, "m").at("status"), "failed");
  EXPECT_EQ(support::job_named(over, "m").at("reason"), "not_allowlisted");
}

TEST(CTR2_containers, are_read_only_while_their_entry_is_active) {
  server reeve(on_engine());
  const auto api = reeve.api();
  const support::engine engine;
  const std::string label = "reeve.test=unlisted-" + std::to_string(::getpid());
  const support::engine_cleanup cleanup(engine, label);
  const std::string name = "unlisted-" + std::to_string(::getpid());
  engine.start(engine.create(name, {{"Image", support::box_image},
                                    {"Cmd", {"sh", "-c", "echo ERROR only for the eyes of few"}},
                                    {"NetworkDisabled", true},
                                    {"Labels", {{"reeve.test", label.substr(11)}}}}));
  const json task = {{"tasks", {{{"kind", "log_triage"}, {"params", {{"containers", {name}}}}}}}};
  expect_refused(api.post("/api/runs/launch", task), "/tasks/0/params/containers/0");
  // Without names nothing unlisted is read either.
  const json all = support::launch(api, {{"tasks", {"log_triage"}}});
  EXPECT_EQ(support::await_run(api, all.at("id")).at("status"), "success");
  const std::string report = "/artifacts/log_triage.json";
  EXPECT_EQ(must_get(api, "/api/jobs/" + all.at("jobs").at(0).at("id").get<std::string>() + report)
                .at("totals")
                .at("lines"),
            0);

  const json entry = must_post(api, "/api/allowlists/containers", {{"name", name}}, 201);
  const json run = support::launch(api, task);
  EXPECT_EQ(support::await_run(api, run.at("id")).at("status"), "success");
  EXPECT_EQ(must_get(api, "/api/jobs/" + run.at("jobs").at(0).at("id").get<std::string>() + report)
                .at("totals")
                .at("lines"),
            1);
  const std::string at = "/api/allowlists/containers/" + entry.at("id").get<std::string>();
  EXPECT_EQ(api.remove(at).status, 200);
  expect_refused(api.post("/api/runs/launch", task), "/tasks/0/params/containers/0");
}

TEST(CTR2_containers, that_are_made_anew_under_a_listed_name_are_not_read) {
  server reeve(on_engine());
  const auto api = reeve.api();
  const support::engine engine;
  const std::string name = "anew-" + std::to_string(::getpid());
  const support::engine_cleanup cleanup(engine, "reeve.test=" + name);
  const auto make = [&](const std::string& says) {
    const auto id = engine.create(name, {{"Image", support::box_image},
                                         {"Cmd", {"echo", "ERROR " + says}},
                                         {"Labels", {{"reeve.test", name}}}});
    engine.start(id);
    EXPECT_TRUE(support::eventually(
        [&] { return engine.inspect(id).at("State").at("Status") == "exited"; }));
    return id;
  };
  const auto report = [&](const json& tasks) {
    const json run = support::await_run(api, support::launch(api, {{"tasks", tasks}}).at("id"));
    EXPECT_EQ(run.at("status"), "success") << run.dump(1);
    return must_get(api, "/api/jobs/" + run.at("jobs").at(0).at("id").get<std::string>() +
                             "/artifacts/log_triage.json");
  };
  const json named = {{{"kind", "log_triage"}, {"params", {{"containers", {name}}}}}};
  const auto first = make("of the first");
  const json entry = must_post(api, "/api/allowlists/containers", {{"name", name}}, 201);
  EXPECT_EQ(entry.at("container_id"), first);
  EXPECT_EQ(report(named).at("totals").at("lines"), 1);

  engine.remove(first);
  make("of the second");
  for (const json& tasks : {named, json{"log_triage"}}) {
    const json now = report(tasks);
    EXPECT_EQ(now.at("totals").at("lines"), 0) << now.dump(1);
    EXPECT_EQ(now.at("sources").at(0).at("problem"),
              "the container that was listed is not there any more");
    EXPECT_EQ(now.dump().find("of the second"), std::string::npos);
  }

  // Who means the name says so.
  EXPECT_EQ(api.remove("/api/allowlists/containers/" + entry.at("id").get<std::string>()).status,
            200);
  const auto both = api.post("/api/allowlists/containers",
                             {{"name", name}, {"container_id", first}, {"by_name", true}});
  EXPECT_EQ(both.status, 422) << both.body;
  EXPECT_EQ(support::pointer_of(both), "/by_name");
  const json by_name =
      must_post(api, "/api/allowlists/containers", {{"name", name}, {"by_name", true}}, 201);
  EXPECT_EQ(by_name.at("container_id"), nullptr);
  EXPECT_EQ(report(named).at("totals").at("lines"), 1);
}

TEST(P11_revocation, between_queueing_and_start_is_obeyed) {
  server reeve(on_engine());
  const auto api = reeve.api();
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(api));
  const json entry = support::allow_image(api);
  const json launched = support::launch(
      api, support::inline_launch(
               {support::box_task("first", {"sleep", "1"}),
                support::box_task("second", {"true"}, json::object(), {{"needs", {"first"}}})}));
  const std::string id = launched.at("id");
  support::await_job(api, id, "first", "running");
  must_post(api, "/api/allowlists/images/" + entry.at("id").get<std::string>() + "/deactivate",
            json::object(), 200);
  const json run = support::await_run(api, id);
  EXPECT_EQ(support::job_named(run, "first").at("status"), "success") << run.dump(1);
  const json second = support::job_named(run, "second");
  EXPECT_EQ(second.at("status"), "failed");
  EXPECT_EQ(second.at("reason"), "not_allowlisted");
  EXPECT_TRUE(second.at("attempts").empty());
  EXPECT_TRUE(actions_with("reeve.job=" + second.at("id").get<std::string>()).empty());
  const std::string first = support::job_named(run, "first").at("id");
  EXPECT_TRUE(support::eventually([&] { return !actions_with("reeve.job=" + first).empty(); }));
  expect_refused(api.post("/api/runs/launch", image_launch(support::box_image)),
                 "/directive/tasks/0/params/image");
}

/// Another image under the same name: built anew, or of another engine.
TEST(CTR8_allowlists, an_entry_is_resolved_again_by_whoever_may_allow) {
  const auto on = support::engine();
  const std::string image = "localhost:1/resolved-box:1";
  const auto build = [&](const std::string& label) {
    const std::string box = on.create("reeve-test-resolved-" + label,
                                      {{"Image", support::box_image}, {"Cmd", {"true"}}});
    const auto made = on.call("POST", "/commit?container=" + box +
                                          "&repo=localhost:1/resolved-box&tag=1"
                                          "&changes=LABEL%20built%3D" +
                                          label);
    on.remove(box);
    ASSERT_EQ(made.status, 201) << made.body;
  };
  server reeve(on_engine());
  const auto api = reeve.api();
  build("first");
  const json entry = support::allow_image(api, image);
  const std::string path = "/api/allowlists/images/" + entry.at("id").get<std::string>();
  const auto reason = [&] {
    const json run = support::await_run(api, support::launch(api, image_launch(image)).at("id"));
    return support::job_named(run, "t").at("reason").get<std::string>();
  };
  EXPECT_EQ(reason(), "exited");
  // Nothing has changed: no event, and the same entry.
  const json same = must_post(api, path + "/resolve", json::object(), 200);
  EXPECT_EQ(same, entry);
  build("second");
  EXPECT_EQ(reason(), "image_changed") << "nobody has said yet that this one may run";
  const auto viewer = api.as(support::new_token(api, "operator"));
  EXPECT_EQ(viewer.post(path + "/resolve", json::object()).status, 403);
  const json pinned = must_post(api, path + "/resolve", json::object(), 200);
  EXPECT_NE(pinned.at("digest"), entry.at("digest"));
  EXPECT_EQ(pinned.at("id"), entry.at("id"));
  EXPECT_EQ(reason(), "exited");
  const json events = must_get(api, "/api/events?type=image_resolved").at("results");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events.at(0).at("payload").at("digest"), pinned.at("digest"));
  // An image that is gone leaves the entry as it was.
  on.call("DELETE", "/images/" + image + "?force=1");
  EXPECT_EQ(api.post(path + "/resolve", json::object()).status, 409);
  EXPECT_EQ(must_get(api, path), pinned);
  EXPECT_EQ(api.remove(path).status, 200);
  EXPECT_EQ(api.post(path + "/resolve", json::object()).status, 409) << "not active";
}

TEST(CTR8_allowlists, keep_their_entries_and_say_who_made_them) {
  server reeve(on_engine());
  const auto api = reeve.api();
  const std::string images = "/api/allowlists/images";
  const auto answer = api.post(images, {{"reference", "docker.io/Library/nginx:1"}});
  EXPECT_EQ(answer.status, 422) << "names of images are in lower case: " << answer.body;
  EXPECT_EQ(support::pointer_of(answer), "/reference");
  const auto made = api.post(images, {{"reference", support::box_image}, {"reason", "the tests"}});
  ASSERT_EQ(made.status, 201) << made.body;
  const json entry = made.json();
  EXPECT_EQ(made.header("Location"), images + "/" + entry.at("id").get<std::string>());
  EXPECT_EQ(entry.at("reference"), support::box_image);
  EXPECT_EQ(entry.at("is_active"), true);
  EXPECT_EQ(entry.at("reason"), "the tests");
  EXPECT_EQ(entry.at("created_by").get<std::string>().substr(0, 6), "token:");
  EXPECT_TRUE(entry.contains("created_at"));
  EXPECT_EQ(must_get(api, made.header("Location")), entry);
  EXPECT_EQ(api.post(images, {{"reference", support::box_image}}).status, 409);
  EXPECT_EQ(api.post(images, {{"reference", ""}}).status, 422);
  EXPECT_EQ(api.post(images, json::object()).status, 422);

  EXPECT_EQ(api.remove(made.header("Location")).json().at("is_active"), false);
  EXPECT_EQ(must_get(api, images + "?is_active=true").at("results").size(), 0U);
  const json old = must_get(api, images + "?is_active=false").at("results");
  ASSERT_EQ(old.size(), 1U);
  EXPECT_EQ(old[0].at("id"), entry.at("id"));
  EXPECT_EQ(api.get(images + "?is_active=perhaps").status, 422);
  EXPECT_EQ(api.get(images + "/0190a000-0000-7000-8000-000000000000").status, 404);

  const json container =
      must_post(api, "/api/allowlists/containers", {{"name", "web"}, {"reason", "logs"}}, 201);
  for (const char* name :
       {"id", "container_id", "name", "is_active", "reason", "created_by", "created_at"}) {
    EXPECT_TRUE(container.contains(name)) << name;
  }
  EXPECT_EQ(api.post("/api/allowlists/containers", {{"name", "a b;c"}}).status, 422);
}
