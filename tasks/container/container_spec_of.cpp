#include "tasks/container/container_spec_of.hpp"

#include "adapters/attempt_archive_port.hpp"
#include "adapters/container_owner_port.hpp"

#include <algorithm>
#include <charconv>

namespace reeve::tasks {
namespace {

constexpr std::string_view nobody = "65534:65534";

struct owner {
  std::uint32_t uid = 65534;
  std::uint32_t gid = 65534;
};

/// "uid" or "uid:gid", as check_task has let it pass; a bare uid is its own group.
owner owner_of(std::string_view user) {
  owner o;
  const auto colon = user.find(':');
  const auto uid = user.substr(0, colon);
  const auto gid = colon == std::string_view::npos ? uid : user.substr(colon + 1);
  std::from_chars(uid.data(), uid.data() + uid.size(), o.uid);
  std::from_chars(gid.data(), gid.data() + gid.size(), o.gid);
  return o;
}

std::string user_of(const domain::container_params& p) {
  const auto o = owner_of(p.user.value_or(std::string(nobody)));
  return std::to_string(o.uid) + ":" + std::to_string(o.gid);
}

}  // namespace

adapters::label_map labels_of(const uuid& instance, const domain::run_state& run, const uuid& job,
                              std::int64_t attempt) {
  return {{std::string(adapters::instance_label), to_string(instance)},
          {std::string(adapters::tenant_label), to_string(run.tenant)},
          {std::string(adapters::run_label), to_string(run.id)},
          {std::string(adapters::job_label), to_string(job)},
          {std::string(adapters::attempt_label), std::to_string(attempt)}};
}

adapters::container_spec container_spec_of(const uuid& instance, const domain::run_state& run,
                                           const domain::job_state& job,
                                           const domain::attempt_intended& intent,
                                           const adapters::image_info& image) {
  const auto& p = std::get<domain::container_params>(run.task_of(job).params);
  adapters::container_spec spec;
  spec.name = *intent.container_name;
  spec.volume = intent.volume.value_or(spec.name);
  spec.image_id = *intent.image_id;
  spec.entrypoint = {std::string(adapters::init_path), std::string(adapters::marker_path), "--"};
  if (p.command) {
    spec.command = *p.command;
  } else {
    spec.command = image.entrypoint;
    spec.command.insert(spec.command.end(), image.command.begin(), image.command.end());
  }
  if (p.env) {
    for (const auto& [name, value] : *p.env) spec.environment.push_back(name + "=" + value);
  }
  spec.labels = labels_of(instance, run, job.id, intent.attempt);
  spec.memory_bytes = p.memory_mb.value_or(256) * 1024 * 1024;
  spec.nano_cpus = p.cpu_millis.value_or(1000) * 1'000'000;
  spec.pids_limit = p.pids.value_or(256);
  if (p.network == "host") spec.network = adapters::network_mode::host;
  spec.user = user_of(p);
  spec.read_only_root = !p.writable_root.value_or(false);
  if (p.mounts) {
    for (const auto& m : *p.mounts) spec.mounts.push_back({m.source, m.target, m.read_only});
  }
  spec.working_dir = p.workdir.value_or("");
  // Programs expect a writable /tmp also where the root is read-only. It counts as the container's
  // memory, so it gets a part of it only.
  const bool taken = std::any_of(spec.mounts.begin(), spec.mounts.end(),
                                 [](const auto& m) { return m.target == "/tmp"; });
  if (spec.read_only_root && !taken) spec.tmp_bytes = spec.memory_bytes / 4;
  return spec;
}

outcome<adapters::shared_bytes> archive_for(const domain::container_params& params) {
  const auto o = owner_of(params.user.value_or(std::string(nobody)));
  adapters::attempt_files files;
  files.uid = o.uid;
  files.gid = o.gid;
  return adapters::attempt_archive(std::move(files));
}

}  // namespace reeve::tasks
