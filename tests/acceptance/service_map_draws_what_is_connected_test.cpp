// A map of services, over real containers on a network of their own: who speaks with whom, as JSON,
// Mermaid and SVG, of listed containers only.

#include "tests/support/engine.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <unistd.h>

using nlohmann::json;
using support::must_get;
using support::must_post;
using support::server;
using testing::HasSubstr;
using testing::Not;

namespace {

const std::string mark = std::to_string(::getpid());

/// A network of the common engine that goes with the test; its containers have to go first.
class own_network {
 public:
  own_network() : name_("map-" + mark) {
    const auto made = support::engine().call(
        "POST", "/networks/create",
        json{{"Name", name_}, {"Driver", "bridge"}, {"Labels", {{"reeve.test", name_}}}});
    if (made.status != 201) throw std::runtime_error("no network: " + made.body);
  }
  ~own_network() {
    try {
      support::engine().call("DELETE", "/networks/" + name_);
    } catch (const std::exception&) {
      // The engine goes at the end of the tests, and the network with it.
    }
  }
  const std::string& name() const { return name_; }

 private:
  const std::string name_;
};

class map_case {
 public:
  map_case() : cleanup_(support::engine(), "reeve.test=map-" + mark), reeve_(options()) {}

  support::api_client api() const { return reeve_.api(); }
  /// One that runs on the network; its address there.
  std::string container(const std::string& name, const std::string& script) const {
    const support::engine engine;
    const auto full = name + "-" + mark;
    engine.start(engine.create(full, {{"Image", support::box_image},
                                      {"Cmd", {"sh", "-c", script}},
                                      {"HostConfig", {{"NetworkMode", network_.name()}}},
                                      {"Labels", {{"reeve.test", "map-" + mark}}}}));
    return engine.inspect(full)
        .at("NetworkSettings")
        .at("Networks")
        .at(network_.name())
        .at("IPAddress");
  }
  void allow(const std::string& name) const {
    must_post(api(), "/api/allowlists/containers", {{"name", name + "-" + mark}}, 201);
  }
  json run(const json& params = json::object()) const {
    const json task = {{"kind", "service_map"}, {"params", params}};
    return support::await_run(api(),
                              support::launch(api(), {{"tasks", json::array({task})}}).at("id"));
  }
  support::http_response artifact(const json& run, const std::string& name) const {
    return api().get("/api/jobs/" + run.at("jobs").at(0).at("id").get<std::string>() +
                     "/artifacts/" + name);
  }
  json map(const json& run) const { return artifact(run, "service_map.json").json(); }
  const std::string& network() const { return network_.name(); }

 private:
  static support::server_options options() {
    support::server_options made;
    made.docker = support::real_engine();
    return made;
  }

  own_network network_;
  support::engine_cleanup cleanup_;
  server reeve_;
};

std::string id_of(const json& map, const std::string& kind, const std::string& name) {
  for (const json& node : map.at("nodes")) {
    if (node.at("kind") == kind && node.at("name") == name) return node.at("id");
  }
  return "";
}

const json* edge(const json& map, const std::string& kind, const std::string& from,
                 const std::string& to) {
  for (const json& one : map.at("edges")) {
    if (one.at("kind") == kind && one.at("from") == from && one.at("to") == to) return &one;
  }
  return nullptr;
}

}  // namespace

