// Tasks, limits and labels: what is refused from the text alone, and with which pointer.

#include "domain/runs/task.hpp"

#include "tests/unit/domain/aggregate_steps.hpp"

namespace {

using namespace reeve;
using namespace reeve::domain;
using steps::accepted;
using steps::as;
using steps::pointer_of;
using steps::spoilt;

task_spec named(task_params kind, std::string name = "t", std::vector<std::string> needs = {}) {
  task_spec t;
  t.params = std::move(kind);
  t.name = std::move(name);
  t.needs = std::move(needs);
  if (kind_of(t.params) == "container") as<container_params>(t).image = "localhost:1/box:1";
  return t;
}

std::string checked_task(const std::vector<task_spec>& tasks) {
  return pointer_of(check_tasks(tasks, "/tasks"));
}

/// What is said of a single task once it is spoilt.
std::string spoilt_task(const task_params& kind, const std::function<void(task_spec&)>& spoil) {
  auto task = named(kind);
  spoil(task);
  return checked_task({task});
}

void expect_each(const task_params& kind, const std::vector<spoilt<task_spec>>& rows) {
  for (const auto& row : rows) EXPECT_EQ(spoilt_task(kind, row.spoil), row.pointer);
}

TEST(RUN3_task_kind, is_known_by_its_name_and_by_its_alias) {
  EXPECT_EQ(kind_named("task1"), task_params(log_triage_params{}));
  EXPECT_EQ(kind_named("task2"), task_params(gpu_report_params{}));
  EXPECT_EQ(kind_named("task3"), task_params(service_map_params{}));
  for (const char* name : {"log_triage", "gpu_report", "service_map", "container"}) {
    ASSERT_TRUE(kind_named(name)) << name;
    EXPECT_EQ(kind_of(*kind_named(name)), name);
  }
  for (const char* unknown : {"", "task0", "task4", "Task1", "log_triage ", "shell"}) {
    EXPECT_EQ(kind_named(unknown), std::nullopt) << unknown;
  }
  EXPECT_EQ(kinds_in_words(),
            "log_triage, gpu_report, service_map, container (or task1, task2, task3)");
}

TEST(RUN3_task_kind, tells_by_its_parameters_what_it_asks_of_the_outside) {
  container_params box;
  box.image = "localhost:1/box:1";
  box.network = "host";
  const task_params container = box;
  const auto asked = demands_of(container);
  EXPECT_EQ(*asked.image, "localhost:1/box:1");
  EXPECT_TRUE(asked.host_network);
  EXPECT_EQ(std::pair(asked.cpu_millis, asked.memory_mb), std::pair(1000L, 256L));
  EXPECT_EQ(asked.mounts, nullptr);
  service_map_params map;
  map.containers = std::vector<std::string>{"web"};
  const task_params services = map;
  EXPECT_EQ(demands_of(services).containers->front(), "web");
  EXPECT_EQ(demands_of(services).image, nullptr);
  EXPECT_EQ(demands_of(services).memory_mb, 0);
}

TEST(RUN3_task_name, defaults_to_the_kind_and_never_takes_a_name_that_is_given) {
  std::vector<task_spec> tasks(4);
  tasks[2].name = "log_triage-2";
  tasks[3].params = gpu_report_params{};
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
  EXPECT_EQ(checked_task({}), "/tasks");
  std::vector<task_spec> tasks(max_tasks);
  name_tasks(tasks);
  EXPECT_EQ(checked_task(tasks), accepted);
  tasks.push_back(named(log_triage_params{}, "one-more"));
  EXPECT_EQ(checked_task(tasks), "/tasks");
}

TEST(RUN3_tasks, are_refused_with_the_pointer_of_the_bad_field) {
  expect_each(log_triage_params{}, {{accepted, [](auto&) {}},
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
  expect_each(log_triage_params{}, {{accepted, [](auto& t) {
                                       t.since = "last_success";
                                       t.timeout_s = 604'800;
                                       t.retries = 10;
                                       t.priority = -1000;
                                     }}});
}

TEST(RUN3_tasks, need_names_of_their_own) {
  const task_params kind = log_triage_params{};
  EXPECT_EQ(checked_task({named(kind, "a"), named(kind, "b"), named(kind, "a")}), "/tasks/2/name");
  EXPECT_EQ(checked_task({named(kind, "a"), named(kind, "A")}), accepted);
}

TEST(RUN5_needs, name_other_tasks_once_and_form_no_circle) {
  const auto task = [](std::string name, std::vector<std::string> needs) {
    return named(log_triage_params{}, std::move(name), std::move(needs));
  };
  EXPECT_EQ(checked_task({task("b", {"a"}), task("a", {})}), accepted) << "order does not matter";
  EXPECT_EQ(checked_task({task("a", {}), task("b", {"a", "x"})}), "/tasks/1/needs/1");
  EXPECT_EQ(checked_task({task("a", {}), task("b", {"a", "a"})}), "/tasks/1/needs/1");
  EXPECT_EQ(checked_task({task("a", {"a"})}), "/tasks");
  EXPECT_EQ(checked_task({task("a", {"b"}), task("b", {"a"})}), "/tasks");
  EXPECT_EQ(
      checked_task({task("x", {}), task("a", {"c", "x"}), task("b", {"a"}), task("c", {"b"})}),
      "/tasks");
  EXPECT_EQ(
      checked_task({task("a", {}), task("b", {"a"}), task("c", {"a"}), task("d", {"b", "c"})}),
      accepted);
}

TEST(RUN11_container, needs_an_image_in_its_normal_grammar) {
  expect_each(
      container_params{},
      {{accepted, [](auto&) {}},
       {"/tasks/0/params/image", [](auto& t) { as<container_params>(t).image.reset(); }},
       {"/tasks/0/params/image", [](auto& t) { as<container_params>(t).image = "Upper/case:1:2"; }},
       {"/tasks/0/params/image",
        [](auto& t) { as<container_params>(t).image = "localhost:1/*"; }}});
}

TEST(RUN11_container, has_bounded_command_and_environment) {
  using words = std::vector<std::string>;
  const std::string nul("a\0b", 3);
  expect_each(
      container_params{},
      {{"/tasks/0/params/command", [](auto& t) { as<container_params>(t).command = words{}; }},
       {"/tasks/0/params/command",
        [](auto& t) { as<container_params>(t).command = words(257, "a"); }},
       {accepted, [](auto& t) { as<container_params>(t).command = words(256, "a"); }},
       {"/tasks/0/params/command/1",
        [&](auto& t) {
          as<container_params>(t).command = words{"a", nul};
        }},
       {"/tasks/0/params/command/0",
        [](auto& t) { as<container_params>(t).command = words{std::string(16'385, 'a')}; }},
       {"/tasks/0/params/command",
        [](auto& t) { as<container_params>(t).command = words(2, std::string(12'289, 'a')); }},
       {accepted,
        [](auto& t) {
          as<container_params>(t).env = env_map{{"_A1", ""}};
        }},
       {"/tasks/0/params/env",
        [](auto& t) {
          as<container_params>(t).env = env_map{{"", "x"}};
        }},
       {"/tasks/0/params/env",
        [](auto& t) {
          as<container_params>(t).env = env_map{{"1A", "x"}};
        }},
       {"/tasks/0/params/env",
        [](auto& t) {
          as<container_params>(t).env = env_map{{"A=B", "x"}};
        }},
       {"/tasks/0/params/env/A",
        [&](auto& t) {
          as<container_params>(t).env = env_map{{"A", nul}};
        }},
       {"/tasks/0/params/env/A",
        [](auto& t) {
          as<container_params>(t).env = env_map{{"A", std::string(8193, 'x')}};
        }},
       {"/tasks/0/params/env",
        [](auto& t) {
          const std::string much(8190, 'x');
          as<container_params>(t).env = env_map{{"A", much}, {"B", much}, {"C", much}};
        }},
       {"/tasks/0/params/env", [](auto& t) {
          as<container_params>(t).env.emplace();
          for (int i = 0; i < 129; ++i)
            (*as<container_params>(t).env)["A" + std::to_string(i)] = "";
        }}});
}

TEST(RUN11_container, has_resources_within_ranges) {
  expect_each(
      container_params{},
      {{"/tasks/0/params/memory_mb", [](auto& t) { as<container_params>(t).memory_mb = 5; }},
       {"/tasks/0/params/memory_mb",
        [](auto& t) { as<container_params>(t).memory_mb = 1'048'577; }},
       {"/tasks/0/params/cpu_millis", [](auto& t) { as<container_params>(t).cpu_millis = 9; }},
       {"/tasks/0/params/cpu_millis",
        [](auto& t) { as<container_params>(t).cpu_millis = 1'024'001; }},
       {"/tasks/0/params/pids", [](auto& t) { as<container_params>(t).pids = 0; }},
       {"/tasks/0/params/pids", [](auto& t) { as<container_params>(t).pids = 32'769; }},
       {"/tasks/0/params/disk_mb", [](auto& t) { as<container_params>(t).disk_mb = 0; }},
       {"/tasks/0/params/disk_mb", [](auto& t) { as<container_params>(t).disk_mb = 1'048'577; }},
       {accepted, [](auto& t) {
          as<container_params>(t).disk_mb = 1;
          as<container_params>(t).memory_mb = 6;
          as<container_params>(t).cpu_millis = 10;
          as<container_params>(t).pids = 32'768;
        }}});
}

TEST(RUN11_container, has_a_numeric_user_a_known_network_and_a_clean_workdir) {
  for (const char* good : {"0", "1000", "1000:1000", "2147483647:0"}) {
    EXPECT_EQ(
        spoilt_task(container_params{}, [&](auto& t) { as<container_params>(t).user = good; }),
        accepted);
  }
  for (const char* bad : {"", "root", ":", "1:", ":1", "1:2:3", "-1", "-0", "+1", " 1", "1 ",
                          "2147483648", "1:2147483648", "99999999999999999999"}) {
    EXPECT_EQ(spoilt_task(container_params{}, [&](auto& t) { as<container_params>(t).user = bad; }),
              "/tasks/0/params/user")
        << bad;
  }
  for (const char* network : {"bridge", "", "container:x", "Host"}) {
    EXPECT_EQ(spoilt_task(container_params{},
                          [&](auto& t) { as<container_params>(t).network = network; }),
              "/tasks/0/params/network");
  }
  for (const char* good : {"/", "/srv", "/srv/a..b/.x"}) {
    EXPECT_EQ(
        spoilt_task(container_params{}, [&](auto& t) { as<container_params>(t).workdir = good; }),
        accepted);
  }
  for (const char* bad : {"", "srv", "/srv/..", "/srv//a", "/srv/", "/./srv"}) {
    EXPECT_EQ(
        spoilt_task(container_params{}, [&](auto& t) { as<container_params>(t).workdir = bad; }),
        "/tasks/0/params/workdir")
        << bad;
  }
}

TEST(RUN11_mounts, have_one_spelling_and_no_reserved_target) {
  const auto mounted = [](std::vector<mount_spec> mounts) {
    return spoilt_task(container_params{},
                       [&](auto& t) { as<container_params>(t).mounts = mounts; });
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
  expect_each(
      log_triage_params{},
      {{accepted,
        [](auto& t) {
          as<log_triage_params>(t).files = names{"a.log", "sub/b.log", "..c"};
        }},
       {at + "files", [](auto& t) { as<log_triage_params>(t).files = names{}; }},
       {at + "files", [](auto& t) { as<log_triage_params>(t).files = names(65, "a"); }},
       {at + "files/0", [](auto& t) { as<log_triage_params>(t).files = names{""}; }},
       {at + "files/1",
        [](auto& t) {
          as<log_triage_params>(t).files = names{"a", "../../etc/passwd"};
        }},
       {at + "files/2",
        [](auto& t) {
          as<log_triage_params>(t).files = names{"iso.log", "b", "iso.log"};
        }},
       {accepted,
        [](auto& t) {  // it is read once, as one that is named by its id as well
          as<log_triage_params>(t).containers = names{"a", "a"};
        }},
       {at + "files/0", [](auto& t) { as<log_triage_params>(t).files = names{"/etc/passwd"}; }},
       {at + "files/0", [](auto& t) { as<log_triage_params>(t).files = names{"a/../b"}; }},
       {at + "files/0", [](auto& t) { as<log_triage_params>(t).files = names{"./a"}; }},
       {at + "files/0",
        [](auto& t) { as<log_triage_params>(t).files = names{std::string(256, 'a')}; }},
       {at + "containers", [](auto& t) { as<log_triage_params>(t).containers = names{}; }},
       {at + "containers/0", [](auto& t) { as<log_triage_params>(t).containers = names{""}; }},
       {at + "max_lines", [](auto& t) { as<log_triage_params>(t).max_lines = 0; }},
       {at + "max_lines", [](auto& t) { as<log_triage_params>(t).max_lines = 10'000'001; }},
       {accepted, [](auto& t) { as<log_triage_params>(t).max_lines = 10'000'000; }}});
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
