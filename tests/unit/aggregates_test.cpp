// Directives, allowlists, tokens and LLM records: what is decided, and what is refused with which
// field.

#include "domain/access.hpp"
#include "domain/allowlist.hpp"
#include "domain/directive.hpp"
#include "domain/llm.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::domain;

uuid id_of(std::uint8_t n) {
  uuid id;
  id.bytes[15] = n;
  return id;
}

template <class State, class Events>
void take(State& state, const outcome<Events>& events) {
  ASSERT_TRUE(events) << events.error().detail;
  for (const auto& e : *events) {
    const auto n = state.stream_version + 1;
    evolve(state, e, {{n * 10, n, n * 1000}, id_of(1), "token:x"});
  }
}

directive_spec spec(const std::string& name = "d") {
  directive_spec s;
  s.name = name;
  s.tasks.resize(1);
  name_tasks(s.tasks);
  return s;
}

TEST(RUN1_directive, keeps_counting_versions_and_ignores_the_same_again) {
  directive_state d;
  take(d, decide_create(d, id_of(2), spec(), false));
  EXPECT_EQ(d.version, 1);
  EXPECT_TRUE(decide_revise(d, spec())->empty());
  auto other = spec();
  other.description = "more";
  take(d, decide_revise(d, other));
  EXPECT_EQ(d.version, 2);
  EXPECT_EQ(decide_create(d, id_of(2), spec(), false).error().code, errc::conflict);
}

TEST(RUN1_directive, archives_once_and_never_the_default_one) {
  directive_state d;
  EXPECT_EQ(decide_archive(d).error().code, errc::not_found);
  take(d, decide_create(d, id_of(2), spec(), false));
  take(d, decide_archive(d));
  EXPECT_TRUE(decide_archive(d)->empty());
  auto other = spec();
  other.description = "more";
  EXPECT_EQ(decide_revise(d, other).error().code, errc::conflict);
  directive_state standard;
  take(standard, decide_create(standard, id_of(3), spec(), true));
  EXPECT_EQ(decide_archive(standard).error().code, errc::conflict);
}

TEST(RUN1_directive, names_the_field_that_is_wrong) {
  const auto field = [](const std::function<void(directive_spec&)>& spoil) {
    auto s = spec();
    spoil(s);
    const auto made = decide_create({}, id_of(2), s, false);
    return made ? std::string("accepted") : made.error().field;
  };
  EXPECT_EQ(field([](auto& s) { s.name = "no spaces"; }), "/name");
  EXPECT_EQ(field([](auto& s) { s.description = std::string(1025, 'x'); }), "/description");
  EXPECT_EQ(field([](auto& s) { s.limits.max_parallel = 0; }), "/limits/max_parallel");
  EXPECT_EQ(field([](auto& s) { s.limits.timeout_s = 604801; }), "/limits/timeout_s");
  EXPECT_EQ(field([](auto& s) { s.limits.retries = 11; }), "/limits/retries");
  EXPECT_EQ(field([](auto& s) { s.labels["no spaces"] = "x"; }), "/labels");
  EXPECT_EQ(field([](auto& s) { s.tasks[0].since = "yesterday"; }), "/tasks/0/since");
  EXPECT_EQ(field([](auto& s) { s.tasks[0].priority = 1001; }), "/tasks/0/priority");
  EXPECT_EQ(field([](auto& s) { s.tasks[0].params.image = "x"; }), "/tasks/0/params/image");
  EXPECT_EQ(field([](auto& s) { s.tasks.resize(101); }), "/tasks");
  EXPECT_EQ(field([](auto&) {}), "accepted");
}

TEST(RUN3_kinds, have_aliases_and_default_names) {
  EXPECT_EQ(task_kind_from("task1"), task_kind::log_triage);
  EXPECT_EQ(task_kind_from("task2"), task_kind::gpu_report);
  EXPECT_EQ(task_kind_from("task3"), task_kind::service_map);
  EXPECT_EQ(task_kind_from("task4"), std::nullopt);
  std::vector<task_spec> tasks(3);
  tasks[1].name = "log_triage";
  name_tasks(tasks);
  EXPECT_EQ(tasks[0].name, "log_triage-2");
  EXPECT_EQ(tasks[2].name, "log_triage-3");
}

TEST(CTR8_images, are_denied_unless_listed_and_again_once_deactivated) {
  image_list_state list;
  const auto box = *parse_image_reference("localhost:1/box:1");
  EXPECT_EQ(allowing_entry(list, box), nullptr);
  take(list, decide_allow(list, image_allowed{id_of(2), "localhost:1/box:1", {}, false, ""}));
  EXPECT_NE(allowing_entry(list, box), nullptr);
  EXPECT_EQ(allowing_entry(list, *parse_image_reference("localhost:1/box:2")), nullptr);
  EXPECT_EQ(
      decide_allow(list, image_allowed{id_of(3), "localhost:1/box:1", {}, false, ""}).error().code,
      errc::conflict);
  take(list, decide_deny(list, id_of(2)));
  EXPECT_EQ(allowing_entry(list, box), nullptr);
  EXPECT_TRUE(decide_deny(list, id_of(2))->empty());
  EXPECT_EQ(decide_deny(list, id_of(9)).error().code, errc::not_found);
}

