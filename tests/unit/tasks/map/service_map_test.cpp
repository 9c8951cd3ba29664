// What becomes of containers, networks and sockets in a map: who speaks with whom, once; nobody who
// is not listed; bounded, cleaned and the same each time.

#include "codec/codec.hpp"
#include "tests/unit/tasks/map/map_samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace map_samples;
using testing::ElementsAre;
using testing::IsEmpty;

using kind = map_edge_kind;

}  // namespace

TEST(RUN10_service_map, tells_a_connection_once_whoever_tells_of_it) {
  auto web = container("web", {{"back", "10.2.0.2"}});
  auto db = container("db", {{"back", "10.2.0.3"}});
  web.sockets->all = {connected("10.2.0.2", 40000, "10.2.0.3", 5432),
                      connected("10.2.0.2", 40001, "10.2.0.3", 5432)};
  db.sockets->all = {listening(5432), connected("10.2.0.3", 5432, "10.2.0.2", 40000),
                     connected("10.2.0.3", 5432, "10.2.0.2", 40001)};
  const auto both = map_of({web, db});
  EXPECT_THAT(edges_of(both, kind::connects), ElementsAre("web connects db :5432 x2"));
  EXPECT_THAT(nodes_of(both, map_node_kind::address), IsEmpty());
  web.sockets.reset();
  EXPECT_THAT(edges_of(map_of({web, db}), kind::connects), ElementsAre("web connects db :5432 x2"));
}

TEST(RUN10_service_map, tells_a_server_that_listens_no_more_by_its_port) {
  auto web = container("web", {{"back", "10.2.0.2"}});
  auto db = container("db", {{"back", "10.2.0.3"}});
  db.sockets->all = {connected("10.2.0.3", 5432, "10.2.0.2", 40000)};
  EXPECT_THAT(edges_of(map_of({web, db}), kind::connects), ElementsAre("web connects db :5432 x1"));
}

TEST(RUN10_service_map, knows_addresses_only_on_a_network_that_both_have) {
  auto web = container("web", {{"front", "10.1.0.2"}});
  // Another network with the same addresses.
  auto db = container("db", {{"back", "10.1.0.3"}});
  web.sockets->all = {connected("10.1.0.2", 40000, "10.1.0.3", 5432),
                      connected("10.1.0.2", 40001, "fd00::9", 443)};
  const auto map = map_of({web, db});
  EXPECT_THAT(edges_of(map, kind::connects), ElementsAre("web connects 10.1.0.3:5432 :5432 x1",
                                                         "web connects [fd00::9]:443 :443 x1"));
}

TEST(RUN10_service_map, tells_of_all_that_an_address_can_be) {
  auto web = container("web", {{"net", "10.1.0.2"}});
  auto old = container("db-1", {{"net", "10.1.0.3"}}), next = container("db-2", {});
  next.what.networks = old.what.networks;
  old.sockets.reset();
  next.sockets.reset();
  web.sockets->all = {connected("10.1.0.2", 40000, "10.1.0.3", 5432)};
  EXPECT_THAT(edges_of(map_of({web, old, next}), kind::connects),
              ElementsAre("web connects db-1 :5432 x1 (one of 2 with this address)",
                          "web connects db-2 :5432 x1 (one of 2 with this address)"));
  // A client's address can be several ones' as well.
  auto other = web;
  other.what.name = "web-2";
  other.sockets.reset();
  web.sockets.reset();
  auto server = container("server", {{"net", "10.1.0.9"}});
  server.sockets->all = {listening(80), connected("10.1.0.9", 80, "10.1.0.2", 50000)};
  EXPECT_THAT(edges_of(map_of({web, other, server}), kind::connects),
              ElementsAre("web connects server :80 x1 (one of 2 with this address)",
                          "web-2 connects server :80 x1 (one of 2 with this address)"));
}

