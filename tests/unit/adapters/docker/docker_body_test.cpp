#include "adapters/docker/docker_body.hpp"

#include "adapters/docker/container_rules.hpp"
#include "adapters/docker/docker_answers.hpp"
#include "codec/json.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve::adapters;
using reeve::errc;

const std::string image = "sha256:" + std::string(64, '0');

container_spec good_spec() {
  container_spec spec;
  spec.name = "reeve-000000000000-job-a1";
  spec.image_id = image;
  spec.entrypoint = {std::string{init_path}, std::string{marker_path}, "--"};
  spec.command = {"/bin/echo", "a \"quoted\" word"};
  spec.environment = {"NAME=value"};
  spec.labels = {{"reeve.job", "j"}};
  spec.memory_bytes = 64 << 20;
  spec.nano_cpus = 500'000'000;
  spec.volume = "reeve-000000000000-job-a1";
  spec.tmp_bytes = 1 << 20;
  spec.mounts = {{"/srv/data", "/data", true}};
  return spec;
}

/// The canonical text of a member of the host configuration.
std::string host(const container_spec& spec, std::string_view key) {
  auto doc = reeve::codec::parse_strict(create_body(spec));
  if (!doc) return "no JSON: " + doc.error().detail;
  auto found = doc->root().find("HostConfig")->find(key);
  return found ? found->text() : "missing";
}

std::string refused_field(const std::function<void(container_spec&)>& spoil) {
  auto spec = good_spec();
  spoil(spec);
  auto checked = check_container(spec);
  if (checked) return "accepted";
  EXPECT_EQ(checked.error().code, errc::invalid);
  return checked.error().field;
}

}  // namespace

TEST(P11_create_body, host_configuration_is_fixed) {
  const std::map<std::string, std::string> fixed{
      {"Privileged", "false"},
      {"CapDrop", R"(["ALL"])"},
      {"CapAdd", "[]"},
      {"SecurityOpt", R"(["no-new-privileges:true"])"},
      {"NetworkMode", R"("none")"},
      {"IpcMode", R"("private")"},
      {"CgroupnsMode", R"("private")"},
      {"PidMode", R"("")"},
      {"UTSMode", R"("")"},
      {"UsernsMode", R"("")"},
      {"Binds", "[]"},
      {"Devices", "[]"},
      {"DeviceRequests", "[]"},
      {"VolumesFrom", "[]"},
      {"ReadonlyRootfs", "true"},
      {"RestartPolicy", R"({"MaximumRetryCount":0,"Name":"no"})"},
      {"AutoRemove", "false"},
      {"Init", "false"},
      {"OomKillDisable", "false"},
      {"LogConfig", R"({"Config":{"max-file":"8","max-size":"2097152"},"Type":"json-file"})"},
  };
  for (const auto& [key, value] : fixed) EXPECT_EQ(host(good_spec(), key), value) << key;
}

TEST(P11_create_body, limits_come_from_the_spec_and_memory_never_without_swap) {
  auto spec = good_spec();
  EXPECT_EQ(host(spec, "Memory"), "67108864");
  EXPECT_EQ(host(spec, "MemorySwap"), "67108864");
  EXPECT_EQ(host(spec, "NanoCpus"), "500000000");
  EXPECT_EQ(host(spec, "PidsLimit"), "256");
  EXPECT_EQ(host(spec, "Mounts"),
            R"([{"ReadOnly":false,"Source":"reeve-000000000000-job-a1","Target":"/reeve",)"
            R"("Type":"volume","VolumeOptions":{"NoCopy":true}},)"
            R"({"BindOptions":{"Propagation":"rprivate"},"ReadOnly":true,"Source":"/srv/data",)"
            R"("Target":"/data","Type":"bind"}])");
  spec.network = network_mode::host;
  EXPECT_EQ(host(spec, "NetworkMode"), R"("host")");
}

