#include "adapters/docker/container_rules.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

namespace reeve::adapters {
namespace {

// Below 6 MiB the engine answers 400 (measured with API 1.41); above 64 TiB nobody means it.
constexpr std::int64_t min_memory = 6 << 20;
constexpr std::int64_t max_memory = std::int64_t{64} << 40;
constexpr std::int64_t min_nano_cpus = 10'000'000;
constexpr std::int64_t max_nano_cpus = std::int64_t{4096} * 1'000'000'000;
// The kernel takes 128 KiB for one argument and 2 MiB for all of them together by default.
constexpr std::size_t max_argument = 128 << 10;
constexpr std::size_t max_arguments_bytes = 1 << 20;

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool all_digits(std::string_view text, std::size_t most) {
  return !text.empty() && text.size() <= most &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// No part of a path is empty, "." or "..".
bool clean_parts(std::string_view path) {
  for (;;) {
    auto slash = path.find('/');
    auto part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool clean_absolute(std::string_view path) {
  return path.size() > 1 && path.size() <= 4096 && path.front() == '/' &&
         path.find('\0') == std::string_view::npos && clean_parts(path.substr(1));
}

rejection invalid(std::string_view field, std::string detail) {
  return reject(errc::invalid, std::move(detail), std::string{field});
}

outcome<done> check_strings(const std::vector<std::string>& all, std::string_view field,
                            std::size_t most) {
  std::size_t total = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    total += all[i].size() + 1;
    if (all[i].size() > max_argument || all[i].find('\0') != std::string::npos) {
      return invalid(std::string{field} + "/" + std::to_string(i),
                     "at most 128 KiB and no NUL character");
    }
  }
  if (all.size() > most || total > max_arguments_bytes) {
    return invalid(field, "at most " + std::to_string(most) + " strings and 1 MiB together");
  }
  return done{};
}

outcome<done> check_environment(const std::vector<std::string>& all) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto equals = all[i].find('=');
    if (equals == std::string::npos || equals == 0) {
      return invalid("/environment/" + std::to_string(i), "must be NAME=value");
    }
  }
  return check_strings(all, "/environment", 1000);
}

outcome<done> check_labels(const label_map& labels) {
  std::size_t total = 0;
  for (const auto& [key, value] : labels) {
    if (key.empty()) return invalid("/labels", "a label needs a key");
    total += key.size() + value.size();
  }
  if (labels.size() > 100 || total > (64 << 10)) {
    return invalid("/labels", "at most 100 labels and 64 KiB together");
  }
  return done{};
}

outcome<done> check_numbers(const container_spec& spec) {
  auto outside = [](std::int64_t value, std::int64_t low, std::int64_t high) {
    return value < low || value > high;
  };
  if (outside(spec.memory_bytes, min_memory, max_memory)) {
    return invalid("/memory_bytes", "must be 6291456 (6 MiB) or more");
  }
  if (outside(spec.nano_cpus, min_nano_cpus, max_nano_cpus)) {
    return invalid("/nano_cpus", "must be 10000000 (0.01 CPU) or more");
  }
  if (outside(spec.pids_limit, 1, 32768)) return invalid("/pids_limit", "must be 1..32768");
  if (outside(spec.tmp_bytes, 0, spec.memory_bytes)) {
    return invalid("/tmp_bytes", "must be 0 or more and at most memory_bytes");
  }
  if (outside(spec.secret_bytes, 0, spec.memory_bytes)) {
    return invalid("/secret_bytes", "must be 0 or more and at most memory_bytes");
  }
  if (outside(spec.log_bytes, 1 << 20, 1 << 30)) {
    return invalid("/log_bytes", "must be 1048576..1073741824");
  }
  return done{};
}

/// The engine's socket gives root on the machine; so do the directories that hold it, and the
/// kernel's and devices' trees.
bool forbidden_source(std::string_view source) {
  static constexpr std::array<std::string_view, 5> trees{"/proc", "/sys", "/dev", "/run",
                                                         "/var/run"};
  static constexpr std::array<std::string_view, 3> exact{"/var", "/var/lib", "/var/lib/docker"};
  bool socket = source.ends_with("/docker.sock") || source.ends_with("/containerd.sock");
  return socket || is_at_or_below(source, "/var/lib/docker") ||
         std::find(exact.begin(), exact.end(), source) != exact.end() ||
         std::any_of(trees.begin(), trees.end(),
                     [&](std::string_view tree) { return is_at_or_below(source, tree); });
}

outcome<done> check_mounts(const std::vector<bind_mount>& mounts) {
  if (mounts.size() > 32) return invalid("/mounts", "at most 32 mounts");
  std::set<std::string_view> targets;
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const auto& mount = mounts[i];
    auto field = "/mounts/" + std::to_string(i);
    if (!clean_absolute(mount.source) || forbidden_source(mount.source)) {
      return invalid(field + "/source", "this path may not be mounted");
    }
    bool reserved = is_at_or_below(mount.target, volume_target) ||
                    is_at_or_below(mount.target, "/proc") || is_at_or_below(mount.target, "/sys") ||
                    is_at_or_below(mount.target, "/dev");
    if (!clean_absolute(mount.target) || reserved || !targets.insert(mount.target).second) {
      return invalid(field + "/target", "must be an absolute path, free and not reserved");
    }
  }
  return done{};
}

bool is_user(std::string_view text) {
  auto colon = text.find(':');
  return colon != std::string_view::npos && all_digits(text.substr(0, colon), 10) &&
         all_digits(text.substr(colon + 1), 10);
}

}  // namespace

