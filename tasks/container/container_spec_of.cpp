#include "tasks/container/container_spec_of.hpp"

#include "adapters/attempt_archive_port.hpp"
#include "adapters/container_owner_port.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

namespace reeve::tasks {
namespace {

/// Room for all secrets of a task as files, each in pages of its own.
constexpr std::int64_t secret_files_bytes = 1 << 20;
static_assert(secret_files_bytes >= static_cast<std::int64_t>(domain::max_task_secrets) * 12'288);

/// What an engine takes (container_rules.cpp).
constexpr std::int64_t most_pids = 32768;

/// Always told in numbers: then no engine asks the image's USER or its /etc/passwd.
std::string user_text(const domain::container_params& p) {
  const auto user = domain::user_of(p.user);
  return std::to_string(user.uid) + ":" + std::to_string(user.gid);
}

/// Volumes that the engine makes because the image says so, where nothing of ours is mounted.
std::vector<std::string> image_volumes_of(const domain::container_params& p,
                                          const adapters::image_info& image) {
  std::vector<std::string> paths;
  for (const auto& volume : image.volumes) {
    auto path = std::filesystem::path("/").append(volume).lexically_normal().string();
    if (path.size() > 1 && path.ends_with('/')) path.pop_back();
    const auto is_there = [&](const auto& mount) { return mount.target == path; };
    if (p.mounts && std::any_of(p.mounts->begin(), p.mounts->end(), is_there)) continue;
    const bool is_known = std::find(paths.begin(), paths.end(), path) != paths.end();
    if (path != adapters::volume_target && !is_known) paths.push_back(std::move(path));
  }
  return paths;
}

/// What the engine keeps on its disk for it; mounts are the host's own, and tmpfs is memory.
std::vector<std::string> written_folders(const domain::container_params& p,
                                         const adapters::image_info& image) {
  std::vector<std::string> folders{std::string(adapters::volume_target)};
  if (p.writable_root.value_or(false)) folders.emplace_back("/");
  for (auto& path : image_volumes_of(p, image)) folders.push_back(std::move(path));
  return folders;
}

/// What reeve-init is told: its marker, each secret as a file from the first variable that holds
/// it, what the job may have on disk where, and where the server's socket is.
std::vector<std::string> entrypoint_of(const domain::container_params& p,
                                       const adapters::image_info& image, bool has_models) {
  std::vector<std::string> words{std::string(adapters::init_path),
                                 std::string(adapters::marker_path)};
  std::set<std::string> files;
  for (const auto& [variable, secret] : domain::secret_variables_of(p)) {
    if (!files.insert(secret).second) continue;
    words.push_back("secret=" + std::string(adapters::secrets_path) + "/" + secret + "=" +
                    variable);
  }
  words.push_back("disk=" + std::to_string(disk_bytes_of(p)));
  for (const auto& folder : written_folders(p, image)) words.push_back("watch=" + folder);
  if (has_models) {
    words.push_back("llm=" + std::string(adapters::llm_path) + "/" +
                    std::string(adapters::llm_socket_name));
  }
  words.push_back("--");
  return words;
}

/// What is written down as it is.
std::vector<std::string> literals_of(const domain::env_map& env) {
  std::vector<std::string> words;
  for (const auto& [name, value] : env) {
    std::visit(domain::overloaded{
                   [&](const std::string& text) { words.push_back(name + "=" + text); },
                   [&](const domain::plain_value& v) { words.push_back(name + "=" + v.plain); },
                   [](const domain::secret_ref&) {}},
               value);
  }
  return words;
}

}  // namespace

std::int64_t disk_bytes_of(const domain::container_params& params) {
  return params.disk_mb.value_or(256) * 1024 * 1024;
}

std::string disk_limit_line(std::int64_t disk_bytes) {
  return "reeve-init: ended at its limit of " + std::to_string(disk_bytes) + " bytes on disk\n";
}

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
                                           const adapters::image_info& image,
                                           const std::string& llm_folder) {
  const auto& p = std::get<domain::container_params>(run.task_of(job).params);
  adapters::container_spec spec;
  spec.name = *intent.container_name;
  spec.volume = intent.volume.value_or(spec.name);
  spec.image_id = *intent.image_id;
  const bool has_models = intent.llm.value_or(false);
  if (has_models) spec.llm_folder = llm_folder;
  spec.entrypoint = entrypoint_of(p, image, has_models);
  if (p.command) {
    spec.command = *p.command;
  } else {
    spec.command = image.entrypoint;
    spec.command.insert(spec.command.end(), image.command.begin(), image.command.end());
  }
  if (p.env) spec.environment = literals_of(*p.env);
  spec.labels = labels_of(instance, run, job.id, intent.attempt);
  if (!domain::secret_variables_of(p).empty()) {
    spec.secret_bytes = secret_files_bytes;
    spec.labels.emplace(adapters::secrets_label, "true");
  }
  spec.memory_bytes = p.memory_mb.value_or(256) * 1024 * 1024;
  spec.nano_cpus = p.cpu_millis.value_or(1000) * 1'000'000;
  spec.pids_limit = p.pids.value_or(256);
  // The process that relays is none of the job's own.
  if (has_models) spec.pids_limit = std::min(spec.pids_limit + 1, most_pids);
  if (p.network == "host") spec.network = adapters::network_mode::host;
  spec.user = user_text(p);
  spec.read_only_root = !p.writable_root.value_or(false);
  if (p.mounts) {
    for (const auto& m : *p.mounts) spec.mounts.push_back({m.source, m.target, m.read_only});
  }
  spec.image_volumes = image_volumes_of(p, image);
  spec.working_dir = p.workdir.value_or("");
  // Programs expect a writable /tmp also where the root is read-only. It counts as the container's
  // memory, so it gets a part of it only.
  const bool taken = std::any_of(spec.mounts.begin(), spec.mounts.end(),
                                 [](const auto& m) { return m.target == "/tmp"; });
  if (spec.read_only_root && !taken) spec.tmp_bytes = spec.memory_bytes / 4;
  return spec;
}

void give_secrets(adapters::container_spec& spec, const domain::container_params& params,
                  const secret_values& values) {
  for (const auto& [variable, secret] : domain::secret_variables_of(params)) {
    const auto value = values.find(secret);
    if (value == values.end()) continue;
    spec.environment.push_back(variable + "=" + std::string(value->second));
  }
}

void give_token(adapters::container_spec& spec, const std::string& token) {
  spec.environment.push_back(std::string(token_variable) + "=" + token);
}

outcome<redactor> hiding_token(const redactor& others, std::string token) {
  return others.with({{std::string(token_variable), std::move(token)}});
}

outcome<adapters::shared_bytes> archive_for(const domain::container_params& params) {
  const auto user = domain::user_of(params.user);
  adapters::attempt_files files;
  files.uid = static_cast<std::uint32_t>(user.uid);
  files.gid = static_cast<std::uint32_t>(user.gid);
  return adapters::attempt_archive(std::move(files));
}

}  // namespace reeve::tasks
