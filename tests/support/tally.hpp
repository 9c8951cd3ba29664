#pragma once
// Counts the starts of containers from outside: each appends a line to a file of the host.

#include "tests/support/environment.hpp"
#include "tests/support/work.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace support {

class tally {
 public:
  tally() : folder_(work_dir(), "t") {
    std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
  }
  /// What a server must have as its REEVE_MOUNT_ROOTS.
  std::string root() const { return folder_.path(); }
  /// The task "count": it appends to the file of that name, works for a while, and says the end.
  nlohmann::json task(const std::string& name) const {
    return shell_task("count", "echo started | tee -a /tally/" + name + "; sleep 0.2; echo done",
                      mounted());
  }
  /// A task that does `then` once it is let go.
  nlohmann::json gated(const std::string& name, const std::string& then) const {
    return doing(name, std::string(until_go) + "; " + then);
  }
  /// A task that may look for that itself (`until_go`).
  nlohmann::json doing(const std::string& name, const std::string& script) const {
    return shell_task(name, script, mounted());
  }
  /// Gives up after five minutes: a task that nobody let go has failed.
  static constexpr const char* until_go =
      "n=0; until [ -e /tally/go ]; do n=$((n+1)); [ $n -le 3000 ] || exit 9; sleep 0.1; done";
  void let_go() const { std::ofstream(folder_.path() / "go") << "\n"; }
  long starts_of(const std::string& name) const {
    const std::string text = contents_of(folder_.path() / name);
    return std::count(text.begin(), text.end(), '\n');
  }

 private:
  nlohmann::json mounted() const {
    const nlohmann::json mount = {{"source", root()}, {"target", "/tally"}, {"read_only", false}};
    return {{"mounts", nlohmann::json::array({mount})}};
  }

  scratch_dir folder_;
};

}  // namespace support
