#include "domain/runs/task_params.hpp"

#include "base/redact.hpp"
#include "domain/access/image_reference.hpp"
#include "domain/name.hpp"
#include "domain/runs/task_checks.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

namespace reeve::domain {
namespace {

/// The engine refuses user and group numbers above it.
constexpr std::int64_t most_user = 2'147'483'647;
constexpr std::array<std::string_view, 4> reserved_targets{"/reeve", "/proc", "/sys", "/dev"};

/// What a job is given that may call language models (docs/how-to.md).
constexpr std::array<std::string_view, 2> own_variables{"REEVE_LLM_URL", "REEVE_LLM_TOKEN"};

/// No part is empty, "." or "..": a path has one spelling, so comparing texts compares folders.
bool has_clean_parts(std::string_view path) {
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return path.find('\0') == std::string_view::npos;
}

bool is_absolute_path(std::string_view path) {
  return path.size() > 1 && path.size() <= 1024 && path.front() == '/' &&
         path.find(':') == std::string_view::npos && has_clean_parts(path.substr(1));
}

/// Where Reeve's own volume and the kernel's trees are.
bool is_reserved_target(std::string_view path) {
  return std::any_of(reserved_targets.begin(), reserved_targets.end(), [&](std::string_view tree) {
    return path.starts_with(tree) && (path.size() == tree.size() || path[tree.size()] == '/');
  });
}

bool is_user_number(std::string_view digits) {
  std::int64_t number = -1;
  const auto* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, number);
  return !digits.starts_with('-') && read.ec == std::errc() && read.ptr == end &&
         number <= most_user;
}

bool is_numeric_user(std::string_view user) {
  const auto colon = user.find(':');
  if (colon == std::string_view::npos) return is_user_number(user);
  return is_user_number(user.substr(0, colon)) && is_user_number(user.substr(colon + 1));
}

/// What programs take: "spring.datasource.url", "http-proxy", "ProgramFiles(x86)". An engine takes
/// everything but NUL and '=', which ends a name; blanks and a digit in front are a mistake.
bool is_env_name(std::string_view name) {
  if (name.empty() || name.size() > 128 || (name.front() >= '0' && name.front() <= '9')) {
    return false;
  }
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return c > ' ' && c < 0x7f && c != '='; });
}

/// A step of a JSON pointer (RFC 6901).
std::string pointer_step(std::string_view key) {
  std::string step = "/";
  for (const char c : key) {
    if (c == '~' || c == '/') {
      step += c == '~' ? "~0" : "~1";
    } else {
      step += c;
    }
  }
  return step;
}

outcome<done> check_command(const std::vector<std::string>& command, const std::string& at) {
  if (command.empty() || command.size() > 256) return bad("1..256 words are allowed", at);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < command.size(); ++i) {
    bytes += command[i].size();
    if (!is_plain_text(command[i], 16384)) {
      return bad("a word has at most 16,384 bytes and no NUL", at + "/" + std::to_string(i));
    }
  }
  if (bytes > 24576) return bad("the words have at most 24,576 bytes in all", at);
  return done{};
}

/// What is written down as it is; null for a secret.
const std::string* literal_of(const env_value& value) {
  if (const auto* plain = std::get_if<plain_value>(&value)) return &plain->plain;
  return std::get_if<std::string>(&value);
}

outcome<done> check_variable(const std::string& name, const env_value& value,
                             const std::string& at) {
  if (std::find(own_variables.begin(), own_variables.end(), name) != own_variables.end()) {
    return bad("a variable of this name is set by Reeve, where the image's entry says llm", at);
  }
  if (const auto* ref = std::get_if<secret_ref>(&value)) {
    if (is_name(ref->secret)) return done{};
    return bad("a secret's name has 1..64 letters, digits and ._-", at + "/secret");
  }
  if (!is_plain_text(*literal_of(value), 8192)) {
    return bad("a value has at most 8,192 bytes and no NUL", at);
  }
  const auto* bare = std::get_if<std::string>(&value);
  if (bare == nullptr) return done{};
  const bool by_name = names_a_secret(name);
  if (!by_name && !holds_known_secret(*bare)) return done{};
  const std::string who = by_name ? "a variable of this name holds a secret"
                                  : "this is, or has in it, a token, a private key or a password";
  return bad(
      who +
          ", which must not stand here: keep it with PUT /api/secrets/NAME and write {\"secret\": "
          "\"NAME\"}; if it is none, write {\"plain\": …}",
      at);
}