TEST(RUN10_service_map, is_certain_of_what_is_up_and_of_what_tells_of_it) {
  auto web = container("web", {{"net", "10.1.0.2"}});
  auto first = container("db-1", {{"net", "10.1.0.3"}}), second = container("db-2", {});
  second.what.networks = first.what.networks;
  web.sockets->all = {connected("10.1.0.2", 40000, "10.1.0.3", 5432),
                      connected("10.1.0.2", 40001, "10.1.0.3", 5432)};
  second.sockets->all = {listening(5432), connected("10.1.0.3", 5432, "10.1.0.2", 40000)};
  EXPECT_THAT(edges_of(map_of({web, first, second}), kind::connects),
              ElementsAre("web connects db-1 :5432 x1 (one of 2 with this address)",
                          "web connects db-2 :5432 x2 (in part one of 2 with this address)"));
  first.what.status = "exited";
  EXPECT_THAT(edges_of(map_of({web, first, second}), kind::connects),
              ElementsAre("web connects db-2 :5432 x2"));
}

TEST(RUN10_service_map, looks_for_an_address_on_the_network_that_was_gone_over) {
  auto web = container("web", {{"a", "10.1.0.2"}, {"b", "10.9.0.2"}});
  auto one = container("one", {{"a", "10.1.0.3"}}), two = container("two", {{"b", "10.1.0.3"}});
  web.sockets->all = {connected("10.1.0.2", 40000, "10.1.0.3", 80),
                      connected("10.9.0.2", 40001, "10.1.0.3", 80)};
  EXPECT_THAT(edges_of(map_of({web, one, two}), kind::connects),
              ElementsAre("web connects one :80 x1", "web connects two :80 x1"));
  // On a network that both have, yet with another address there.
  auto far = container("far", {{"a", "10.1.0.7"}, {"c", "10.5.0.3"}});
  web.sockets->all = {connected("10.1.0.2", 40000, "10.5.0.3", 80)};
  EXPECT_THAT(edges_of(map_of({web, far}), kind::connects),
              ElementsAre("web connects 10.5.0.3:80 :80 x1"));
  // The host's network gives no container an address.
  auto hosted = container("hosted", {{"host", ""}}), also = container("also", {{"host", ""}});
  also.sockets->all = {connected("192.0.2.1", 40000, "192.0.2.1", 80)};
  EXPECT_THAT(edges_of(map_of({hosted, also}), kind::connects),
              ElementsAre("also connects 192.0.2.1:80 :80 x1"));
}

TEST(RUN10_service_map, keeps_containers_of_one_name_apart) {
  auto one = container("web", {{"a", "10.1.0.2"}}), two = container("web", {{"b", "10.2.0.2"}});
  two.what.id = std::string(64, 'b');
  const auto map = map_of({one, two});
  EXPECT_THAT(nodes_of(map, map_node_kind::container), ElementsAre("web", "web"));
  EXPECT_THAT(edges_of(map, kind::joins),
              ElementsAre("web joins a (10.1.0.2)", "web joins b (10.2.0.2)"));
}

TEST(RUN10_service_map, takes_clients_from_elsewhere_together) {
  auto web = container("web", {{"front", "10.1.0.2"}});
  web.sockets->all = {listening(80),
                      connected("10.1.0.2", 80, "203.0.113.1", 50001),
                      connected("10.1.0.2", 80, "203.0.113.2", 50002),
                      connected("127.0.0.1", 80, "127.0.0.1", 50003),
                      {"10.1.0.2", 80, "203.0.113.3", 50004, false, false}};
  EXPECT_THAT(edges_of(map_of({web}), kind::connects),
              ElementsAre("other clients connects web :80 x2"));
}

TEST(RUN10_service_map, has_images_networks_volumes_and_ports) {
  auto web = container("web", {{"front", "10.1.0.2"}, {"none", ""}});
  web.what.ports = {{"tcp", 80, "0.0.0.0", 8080},
                    {"tcp", 80, "::", 8080},
                    {"tcp", 443, "127.0.0.1", 8443},
                    {"udp", 53, "", 0}};
  web.what.volumes = {{"pages", "/srv", true}, {"", "/x", false}};
  auto copy = container("copy", {{"front", "10.1.0.3"}});
  copy.what.image = web.what.image;
  copy.what.status = "exited";
  copy.what.volumes = {{"pages", "/in", false}};
  const auto map = map_of({web, copy});
  EXPECT_THAT(edges_of(map, kind::runs),
              ElementsAre("copy runs localhost:1/web:1", "web runs localhost:1/web:1"));
  EXPECT_THAT(edges_of(map, kind::joins),
              ElementsAre("copy joins front (10.1.0.3)", "web joins front (10.1.0.2)"));
  EXPECT_THAT(edges_of(map, kind::mounts),
              ElementsAre("copy mounts pages (/in)", "web mounts pages (/srv read-only)"));
  EXPECT_THAT(edges_of(map, kind::publishes),
              ElementsAre("127.0.0.1:8443/tcp publishes web :443", "8080/tcp publishes web :80"));
  EXPECT_EQ(map.nodes.at(0).name, "copy") << "containers first, by name";
  EXPECT_EQ(map.nodes.at(0).state, "exited");
}

