#include "adapters/docker/docker_answers.hpp"

#include "adapters/docker/container_rules.hpp"
#include "base/digest.hpp"
#include "codec/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace reeve::adapters {
namespace {

using codec::json_node;

// Lists of thousands of containers are long; the HTTP client has bounded the bytes before.
constexpr codec::json_limits limits{32, 2'000'000, 64 << 20};

constexpr int oldest_minor = 40;
constexpr int best_minor = 41;

/// A member that may be missing or null.
std::optional<json_node> member(const json_node& node, std::string_view key) {
  if (!node.is_object()) return std::nullopt;
  auto found = node.find(key);
  return found && !found->is_null() ? found : std::nullopt;
}

std::string text_of(const json_node& node, std::string_view key) {
  auto found = member(node, key);
  return found && found->is_string() ? std::string{found->as_string()} : std::string{};
}

std::int64_t int_of(const json_node& node, std::string_view key) {
  auto found = member(node, key);
  return found && found->is_integer() ? found->as_int() : 0;
}

bool flag_of(const json_node& node, std::string_view key) {
  auto found = member(node, key);
  return found && found->is_boolean() && found->as_bool();
}

std::vector<std::string> strings_of(const json_node& node, std::string_view key) {
  std::vector<std::string> out;
  auto found = member(node, key);
  if (!found || !found->is_array()) return out;
  for (std::size_t i = 0; i < found->size(); ++i) {
    if (found->at(i).is_string()) out.emplace_back(found->at(i).as_string());
  }
  return out;
}

std::vector<std::string> keys_of(const json_node& node, std::string_view key) {
  std::vector<std::string> out;
  auto found = member(node, key);
  if (!found || !found->is_object()) return out;
  for (std::size_t i = 0; i < found->member_count(); ++i) {
    out.emplace_back(found->member_key(i));
  }
  return out;
}

std::vector<container_mount> mounts_of(const json_node& node) {
  std::vector<container_mount> out;
  const auto found = member(node, "Mounts");
  for (std::size_t i = 0; found && found->is_array() && i < found->size(); ++i) {
    if (text_of(found->at(i), "Type") == "tmpfs") continue;
    out.push_back({text_of(found->at(i), "Name"), text_of(found->at(i), "Destination")});
  }
  return out;
}

label_map labels_of(const json_node& node) {
  label_map out;
  auto found = member(node, "Labels");
  if (!found || !found->is_object()) return out;
  for (std::size_t i = 0; i < found->member_count(); ++i) {
    auto value = found->member_value(i);
    if (value.is_string()) out.emplace(found->member_key(i), value.as_string());
  }
  return out;
}

/// The engine's "never" is the year 1.
time_us time_of(const json_node& node, std::string_view key) {
  auto at = parse_time(text_of(node, key));
  return at && *at > 0 ? *at : 0;
}

std::string without_slash(std::string name) {
  return name.starts_with('/') ? name.substr(1) : name;
}

/// "1.41" is 41; -1 for anything else.
int minor_of(std::string_view version) {
  if (!version.starts_with("1.")) return -1;
  version.remove_prefix(2);
  int minor = -1;
  auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), minor);
  return error == std::errc{} && end == version.data() + version.size() ? minor : -1;
}

struct known_text {
  std::string_view part;    // of the engine's message, in lower case
  std::string_view reason;  // what we say instead
  errc on_5xx;              // what a status of 500 with this text really is
};

// In order: the first match wins. Definite refusals that the engine answers with 500 get the code
// that they deserve, so that neither the breaker nor the caller takes them for a sick engine.
constexpr std::array known_texts{
    known_text{"already exists", "it already exists", errc::conflict},
    known_text{"is already in use", "the name is already in use", errc::conflict},
    known_text{"volume is in use", "the volume is in use", errc::conflict},
    known_text{"is not running", "the container is not running", errc::conflict},
    known_text{"already in progress", "its removal is already in progress", errc::conflict},
    known_text{"marked for removal", "it is marked for removal", errc::conflict},
    known_text{"no such container", "no such container", errc::not_found},
    known_text{"no such image", "no such image", errc::not_found},
    known_text{"no such volume", "no such volume", errc::not_found},
    known_text{"marked read-only", "the file system is read-only", errc::invalid},
    known_text{"no space left on device", "no space left on the engine's disk", errc::internal},
    known_text{"file name too long", "a name is too long", errc::invalid},
    known_text{"not a directory", "a path is no directory", errc::invalid},
    known_text{"are you trying to mount", "a folder cannot be mounted onto a file", errc::invalid},
    known_text{"executable file not found", "the program was not found", errc::invalid},
    known_text{"exec format error", "the program has another machine's format", errc::invalid},
    known_text{"permission denied", "permission denied", errc::invalid},
    known_text{"does not support reading", "its log driver keeps nothing that could be read",
               errc::invalid},
    known_text{"oci runtime create failed", "the runtime refused the container", errc::invalid},
    known_text{"too new", "the engine does not speak this API version", errc::invalid},
    known_text{"too old", "the engine does not speak this API version", errc::invalid},
};

