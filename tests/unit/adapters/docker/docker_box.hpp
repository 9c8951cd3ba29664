#pragma once
// What tests against a real engine share: an image made of busybox alone, and containers that are
// removed at the end.

#include "adapters/attempt_archive_port.hpp"
#include "adapters/docker/docker_engine.hpp"
#include "adapters/tar.hpp"
#include "tests/unit/adapters/engine_calls.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <unistd.h>
#include <vector>

namespace docker_box {

using namespace reeve::adapters;
using engine_calls::ask;
using engine_calls::code_of;

inline std::string box_archive() {
  std::ifstream in{"/bin/busybox", std::ios::binary};
  tar_entry busybox{.name = "bin/busybox", .mode = 0755};
  busybox.content.assign(std::istreambuf_iterator<char>{in}, {});
  std::vector<tar_entry> entries{{.kind = tar_kind::directory, .name = "bin/", .mode = 0755},
                                 {.kind = tar_kind::directory, .name = "tmp/", .mode = 01777},
                                 busybox};
  for (std::string applet : {"sh", "echo", "cat", "sleep", "wc", "id", "seq", "dd", "touch"}) {
    entries.push_back({.kind = tar_kind::symlink, .name = "bin/" + applet, .content = "busybox"});
  }
  auto tar = make_tar(entries);
  return tar ? *tar : std::string{};
}

/// One engine and what was made on it.
class box {
 public:
  explicit box(const std::string& socket) : engine({.socket_path = socket}) {
    auto imported = ask<std::string>([&](auto slot) {
      engine.import_image({}, {.bytes = box_archive(), .path = {}}, "localhost:1/unit-box:1", slot);
    });
    EXPECT_TRUE(imported) << imported.error().detail;
    if (imported) image = *imported;
  }
  ~box() {
    std::vector<std::pair<std::string, std::string>> left;
    for (const auto& name : names_) {
      left.emplace_back(name, code_of(ask<reeve::done>([&](auto slot) {
                          engine.remove_container({}, name, true, slot);
                        })));
    }
    // Volumes come after all containers, because some are used by two.
    for (const auto& name : names_) {
      left.emplace_back(
          name,
          code_of(ask<reeve::done>([&](auto slot) { engine.remove_volume({}, name, slot); })));
    }
    for (const auto& [name, code] : left) {
      EXPECT_TRUE(code == "ok" || code == "not_found") << name << " was left: " << code;
    }
  }
  box(const box&) = delete;
  box& operator=(const box&) = delete;

  /// A spec with a name and a volume that no other test uses, guarded by reeve-init.
  container_spec guarded(std::vector<std::string> command) {
    static int count = 0;
    container_spec spec;
    spec.name = "reeve-test-" + std::to_string(getpid()) + "-" + std::to_string(++count);
    spec.volume = spec.name;
    spec.image_id = image;
    spec.entrypoint = {std::string{init_path}, std::string{marker_path}, "--"};
    spec.command = std::move(command);
    spec.environment = {"PATH=/bin"};
    spec.labels = {{"reeve.test", spec.name}};
    spec.memory_bytes = 32 << 20;
    spec.nano_cpus = 1'000'000'000;
    names_.insert(spec.name);
    return spec;
  }
  container_spec shell(const std::string& script) { return guarded({"/bin/sh", "-c", script}); }

  /// Creates it and unpacks reeve-init.
  std::string prepare(const container_spec& spec) {
    auto made = ask<created_container>([&](auto slot) { engine.create_container({}, spec, slot); });
    EXPECT_TRUE(made) << made.error().detail;
    if (!made) return {};
    auto tar = attempt_archive({.inputs = {{.name = "greeting.txt", .content = "hello\n"}}});
    EXPECT_TRUE(tar);
    auto put = ask<reeve::done>([&](auto slot) {
      engine.put_archive({}, made->id, std::string{volume_target}, *tar, slot);
    });
    EXPECT_TRUE(put) << put.error().detail;
    return made->id;
  }
  std::string start(const std::string& id) {
    return code_of(ask<start_result>([&](auto slot) { engine.start({}, id, slot); }));
  }
  std::int64_t wait(const std::string& id) {
    auto ended = ask<wait_result>([&](auto slot) { engine.wait(id, slot); });
    EXPECT_TRUE(ended) << ended.error().detail;
    return ended ? ended->exit_code : -1;
  }
  container_info inspect(const std::string& id) {
    auto info = ask<container_info>([&](auto slot) { engine.inspect(id, slot); });
    EXPECT_TRUE(info) << info.error().detail;
    return info ? *info : container_info{};
  }
  std::vector<std::string> lines(const std::string& id, log_stream stream) {
    auto logs = ask<log_answer>([&](auto slot) { engine.logs(id, {}, slot); });
    EXPECT_TRUE(logs) << logs.error().detail;
    std::vector<std::string> out;
    if (!logs) return out;
    for (const auto& line : logs->lines) {
      if (line.stream == stream) out.push_back(line.text);
    }
    return out;
  }
  /// Creates, starts, waits; the exit code.
  std::int64_t run(const container_spec& spec) {
    auto id = prepare(spec);
    EXPECT_EQ(start(id), "ok");
    return wait(id);
  }

  docker_engine engine;
  std::string image;

 private:
  std::set<std::string> names_;
};

}  // namespace docker_box
