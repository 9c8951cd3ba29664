// Allowlists: denied by default, one entry a name, and what a pattern and the host network need.

#include "domain/access/allowlist.hpp"

#include "domain/access/container_names.hpp"
#include "domain/runs/run.hpp"
#include "tests/unit/domain/aggregate_steps.hpp"

namespace {

using namespace reeve;
using namespace reeve::domain;
using steps::accepted;
using steps::as;
using steps::code_of;
using steps::id_of;
using steps::pointer_of;
using steps::take;

image_allowed image(int id, const std::string& reference, bool host_network = false) {
  return {id_of(id), reference, {}, host_network, ""};
}

container_allowed container(int id, const std::string& name,
                            std::optional<std::string> engine_id = {}) {
  return {id_of(id), name, std::move(engine_id), ""};
}

image_list_state images(std::initializer_list<image_allowed> entries) {
  image_list_state list;
  for (const auto& e : entries) take(list, decide(list, allow_image{e}));
  return list;
}

container_list_state containers(std::initializer_list<container_allowed> entries) {
  container_list_state list;
  for (const auto& e : entries) take(list, decide(list, allow_container{e}));
  return list;
}

/// In the order of their ids, which here is that of their making.
template <class List>
const auto& nth(const List& list, int n) {
  return std::next(list.entries.begin(), n)->second;
}

/// The number of the entry that lets an image start, 0 for none.
int allowing(const image_list_state& list, const std::string& reference) {
  const auto* entry = allowing_entry(list, *parse_image_reference(reference));
  return entry == nullptr ? 0 : entry->id.bytes[15];
}

int allowing(const container_list_state& list, const std::string& name) {
  const auto* entry = allowing_entry(list, name);
  return entry == nullptr ? 0 : entry->id.bytes[15];
}

TEST(CTR2_images, are_denied_by_default) {
  EXPECT_EQ(allowing(image_list_state{}, "busybox"), 0);
  const auto list = images({image(2, "localhost:1/box:1")});
  EXPECT_EQ(allowing(list, "localhost:1/box:1"), 2);
  for (const char* other : {"localhost:1/box:2", "localhost:1/box", "localhost:1/boxes:1",
                            "localhost:2/box:1", "box:1", "localhost:1/a/box:1"}) {
    EXPECT_EQ(allowing(list, other), 0) << other;
  }
}

TEST(CTR2_images, are_normalised_when_listed_and_when_asked_for) {
  const auto list = images({image(2, "busybox"), image(3, "index.docker.io/team/app:1"),
                            image(4, "index.docker.io/tools/*")});
  EXPECT_EQ(nth(list, 0).what.reference, "docker.io/library/busybox:latest");
  EXPECT_EQ(nth(list, 1).what.reference, "docker.io/team/app:1");
  EXPECT_EQ(nth(list, 2).what.reference, "docker.io/tools/*");
  EXPECT_EQ(allowing(list, "docker.io/library/busybox:latest"), 2);
  EXPECT_EQ(allowing(list, "team/app:1"), 3);
  EXPECT_EQ(allowing(list, "tools/saw"), 4);
}

TEST(CTR2_images, a_digest_is_listed_by_itself) {
  const std::string pinned = "localhost:1/box@sha256:" + std::string(64, 'a');
  const auto list = images({image(2, "localhost:1/box:latest"), image(3, pinned)});
  EXPECT_EQ(allowing(list, pinned), 3);
  EXPECT_EQ(allowing(list, "localhost:1/box"), 2);
  EXPECT_EQ(allowing(list, "localhost:1/box:latest@sha256:" + std::string(64, 'a')), 0);
}

TEST(CTR2_images, an_exact_entry_comes_before_a_pattern_wherever_it_stands) {
  const auto list = images(
      {image(2, "localhost:1/*"), image(3, "localhost:1/team/*"), image(4, "localhost:1/team/a")});
  EXPECT_EQ(allowing(list, "localhost:1/team/a"), 4);
  EXPECT_EQ(allowing(list, "localhost:1/team/b"), 2) << "of patterns the first one";
}

TEST(CTR8_images, an_inactive_entry_denies_and_may_be_made_again) {
  auto list = images({image(2, "localhost:1/box:1")});
  take(list, decide(list, deny_image{id_of(2)}));
  EXPECT_EQ(allowing(list, "localhost:1/box:1"), 0);
  EXPECT_FALSE(nth(list, 0).is_active);
  EXPECT_EQ(nth(list, 0).deactivated_at, 2000);
  EXPECT_TRUE(decide(list, deny_image{id_of(2)})->empty());
  EXPECT_EQ(code_of(decide(list, deny_image{id_of(9)})), errc::not_found);
  take(list, decide(list, allow_image{image(3, "localhost:1/box:1")}));
  EXPECT_EQ(allowing(list, "localhost:1/box:1"), 3);
}

TEST(CTR8_images, may_be_resolved_again_where_an_engine_has_them) {
  const std::string old_id = "sha256:" + std::string(64, 'a');
  const std::string new_id = "sha256:" + std::string(64, 'b');
  auto listed = image(2, "localhost:1/box:1", true);
  listed.digest = old_id;
  auto list = images({listed, image(3, "localhost:1/*")});
  EXPECT_TRUE(decide(list, resolve_image{id_of(2), old_id})->empty()) << "nothing has changed";
  take(list, decide(list, resolve_image{id_of(2), new_id}));
  const auto* entry = allowing_entry(list, *parse_image_reference("localhost:1/box:1"));
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->digest, new_id);
  EXPECT_TRUE(entry->allow_host_network) << "and all else is as it was";
  EXPECT_EQ(list.find(id_of(2))->created_at, 1000);
  EXPECT_GT(list.find(id_of(2))->last_position, list.find(id_of(2))->created_position);
  // Where nobody has the image it stays pinned: an entry without a digest lets in any.
  EXPECT_EQ(code_of(decide(list, resolve_image{id_of(2), {}})), errc::conflict);
  EXPECT_EQ(code_of(decide(list, resolve_image{id_of(3), new_id})), errc::conflict) << "a pattern";
  EXPECT_EQ(code_of(decide(list, resolve_image{id_of(9), new_id})), errc::not_found);
  take(list, decide(list, deny_image{id_of(2)}));
  EXPECT_EQ(code_of(decide(list, resolve_image{id_of(2), old_id})), errc::conflict) << "inactive";
}

