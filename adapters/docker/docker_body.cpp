#include "adapters/docker/docker_body.hpp"

#include "codec/json_writer.hpp"

namespace reeve::adapters {
namespace {

using codec::json_writer;

void strings(json_writer& out, std::string_view name, const std::vector<std::string>& all) {
  out.key(name).begin_array();
  for (const auto& one : all) out.value(one);
  out.end_array();
}

void labels_of(json_writer& out, const label_map& labels) {
  out.key("Labels").begin_object();
  for (const auto& [key, value] : labels) out.key(key).value(value);
  out.end_object();
}

void mounts_of(json_writer& out, const container_spec& spec) {
  out.key("Mounts").begin_array();
  if (!spec.volume.empty()) {
    out.begin_object().key("Type").value("volume").key("Source").value(spec.volume);
    out.key("Target").value(volume_target).key("ReadOnly").value(false);
    // Without NoCopy whatever the image has at /reeve would be copied over ours.
    out.key("VolumeOptions").begin_object().key("NoCopy").value(true).end_object();
    out.end_object();
  }
  for (const auto& mount : spec.mounts) {
    out.begin_object().key("Type").value("bind").key("Source").value(mount.source);
    out.key("Target").value(mount.target).key("ReadOnly").value(mount.read_only);
    out.key("BindOptions").begin_object().key("Propagation").value("rprivate").end_object();
    out.end_object();
  }
  if (!spec.llm_folder.empty()) {
    out.begin_object().key("Type").value("bind").key("Source").value(spec.llm_folder);
    out.key("Target").value(llm_path).key("ReadOnly").value(true);
    out.key("BindOptions").begin_object().key("Propagation").value("rprivate").end_object();
    out.end_object();
  }
  out.end_array();
  // By their names, as canonical JSON has them.
  out.key("Tmpfs").begin_object();
  if (spec.secret_bytes > 0) {
    const auto colon = spec.user.find(':');
    out.key(secrets_path)
        .value("rw,nosuid,nodev,noexec,mode=0700,size=" + std::to_string(spec.secret_bytes) +
               ",uid=" + spec.user.substr(0, colon) + ",gid=" + spec.user.substr(colon + 1));
  }
  if (spec.tmp_bytes > 0) {
    out.key("/tmp").value("rw,nosuid,nodev,exec,mode=1777,size=" + std::to_string(spec.tmp_bytes));
  }
  out.end_object();
}

void limits_of(json_writer& out, const container_spec& spec) {
  // Memory and MemorySwap are always sent together: equal, they mean no swap.
  out.key("Memory").value(spec.memory_bytes).key("MemorySwap").value(spec.memory_bytes);
  out.key("NanoCpus").value(spec.nano_cpus).key("PidsLimit").value(spec.pids_limit);
  out.key("OomKillDisable").value(false);
  out.key("Ulimits").begin_array().begin_object();
  out.key("Name").value("core").key("Soft").value(0).key("Hard").value(0);
  out.end_object().end_array();
}

void isolation(json_writer& out, const container_spec& spec) {
  out.key("NetworkMode").value(spec.network == network_mode::host ? "host" : "none");
  out.key("Privileged").value(false).key("ReadonlyRootfs").value(spec.read_only_root);
  out.key("CapDrop").begin_array().value("ALL").end_array();
  out.key("CapAdd").begin_array().end_array();
  out.key("SecurityOpt").begin_array().value("no-new-privileges:true").end_array();
  out.key("IpcMode").value("private").key("CgroupnsMode").value("private");
  out.key("PidMode").value("").key("UTSMode").value("").key("UsernsMode").value("");
  for (auto none : {"Binds", "Devices", "DeviceRequests", "GroupAdd", "VolumesFrom", "Links"}) {
    out.key(none).begin_array().end_array();
  }
  out.key("PublishAllPorts").value(false);
}

void log_config(json_writer& out, const container_spec& spec) {
  // Several files: with a single one the engine empties it when it is full. With eight it keeps at
  // least seven eighths, and who finds less there knows that nothing was let go
  // (output_reader.hpp).
  out.key("LogConfig").begin_object().key("Type").value("json-file");
  out.key("Config").begin_object();
  out.key("max-size").value(std::to_string(spec.log_bytes / 8)).key("max-file").value("8");
  out.end_object().end_object();
}

}  // namespace

std::string create_body(const container_spec& spec) {
  json_writer out;
  out.begin_object().key("Image").value(spec.image_id);
  strings(out, "Entrypoint", spec.entrypoint);
  strings(out, "Cmd", spec.command);
  strings(out, "Env", spec.environment);
  labels_of(out, spec.labels);
  out.key("User").value(spec.user);
  if (!spec.working_dir.empty()) out.key("WorkingDir").value(spec.working_dir);
  out.key("Tty").value(false).key("OpenStdin").value(false).key("AttachStdin").value(false);
  out.key("StopSignal").value("SIGTERM");
  out.key("Healthcheck").begin_object().key("Test").begin_array().value("NONE").end_array();
  out.end_object();

  out.key("HostConfig").begin_object();
  isolation(out, spec);
  limits_of(out, spec);
  mounts_of(out, spec);
  log_config(out, spec);
  out.key("RestartPolicy").begin_object().key("Name").value("no");
  out.key("MaximumRetryCount").value(0).end_object();
  out.key("AutoRemove").value(false).key("Init").value(false);
  out.end_object().end_object();
  return out.take();
}

std::string volume_body(std::string_view name, const label_map& labels) {
  json_writer out;
  out.begin_object().key("Name").value(name).key("Driver").value("local");
  labels_of(out, labels);
  out.end_object();
  return out.take();
}

std::string label_filters(const std::vector<label_filter>& filters) {
  json_writer out;
  out.begin_object().key("label").begin_array();
  for (const auto& filter : filters) {
    out.value(filter.value.empty() ? filter.key : filter.key + "=" + filter.value);
  }
  out.end_array().end_object();
  return out.take();
}

std::string log_bound(std::int64_t at_ns) {
  auto nanos = std::to_string(at_ns % 1'000'000'000);
  return std::to_string(at_ns / 1'000'000'000) + "." + std::string(9 - nanos.size(), '0') + nanos;
}

}  // namespace reeve::adapters
