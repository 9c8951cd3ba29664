// What is read for a map, and of whom: listed containers only, no job of another tenant, no process
// that is not the container's; and one that cannot be read is its own problem.

#include "tasks/map/map_reader.hpp"

#include "adapters/simulated/simulated_engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>

namespace {

using namespace reeve;
using namespace reeve::tasks;
using testing::ElementsAre;
using testing::IsEmpty;

const uuid tenant = *parse_uuid("01000000-0000-7000-8000-0000000000aa");
const uuid this_log = *parse_uuid("01000000-0000-7000-8000-0000000000cc");
const container_viewer first{tenant, this_log, true};
const container_viewer another{tenant, this_log, false};

std::string id_of(const std::string& name) {
  return std::string(63, '0') + name.back();
}

/// The containers a, b, …, each with its number as its process.
class world final : public adapters::simulated_engine, public adapters::process_table {
 public:
  explicit world(const std::vector<std::string>& names) {
    for (const auto& name : names) {
      auto& one = all[name];
      one.id = id_of(name);
      one.name = name;
      one.status = "running";
      one.pid = name.back();
      one.network_mode = "net";
      one.networks = {{"net", "id-net", "10.0.0." + std::to_string(one.pid), ""}};
    }
  }

  void list(std::vector<adapters::label_filter>,
            reply_slot<std::vector<adapters::container_summary>> slot) override {
    std::vector<adapters::container_summary> out;
    for (const auto& [name, one] : all) {
      out.push_back({one.id, one.name, "", "", one.status, one.labels, {}});
    }
    for (const auto& one : twins) out.push_back(one);
    slot.answer(std::move(out));
  }
  void details(std::string id, reply_slot<adapters::container_details> slot) override {
    asked.insert(id);
    for (const auto& [name, one] : all) {
      if (one.id != id) continue;
      if (fails.contains(name)) return slot.answer(reject(fails.at(name), "TEST"));
      return slot.answer(one);
    }
    slot.answer(reject(errc::not_found, "gone"));
  }
  void list_networks(reply_slot<std::vector<adapters::network_summary>> slot) override {
    slot.answer(std::vector<adapters::network_summary>{{"id-net", "net", "bridge", false},
                                                       {"id-secret", "secret", "bridge", false}});
  }
  outcome<std::string> groups_of(std::int64_t pid) const override {
    if (groups.contains(pid)) return groups.at(pid);
    return "0::/docker/" + std::string(63, '0') + static_cast<char>(pid) + "\n";
  }
  outcome<std::string> name_of(std::int64_t) const override { return std::string("x"); }
  outcome<adapters::net_sockets> sockets_of(std::int64_t pid) const override {
    read.insert(pid);
    if (is_forbidden) return reject(errc::forbidden, "it may not be read");
    return adapters::net_sockets{};
  }

  map_input look(const std::vector<allowed_container>& allowed,
                 const container_viewer& by = first) {
    const std::atomic<bool> stops = false;
    auto found = read_map({*this, *this, real_clock()}, allowed, by, stops);
    EXPECT_TRUE(found) << found.error().detail;
    return found ? *found : map_input{};
  }

  std::map<std::string, adapters::container_details> all;
  std::map<std::string, errc> fails;
  std::map<std::int64_t, std::string> groups;
  std::vector<adapters::container_summary> twins;  // have a name that is there already
  bool is_forbidden = false;
  std::set<std::string> asked;
  mutable std::set<std::int64_t> read;
};

std::vector<std::string> names(const map_input& input) {
  std::vector<std::string> all;
  for (const auto& one : input.containers) all.push_back(one.what.name);
  return all;
}

std::vector<std::string> problems(const map_input& input) {
  std::vector<std::string> all;
  for (const auto& one : input.problems) all.push_back(one.source);
  return all;
}

}  // namespace

TEST(RUN10_map_reader, asks_for_listed_containers_only) {
  world here({"a", "b", "c"});
  const auto found = here.look({{"a", {}}, {"c", id_of("c")}});
  EXPECT_THAT(names(found), ElementsAre("a", "c"));
  EXPECT_THAT(here.asked, ElementsAre(id_of("a"), id_of("c")));
  EXPECT_THAT(here.read, ElementsAre('a', 'c'));
  EXPECT_THAT(found.problems, IsEmpty());
  ASSERT_EQ(found.networks.size(), 1U) << "what nobody of them has joined is not told";
  EXPECT_EQ(found.networks[0].name, "net");
  EXPECT_THAT(names(here.look({})), IsEmpty());
}

TEST(P17_map_reader, asks_for_no_job_of_another_tenant_and_no_other_of_that_name) {
  world here({"a", "b", "c"});
  here.all["a"].labels = {{"reeve.tenant", "01000000-0000-7000-8000-0000000000bb"}};
  here.all["c"].labels = {{"reeve.instance", to_string(this_log)},
                          {"reeve.tenant", to_string(tenant)}};
  const auto found = here.look({{"a", {}}, {"b", id_of("x")}, {"c", {}}, {"d", {}}});
  EXPECT_THAT(names(found), ElementsAre("c"));
  EXPECT_THAT(here.asked, ElementsAre(id_of("c")));
  EXPECT_THAT(problems(found), ElementsAre("a", "b", "d"));
}