TEST(CTR8_images, say_who_listed_them_and_when) {
  const auto list = images({image(2, "busybox")});
  EXPECT_EQ(list.tenant, steps::tenant);
  EXPECT_EQ(nth(list, 0).created_by, steps::writer);
  EXPECT_EQ(nth(list, 0).created_at, 1000);
  EXPECT_EQ(nth(list, 0).created_position, 10);
  EXPECT_EQ(list.find(id_of(2)), &nth(list, 0));
  EXPECT_EQ(list.newest, id_of(2));
}

TEST(CTR8_images, refuse_duplicates_after_normalisation_and_bad_fields) {
  const auto list = images({image(2, "busybox"), image(3, "docker.io/library/*")});
  for (const char* same : {"busybox", "busybox:latest", "docker.io/busybox", "docker.io/library/*",
                           "index.docker.io/library/*"}) {
    const auto refused = decide(list, allow_image{image(4, same)});
    EXPECT_EQ(code_of(refused), errc::conflict) << same;
    EXPECT_EQ(refused.error().field, "/reference");
  }
  for (const char* bad : {"", "Upper", "a b", "*", "busybox:*1", "box*"}) {
    EXPECT_EQ(pointer_of(decide(list, allow_image{image(4, bad)})), "/reference") << bad;
  }
  auto wordy = image(4, "alpine");
  wordy.reason = std::string(513, 'r');
  EXPECT_EQ(pointer_of(decide(list, allow_image{wordy})), "/reason");
  wordy.reason = std::string("r\0", 2);
  EXPECT_EQ(pointer_of(decide(list, allow_image{wordy})), "/reason");
  wordy.reason = std::string(512, 'r');
  EXPECT_EQ(pointer_of(decide(list, allow_image{wordy})), accepted);
}

TEST(CTR8_limits, a_list_has_at_most_five_thousand_active_entries) {
  image_list_state list;
  const auto tag = [](int n) { return "localhost:1/box:" + std::to_string(n); };
  for (std::size_t n = 0; n < max_allow_entries; ++n) {
    const auto i = static_cast<int>(n);
    take(list, decide(list, allow_image{image(i, tag(i))}));
  }
  EXPECT_EQ(code_of(decide(list, allow_image{image(9000, "busybox")})), errc::conflict);
  take(list, decide(list, deny_image{id_of(77)}));
  take(list, decide(list, allow_image{image(9000, "busybox")}));
  EXPECT_EQ(code_of(decide(list, allow_image{image(9001, tag(77))})), errc::conflict);
  EXPECT_EQ(list.entries.size(), max_allow_entries + 1) << "what was denied is remembered";
}