outcome<done> check_env(const env_map& env, const std::string& at) {
  if (env.size() > 128) return bad("at most 128 variables are allowed", at);
  std::size_t bytes = 0;
  std::set<std::string_view> secrets;
  for (const auto& [name, value] : env) {
    if (!is_env_name(name)) {
      return bad(
          "a variable's name has 1..128 visible ASCII characters, no digit in front and no =", at);
    }
    if (auto ok = check_variable(name, value, at + pointer_step(name)); !ok) return ok;
    const auto* literal = literal_of(value);
    bytes += name.size() + (literal == nullptr ? 0 : literal->size());
    if (literal == nullptr) secrets.insert(std::get<secret_ref>(value).secret);
  }
  if (bytes > 16384) return bad("the variables have at most 16,384 bytes in all", at);
  if (secrets.size() > max_task_secrets) return bad("a task has at most 32 secrets", at);
  return done{};
}

outcome<done> check_mounts(const std::vector<mount_spec>& mounts, const std::string& at) {
  if (mounts.size() > 16) return bad("at most 16 mounts are allowed", at);
  std::set<std::string_view> targets;
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const std::string here = at + "/" + std::to_string(i);
    if (!is_absolute_path(mounts[i].source)) {
      return bad("an absolute path without . .. // : and a slash at its end is needed",
                 here + "/source");
    }
    if (!is_absolute_path(mounts[i].target) || is_reserved_target(mounts[i].target)) {
      return bad("an absolute path outside of /reeve, /proc, /sys and /dev is needed",
                 here + "/target");
    }
    if (!targets.insert(mounts[i].target).second) {
      return bad("two mounts have this target", here + "/target");
    }
  }
  // A link in a mounted folder would lead the one below it anywhere, over /reeve too.
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const auto& target = mounts[i].target;
    for (auto slash = target.rfind('/'); slash > 0; slash = target.rfind('/', slash - 1)) {
      if (targets.contains(std::string_view(target).substr(0, slash))) {
        return bad("another mount lies above this target",
                   at + "/" + std::to_string(i) + "/target");
      }
    }
  }
  return done{};
}

/// What root leaves on a mount is root's on the host as well, with whatever bits it has set.
outcome<done> check_root(const container_params& p, const std::string& at) {
  if (!p.mounts || !user_of(p.user).is_root()) return done{};
  for (std::size_t i = 0; i < p.mounts->size(); ++i) {
    if ((*p.mounts)[i].read_only) continue;
    return bad("user or group 0 may only read what it mounts",
               at + "/mounts/" + std::to_string(i) + "/read_only");
  }
  return done{};
}

outcome<done> check(const container_params& p, const std::string& at) {
  if (!p.image) return bad("an image is needed", at + "/image");
  if (auto ref = parse_image_reference(*p.image); !ref) {
    return bad(ref.error().detail, at + "/image");
  }
  if (p.command) {
    if (auto ok = check_command(*p.command, at + "/command"); !ok) return ok;
  }
  if (p.env) {
    if (auto ok = check_env(*p.env, at + "/env"); !ok) return ok;
  }
  if (p.mounts) {
    if (auto ok = check_mounts(*p.mounts, at + "/mounts"); !ok) return ok;
  }
  if (!in_range(p.memory_mb, 6, 1048576)) {
    return bad(range_text("memory_mb", 6, 1048576), at + "/memory_mb");
  }
  if (!in_range(p.cpu_millis, 10, 1024000)) {
    return bad(range_text("cpu_millis", 10, 1024000), at + "/cpu_millis");
  }
  if (!in_range(p.disk_mb, 1, 1048576)) {
    return bad(range_text("disk_mb", 1, 1048576), at + "/disk_mb");
  }
  if (!in_range(p.pids, 1, 32768)) return bad(range_text("pids", 1, 32768), at + "/pids");
  if (p.network && *p.network != "none" && *p.network != "host") {
    return bad("network is none or host", at + "/network");
  }
  if (p.user && !is_numeric_user(*p.user)) {
    return bad("user is uid or uid:gid, numbers of at most 2147483647", at + "/user");
  }
  if (auto ok = check_root(p, at); !ok) return ok;
  if (p.workdir && *p.workdir != "/" && !is_absolute_path(*p.workdir)) {
    return bad("workdir is an absolute path without . .. // and :", at + "/workdir");
  }
  return done{};
}

outcome<done> check_names(const std::vector<std::string>& names, const std::string& at) {
  if (names.empty() || names.size() > 64) return bad("1..64 names are allowed", at);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty() || !is_plain_text(names[i], 255)) {
      return bad("a name has 1..255 bytes", at + "/" + std::to_string(i));
    }
  }
  return done{};
}