bool is_at_or_below(std::string_view path, std::string_view folder) {
  if (folder == "/") return path.starts_with('/');
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

bool is_object_name(std::string_view text) {
  return !text.empty() && text.size() <= 128 && is_alnum(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_image_id(std::string_view text) {
  constexpr std::string_view scheme = "sha256:";
  if (!text.starts_with(scheme) || text.size() != scheme.size() + 64) return false;
  text.remove_prefix(scheme.size());
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_image_reference(std::string_view text) {
  if (text.empty() || text.size() > 512 || !is_alnum(text.front())) return false;
  constexpr std::string_view others = "_.-/:@";
  return clean_parts(text) && std::all_of(text.begin(), text.end(), [&](char c) {
           return is_alnum(c) || others.find(c) != std::string_view::npos;
         });
}

bool is_volume_path(std::string_view text) {
  return clean_absolute(text) && is_at_or_below(text, volume_target);
}

bool hides_our_volume(std::string_view path) {
  const auto clean = std::filesystem::path("/").append(path).lexically_normal().string();
  return clean == "/" || (clean.starts_with(std::string(volume_target) + "/") &&
                          clean.size() > volume_target.size() + 1);
}

outcome<done> check_container(const container_spec& spec) {
  if (!is_object_name(spec.name) || spec.name.size() < 2) {
    return invalid("/name", "must be 2..128 characters [a-zA-Z0-9_.-]");
  }
  if (!is_image_id(spec.image_id)) return invalid("/image_id", "must be sha256: and 64 digits");
  if (spec.entrypoint.empty() && spec.command.empty()) {
    return invalid("/command", "must not be empty");
  }
  if (!is_user(spec.user)) return invalid("/user", "must be uid:gid in digits");
  if (!spec.volume.empty() && !is_object_name(spec.volume)) {
    return invalid("/volume", "must be 1..128 characters [a-zA-Z0-9_.-]");
  }
  if (!spec.llm_folder.empty() && !clean_absolute(spec.llm_folder)) {
    return invalid("/llm_folder", "must be an absolute path");
  }
  if (!spec.working_dir.empty() && spec.working_dir != "/" && !clean_absolute(spec.working_dir)) {
    return invalid("/working_dir", "must be an absolute path");
  }
  for (auto checked :
       {check_strings(spec.entrypoint, "/entrypoint", 100),
        check_strings(spec.command, "/command", 10'000), check_environment(spec.environment),
        check_labels(spec.labels), check_numbers(spec), check_mounts(spec.mounts)}) {
    if (!checked) return checked;
  }
  return done{};
}

}  // namespace reeve::adapters