TEST(CTR2_images, are_normalised_and_an_exact_entry_comes_before_a_pattern) {
  image_list_state list;
  take(list, decide_allow(list, image_allowed{id_of(2), "docker.io/library/*", {}, true, ""}));
  take(list, decide_allow(list, image_allowed{id_of(3), "busybox", {}, false, ""}));
  const auto* entry = allowing_entry(list, *parse_image_reference("busybox:latest"));
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->id, id_of(3));
  EXPECT_EQ(entry->reference, "docker.io/library/busybox:latest");
  EXPECT_EQ(allowing_entry(list, *parse_image_reference("alpine"))->id, id_of(2));
}

TEST(CTR8_containers, are_found_by_name_and_by_id) {
  container_list_state list;
  const std::string engine_id(64, 'a');
  take(list, decide_allow(list, container_allowed{id_of(2), "web", engine_id, "why"}));
  EXPECT_NE(allowing_entry(list, "web"), nullptr);
  EXPECT_NE(allowing_entry(list, std::string(12, 'a')), nullptr);
  EXPECT_EQ(allowing_entry(list, std::string(11, 'a')), nullptr);
  EXPECT_EQ(allowing_entry(list, "webs"), nullptr);
  EXPECT_EQ(decide_allow(list, container_allowed{id_of(3), "no spaces", {}, ""}).error().field,
            "/name");
  EXPECT_EQ(decide_allow(list, container_allowed{id_of(3), "x", "short", ""}).error().field,
            "/container_id");
  EXPECT_EQ(
      decide_allow(list, container_allowed{id_of(3), "x", {}, std::string(513, 'r')}).error().field,
      "/reason");
}

TEST(LLM1_calls, count_tokens_and_add_up) {
  llm_usage_state usage;
  llm_call_request call;
  call.model_name = "vendor/model-1:latest";
  call.prompt_tokens = 150;
  call.completion_tokens = 300;
  take(usage, decide_record(usage, id_of(5), id_of(6), id_of(7), call));
  call.total_tokens = 450;
  take(usage, decide_record(usage, id_of(8), id_of(6), id_of(7), call));
  EXPECT_EQ(usage.totals.calls, 2);
  EXPECT_EQ(usage.totals.total_tokens, 900);
  EXPECT_EQ(usage.last_call->id, id_of(8));
}

TEST(LLM1_calls, are_refused_when_a_number_or_the_name_does_not_fit) {
  const auto field = [](const std::function<void(llm_call_request&)>& spoil) {
    llm_call_request call;
    call.model_name = "m";
    spoil(call);
    const auto made = decide_record({}, id_of(5), id_of(6), id_of(7), call);
    return made ? std::string("accepted") : made.error().field;
  };
  EXPECT_EQ(field([](auto& c) { c.model_name = "please summarise this"; }), "/model_name");
  EXPECT_EQ(field([](auto& c) { c.model_name = ""; }), "/model_name");
  EXPECT_EQ(field([](auto& c) { c.model_name = std::string(129, 'm'); }), "/model_name");
  EXPECT_EQ(field([](auto& c) { c.prompt_tokens = -1; }), "/prompt_tokens");
  EXPECT_EQ(field([](auto& c) { c.completion_tokens = 1'000'000'001; }), "/completion_tokens");
  EXPECT_EQ(field([](auto& c) { c.total_tokens = 1; }), "/total_tokens");
  EXPECT_EQ(field([](auto& c) { c.latency_ms = -1; }), "/latency_ms");
  EXPECT_EQ(field([](auto&) {}), "accepted");
}

TEST(ACC1_tokens, keep_the_last_admin) {
  access_state access;
  EXPECT_EQ(decide_token(access, {}).error().code, errc::not_found);
  take(access, decide_tenant(access, id_of(1), "default", id_of(9)));
  const token_created admin{id_of(2), "boss", token_role::admin, {}};
  const token_created viewer{id_of(3), "eyes", token_role::viewer, {}};
  take(access, decide_token(access, admin));
  take(access, decide_token(access, viewer));
  EXPECT_EQ(decide_revoke(access, id_of(2)).error().code, errc::conflict);
  take(access, decide_revoke(access, id_of(3)));
  EXPECT_FALSE(access.find(id_of(3))->is_active);
  EXPECT_TRUE(decide_revoke(access, id_of(3))->empty());
  EXPECT_EQ(decide_revoke(access, id_of(4)).error().code, errc::not_found);
  EXPECT_EQ(decide_token(access, {id_of(5), "no spaces", token_role::viewer, {}}).error().field,
            "/name");
}

}  // namespace