TEST(ACC4_create_body, secrets_lie_in_memory_that_is_the_users_alone) {
  auto spec = good_spec();
  spec.tmp_bytes = 0;
  EXPECT_EQ(host(spec, "Tmpfs"), "{}");
  spec.secret_bytes = 1 << 20;
  spec.user = "1000:50";
  EXPECT_EQ(
      host(spec, "Tmpfs"),
      R"({"/reeve/secrets":"rw,nosuid,nodev,noexec,mode=0700,size=1048576,uid=1000,gid=50"})");
  EXPECT_EQ(refused_field([](auto& s) { s.secret_bytes = s.memory_bytes + 1; }), "/secret_bytes");
  EXPECT_EQ(refused_field([](auto& s) { s.secret_bytes = -1; }), "/secret_bytes");
}

TEST(LLM4_create_body, mounts_the_socket_of_the_server_to_read_only) {
  auto spec = good_spec();
  EXPECT_EQ(create_body(spec).find("/reeve/llm"), std::string::npos);
  spec.llm_folder = "/srv/data/llm";
  EXPECT_NE(create_body(spec).find(R"({"Type":"bind","Source":"/srv/data/llm",)"
                                   R"("Target":"/reeve/llm","ReadOnly":true,)"
                                   R"("BindOptions":{"Propagation":"rprivate"}})"),
            std::string::npos)
      << create_body(spec);
  EXPECT_TRUE(check_container(spec));
  spec.llm_folder = "relative";
  EXPECT_EQ(check_container(spec).error().field, "/llm_folder");
}

TEST(P11_create_body, text_of_the_caller_stays_text) {
  auto spec = good_spec();
  spec.command = {"x\"],\"HostConfig\":{\"Privileged\":true},\"y\":[\""};
  spec.labels = {{"a\",\"Privileged\":true,\"b", "c"}};
  EXPECT_EQ(host(spec, "Privileged"), "false");
  auto doc = reeve::codec::parse_strict(create_body(spec));
  ASSERT_TRUE(doc);
  EXPECT_EQ(doc->root().find("Cmd")->at(0).as_string(), spec.command[0]);
  EXPECT_FALSE(doc->root().find("Privileged"));
}

TEST(RUN11_rules, a_good_spec_passes) {
  EXPECT_TRUE(check_container(good_spec()));
}

TEST(RUN11_rules, each_field_is_checked) {
  EXPECT_EQ(refused_field([](auto& s) { s.name = "a/b"; }), "/name");
  EXPECT_EQ(refused_field([](auto& s) { s.image_id = "busybox:latest"; }), "/image_id");
  EXPECT_EQ(refused_field([](auto& s) { s.user = "root"; }), "/user");
  EXPECT_EQ(refused_field([](auto& s) { s.memory_bytes = (6 << 20) - 1; }), "/memory_bytes");
  EXPECT_EQ(refused_field([](auto& s) { s.memory_bytes = -1; }), "/memory_bytes");
  EXPECT_EQ(refused_field([](auto& s) { s.nano_cpus = 0; }), "/nano_cpus");
  EXPECT_EQ(refused_field([](auto& s) { s.pids_limit = 0; }), "/pids_limit");
  EXPECT_EQ(refused_field([](auto& s) { s.tmp_bytes = s.memory_bytes + 1; }), "/tmp_bytes");
  EXPECT_EQ(refused_field([](auto& s) { s.log_bytes = 0; }), "/log_bytes");
  EXPECT_EQ(refused_field([](auto& s) { s.environment = {"NOVALUE"}; }), "/environment/0");
  EXPECT_EQ(refused_field([](auto& s) { s.command = {std::string("a\0b", 3)}; }), "/command/0");
  EXPECT_EQ(refused_field([](auto& s) { s.volume = "/etc"; }), "/volume");
  EXPECT_EQ(refused_field([](auto& s) { s.working_dir = "../x"; }), "/working_dir");
  EXPECT_EQ(refused_field([](auto& s) { s.command = s.entrypoint = {}; }), "/command");
  EXPECT_EQ(refused_field([](auto& s) { s.labels = {{"", "x"}}; }), "/labels");
}

