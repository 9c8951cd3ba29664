// OPS2, P26: a part of the supervision tree fails again and again, until everything above it is
// begun anew. Every run that was active goes on from the log, and nothing is executed twice.

#include "tests/support/engine.hpp"
#include "tests/support/server.hpp"
#include "tests/support/tally.hpp"
#include "tests/support/work.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using nlohmann::json;
using support::job_named;
using support::must_get;
using support::server;
using support::shell_task;
namespace fs = std::filesystem;

namespace {

/// A server on the real engine whose parts fail as long as a file of their name is there
/// (base/test_point.hpp).
class failing {
 public:
  failing() : folder_(support::work_dir(), "f"), reeve_(options()) {
    support::allow_image(reeve_.api());
  }
  support::api_client api() const { return reeve_.api(); }
  const support::tally starts;

  /// Empty while what is above it is begun anew.
  json agent(const std::string& path) const {
    const json all = must_get(api(), "/api/agents").at("results");
    for (const json& row : all) {
      if (row.at("path") == path) return row;
    }
    return json::object();
  }
  /// Makes the step fail until the supervisor or actor `path` has been begun anew, and waits for
  /// the whole tree.
  void fail(const std::string& step, const std::string& path) {
    const auto file = folder_.path() / step;
    const auto before = agent(path).value("incarnation", 0);
    std::ofstream(file) << "\n";
    EXPECT_TRUE(support::eventually([&] { return agent(path).value("incarnation", 0) > before; }));
    fs::remove(file);
    EXPECT_TRUE(support::eventually([&] {
      return agent("root").value("state", "") == "up" && agent(path).value("state", "") == "up";
    })) << must_get(api(), "/api/agents").dump(1);
  }
  /// As a client does: again after a 503, which the parts that are begun last still answer.
  std::string launch_patiently(const json& body) const {
    std::string id;
    EXPECT_TRUE(support::eventually([&] {
      const auto answer = api().post("/api/runs/launch", body);
      if (answer.status == 201) id = answer.json().at("id");
      return answer.status != 503;
    }));
    return id;
  }
  json counted(const std::string& name, const std::string& script, const json& more) const {
    return shell_task(name, "echo started >>/tally/" + name + "; " + script,
                      {{"mounts", starts.task(name).at("params").at("mounts")}}, more);
  }

 private:
  support::server_options options() const {
    support::server_options o;
    o.docker = support::real_engine();
    o.environment["REEVE_MOUNT_ROOTS"] = starts.root();
    o.environment["REEVE_TEST_FAIL_IN"] = folder_.path();
    o.arguments = {"--reconcile-s", "1"};
    return o;
  }
  support::scratch_dir folder_;
  server reeve_;
};

}  // namespace

TEST(OPS2_restarts, of_work_and_of_the_journal_keep_every_run) {
  REEVE_TEST_TIME_LIMIT(60);
  failing f;
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(f.api()));
  const json none = json::object();
  const std::string waits = support::tally::until_go;
  const std::string running =
      support::launch(f.api(),
                      support::inline_launch({f.counted("a", waits, none),
                                              f.counted("after", "true", {{"needs", {"a"}}})}))
          .at("id");
  const std::string resting =
      support::launch(f.api(),
                      support::inline_launch({f.counted("b", "[ $(wc -l </tally/b) -gt 1 ]", none)},
                                             {{"retries", 1}, {"retry_base_ms", 5000}}))
          .at("id");
  support::await_started(f.api(), running, "a");
  support::await_job(f.api(), resting, "b", "pending");
  ASSERT_TRUE(support::eventually([&] { return f.starts.starts_of("b") == 1; }));
  f.fail("reconcile", "root/work");
  f.fail("journal", "root/journal");
  // What is new goes on as well.
  const std::string fresh =
      f.launch_patiently(support::inline_launch({f.counted("c", "true", none)}));
  ASSERT_FALSE(fresh.empty());
  f.starts.let_go();
  for (const auto& run : {running, resting, fresh}) {
    const json over = support::await_run(f.api(), run);
    EXPECT_EQ(over.at("status"), "success") << over.dump(1);
  }
  EXPECT_EQ(f.starts.starts_of("a"), 1);
  EXPECT_EQ(f.starts.starts_of("after"), 1);
  EXPECT_EQ(f.starts.starts_of("b"), 2);
  EXPECT_EQ(f.starts.starts_of("c"), 1);
}