const known_text* find_known(std::string_view body) {
  std::string text{body.substr(0, 4096)};
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  for (const auto& known : known_texts) {
    if (text.find(known.part) != std::string::npos) return &known;
  }
  return nullptr;
}

}  // namespace

outcome<codec::json_doc> parse_answer(std::string_view body) {
  auto doc = codec::parse_strict(body, limits);
  if (!doc) return unexpected(doc.error().detail);
  if (!doc->root().is_object() && !doc->root().is_array()) return unexpected("neither {} nor []");
  return doc;
}

rejection unexpected(std::string_view where) {
  return reject(errc::engine_unreadable,
                "the engine's answer is not what its API promises: " + std::string{where});
}

outcome<api_range> parse_version(std::string_view body) {
  auto doc = parse_answer(body);
  if (!doc) return doc.error();
  auto root = doc->root();
  api_range out{text_of(root, "Version"), text_of(root, "ApiVersion"),
                text_of(root, "MinAPIVersion")};
  if (out.oldest.empty()) out.oldest = out.newest;
  if (out.engine.empty() || minor_of(out.newest) < 0 || minor_of(out.oldest) < 0) {
    return unexpected("no version");
  }
  return out;
}

outcome<std::string> negotiate(const api_range& range) {
  int newest = minor_of(range.newest);
  int oldest = minor_of(range.oldest);
  if (newest < oldest_minor || oldest > newest) {
    return reject(errc::engine_unavailable, "the engine is too old: API 1.40 is needed");
  }
  return "1." + std::to_string(std::clamp(best_minor, oldest, newest));
}

outcome<engine_info> parse_info(std::string_view body) {
  auto doc = parse_answer(body);
  if (!doc) return doc.error();
  auto data_root = text_of(doc->root(), "DockerRootDir");
  if (!data_root.starts_with('/') || data_root.size() > 4096) data_root.clear();
  return engine_info{flag_of(doc->root(), "LiveRestoreEnabled"), text_of(doc->root(), "ID"),
                     time_of(doc->root(), "SystemTime"), std::move(data_root)};
}

outcome<image_info> parse_image(std::string_view body) {
  auto doc = parse_answer(body);
  if (!doc) return doc.error();
  auto root = doc->root();
  image_info out;
  out.id = text_of(root, "Id");
  out.repo_digests = strings_of(root, "RepoDigests");
  out.size_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(int_of(root, "Size"), 0));
  if (auto config = member(root, "Config")) {
    out.entrypoint = strings_of(*config, "Entrypoint");
    out.command = strings_of(*config, "Cmd");
    out.user = text_of(*config, "User");
    out.working_dir = text_of(*config, "WorkingDir");
    out.volumes = keys_of(*config, "Volumes");
  }
  if (!is_image_id(out.id)) return unexpected("/Id");
  return out;
}

outcome<container_info> parse_container(std::string_view body) {
  auto doc = parse_answer(body);
  if (!doc) return doc.error();
  auto root = doc->root();
  auto state = member(root, "State");
  auto config = member(root, "Config");
  if (!state || !config) return unexpected("/State or /Config");
  container_info out;
  out.id = text_of(root, "Id");
  out.name = without_slash(text_of(root, "Name"));
  out.image_id = text_of(root, "Image");
  out.status = text_of(*state, "Status");
  out.started_at = time_of(*state, "StartedAt");
  out.finished_at = time_of(*state, "FinishedAt");
  out.exit_code = int_of(*state, "ExitCode");
  out.pid = int_of(*state, "Pid");
  out.oom_killed = flag_of(*state, "OOMKilled");
  if (auto error = text_of(*state, "Error"); !error.empty()) {
    const auto* known = find_known(error);
    out.error = known ? known->reason : "the engine could not start it";
  }
  out.labels = labels_of(*config);
  out.tty = flag_of(*config, "Tty");
  out.mounts = mounts_of(root);
  if (out.id.empty() || out.status.empty()) return unexpected("/Id or /State/Status");
  return out;
}

