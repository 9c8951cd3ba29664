#pragma once
// The structure behind the walls: what a file reaches through our own headers, rooms that the table
// does not know, headers that nobody uses, rooms that include each other in a circle.

#include "tests/unit/tidy_walls.hpp"

#include <functional>

namespace tidy {

/// Where a file stands among the rooms: the folder that holds it.
inline std::string folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string(path.substr(0, slash == std::string_view::npos ? 0 : slash));
}

class structure {
 public:
  explicit structure(const std::vector<source>& files) {
    for (const auto& file : files) {
      if (is_code(file.path)) includes_.emplace(file.path, includes_of(file));
    }
  }

  std::vector<finding> check() const {
    std::vector<finding> all;
    for (const auto& part :
         {unknown_rooms(), unknown_files(), reached_libraries(), unused_headers(), circles()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }

 private:
  static bool is_product(const std::string& path) {
    return !path.starts_with("tests/") && !path.starts_with("bench/");
  }

  std::vector<finding> unknown_rooms() const {
    static const std::set<std::string> open_rooms = {"cli", "bench", "tests/unit"};
    std::vector<finding> found;
    for (const auto& [path, includes] : includes_) {
      const auto room = room_of(path);
      if (walls().contains(room) || open_rooms.contains(room)) continue;
      found.push_back({path, 1,
                       "stands in a room that has no row in the table of walls: give \"" + room +
                           "\" one in tests/unit/tidy_walls.hpp"});
    }
    return found;
  }

  /// A quoted include of what is no .hpp of ours would be looked into by nobody.
  std::vector<finding> unknown_files() const {
    std::vector<finding> found;
    for (const auto& [path, includes] : includes_) {
      for (const auto& one : includes) {
        const bool generated = one.target.starts_with("embedded/");
        const bool list = one.target == "base/errors.def";
        if (!one.quoted || generated || list || includes_.contains(one.target)) continue;
        if (one.target.find('/') == std::string::npos) continue;  // told by the walls
        // C has its own headers, beside their sources.
        if (path.ends_with(".c") && one.target.ends_with(".h") &&
            folder_of(path) == folder_of(one.target)) {
          continue;
        }
        found.push_back({path, one.line,
                         "includes " + one.target + ": what is included is a .hpp of the project"});
      }
    }
    return found;
  }

  struct reach {
    std::string library;
    std::string through;  // the header of ours that includes it
  };

  /// Everything that the compiler sees of other libraries, with one way to each.
  std::vector<reach> reached_from(const std::string& path) const {
    std::map<std::string, std::string> libraries;
    std::set<std::string> seen{path};
    std::vector<std::string> open{path};
    while (!open.empty()) {
      const auto from = open.back();
      open.pop_back();
      const auto at = includes_.find(from);
      if (at == includes_.end()) continue;
      for (const auto& one : at->second) {
        if (!one.quoted) {
          libraries.emplace(library_of(one.target), from);
        } else if (seen.insert(one.target).second) {
          open.push_back(one.target);
        }
      }
    }
    std::vector<reach> found;
    for (const auto& [library, through] : libraries) found.push_back({library, through});
    return found;
  }

  std::vector<finding> reached_libraries() const {
    std::vector<finding> found;
    for (const auto& [path, includes] : includes_) {
      const auto wall = walls().find(room_of(path));
      if (wall == walls().end() || !is_product(path)) continue;
      for (const auto& one : reached_from(path)) {
        // What the file includes itself is told by the walls.
        if (one.through == path || wall->second.libraries.contains(one.library)) continue;
        if (one.library == "system" || is_excepted(path, {}, one.library)) continue;
        if (path.starts_with("api/http_") && one.library == "boost") continue;
        found.push_back({path, 1,
                         "is compiled with " + one.library + " in it, through " + one.through +
                             ": " + wall->second.advice});
      }
    }
    return found;
  }

  /// A header that nothing but its own source includes is dead, or belongs into that source.
  std::vector<finding> unused_headers() const {
    std::set<std::string> used;
    for (const auto& [path, includes] : includes_) {
      if (!is_product(path)) continue;
      const auto own = path.substr(0, path.rfind('.')) + ".hpp";
      for (const auto& one : includes) {
        if (one.target != own) used.insert(one.target);
      }
    }
    std::vector<finding> found;
    for (const auto& [path, includes] : includes_) {
      if (!path.ends_with(".hpp") || !is_product(path) || used.contains(path)) continue;
      found.push_back({path, 1, "nobody uses it but its tests: use it or remove it"});
    }
    return found;
  }

  /// Folders that include each other, directly or around. The folder of a floor itself holds what
  /// composes its rooms and what they share, so it is no room among them.
  std::vector<finding> circles() const {
    std::map<std::string, std::map<std::string, std::string>> arrows;  // to: an example
    for (const auto& [path, includes] : includes_) {
      if (!is_product(path)) continue;
      for (const auto& one : includes) {
        if (!one.quoted || !includes_.contains(one.target)) continue;
        const auto from = folder_of(path), to = folder_of(one.target);
        if (from == to || is_floor(from) || is_floor(to)) continue;
        arrows[from].emplace(to, path);
      }
    }
    std::vector<finding> found;
    for (const auto& [from, targets] : arrows) {
      for (const auto& [to, example] : targets) {
        if (from < to || !reaches(arrows, to, from)) continue;
        found.push_back(
            {example, 1,
             from + " and " + to + " include each other: move what both need below them"});
      }
    }
    return found;
  }

  static bool is_floor(const std::string& folder) { return folder.find('/') == std::string::npos; }

  static bool reaches(const std::map<std::string, std::map<std::string, std::string>>& arrows,
                      const std::string& from, const std::string& to) {
    std::set<std::string> seen{from};
    std::vector<std::string> open{from};
    while (!open.empty()) {
      const auto at = arrows.find(open.back());
      open.pop_back();
      if (at == arrows.end()) continue;
      for (const auto& [next, example] : at->second) {
        if (next == to) return true;
        if (seen.insert(next).second) open.push_back(next);
      }
    }
    return false;
  }

  std::map<std::string, std::vector<include>> includes_;
};

inline std::vector<finding> check_structure(const std::vector<source>& files) {
  return structure(files).check();
}

}  // namespace tidy