TEST(RUN10_service_map, draws_listed_containers_and_the_connection_between_them) {
  map_case here;
  const auto address = here.container("db", "exec nc -ll -p 5432 -e cat");
  here.container("web", "while :; do sleep 600 | nc " + address + " 5432; sleep 0.2; done");
  here.container("hidden", "sleep 600");
  here.allow("db");
  here.allow("web");
  const auto web_name = "web-" + mark, db_name = "db-" + mark;
  json run, map;
  const json* seen = nullptr;
  // The client may have to try more than once.
  support::eventually(std::chrono::seconds(60) * support::time_factor(), [&] {
    run = here.run();
    if (run.at("status") != "success") return true;
    map = here.map(run);
    seen =
        edge(map, "connects", id_of(map, "container", web_name), id_of(map, "container", db_name));
    return seen != nullptr;
  });
  ASSERT_EQ(run.at("status"), "success") << run.dump(1);
  ASSERT_NE(seen, nullptr) << map.dump(1);
  EXPECT_EQ(seen->at("port"), 5432);
  EXPECT_EQ(map.at("engine"), "docker");
  EXPECT_EQ(map.at("problems"), json::array()) << map.dump(1);
  const auto network = id_of(map, "network", here.network());
  ASSERT_FALSE(network.empty()) << map.dump(1);
  const json* joined = edge(map, "joins", id_of(map, "container", db_name), network);
  ASSERT_NE(joined, nullptr);
  EXPECT_EQ(joined->at("detail"), address);
  EXPECT_FALSE(id_of(map, "image", support::box_image).empty());

  const auto svg = here.artifact(run, "service_map.svg");
  const auto mermaid = here.artifact(run, "service_map.mmd");
  EXPECT_EQ(svg.header("Content-Type"), "image/svg+xml");
  EXPECT_EQ(svg.header("Content-Disposition"), "attachment; filename=\"service_map.svg\"");
  EXPECT_THAT(svg.body, HasSubstr(web_name));
  EXPECT_THAT(svg.body, HasSubstr(":5432"));
  EXPECT_THAT(mermaid.body, HasSubstr("flowchart LR"));
  EXPECT_THAT(mermaid.body, HasSubstr("\"" + db_name + "\""));
  for (const auto& text : {map.dump(), svg.body, mermaid.body}) {
    EXPECT_THAT(text, Not(HasSubstr("hidden-" + mark))) << "nobody listed it";
  }
}

TEST(RUN10_service_map, is_of_named_containers_that_are_listed_and_of_no_others) {
  map_case here;
  here.container("one", "sleep 600");
  here.container("two", "sleep 600");
  here.allow("one");
  here.allow("two");
  const json only = here.map(here.run({{"containers", {"one-" + mark}}}));
  EXPECT_FALSE(id_of(only, "container", "one-" + mark).empty());
  EXPECT_TRUE(id_of(only, "container", "two-" + mark).empty());
  const auto refused = here.api().post(
      "/api/runs/launch",
      {{"tasks", {{{"kind", "task3"}, {"params", {{"containers", {"three-" + mark}}}}}}}});
  EXPECT_EQ(refused.status, 403) << refused.body;
  EXPECT_EQ(support::pointer_of(refused), "/tasks/0/params/containers/0");
  // One that is listed and gone is a problem of that one.
  support::engine().remove("two-" + mark);
  const json left = here.map(here.run());
  ASSERT_EQ(left.at("problems").size(), 1U) << left.dump(1);
  EXPECT_EQ(left.at("problems").at(0).at("source"), "two-" + mark);
  EXPECT_FALSE(id_of(left, "container", "one-" + mark).empty());
}

TEST(RUN10_service_map, of_nothing_and_of_the_simulated_engine_says_so) {
  server reeve;
  const auto api = reeve.api();
  const json run =
      support::await_run(api, support::launch(api, {{"tasks", {"service_map"}}}).at("id"));
  ASSERT_EQ(run.at("status"), "success") << run.dump(1);
  const std::string job = run.at("jobs").at(0).at("id");
  const json map = must_get(api, "/api/jobs/" + job + "/artifacts/service_map.json");
  EXPECT_EQ(map.at("engine"), "simulated");
  EXPECT_EQ(map.at("nodes"), json::array());
  const auto svg = api.get("/api/jobs/" + job + "/artifacts/service_map.svg");
  EXPECT_THAT(svg.body, HasSubstr("engine: simulated"));
}