TEST(CTR8_limits, denied_entries_never_fill_a_list) {
  container_list_state list;
  for (int n = 0; n < 12'000; ++n) {
    take(list, decide(list, allow_container{container(n, "web")}));
    take(list, decide(list, deny_container{id_of(n)}));
  }
  EXPECT_TRUE(list.active.empty());
  EXPECT_EQ(allowing(list, "web"), 0);
}

/// An append makes the state after of the state before: that must not copy 5,000 entries.
TEST(CTR8_limits, a_change_leaves_the_other_entries_where_they_are) {
  image_list_state list;
  for (int n = 0; n < 1000; ++n) {
    take(list, decide(list, allow_image{image(n, "localhost:1/box:" + std::to_string(n))}));
  }
  auto after = list;
  take(after, decide(after, deny_image{id_of(500)}));
  EXPECT_TRUE(list.find(id_of(500))->is_active);
  EXPECT_FALSE(after.find(id_of(500))->is_active);
  for (const int n : {0, 499, 501, 999}) EXPECT_EQ(after.find(id_of(n)), list.find(id_of(n)));
}

TEST(CTR2_containers, are_found_by_name_and_by_id_and_denied_otherwise) {
  const std::string id = "0123456789ab" + std::string(52, 'c');
  auto list = containers({container(2, "web", id), container(3, "db")});
  EXPECT_EQ(allowing(list, "web"), 2);
  EXPECT_EQ(allowing(list, "db"), 3);
  EXPECT_EQ(allowing(list, id), 2);
  EXPECT_EQ(allowing(list, id.substr(0, 12)), 2);
  EXPECT_EQ(allowing(list, id.substr(0, 11)), 0) << "too short to be an id";
  for (const std::string& other : {std::string(), std::string("we"), std::string("webs"),
                                   std::string("/web"), std::string("WEB"), id + "c"}) {
    EXPECT_EQ(allowing(list, other), 0) << other;
  }
  take(list, decide(list, deny_container{id_of(2)}));
  EXPECT_EQ(allowing(list, "web"), 0);
  EXPECT_EQ(allowing(list, id), 0);
  EXPECT_EQ(allowing(list, "db"), 3);
}

TEST(CTR8_containers, refuse_duplicates_and_bad_fields) {
  const auto list = containers({container(2, "web")});
  EXPECT_EQ(code_of(decide(list, allow_container{container(3, "web")})), errc::conflict);
  for (const std::string& bad : {std::string(), std::string("two words"), std::string("/web"),
                                 std::string("-web"), std::string("a*"), std::string(256, 'w')}) {
    EXPECT_EQ(pointer_of(decide(list, allow_container{container(3, bad)})), "/name") << bad;
  }
  for (const std::string& bad : {std::string(), std::string("abc"), std::string(64, 'G'),
                                 std::string(64, 'A'), std::string(65, 'a')}) {
    EXPECT_EQ(pointer_of(decide(list, allow_container{container(3, "db", bad)})), "/container_id")
        << bad;
  }
  const std::string id(64, 'a');
  EXPECT_EQ(pointer_of(decide(list, allow_container{container(3, "db", id), {}, true})),
            "/by_name");
  EXPECT_EQ(pointer_of(decide(list, allow_container{container(3, "db", id)})), accepted);
  EXPECT_EQ(pointer_of(decide(list, allow_container{container(3, "db"), {}, true})), accepted);
  auto wordy = container(3, "db");
  wordy.reason = std::string(513, 'r');
  EXPECT_EQ(pointer_of(decide(list, allow_container{wordy})), "/reason");
  EXPECT_EQ(code_of(decide(list, deny_container{id_of(9)})), errc::not_found);
}

TEST(RUN11_host_network, is_for_entries_that_allow_it_only) {
  const auto list = images({image(2, "localhost:1/*", true), image(3, "localhost:1/tight:1")});
  const auto asked = [&](const std::string& reference, const char* network) {
    task_spec t;
    t.params = container_params{};
    as<container_params>(t).image = reference;
    as<container_params>(t).network = network;
    const auto ok = check_allowed(t, list, {}, "/tasks/3");
    return ok ? accepted : std::string(name_of(ok.error().code)) + " " + ok.error().field;
  };
  EXPECT_EQ(asked("localhost:1/loose:1", "host"), accepted);
  EXPECT_EQ(asked("localhost:1/tight:1", "none"), accepted);
  EXPECT_EQ(asked("localhost:1/tight:1", "host"), "not_allowlisted /tasks/3/params/network");
  EXPECT_EQ(asked("localhost:2/loose:1", "host"), "not_allowlisted /tasks/3/params/image");
}