TEST(RUN10_service_map, takes_dependencies_from_the_labels_of_the_same_project) {
  const auto labelled = [](const std::string& name, const std::string& project,
                           const std::string& needs) {
    auto made = container(name, {});
    made.what.labels = {{"com.docker.compose.project", project},
                        {"com.docker.compose.service", name.substr(0, name.find('-'))},
                        {"com.docker.compose.depends_on", needs}};
    return made;
  };
  const auto map =
      map_of({labelled("web-1", "a", "db:service_healthy:false,cache,absent,,web"),
              labelled("db-1", "a", ""), labelled("cache-1", "a", ":"), labelled("db-2", "b", "")});
  EXPECT_THAT(edges_of(map, kind::depends_on),
              ElementsAre("web-1 depends_on cache-1", "web-1 depends_on db-1 (service_healthy)"));
  EXPECT_EQ(map.nodes.at(0).project, "a");
}

TEST(RUN10_service_map, keeps_containers_first_and_tells_what_it_leaves_out) {
  std::vector<map_container> many;
  for (int i = 0; i < 30; ++i) {
    auto one = container("c" + std::to_string(100 + i), {{"net", "10.0.0." + std::to_string(i)}});
    for (int n = 0; n <= i; ++n) {
      one.sockets->all.push_back(connected("10.0.0.1", 1, "192.0.2." + std::to_string(i), 80));
    }
    many.push_back(std::move(one));
  }
  const auto all = map_of(many);
  EXPECT_EQ(all.nodes.size(), 30U + 1 + 30 + 30);
  EXPECT_EQ(all.nodes_left_out + all.edges_left_out, 0);
  // 30 containers, the network, 30 images and the two addresses with most connections.
  const auto some = map_of(many, {63, 1000});
  EXPECT_EQ(some.nodes.size(), 63U);
  EXPECT_EQ(some.nodes_left_out, 28);
  EXPECT_EQ(some.edges_left_out, 28);
  EXPECT_THAT(nodes_of(some, map_node_kind::address),
              ElementsAre("192.0.2.29:80", "192.0.2.28:80"));
  const auto few = map_of(many, {400, 10});
  EXPECT_EQ(few.edges.size(), 10U);
  EXPECT_EQ(few.edges_left_out, 80);
}

TEST(RUN10_service_map, is_the_same_whatever_the_order) {
  auto web = container("web", {{"back", "10.2.0.2"}});
  auto db = container("db", {{"back", "10.2.0.3"}});
  web.sockets->all = {connected("10.2.0.2", 40000, "10.2.0.3", 5432)};
  EXPECT_EQ(codec::encode_document(map_of({web, db})), codec::encode_document(map_of({db, web})));
}

TEST(RUN10_service_map, has_clean_names_of_one_line) {
  auto one = container("a\nb\x1b]52;c;x\x07\xff\xe2\x80\xae" + std::string(500, 'x'), {});
  one.what.image = "registry/x:password=hunter2hunter2";
  const auto map = map_of({one});
  for (const auto& node : map.nodes) {
    EXPECT_LE(node.name.size(), max_map_text);
    EXPECT_EQ(node.name.find_first_of("\n\x1b\x07\xff"), std::string::npos);
    EXPECT_EQ(node.name.find("\xe2\x80\xae"), std::string::npos);
    EXPECT_EQ(node.name.find("hunter2"), std::string::npos) << node.name;
  }
  EXPECT_TRUE(map.nodes.at(0).name.ends_with("…"));
}
