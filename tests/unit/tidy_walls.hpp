#pragma once
// The walls of the house: which room may include what. Rules over file names and texts, no files
// are read here.

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tidy {

struct source {
  std::string path;  // from the project's root, with slashes
  std::string text;
};

/// Where, and what to do about it.
struct finding {
  std::string path;
  std::size_t line = 0;
  std::string advice;
};

struct include {
  std::size_t line = 0;
  std::string target;
  bool quoted = false;
};

inline std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

inline bool is_code(std::string_view path) {
  return path.ends_with(".cpp") || path.ends_with(".hpp") || path.ends_with(".c");
}

/// What follows `#include`, however it is spaced; a name that is neither quoted nor in angles (a
/// macro) is given as it is, and no wall lets it through.
inline std::optional<include> include_in(std::string_view line) {
  const auto skip = [&line] {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  };
  const auto word = [&](std::string_view expected) {
    skip();
    if (!line.starts_with(expected)) return false;
    line.remove_prefix(expected.size());
    return true;
  };
  if (!word("#") || !word("include")) return std::nullopt;
  (void)word("_next");
  skip();
  if (line.empty()) return std::nullopt;
  const char open = line.front();
  if (open != '"' && open != '<') return include{0, std::string(line), false};
  const auto end = line.find(open == '"' ? '"' : '>', 1);
  if (end == std::string_view::npos) return std::nullopt;
  return include{0, std::string(line.substr(1, end - 1)), open == '"'};
}

inline std::vector<include> includes_of(const source& file) {
  std::vector<include> found;
  std::size_t number = 0;
  for (const std::string_view line : lines_of(file.text)) {
    ++number;
    auto one = include_in(line);
    if (!one) continue;
    one->line = number;
    found.push_back(std::move(*one));
  }
  return found;
}

inline std::string room_of(std::string_view path) {
  // The tests are three rooms.
  const auto slash = path.find('/', path.starts_with("tests/") ? 6 : 0);
  return std::string(path.substr(0, slash == std::string_view::npos ? 0 : slash));
}

/// The library behind an angle-bracketed include: a name, `std` or `system`.
inline std::string library_of(std::string_view target) {
  static const std::set<std::string_view> of_c = {"stdio.h",  "stdlib.h", "string.h", "stdint.h",
                                                  "time.h",   "math.h",   "errno.h",  "assert.h",
                                                  "signal.h", "limits.h", "stddef.h", "stdbool.h"};
  if (of_c.contains(target)) return "system";
  // A macro's name: nobody can say here what it stands for.
  if (target.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == target.npos) return "?";
  static const std::vector<std::pair<std::string_view, std::string>> prefixes = {
      {"caf/", "caf"},
      {"boost/beast", "beast"},
      {"boost/", "boost"},
      {"pqxx/", "pqxx"},
      {"nlohmann/", "nlohmann"},
      {"spdlog/", "spdlog"},
      {"fmt/", "spdlog"},
      {"CLI/", "CLI11"},
      {"toml++/", "toml++"},
      {"sodium", "libsodium"},
      {"openssl/", "openssl"},
      {"re2/", "re2"},
      {"prometheus/", "prometheus"},
      {"zstd", "zstd"},
      {"curl/", "libcurl"},
      {"libpq", "libpq"},
      {"gtest/", "gtest"},
      {"gmock/", "gtest"}};
  for (const auto& [prefix, library] : prefixes) {
    if (target.starts_with(prefix)) return library;
  }
  return target.find_first_of("./") == std::string_view::npos ? "std" : "system";
}

struct wall {
  std::set<std::string> rooms;
  std::set<std::string> libraries;
  std::string advice;
};

inline const std::map<std::string, wall>& walls() {
  static const std::map<std::string, wall> table = {
      {"base",
       {{"base"},
        {"std", "system", "libsodium", "openssl", "re2", "prometheus"},
        "base/ serves every room and knows none: move the code to the room that owns it"}},
      {"domain",
       {{"base", "domain"},
        {"std"},
        "domain/ is pure: let the caller pass the value in, or keep free JSON as json_text"}},
      {"codec",
       {{"base", "domain", "codec"},
        {"std"},
        "codec/ only turns values into JSON and back, and nlohmann stays in its .cpp files"}},
      {"persistence",
       {{"base", "domain", "codec", "persistence", "embedded"},
        {"std", "system", "pqxx", "libpq"},
        "persistence/ knows the database only: hand what else is needed in from cli/"}},
      {"adapters",
       {{"base", "domain", "codec", "adapters", "embedded"},
        {"std", "system", "boost", "beast", "libcurl"},
        "adapters/ speak to the outside behind small ports: they know neither actors nor "
        "database"}},
      {"tasks",
       {{"base", "domain", "codec", "tasks"},
        {"std"},
        "tasks/ hold what belongs to one task kind: they reach the outside through what is named "
        "*_port.hpp in adapters/ and persistence/ only"}},
      {"actors",
       {{"base", "domain", "tasks", "actors"},
        {"std", "caf"},
        "actors/ use of persistence/ and adapters/ only what is named *_port.hpp (std, base/ and "
        "domain/ inside): put a port in between, or let cli/ hand it in"}},
      {"api",
       {{"base", "domain", "codec", "api", "embedded"},
        {"std"},
        "api/ reads through persistence/read_port.hpp, acts through actors/command_port.hpp (the "
        "only header of actors/ that it sees), passes calls of language models on through "
        "adapters/llm_call_port.hpp, and speaks HTTP in api/http_*.cpp (the only ones with "
        "Boost)"}},
      {"tests/acceptance",
       {{"tests"},
        {"std", "system", "gtest", "libpq", "nlohmann"},
        "acceptance tests see the program from outside: use tests/support/"}},
      {"tests/support",
       {{"tests"},
        {"std", "system", "gtest", "libpq", "nlohmann"},
        "tests/support/ shares nothing with the program under test: write what you need here"}},
  };
  return table;
}

/// What the rooms above persistence/ and adapters/ may include of them, told by its name.
inline bool is_port(std::string_view path) {
  const std::string room = room_of(path);
  return (room == "persistence" || room == "adapters") && path.ends_with("_port.hpp");
}

/// A port drags nothing of its room into those who use it.
inline bool may_stand_in_a_port(const include& one) {
  if (!one.quoted) return library_of(one.target) == "std";
  const std::string from = room_of(one.target);
  return from == "base" || from == "domain" || is_port(one.target);
}

/// What the table alone does not say: single files with a permission, single headers without one.
inline bool is_excepted(std::string_view path, const include& one, const std::string& library) {
  // Asio may stand in the headers between those units, Beast (seconds a unit) only in the units.
  if (path.starts_with("api/http_")) {
    if (library == "boost" || library == "system") return true;
    if (library == "beast") return path.ends_with(".cpp");
  }
  if (library == "nlohmann") return path.starts_with("codec/") && path.ends_with(".cpp");
  if (library == "spdlog") return path == "base/log.cpp";
  if (!one.quoted) return false;
  static const std::set<std::string_view> open_to_api = {
      "actors/command_port.hpp", "persistence/read_port.hpp", "adapters/llm_call_port.hpp"};
  return path.starts_with("api/") && open_to_api.contains(one.target);
}

inline bool is_impure(std::string_view path, std::string_view target) {
  static const std::set<std::string_view> outside = {
      "chrono", "ctime", "fstream", "filesystem", "iostream",     "random",
      "thread", "mutex", "future",  "cstdio",     "base/log.hpp", "base/metrics.hpp"};
  return path.starts_with("domain/") && outside.contains(target);
}

inline std::vector<finding> check_file_walls(const source& file) {
  std::vector<finding> findings;
  const std::string room = room_of(file.path);
  const auto wall = walls().find(room);
  for (const auto& one : includes_of(file)) {
    const std::string library = one.quoted ? "" : library_of(one.target);
    const std::string from = one.quoted ? one.target.substr(0, one.target.find('/')) : "";
    if (one.quoted && one.target.find('/') == std::string::npos) {
      findings.push_back(
          {file.path, one.line,
           "includes \"" + one.target + "\": write the path from the project's root"});
      continue;
    }
    std::string advice;
    bool allowed = true;
    if (room == "cli") {
      allowed = library != "pqxx" && library != "beast" && library != "nlohmann";
      advice = "cli/ composes: call persistence/, api/ or codec/ instead";
    } else if (wall != walls().end()) {
      allowed =
          one.quoted ? wall->second.rooms.contains(from) : wall->second.libraries.contains(library);
      allowed = allowed || is_excepted(file.path, one, library) ||
                ((room == "actors" || room == "tasks") && is_port(one.target));
      allowed = allowed && !is_impure(file.path, one.target);
      advice = wall->second.advice;
    }
    if (allowed && is_port(file.path) && !may_stand_in_a_port(one)) {
      allowed = false;
      advice = "a port has std, base/, domain/ and other ports inside, since other rooms see it";
    }
    if (!allowed) {
      findings.push_back({file.path, one.line, "must not include " + one.target + ": " + advice});
    }
  }
  return findings;
}

inline std::vector<finding> check_walls(const std::vector<source>& files) {
  std::vector<finding> findings;
  std::string parser;  // the one unit with CLI11, which takes 26 s to compile
  for (const auto& file : files) {
    if (!is_code(file.path)) continue;
    for (auto& one : check_file_walls(file)) findings.push_back(std::move(one));
    for (const auto& one : includes_of(file)) {
      if (library_of(one.target) != "CLI11") continue;
      if (parser.empty()) parser = file.path;
      if (parser == file.path) continue;
      findings.push_back({file.path, one.line, "a second unit with CLI11: use " + parser});
    }
  }
  return findings;
}

}  // namespace tidy
