// What a container may use and leave behind on the machine: on a real engine.

#include "tests/support/engine.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

using nlohmann::json;
using support::box_task;
using support::job_named;
using support::server;
using support::shell_task;
using testing::HasSubstr;
using namespace std::chrono_literals;

namespace {

class in_bounds {
 public:
  explicit in_bounds(std::map<std::string, std::string> environment = {})
      : reeve_(options_with(std::move(environment))),
        cleanup_(on_, "reeve.tenant=" + support::tenant_of(reeve_.api())) {}

  support::api_client api() const { return reeve_.api(); }
  const support::engine& on() const { return on_; }
  json launch(const std::vector<json>& tasks) {
    return support::launch(api(), support::inline_launch(tasks));
  }
  json run(const std::vector<json>& tasks) {
    return support::await_run(api(), launch(tasks).at("id"));
  }
  std::string log(const json& run, const std::string& job) {
    return support::log_of(api(), job_named(run, job).at("id"));
  }

 private:
  static support::server_options options_with(std::map<std::string, std::string> environment) {
    support::server_options options;
    options.docker = support::real_engine();
    options.environment = std::move(environment);
    return options;
  }

  server reeve_;
  support::engine on_;
  support::engine_cleanup cleanup_;
};

/// The box image with something more, which goes with the test.
class derived_image {
 public:
  /// `script` is run in it before.
  derived_image(const support::engine& on, const std::string& name, const std::string& changes,
                const std::string& script = "true")
      : on_(on), reference_("localhost:1/" + name + "-" + std::to_string(::getpid()) + ":1") {
    const auto repository = reference_.substr(0, reference_.rfind(':'));
    const std::string box =
        on.create("reeve-test-" + name + "-" + std::to_string(::getpid()),
                  {{"Image", support::box_image}, {"Cmd", {"sh", "-c", script}}});
    on.start(box);
    on.call("POST", "/containers/" + box + "/wait");
    const auto made = on.call(
        "POST", "/commit?container=" + box + "&repo=" + repository + "&tag=1&changes=" + changes);
    on.remove(box);
    if (made.status != 201) throw std::runtime_error("committing an image: " + made.body);
  }
  ~derived_image() { on_.call("DELETE", "/images/" + reference_ + "?force=1"); }
  derived_image(const derived_image&) = delete;
  derived_image& operator=(const derived_image&) = delete;

  const std::string& reference() const { return reference_; }

 private:
  support::engine on_;
  std::string reference_;
};

}  // namespace

TEST(P11_volumes, that_an_image_brings_along_go_with_the_container) {
  in_bounds here;
  const derived_image image(here.on(), "scratch", "VOLUME%20%2Fscratch");
  support::allow_image(here.api(), image.reference());
  json task = shell_task("t", "sleep 2");
  task["params"]["image"] = image.reference();
  const std::string id = here.launch({task}).at("id");
  support::await_started(here.api(), id, "t");
  const auto containers = here.on().containers("reeve.run=" + id);
  ASSERT_EQ(containers.size(), 1U);
  const json mounts = here.on().inspect(containers[0].at("Id")).at("Mounts");
  std::string volume;
  for (const json& mount : mounts) {
    if (mount.at("Destination") == "/scratch") volume = mount.at("Name");
  }
  ASSERT_FALSE(volume.empty()) << mounts;
  EXPECT_EQ(here.on().call("GET", "/volumes/" + volume).status, 200);
  EXPECT_EQ(support::await_run(here.api(), id).at("status"), "success");
  EXPECT_TRUE(support::eventually(
      [&] { return here.on().call("GET", "/volumes/" + volume).status == 404; }));
}

TEST(P11_volumes, that_an_image_brings_along_count_as_disk_and_lead_nowhere_else) {
  in_bounds here;
  const json bound = {{"disk_mb", 8}, {"memory_mb", 16}};
  const auto run_of = [&](const derived_image& image, const std::string& script) {
    json task = shell_task("t", script, bound);
    task["params"]["image"] = image.reference();
    return here.run({task});
  };
  const derived_image plain(here.on(), "plain", "VOLUME%20%2Fplain",
                            "mkdir -p /plain && chmod 777 /plain");
  support::allow_image(here.api(), plain.reference());
  const json filled = run_of(plain,
                             "i=0; while [ $i -lt 40 ]; do head -c 1048576 /dev/zero > /plain/f$i; "
                             "i=$((i+1)); done; sleep 60");
  EXPECT_EQ(job_named(filled, "t").at("reason"), "disk_limit") << filled.dump(1);
  const json good = run_of(plain, "head -c 1048576 /dev/zero > /plain/f; printf fine");
  EXPECT_EQ(good.at("status"), "success") << good.dump(1);
  EXPECT_EQ(here.log(good, "t"), "fine");

  // With a program of its own in place of reeve-init, as far as the engine follows the link.
  const std::string own = "mkdir -p /reeve /srv/x && cp /bin/busybox /reeve/reeve-init && ";
  const derived_image over(here.on(), "over", "VOLUME%20%2Fdata", own + "ln -s /reeve /data");
  const derived_image above(here.on(), "above", "VOLUME%20%2Fdata%2Fx", own + "ln -s /srv /data");
  for (const auto* image : {&over, &above}) {
    support::allow_image(here.api(), image->reference());
    const json refused = run_of(*image, "printf ran");
    EXPECT_EQ(job_named(refused, "t").at("reason"), "engine_refused")
        << image->reference() << refused.dump(1);
  }
}