TEST(RUN10_map_reader, takes_none_of_several_of_one_name) {
  world here({"a", "b"});
  here.twins.push_back({id_of("x"), "a", "", "", "running", {}, {}});
  const auto found = here.look({{"a", {}}, {"b", {}}});
  EXPECT_THAT(names(found), ElementsAre("b"));
  EXPECT_THAT(problems(found), ElementsAre("a"));
  EXPECT_THAT(here.asked, ElementsAre(id_of("b")));
  EXPECT_THAT(names(here.look({{"a", id_of("a")}})), ElementsAre("a")) << "its id says which";
  // One that is not there for who looks is none.
  here.twins[0].labels = {{"reeve.tenant", "01000000-0000-7000-8000-0000000000bb"}};
  EXPECT_THAT(names(here.look({{"a", {}}})), ElementsAre("a"));
}

/// To the byte: neither that it is there, nor that it has another id.
TEST(P17_map_reader, tells_of_what_is_not_the_tenants_as_of_what_is_not_there) {
  world empty({});
  const adapters::label_map strangers[] = {
      {{"reeve.tenant", "01000000-0000-7000-8000-0000000000bb"}},
      {{"reeve.instance", "01000000-0000-7000-8000-0000000000bb"},
       {"reeve.tenant", to_string(tenant)}},
      {{"reeve.tenant", to_string(tenant)}},
      {{"reeve.instance", to_string(this_log)}},
      {},
      {{"app", "shop"}}};
  for (const auto& entry : {allowed_container{"a", {}}, allowed_container{"a", id_of("x")}}) {
    const auto absent = empty.look({entry}, another).problems;
    ASSERT_EQ(absent.size(), 1U);
    for (const auto& labels : strangers) {
      world here({"a"});
      here.all["a"].labels = labels;
      const auto found = here.look({entry}, another);
      EXPECT_THAT(found.containers, IsEmpty());
      EXPECT_THAT(here.asked, IsEmpty());
      ASSERT_EQ(found.problems.size(), 1U);
      EXPECT_EQ(found.problems[0].source, absent[0].source);
      EXPECT_EQ(found.problems[0].problem, absent[0].problem);
    }
  }
  world here({"a"});
  EXPECT_THAT(names(here.look({{"a", {}}}, first)), ElementsAre("a"));
}

TEST(RUN10_map_reader, reads_no_network_that_is_not_the_containers_own) {
  world here({"a", "b", "c", "d", "e", "f"});
  here.all["a"].network_mode = "host";
  here.all["b"].network_mode = "container:" + id_of("x");
  here.all["c"].network_mode = "none";
  here.all["d"].pid = 0;
  here.groups['e'] = "0::/user.slice\n";
  const auto found = here.look({{"a", {}}, {"b", {}}, {"c", {}}, {"d", {}}, {"e", {}}, {"f", {}}});
  EXPECT_EQ(found.containers.size(), 6U);
  EXPECT_THAT(here.read, ElementsAre('f'));
  EXPECT_THAT(problems(found), ElementsAre("a", "b", "e"));
  here.is_forbidden = true;
  const auto hidden = here.look({{"f", {}}});
  EXPECT_THAT(problems(hidden), ElementsAre("f"));
  EXPECT_FALSE(hidden.containers.at(0).sockets);
}

TEST(RUN10_map_reader, takes_what_fails_for_one_containers_problem) {
  world here({"a", "b", "c"});
  here.fails = {{"a", errc::not_found}, {"b", errc::timed_out}};
  const auto found = here.look({{"a", {}}, {"b", {}}, {"c", {}}});
  EXPECT_THAT(names(found), ElementsAre("c"));
  EXPECT_THAT(problems(found), ElementsAre("a", "b"));
  here.fails = {{"a", errc::engine_unavailable}};
  const std::atomic<bool> stops = false;
  const auto away = read_map({here, here, real_clock()}, {{"a", {}}}, first, stops);
  ASSERT_FALSE(away);
  EXPECT_EQ(away.error().code, errc::engine_unavailable);
}

TEST(RUN10_map_reader, reads_at_most_so_many) {
  world here({});
  std::vector<allowed_container> allowed;
  for (std::size_t i = 0; i < max_map_containers + 5; ++i) {
    const auto name = "n" + std::to_string(1000 + i);
    auto& one = here.all[name];
    one.id = std::string(60, '0') + std::to_string(1000 + i);
    one.name = name;
    one.status = "exited";
    allowed.push_back({name, {}});
  }
  const auto found = here.look(allowed);
  EXPECT_EQ(found.containers.size(), max_map_containers);
  EXPECT_EQ(found.containers_left_out, 5);
}