TEST(RUN11_rules, no_mount_gives_away_the_machine) {
  for (std::string source : {"/", "", "relative", "/srv/../etc", "/srv/", "/var/run/docker.sock",
                             "/run/docker.sock", "/run", "/proc/1", "/sys", "/dev/sda", "/var",
                             "/var/lib/docker/volumes", "/srv/docker.sock"}) {
    EXPECT_EQ(refused_field([&](auto& s) {
                s.mounts = {{source, "/data", true}};
              }),
              "/mounts/0/source")
        << source;
  }
  for (std::string target : {"/", "/reeve", "/reeve/state", "/proc", "/sys/fs", "data"}) {
    EXPECT_EQ(refused_field([&](auto& s) {
                s.mounts = {{"/srv", target, true}};
              }),
              "/mounts/0/target")
        << target;
  }
  EXPECT_EQ(refused_field([](auto& s) {
              s.mounts = {{"/srv", "/d", true}, {"/opt", "/d", true}};
            }),
            "/mounts/1/target");
}

TEST(RUN11_rules, names_and_references_cannot_change_the_path) {
  EXPECT_TRUE(is_image_reference("localhost:1/box:1"));
  EXPECT_TRUE(is_image_reference("box@" + image));
  for (std::string bad : {"", "a/../b", "a//b", "a?b", "a%2e", "a b", "a#b", "/a"}) {
    EXPECT_FALSE(is_image_reference(bad)) << bad;
    EXPECT_FALSE(is_object_name(bad)) << bad;
  }
  EXPECT_TRUE(is_volume_path("/reeve"));
  EXPECT_TRUE(is_volume_path("/reeve/in"));
  for (std::string bad : {"/", "/reeve2", "/reeve/../etc", "/reeve/", "reeve"}) {
    EXPECT_FALSE(is_volume_path(bad)) << bad;
  }
}

TEST(CTR1_answers, a_container_is_read) {
  auto info = parse_container(R"({"Id":"8f4d","Name":"/xx","Image":"sha256:06","State":{
    "Status":"exited","OOMKilled":true,"Pid":0,"ExitCode":137,"Error":"",
    "StartedAt":"2026-11-21T05:15:10.882095243Z","FinishedAt":"0001-01-01T00:00:00Z"},
    "Config":{"Tty":false,"Labels":{"reeve.job":"j1"}},"HostConfig":{"Memory":1}})");
  ASSERT_TRUE(info) << info.error().detail;
  EXPECT_EQ(info->name, "xx");
  EXPECT_EQ(info->exit_code, 137);
  EXPECT_EQ(info->started_at, reeve::parse_time("2026-11-21T05:15:10.882095Z"));
  EXPECT_EQ(info->finished_at, 0) << "the year 1 is never";
  EXPECT_TRUE(info->oom_killed);
  EXPECT_EQ(info->labels, (label_map{{"reeve.job", "j1"}}));
}

TEST(CTR1_answers, what_the_api_does_not_promise_cannot_be_read) {
  for (std::string bad : {"", "{", "[]", "{}", R"({"Id":"x"})", "<html>", R"({"Id":1,"Id":2})"}) {
    auto info = parse_container(bad);
    ASSERT_FALSE(info) << bad;
    EXPECT_EQ(info.error().code, errc::engine_unreadable) << bad;
  }
  EXPECT_FALSE(parse_wait(R"({"StatusCode":0,"Error":{"Message":"lost"}})"));
  EXPECT_FALSE(parse_wait("{\"Error\":null,\"Status"));
  EXPECT_EQ(parse_wait(R"({"Error":null,"StatusCode":7})")->exit_code, 7);
  EXPECT_FALSE(parse_list(R"([{"Names":["/a"]}])"));
  EXPECT_EQ(parse_list("[]")->size(), 0u);
  const auto listed = parse_list(
      R"([{"Id":"i","State":"created","Mounts":[{"Type":"volume","Name":"v"},{"Type":"bind"}]},)"
      R"({"Id":"j","State":"created","Mounts":null}])");
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->at(0).volumes, std::vector<std::string>{"v"});
  EXPECT_TRUE(listed->at(1).volumes.empty());
  for (const char* bad :
       {"", "[]", "{}", R"({"Volumes":{}})", R"({"Volumes":[{"Labels":null}]})"}) {
    EXPECT_FALSE(parse_volumes(bad)) << bad;
  }
  EXPECT_EQ(parse_volumes(R"({"Volumes":null,"Warnings":null})")->size(), 0u);
  const auto volumes = parse_volumes(
      R"({"Volumes":[{"Name":"a","Labels":{"reeve.run":"r"}},{"Name":"b","Labels":null}]})");
  ASSERT_TRUE(volumes);
  EXPECT_EQ(volumes->at(0).labels, (label_map{{"reeve.run", "r"}}));
  EXPECT_EQ(volumes->at(1).name, "b");
}

