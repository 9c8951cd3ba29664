// What jobs mount is kept apart by tenant, on a real engine: the first one's folders are those
// below a root, every other one's lie in the folder that is called by its id (P17).

#include "tests/support/engine.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <vector>

using nlohmann::json;
using support::api_client;
using support::server;

namespace {

namespace fs = std::filesystem;

/// A first tenant and another one, with a root in which both have a file.
class two_that_mount {
 public:
  two_that_mount()
      : root_(support::work_dir(), "t"),
        reeve_(options()),
        // The system tenant has the same id everywhere: its containers go by their log.
        cleanup_(support::engine(),
                 "reeve.instance=" +
                     *reeve_.database().query("SELECT origin FROM reeve.log").at(0, "origin")) {
    fs::permissions(root_.path(), fs::perms::others_read | fs::perms::others_exec,
                    fs::perm_options::add);
    put("in", "of the first one");
    for (const auto& as : {first(), other()}) support::allow_image(as);
  }

  api_client first() const { return reeve_.api(); }
  api_client other() const { return reeve_.system_api(); }
  fs::path at(const std::string& below) const { return root_.path().string() + below; }

  void put(const std::string& folder, const std::string& text) const {
    fs::create_directories(root_.path() / folder / "deep");
    std::ofstream(root_.path() / folder / "file") << text << "\n";
  }
  json reading(const std::string& below) const {
    const json mount = {{"source", root_.path().string() + below}, {"target", "/in"}};
    return support::shell_task("m", "cat /in/file", {{"mounts", json::array({mount})}});
  }
  /// Everything of a refusal but what differs between any two answers.
  std::string refusal(const api_client& as, const std::string& below) const {
    const auto answer = as.post("/api/runs/launch", support::inline_launch({reading(below)}));
    EXPECT_EQ(answer.status, 403) << below << answer.body;
    EXPECT_EQ(support::pointer_of(answer), "/directive/tasks/0/params/mounts/0") << below;
    json body = answer.json();
    for (const char* own : {"instance", "request_id"}) body.erase(own);
    return body.dump();
  }
  std::string read(const api_client& as, const std::string& below) const {
    const json run = support::await_run(
        as, support::launch(as, support::inline_launch({reading(below)})).at("id"));
    EXPECT_EQ(run.at("status"), "success") << run.dump(1);
    return support::log_of(as, support::job_named(run, "m").at("id"));
  }

 private:
  support::server_options options() const {
    support::server_options made;
    made.docker = support::real_engine();
    made.environment["REEVE_MOUNT_ROOTS"] = root_.path();
    return made;
  }

  support::scratch_dir root_;
  server reeve_;
  support::engine_cleanup cleanup_;
};

}  // namespace

TEST(P17_mounts, of_another_tenant_are_as_what_is_not_there) {
  const two_that_mount here;
  const auto mine = support::tenant_of(here.first());
  const auto its = support::tenant_of(here.other());
  here.put(its, "of the other one");
  const auto absent = here.refusal(here.first(), "/absent");
  EXPECT_EQ(here.refusal(here.other(), "/absent"), absent);
  for (const auto& below : {std::string(), "/" + its, "/" + its + "/deep", "/" + its + "/absent"}) {
    EXPECT_EQ(here.refusal(here.first(), below), absent) << below;
  }
  for (const auto& below : {std::string(), std::string("/in"), "/" + mine, "/in/" + its}) {
    EXPECT_EQ(here.refusal(here.other(), below), absent) << below;
  }
  EXPECT_EQ(here.read(here.first(), "/in"), "of the first one\n");
  EXPECT_EQ(here.read(here.other(), "/" + its), "of the other one\n");
}

/// The root was all the first tenant's when it launched, and holds another one's folder now.
TEST(P17_mounts, are_looked_at_again_before_the_start) {
  const two_that_mount here;
  const auto as = here.first();
  json late = here.reading("");
  late["needs"] = {"first"};
  const json in = {{"source", here.at("/in").string()}, {"target", "/in"}};
  const json first = support::shell_task("first", "until [ -e /in/go ]; do sleep 0.1; done",
                                         {{"mounts", json::array({in})}});
  const json run = support::launch(as, support::inline_launch({first, late}));
  support::await_job(as, run.at("id"), "first", "running");
  fs::create_directories(here.at("/" + support::tenant_of(here.other())));
  here.put("in/go", "");
  const json over = support::await_run(as, run.at("id"));
  EXPECT_EQ(support::job_named(over, "m").at("status"), "failed") << over.dump(1);
  EXPECT_EQ(support::job_named(over, "m").at("reason"), "not_allowlisted");
}