TEST(P11_mounts, never_hold_what_is_reeves_own) {
  namespace fs = std::filesystem;
  const support::scratch_dir root(support::work_dir(), "o");
  const auto at = [&](const std::string& below) { return root.path().string() + below; };
  for (const char* folder : {"/logs/deep", "/uploads", "/free/in", "/prices", "/conf", "/keys"}) {
    fs::create_directories(at(folder));
  }
  fs::permissions(root.path(), fs::perms::others_exec, fs::perm_options::add);
  std::ofstream(at("/free/in/file")) << "seen\n";
  support::server_options options;
  options.docker = support::real_engine();
  options.data = at("/data");
  // Whatever file the configuration names, and itself.
  const json upstream = {{"name", "u"},
                         {"url", "http://127.0.0.1:9/v1"},
                         {"models", {"m"}},
                         {"key_file", at("/keys/u.key")}};
  std::ofstream(at("/prices/llm.json")) << json{{"upstreams", json::array({upstream})}};
  std::ofstream(at("/conf/reeve.toml")) << "drain_s = 9\n";
  options.arguments = {"--config", at("/conf/reeve.toml")};
  options.environment = {{"REEVE_LOGS", at("/logs")},
                         {"REEVE_UPLOADS", at("/free/../uploads")},
                         {"REEVE_LLM", at("/prices/llm.json")},
                         {"REEVE_MOUNT_ROOTS", root.path()}};
  server reeve(options);
  const auto api = reeve.api();
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(api));
  support::allow_image(api);
  const auto launch = [&](const std::string& below) {
    const json mounts = json::array({{{"source", at(below)}, {"target", "/in"}}});
    return support::inline_launch({shell_task("t", "cat /in/in/file", {{"mounts", mounts}})});
  };
  fs::create_directories(at("/data/below"));
  for (const char* own : {"", "/data", "/data/below", "/logs", "/logs/deep", "/uploads", "/prices",
                          "/prices/llm.json", "/conf", "/conf/reeve.toml", "/keys"}) {
    const auto refused = api.post("/api/runs/launch", launch(own));
    EXPECT_EQ(refused.status, 403) << own << refused.body;
    EXPECT_EQ(support::pointer_of(refused), "/directive/tasks/0/params/mounts/0") << own;
  }
  const json run = support::await_run(api, support::launch(api, launch("/free")).at("id"));
  EXPECT_EQ(run.at("status"), "success") << run.dump(1);
  EXPECT_EQ(support::log_of(api, job_named(run, "t").at("id")), "seen\n");
}

TEST(P11_root, runs_only_where_the_entry_says_so_and_writes_to_no_mount) {
  const support::scratch_dir root(support::work_dir(), "r");
  in_bounds here({{"REEVE_MOUNT_ROOTS", root.path()}});
  const std::string at = "/directive/tasks/0/params";
  const auto refused = [&](const json& params, int status, const std::string& pointer) {
    const auto answer = here.api().post(
        "/api/runs/launch", support::inline_launch({box_task("t", {"id", "-u"}, params)}));
    EXPECT_EQ(answer.status, status) << params << answer.body;
    EXPECT_EQ(support::pointer_of(answer), pointer) << params << answer.body;
  };
  const json entry = support::allow_image(here.api());
  EXPECT_EQ(entry.at("allow_root"), false);
  for (const char* user : {"0", "0:0", "00", "0:7", "7:0"}) {
    refused({{"user", user}}, 403, at + "/user");
  }
  const auto service = support::service_user();
  const auto own = std::to_string(service ? service->uid : ::getuid());
  for (const auto& user : {own, own + ":7"}) {
    refused({{"user", user}}, 403, at + "/user");
  }
  // The image's own USER, root or not, is not what its jobs run as.
  const derived_image rooted(here.on(), "rooted", "USER%20root");
  support::allow_image(here.api(), rooted.reference());
  json unasked = box_task("t", {"id", "-u"});
  unasked["params"]["image"] = rooted.reference();
  EXPECT_EQ(here.log(here.run({unasked}), "t"), "65534\n");

  EXPECT_EQ(here.api().remove("/api/allowlists/images/" + entry.at("id").get<std::string>()).status,
            200);
  const json with_root =
      support::must_post(here.api(), "/api/allowlists/images",
                         {{"reference", support::box_image}, {"allow_root", true}}, 201);
  EXPECT_EQ(with_root.at("allow_root"), true);
  const auto mounted = [&](bool read_only) -> json {
    const json mount = {{"source", root.path()}, {"target", "/in"}, {"read_only", read_only}};
    return {{"user", "0"}, {"mounts", json::array({mount})}};
  };
  refused(mounted(false), 422, at + "/mounts/0/read_only");
  refused({{"user", own}}, 403, at + "/user");
  const json run = here.run({box_task("t", {"id", "-u"}, mounted(true)),
                             box_task("other", {"id", "-u"}, {{"user", "7:8"}})});
  EXPECT_EQ(here.log(run, "t"), "0\n") << run.dump(1);
  EXPECT_EQ(here.log(run, "other"), "7\n");
}