TEST(CTR1_answers, an_import_fails_in_its_stream) {
  EXPECT_EQ(*parse_import("{\"status\":\"Importing\"}\r\n{\"status\":\"" + image + "\"}\r\n"),
            image);
  EXPECT_EQ(
      parse_import(R"({"errorDetail":{"message":"x"},"error":"unexpected EOF"})").error().code,
      errc::invalid);
  EXPECT_EQ(parse_import("").error().code, errc::engine_unreadable);
}

TEST(CTR1_answers, api_versions_are_negotiated) {
  EXPECT_EQ(*negotiate({"20.10", "1.41", "1.12"}), "1.41");
  EXPECT_EQ(*negotiate({"19.03", "1.40", "1.12"}), "1.40");
  EXPECT_EQ(*negotiate({"27", "1.47", "1.24"}), "1.41");
  EXPECT_EQ(*negotiate({"29", "1.52", "1.44"}), "1.44");
  EXPECT_EQ(negotiate({"18.09", "1.39", "1.12"}).error().code, errc::engine_unavailable);
  EXPECT_FALSE(parse_version(R"({"Version":"1","ApiVersion":"2.0"})"));
}

TEST(CTR3_answers, refusals_become_the_closed_set_without_the_engines_text) {
  struct row {
    int status;
    std::string body;
    errc code;
  };
  for (const auto& [status, body, code] : std::vector<row>{
           {404, R"({"message":"No such container: secret"})", errc::not_found},
           {409, R"({"message":"The container name \"/secret\" is already in use"})",
            errc::conflict},
           {400, "client version 9.9 is too new (text/plain) secret", errc::invalid},
           {500, R"({"message":"container with secret: already exists: unknown"})", errc::conflict},
           {500, R"({"message":"secret: rootfs is marked read-only"})", errc::invalid},
           {500, R"({"message":"OCI runtime create failed: secret"})", errc::invalid},
           {500, R"({"message":"secret: no space left on device"})", errc::internal},
           {500, "secret", errc::internal},
           {500, R"({"message":"Cannot mkdir: /etc/passwd is not a directory"})", errc::invalid},
           {500, R"({"message":"secret: file name too long"})", errc::invalid},
           {500, R"({"message":"Are you trying to mount a directory onto a file"})", errc::invalid},
           {503, R"({"message":"secret already exists"})", errc::internal}}) {
    auto why = refusal(status, body);
    EXPECT_EQ(why.code, code) << body;
    EXPECT_EQ(why.detail.find("secret"), std::string::npos) << why.detail;
  }
}

/// Whatever lies there, no job mounts.
TEST(P11_answers, say_where_the_engine_keeps_its_data) {
  const auto root_in = [](const std::string& body) {
    const auto info = parse_info(body);
    return info ? info->data_root : info.error().detail;
  };
  EXPECT_EQ(root_in(R"({"ID":"x","DockerRootDir":"/srv/docker/1.1"})"), "/srv/docker/1.1");
  for (const char* none : {R"({"ID":"x"})", R"({"DockerRootDir":null})", R"({"DockerRootDir":7})",
                           R"({"DockerRootDir":""})", R"({"DockerRootDir":"relative"})"}) {
    EXPECT_EQ(root_in(none), "") << none;
  }
  EXPECT_EQ(root_in(R"({"DockerRootDir":"/)" + std::string(5000, 'a') + R"("})"), "");
}

TEST(CTR1_answers, log_bounds_have_nine_digits) {
  EXPECT_EQ(log_bound(1'700'000'000'000'000'001), "1700000000.000000001");
  EXPECT_EQ(label_filters({{"a", ""}, {"b", "c=d"}}), R"({"label":["a","b=c=d"]})");
}