outcome<done> check(const log_triage_params& p, const std::string& at) {
  if (p.containers) {
    if (auto ok = check_names(*p.containers, at + "/containers"); !ok) return ok;
  }
  if (p.files) {
    if (auto ok = check_names(*p.files, at + "/files"); !ok) return ok;
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < p.files->size(); ++i) {
      const auto& name = (*p.files)[i];
      const auto here = at + "/files/" + std::to_string(i);
      if (!has_clean_parts(name)) {
        return bad("a file's name is relative to the log folder, without . .. and //", here);
      }
      // Each of its lines would count twice.
      if (!seen.insert(name).second) return bad("this file is named twice", here);
    }
  }
  if (!in_range(p.max_lines, 1, 10'000'000)) {
    return bad(range_text("max_lines", 1, 10'000'000), at + "/max_lines");
  }
  return done{};
}

outcome<done> check(const service_map_params& p, const std::string& at) {
  return p.containers ? check_names(*p.containers, at + "/containers") : outcome<done>(done{});
}

outcome<done> check(const gpu_report_params&, const std::string&) {
  return done{};
}

template <std::size_t I = 0>
std::optional<task_params> find_kind(std::string_view name) {
  if constexpr (I < std::variant_size_v<task_params>) {
    using alternative = std::variant_alternative_t<I, task_params>;
    const bool its = name == alternative::kind || name == alternative::alias;
    if (its && !name.empty()) return task_params(alternative{});
    return find_kind<I + 1>(name);
  } else {
    return std::nullopt;
  }
}

template <std::size_t... I>
std::string list_kinds(std::index_sequence<I...>) {
  std::string names, aliases;
  const auto add = [](std::string& list, std::string_view word) {
    if (!word.empty()) list += (list.empty() ? "" : ", ") + std::string(word);
  };
  (add(names, std::variant_alternative_t<I, task_params>::kind), ...);
  (add(aliases, std::variant_alternative_t<I, task_params>::alias), ...);
  return names + " (or " + aliases + ")";
}

}  // namespace

std::string_view kind_of(const task_params& params) {
  return std::visit([]<class Kind>(const Kind&) { return Kind::kind; }, params);
}

std::optional<task_params> kind_named(std::string_view name_or_alias) {
  return find_kind(name_or_alias);
}

const std::string& kinds_in_words() {
  static const std::string words =
      list_kinds(std::make_index_sequence<std::variant_size_v<task_params>>{});
  return words;
}

outcome<done> check_params(const task_params& params, const std::string& at) {
  return std::visit([&](const auto& p) { return check(p, at); }, params);
}

user_numbers user_of(const std::optional<std::string>& user) {
  user_numbers numbers;
  if (!user) return numbers;
  const std::string_view text = *user;
  const auto uid = text.substr(0, text.find(':'));
  const auto gid = uid.size() == text.size() ? uid : text.substr(uid.size() + 1);
  std::from_chars(uid.data(), uid.data() + uid.size(), numbers.uid);
  std::from_chars(gid.data(), gid.data() + gid.size(), numbers.gid);
  return numbers;
}

task_demands demands_of(const task_params& params) {
  return std::visit(
      [](const auto& p) {
        task_demands d;
        if constexpr (requires { p.image; }) d.image = p.image ? &*p.image : nullptr;
        if constexpr (requires { p.containers; }) {
          d.containers = p.containers ? &*p.containers : nullptr;
        }
        if constexpr (requires { p.mounts; }) d.mounts = p.mounts ? &*p.mounts : nullptr;
        if constexpr (requires { p.network; }) d.host_network = p.network == "host";
        if constexpr (requires { p.cpu_millis; }) d.cpu_millis = p.cpu_millis.value_or(1000);
        if constexpr (requires { p.memory_mb; }) d.memory_mb = p.memory_mb.value_or(256);
        if constexpr (requires { p.user; }) d.user = user_of(p.user);
        return d;
      },
      params);
}

std::map<std::string, std::string> secret_variables_of(const task_params& params) {
  std::map<std::string, std::string> found;
  std::visit(
      [&found](const auto& p) {
        if constexpr (requires { p.env; }) {
          if (!p.env) return;
          for (const auto& [name, value] : *p.env) {
            if (const auto* ref = std::get_if<secret_ref>(&value)) found.emplace(name, ref->secret);
          }
        }
      },
      params);
  return found;
}

std::vector<std::string> secrets_of(const task_params& params) {
  std::vector<std::string> names;
  for (const auto& [variable, secret] : secret_variables_of(params)) {
    const bool is_known = std::find(names.begin(), names.end(), secret) != names.end();
    if (!is_known) names.push_back(secret);
  }
  return names;
}

bool compares_with_last_success(const task_params& params) {
  return std::visit([]<class Kind>(const Kind&) { return Kind::compares; }, params);
}

}  // namespace reeve::domain