TEST(P11_disk, of_a_job_is_bounded_and_its_end_says_so) {
  const support::scratch_dir root(support::work_dir(), "k");
  std::filesystem::permissions(root.path(), std::filesystem::perms::all);
  in_bounds here({{"REEVE_MOUNT_ROOTS", root.path()}});
  support::allow_image(here.api());
  const auto files = [](const std::string& folder, int count) {
    return "i=0; while [ $i -lt " + std::to_string(count) + " ]; do head -c 1048576 /dev/zero > " +
           folder + "/f$i; i=$((i+1)); done; ";
  };
  const json bound = {{"disk_mb", 8}, {"memory_mb", 16}};
  json in_root = bound;
  in_root["writable_root"] = true;
  json mounted = bound;
  mounted["mounts"] =
      json::array({{{"source", root.path()}, {"target", "/mnt"}, {"read_only", false}}});
  const std::string deleted = "exec 3>/reeve/out/x; rm /reeve/out/x; cat /dev/zero >&3; sleep 60";
  const json run = here.run(
      {shell_task("many", files("/reeve/out", 40) + "sleep 60", bound),
       shell_task("quick", files("/reeve/out", 12) + "printf unended", bound),
       box_task("one", {"dd", "if=/dev/zero", "of=/reeve/out/f", "bs=1M", "count=64"}, bound),
       shell_task("root", files("/tmp", 40) + "sleep 60", in_root),
       shell_task("deleted", deleted, bound),
       shell_task("hidden", "mkdir /reeve/out/h; chmod 300 /reeve/out/h; sleep 60", bound)});
  EXPECT_EQ(run.at("status"), "failed");
  for (const char* name : {"many", "quick", "one", "root", "deleted", "hidden"}) {
    const json job = job_named(run, name);
    EXPECT_EQ(job.at("reason"), "disk_limit") << job.dump(1);
    EXPECT_EQ(job.at("attempts").at(0).at("reason"), "disk_limit") << name;
    EXPECT_EQ(job.at("attempts").at(0).at("exit_code"), 194) << name;
    EXPECT_THAT(here.log(run, name),
                testing::HasSubstr("reeve-init: ended at its limit of 8388608 bytes on disk\n"));
  }
  // The line is found where others of the job come behind it.
  const json loud = here.run({shell_task(
      "loud", "while :; do echo loud; done & " + files("/reeve/out", 40) + "sleep 60", bound)});
  EXPECT_EQ(job_named(loud, "loud").at("reason"), "disk_limit") << loud.dump(1);
  // What is within it, what lies on the host's own mounts, and who only has that exit code.
  const json good = here.run({shell_task("within", files("/reeve/out", 5), bound),
                              shell_task("mounted", files("/mnt", 12), mounted),
                              shell_task("own", "exit 194", bound)});
  EXPECT_EQ(job_named(good, "within").at("status"), "success") << good.dump(1);
  EXPECT_EQ(job_named(good, "mounted").at("status"), "success") << good.dump(1);
  EXPECT_EQ(job_named(good, "own").at("reason"), "exited");
  EXPECT_EQ(job_named(good, "own").at("attempts").at(0).at("exit_code"), 194);
  const auto refused = here.api().post(
      "/api/runs/launch", support::inline_launch({box_task("t", {"true"}, {{"disk_mb", 0}})}));
  EXPECT_EQ(refused.status, 422) << refused.body;
  EXPECT_EQ(support::pointer_of(refused), "/directive/tasks/0/params/disk_mb");
}

TEST(RUN11_container, has_variables_with_the_names_that_programs_use) {
  in_bounds here;
  support::allow_image(here.api());
  // Not through a shell, which would leave such names out.
  const json run = here.run(
      {box_task("t", {"env"}, {{"env", {{"spring.datasource.url", "one"}, {"a-b", "two"}}}})});
  EXPECT_THAT(here.log(run, "t"), HasSubstr("spring.datasource.url=one\n"));
  EXPECT_THAT(here.log(run, "t"), HasSubstr("a-b=two\n"));
  const auto refused = here.api().post(
      "/api/runs/launch",
      support::inline_launch({box_task("t", {"env"}, {{"env", {{"a=b", "one"}}}})}));
  EXPECT_EQ(refused.status, 422) << refused.body;
  EXPECT_EQ(support::pointer_of(refused), "/directive/tasks/0/params/env");
}
