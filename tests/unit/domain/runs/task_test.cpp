// Tasks, limits and labels: what is refused from the text alone, and with which pointer.

#include "domain/runs/task.hpp"

#include "tests/unit/domain/aggregate_steps.hpp"

namespace {

using namespace reeve;
using namespace reeve::domain;
using steps::accepted;
using steps::pointer_of;
using steps::spoilt;
using env_map = std::map<std::string, std::string>;

task_spec named(task_kind kind, std::string name = "t", std::vector<std::string> needs = {}) {
  task_spec t;
  t.kind = kind;
  t.name = std::move(name);
  t.needs = std::move(needs);
  if (kind == task_kind::container) t.params.image = "localhost:1/box:1";
  return t;
}

std::string checked(const std::vector<task_spec>& tasks) {
  return pointer_of(check_tasks(tasks, "/tasks"));
}

/// What is said of a single task once it is spoilt.
std::string spoilt_task(task_kind kind, const std::function<void(task_spec&)>& spoil) {
  auto task = named(kind);
  spoil(task);
  return checked({task});
}

void expect_each(task_kind kind, const std::vector<spoilt<task_spec>>& rows) {
  for (const auto& row : rows) EXPECT_EQ(spoilt_task(kind, row.spoil), row.pointer);
}

TEST(RUN3_task_kind, is_known_by_its_name_and_by_its_alias) {
  EXPECT_EQ(task_kind_from("task1"), task_kind::log_triage);
  EXPECT_EQ(task_kind_from("task2"), task_kind::gpu_report);
  EXPECT_EQ(task_kind_from("task3"), task_kind::service_map);
  for (const auto name : enum_names<task_kind>::names) {
    ASSERT_TRUE(task_kind_from(name)) << name;
    EXPECT_EQ(name_of(*task_kind_from(name)), name);
  }
  for (const char* unknown : {"", "task0", "task4", "Task1", "log_triage ", "shell"}) {
    EXPECT_EQ(task_kind_from(unknown), std::nullopt) << unknown;
  }
}

TEST(RUN3_task_name, defaults_to_the_kind_and_never_takes_a_name_that_is_given) {
  std::vector<task_spec> tasks(4);
  tasks[2].name = "log_triage-2";
  tasks[3].kind = task_kind::gpu_report;
  name_tasks(tasks);
  EXPECT_EQ(tasks[0].name, "log_triage");
  EXPECT_EQ(tasks[1].name, "log_triage-3");
  EXPECT_EQ(tasks[2].name, "log_triage-2");
  EXPECT_EQ(tasks[3].name, "gpu_report");
  const auto again = tasks;
  name_tasks(tasks);
  EXPECT_EQ(tasks, again);
}

TEST(RUN3_task_name, has_letters_digits_dots_dashes_and_underscores) {
  const std::string longest(64, 'n');
  for (const std::string good : {"a", "9", "a.b-c_d", "Build.1"}) EXPECT_TRUE(is_name(good));
  EXPECT_TRUE(is_name(longest));
  EXPECT_FALSE(is_name(longest + "n"));
  for (const std::string bad : {"", "-a", ".a", "_a", "a b", "a/b", "a:b", "ä", "a\n"}) {
    EXPECT_FALSE(is_name(bad)) << bad;
  }
  EXPECT_FALSE(is_name(std::string("a\0", 2)));
}

TEST(RUN6_since, is_last_success_or_a_time) {
  for (const char* good : {"last_success", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00.5+01:00"}) {
    EXPECT_EQ(pointer_of(check_since(good, "/since")), accepted) << good;
  }
  for (const char* bad : {"", "yesterday", "last_failure", "2026-01-01", "1767225600"}) {
    EXPECT_EQ(pointer_of(check_since(bad, "/since")), "/since") << bad;
  }
}

TEST(RUN3_tasks, are_one_to_a_hundred) {
  EXPECT_EQ(checked({}), "/tasks");
  std::vector<task_spec> tasks(max_tasks);
  name_tasks(tasks);
  EXPECT_EQ(checked(tasks), accepted);
  tasks.push_back(named(task_kind::log_triage, "one-more"));
  EXPECT_EQ(checked(tasks), "/tasks");
}

TEST(RUN3_tasks, are_refused_with_the_pointer_of_the_bad_field) {
  expect_each(task_kind::log_triage,
              {{accepted, [](auto&) {}},
               {"/tasks/0/name", [](auto& t) { t.name = ""; }},
               {"/tasks/0/name", [](auto& t) { t.name = "two words"; }},
               {"/tasks/0/since", [](auto& t) { t.since = "yesterday"; }},
               {"/tasks/0/timeout_s", [](auto& t) { t.timeout_s = 0; }},
               {"/tasks/0/timeout_s", [](auto& t) { t.timeout_s = 604'801; }},
               {"/tasks/0/retries", [](auto& t) { t.retries = -1; }},
               {"/tasks/0/retries", [](auto& t) { t.retries = 11; }},
               {"/tasks/0/priority", [](auto& t) { t.priority = 1001; }},
               {"/tasks/0/priority", [](auto& t) { t.priority = -1001; }},
               {"/tasks/0/needs", [](auto& t) { t.needs.assign(101, "x"); }}});
  expect_each(task_kind::log_triage, {{accepted, [](auto& t) {
                                         t.since = "last_success";
                                         t.timeout_s = 604'800;
                                         t.retries = 10;
                                         t.priority = -1000;
                                       }}});
}

TEST(RUN3_tasks, need_names_of_their_own) {
  const auto kind = task_kind::log_triage;
  EXPECT_EQ(checked({named(kind, "a"), named(kind, "b"), named(kind, "a")}), "/tasks/2/name");
  EXPECT_EQ(checked({named(kind, "a"), named(kind, "A")}), accepted);
}

TEST(RUN5_needs, name_other_tasks_once_and_form_no_circle) {
  const auto task = [](std::string name, std::vector<std::string> needs) {
    return named(task_kind::log_triage, std::move(name), std::move(needs));
  };
  EXPECT_EQ(checked({task("b", {"a"}), task("a", {})}), accepted) << "order does not matter";
  EXPECT_EQ(checked({task("a", {}), task("b", {"a", "x"})}), "/tasks/1/needs/1");
  EXPECT_EQ(checked({task("a", {}), task("b", {"a", "a"})}), "/tasks/1/needs/1");
  EXPECT_EQ(checked({task("a", {"a"})}), "/tasks");
  EXPECT_EQ(checked({task("a", {"b"}), task("b", {"a"})}), "/tasks");
  EXPECT_EQ(checked({task("x", {}), task("a", {"c", "x"}), task("b", {"a"}), task("c", {"b"})}),
            "/tasks");
  EXPECT_EQ(checked({task("a", {}), task("b", {"a"}), task("c", {"a"}), task("d", {"b", "c"})}),
            accepted);
}

TEST(RUN11_container, needs_an_image_in_its_normal_grammar) {
  expect_each(task_kind::container,
              {{accepted, [](auto&) {}},
               {"/tasks/0/params/image", [](auto& t) { t.params.image.reset(); }},
               {"/tasks/0/params/image", [](auto& t) { t.params.image = "Upper/case:1:2"; }},
               {"/tasks/0/params/image", [](auto& t) { t.params.image = "localhost:1/*"; }}});
}

TEST(RUN11_container, has_bounded_command_and_environment) {
  using words = std::vector<std::string>;
  const std::string nul("a\0b", 3);
  expect_each(task_kind::container,
              {{"/tasks/0/params/command", [](auto& t) { t.params.command = words{}; }},
               {"/tasks/0/params/command", [](auto& t) { t.params.command = words(257, "a"); }},
               {accepted, [](auto& t) { t.params.command = words(256, "a"); }},
               {"/tasks/0/params/command/1",
                [&](auto& t) {
                  t.params.command = words{"a", nul};
                }},
               {"/tasks/0/params/command/0",
                [](auto& t) { t.params.command = words{std::string(16'385, 'a')}; }},
               {"/tasks/0/params/command",
                [](auto& t) { t.params.command = words(2, std::string(12'289, 'a')); }},
               {accepted,
                [](auto& t) {
                  t.params.env = env_map{{"_A1", ""}};
                }},
               {"/tasks/0/params/env",
                [](auto& t) {
                  t.params.env = env_map{{"", "x"}};
                }},
               {"/tasks/0/params/env",
                [](auto& t) {
                  t.params.env = env_map{{"1A", "x"}};
                }},
               {"/tasks/0/params/env",
                [](auto& t) {
                  t.params.env = env_map{{"A=B", "x"}};
                }},
               {"/tasks/0/params/env/A",
                [&](auto& t) {
                  t.params.env = env_map{{"A", nul}};
                }},
               {"/tasks/0/params/env/A",
                [](auto& t) {
                  t.params.env = env_map{{"A", std::string(8193, 'x')}};
                }},
               {"/tasks/0/params/env",
                [](auto& t) {
                  const std::string much(8190, 'x');
                  t.params.env = env_map{{"A", much}, {"B", much}, {"C", much}};
                }},
               {"/tasks/0/params/env", [](auto& t) {
                  t.params.env.emplace();
                  for (int i = 0; i < 129; ++i) (*t.params.env)["A" + std::to_string(i)] = "";
                }}});
}

TEST(RUN11_container, has_resources_within_ranges) {
  expect_each(task_kind::container,
              {{"/tasks/0/params/memory_mb", [](auto& t) { t.params.memory_mb = 5; }},
               {"/tasks/0/params/memory_mb", [](auto& t) { t.params.memory_mb = 1'048'577; }},
               {"/tasks/0/params/cpu_millis", [](auto& t) { t.params.cpu_millis = 9; }},
               {"/tasks/0/params/cpu_millis", [](auto& t) { t.params.cpu_millis = 1'024'001; }},
               {"/tasks/0/params/pids", [](auto& t) { t.params.pids = 0; }},
               {"/tasks/0/params/pids", [](auto& t) { t.params.pids = 32'769; }},
               {accepted, [](auto& t) {
                  t.params.memory_mb = 6;
                  t.params.cpu_millis = 10;
                  t.params.pids = 32'768;
                }}});
}

TEST(RUN11_container, has_a_numeric_user_a_known_network_and_a_clean_workdir) {
  for (const char* good : {"0", "1000", "1000:1000", "2147483647:0"}) {
    EXPECT_EQ(spoilt_task(task_kind::container, [&](auto& t) { t.params.user = good; }), accepted);
  }
  for (const char* bad : {"", "root", ":", "1:", ":1", "1:2:3", "-1", "-0", "+1", " 1", "1 ",
                          "2147483648", "1:2147483648", "99999999999999999999"}) {
    EXPECT_EQ(spoilt_task(task_kind::container, [&](auto& t) { t.params.user = bad; }),
              "/tasks/0/params/user")
        << bad;
  }
  for (const char* network : {"bridge", "", "container:x", "Host"}) {
    EXPECT_EQ(spoilt_task(task_kind::container, [&](auto& t) { t.params.network = network; }),
              "/tasks/0/params/network");
  }
  for (const char* good : {"/", "/srv", "/srv/a..b/.x"}) {
    EXPECT_EQ(spoilt_task(task_kind::container, [&](auto& t) { t.params.workdir = good; }),
              accepted);
  }
  for (const char* bad : {"", "srv", "/srv/..", "/srv//a", "/srv/", "/./srv"}) {
    EXPECT_EQ(spoilt_task(task_kind::container, [&](auto& t) { t.params.workdir = bad; }),
              "/tasks/0/params/workdir")
        << bad;
  }
}

TEST(RUN11_mounts, have_one_spelling_and_no_reserved_target) {
  const auto mounted = [](std::vector<mount_spec> mounts) {
    return spoilt_task(task_kind::container, [&](auto& t) { t.params.mounts = mounts; });
  };
  const std::string at = "/tasks/0/params/mounts";
  EXPECT_EQ(mounted({{"/srv/in", "/in", true}, {"/srv/in", "/out", false}}), accepted);
  EXPECT_EQ(mounted({{"/srv/in", "/reeves", true}, {"/srv/in", "/device", true}}), accepted);
  for (const char* bad : {"", "/", "in", "../in", "/srv/../etc", "/srv/..", "/srv//in", "/srv/",
                          "/./srv", "/srv/.", "/a:b", "//srv"}) {
    EXPECT_EQ(mounted({{"/srv", "/x", true}, {bad, "/in", true}}), at + "/1/source") << bad;
    EXPECT_EQ(mounted({{"/srv", bad, true}}), at + "/0/target") << bad;
  }
  for (const char* reserved :
       {"/reeve", "/reeve/out", "//reeve", "/./reeve", "/proc", "/proc/1", "/sys", "/dev/shm"}) {
    EXPECT_EQ(mounted({{"/srv", reserved, true}}), at + "/0/target") << reserved;
  }
  EXPECT_EQ(mounted({{"/srv/a", "/in", true}, {"/srv/b", "/in", true}}), at + "/1/target");
  EXPECT_EQ(mounted(std::vector<mount_spec>(17, {"/srv", "/in", true})), at);
  EXPECT_EQ(mounted({{"/" + std::string(1024, 'a'), "/in", true}}), at + "/0/source");
}

TEST(RUN8_triage, names_files_below_the_log_folder_and_containers) {
  using names = std::vector<std::string>;
  const std::string at = "/tasks/0/params/";
  expect_each(task_kind::log_triage,
              {{accepted,
                [](auto& t) {
                  t.params.files = names{"a.log", "sub/b.log", "..c"};
                }},
               {at + "files", [](auto& t) { t.params.files = names{}; }},
               {at + "files", [](auto& t) { t.params.files = names(65, "a"); }},
               {at + "files/0", [](auto& t) { t.params.files = names{""}; }},
               {at + "files/1",
                [](auto& t) {
                  t.params.files = names{"a", "../../etc/passwd"};
                }},
               {at + "files/0", [](auto& t) { t.params.files = names{"/etc/passwd"}; }},
               {at + "files/0", [](auto& t) { t.params.files = names{"a/../b"}; }},
               {at + "files/0", [](auto& t) { t.params.files = names{"./a"}; }},
               {at + "files/0", [](auto& t) { t.params.files = names{std::string(256, 'a')}; }},
               {at + "containers", [](auto& t) { t.params.containers = names{}; }},
               {at + "containers/0", [](auto& t) { t.params.containers = names{""}; }},
               {at + "max_lines", [](auto& t) { t.params.max_lines = 0; }},
               {at + "max_lines", [](auto& t) { t.params.max_lines = 1'000'001; }},
               {accepted, [](auto& t) { t.params.max_lines = 1'000'000; }}});
}

/// One parameter each, and whether the kinds log_triage, gpu_report, service_map, container have
/// it.
struct parameter {
  std::string name;
  std::array<bool, 4> of_kind;
  std::function<void(task_params&)> set;
};

TEST(RUN3_params, that_a_kind_does_not_have_are_refused) {
  const std::array<bool, 4> container_only{false, false, false, true};
  const std::vector<parameter> all{
      {"image", container_only, [](auto& p) { p.image = "a"; }},
      {"command", container_only, [](auto& p) { p.command = std::vector<std::string>{"a"}; }},
      {"env", container_only,
       [](auto& p) {
         p.env = env_map{{"A", "b"}};
       }},
      {"memory_mb", container_only, [](auto& p) { p.memory_mb = 64; }},
      {"cpu_millis", container_only, [](auto& p) { p.cpu_millis = 64; }},
      {"pids", container_only, [](auto& p) { p.pids = 64; }},
      {"network", container_only, [](auto& p) { p.network = "none"; }},
      {"user", container_only, [](auto& p) { p.user = "1"; }},
      {"workdir", container_only, [](auto& p) { p.workdir = "/a"; }},
      {"mounts", container_only,
       [](auto& p) {
         p.mounts = std::vector<mount_spec>{{"/a", "/b", true}};
       }},
      {"writable_root", container_only, [](auto& p) { p.writable_root = true; }},
      {"containers",
       {true, false, true, false},
       [](auto& p) { p.containers = std::vector<std::string>{"web"}; }},
      {"files",
       {true, false, false, false},
       [](auto& p) { p.files = std::vector<std::string>{"a.log"}; }},
      {"max_lines", {true, false, false, false}, [](auto& p) { p.max_lines = 5; }}};
  ASSERT_EQ(all.size(), std::tuple_size_v<decltype(task_params::fields())>);
  for (std::size_t kind = 0; kind < 4; ++kind) {
    for (const auto& p : all) {
      const auto said =
          spoilt_task(static_cast<task_kind>(kind), [&](auto& t) { p.set(t.params); });
      EXPECT_EQ(said, p.of_kind[kind] ? accepted : "/tasks/0/params/" + p.name) << kind;
    }
  }
}

TEST(RUN5_limits, are_within_their_ranges) {
  const std::vector<spoilt<directive_limits>> rows{
      {accepted, [](auto&) {}},
      {accepted,
       [](auto& l) {
         l = {64, 604'800, 10, 300'000, 300};
       }},
      {accepted,
       [](auto& l) {
         l = {1, 1, 0, 10, 0};
       }},
      {"/limits/max_parallel", [](auto& l) { l.max_parallel = 0; }},
      {"/limits/max_parallel", [](auto& l) { l.max_parallel = 65; }},
      {"/limits/timeout_s", [](auto& l) { l.timeout_s = 0; }},
      {"/limits/timeout_s", [](auto& l) { l.timeout_s = 604'801; }},
      {"/limits/retries", [](auto& l) { l.retries = -1; }},
      {"/limits/retries", [](auto& l) { l.retries = 11; }},
      {"/limits/retry_base_ms", [](auto& l) { l.retry_base_ms = 9; }},
      {"/limits/retry_base_ms", [](auto& l) { l.retry_base_ms = 300'001; }},
      {"/limits/stop_grace_s", [](auto& l) { l.stop_grace_s = -1; }},
      {"/limits/stop_grace_s", [](auto& l) { l.stop_grace_s = 301; }}};
  for (const auto& row : rows) {
    directive_limits limits;
    row.spoil(limits);
    EXPECT_EQ(pointer_of(check_limits(limits, "/limits")), row.pointer);
  }
}

TEST(RUN5_labels, are_names_with_short_values) {
  const auto checked_labels = [](const label_map& labels) {
    return pointer_of(check_labels(labels, "/labels"));
  };
  EXPECT_EQ(checked_labels({}), accepted);
  EXPECT_EQ(checked_labels({{"team", ""}, {"a.b/c", "x"}}), "/labels") << "no slash in a key";
  EXPECT_EQ(checked_labels({{"", "x"}}), "/labels");
  EXPECT_EQ(checked_labels({{"team", std::string(256, 'x')}}), accepted);
  EXPECT_EQ(checked_labels({{"team", std::string(257, 'x')}}), "/labels/team");
  EXPECT_EQ(checked_labels({{"team", std::string("a\0", 2)}}), "/labels/team");
  label_map many;
  for (int i = 0; i < 64; ++i) many["k" + std::to_string(i)] = "v";
  EXPECT_EQ(checked_labels(many), accepted);
  many["one-more"] = "v";
  EXPECT_EQ(checked_labels(many), "/labels");
}

}  // namespace