outcome<std::vector<container_summary>> parse_list(std::string_view body) {
  auto doc = parse_answer(body);
  if (!doc) return doc.error();
  auto root = doc->root();
  if (!root.is_array()) return unexpected("not a list");
  std::vector<container_summary> out;
  for (std::size_t i = 0; i < root.size(); ++i) {
    auto node = root.at(i);
    auto names = strings_of(node, "Names");
    container_summary one;
    one.id = text_of(node, "Id");
    if (!names.empty()) one.name = without_slash(names.front());
    one.image = text_of(node, "Image");
    one.image_id = text_of(node, "ImageID");
    one.state = text_of(node, "State");
    one.labels = labels_of(node);
    const auto mounts = member(node, "Mounts");
    for (std::size_t m = 0; mounts && mounts->is_array() && m < mounts->size(); ++m) {
      if (auto name = text_of(mounts->at(m), "Name"); !name.empty()) one.volumes.push_back(name);
    }
    if (one.id.empty() || one.state.empty()) return unexpected("/" + std::to_string(i));
    out.push_back(std::move(one));
  }
  return out;
}

outcome<std::vector<volume_summary>> parse_volumes(std::string_view body) {
  auto doc = parse_answer(body);
  if (!doc) return doc.error();
  const auto all = doc->root().is_object() ? doc->root().find("Volumes") : std::nullopt;
  if (!all || !(all->is_array() || all->is_null())) return unexpected("/Volumes");
  std::vector<volume_summary> out;
  for (std::size_t i = 0; all->is_array() && i < all->size(); ++i) {
    volume_summary one{text_of(all->at(i), "Name"), labels_of(all->at(i))};
    if (one.name.empty()) return unexpected("/Volumes/" + std::to_string(i));
    out.push_back(std::move(one));
  }
  return out;
}

outcome<created_container> parse_created(std::string_view body) {
  auto doc = parse_answer(body);
  if (!doc) return doc.error();
  created_container out{text_of(doc->root(), "Id")};
  if (out.id.empty()) return unexpected("/Id");
  return out;
}

outcome<wait_result> parse_wait(std::string_view body) {
  auto doc = parse_answer(body);
  if (!doc) return doc.error();
  auto root = doc->root();
  auto code = member(root, "StatusCode");
  auto error = member(root, "Error");
  // With an error the status code is no exit code.
  if (!code || !code->is_integer() || (error && !text_of(*error, "Message").empty())) {
    return unexpected("/StatusCode");
  }
  return wait_result{code->as_int()};
}

outcome<path_kind> parse_path_stat(std::string_view field) {
  std::string coded(field.substr(0, field.find('=')));
  std::replace(coded.begin(), coded.end(), '+', '-');
  std::replace(coded.begin(), coded.end(), '/', '_');
  const auto text = from_base64url(coded);
  if (!text) return unexpected("X-Docker-Container-Path-Stat");
  const auto doc = parse_answer(*text);
  if (!doc) return doc.error();
  const auto mode = member(doc->root(), "mode");
  if (!mode || !mode->is_integer()) return unexpected("/mode");
  // Bits of Go's os.FileMode.
  constexpr std::int64_t is_folder = std::int64_t{1} << 31, is_link = std::int64_t{1} << 27;
  const bool leads_on = !text_of(doc->root(), "linkTarget").empty();
  if (leads_on || (mode->as_int() & is_link) != 0) return path_kind::link;
  return (mode->as_int() & is_folder) != 0 ? path_kind::folder : path_kind::other;
}

outcome<std::string> parse_import(std::string_view body) {
  std::string id;
  while (!body.empty()) {
    auto end = body.find('\n');
    auto line = body.substr(0, end);
    body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty()) continue;
    auto doc = parse_answer(line);
    if (!doc) return doc.error();
    if (member(doc->root(), "error")) {
      const auto* known = find_known(line);
      return reject(errc::invalid, "the engine could not import the image: " +
                                       std::string{known ? known->reason : "bad archive"});
    }
    if (auto status = text_of(doc->root(), "status"); is_image_id(status)) id = status;
  }
  if (id.empty()) return unexpected("no image id");
  return id;
}

rejection refusal(int status, std::string_view body) {
  const auto* known = find_known(body);
  auto detail = "the engine answered " + std::to_string(status) + ": " +
                std::string{known ? known->reason : "no known reason"};
  if (status == 404) return reject(errc::not_found, std::move(detail));
  if (status == 409) return reject(errc::conflict, std::move(detail));
  // What it never does; it is well all the same.
  if (status == 501) return reject(errc::invalid, std::move(detail));
  if (status >= 400 && status < 500) return reject(errc::invalid, std::move(detail));
  return reject(known && status == 500 ? known->on_5xx : errc::internal, std::move(detail));
}

}  // namespace reeve::adapters