TEST(P11_root, is_for_entries_that_allow_it_only) {
  auto rooted = image(2, "localhost:1/*");
  rooted.allow_root = true;
  const auto list = images({rooted, image(3, "localhost:1/tight:1")});
  const auto asked = [&](const std::string& reference, const char* user, bool writes = false) {
    task_spec t;
    t.params = container_params{};
    as<container_params>(t).image = reference;
    if (*user != 0) as<container_params>(t).user = user;
    as<container_params>(t).mounts = std::vector<mount_spec>{{"/srv/a", "/a", !writes}};
    const auto ok = check_allowed(t, list, {}, "/tasks/3");
    return ok ? accepted : std::string(name_of(ok.error().code)) + " " + ok.error().field;
  };
  for (const char* root : {"0", "00", "0:0", "0:5", "5:0"}) {
    EXPECT_EQ(asked("localhost:1/loose:1", root), accepted) << root;
    EXPECT_EQ(asked("localhost:1/tight:1", root), "not_allowlisted /tasks/3/params/user") << root;
    EXPECT_EQ(asked("localhost:1/loose:1", root, true), "not_allowlisted /tasks/3/params/mounts")
        << root;
  }
  for (const char* other : {"", "5", "5:6"}) {
    EXPECT_EQ(asked("localhost:1/tight:1", other, true), accepted) << other;
  }
}

TEST(LLM4_entries, allow_models_only_if_they_say_so) {
  auto open = image(2, "localhost:1/open:1");
  open.llm = true;
  const auto list = images({open, image(3, "localhost:1/shut:1")});
  EXPECT_TRUE(document_of(*list.find(id_of(2))).llm);
  EXPECT_FALSE(document_of(*list.find(id_of(3))).llm);
}

TEST(CTR2_tasks, name_the_container_that_is_not_listed) {
  const auto list = containers({container(2, "web")});
  task_spec t;
  as<log_triage_params>(t).containers = std::vector<std::string>{"web", "db"};
  const auto refused = check_allowed(t, {}, list, "/tasks/0");
  EXPECT_EQ(code_of(refused), errc::not_allowlisted);
  EXPECT_EQ(refused.error().field, "/tasks/0/params/containers/1");
  as<log_triage_params>(t).containers = std::vector<std::string>{"web"};
  EXPECT_TRUE(check_allowed(t, {}, list, "/tasks/0"));
}

/// Their names are known beforehand, so an entry could wait for a container to come.
TEST(P17_containers, of_another_tenants_jobs_are_not_listed) {
  const auto other = container_name_of(id_of(77), id_of(3), 1);
  const auto own = container_name_of(steps::tenant, id_of(3), 1);
  ASSERT_NE(tenant_part_of(other), tenant_part_of(own));
  const auto refused =
      decide(container_list_state{}, allow_container{container(2, other), steps::tenant});
  EXPECT_EQ(code_of(refused), errc::invalid);
  EXPECT_EQ(pointer_of(refused), "/name");
  for (const auto& fine : {own, std::string("web"), std::string("reeve-web"),
                           std::string("reeve-0123456789ab"), "a" + other}) {
    EXPECT_EQ(pointer_of(decide(container_list_state{},
                                allow_container{container(2, fine), steps::tenant})),
              accepted)
        << fine;
  }
}

/// As an older server may have listed it.
TEST(P17_containers, of_another_tenants_jobs_are_allowed_by_no_entry) {
  const auto other = container_name_of(id_of(77), id_of(3), 1);
  const std::string engine_id(64, 'a');
  container_list_state list;
  evolve(list, container_allowed{id_of(2), other, engine_id, ""}, {{}, steps::tenant, ""});
  evolve(list, container_allowed{id_of(3), "web", std::nullopt, ""}, {{}, steps::tenant, ""});
  EXPECT_EQ(allowing(list, other), 0);
  EXPECT_EQ(allowing(list, engine_id), 0);
  EXPECT_EQ(allowing(list, "web"), 3);
}

}  // namespace
