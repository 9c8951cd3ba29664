#pragma once
// What a kernel does for the marker of an execution (adapters/docker/init/reeve_init.c): a job that
// could remove its own could be started a second time.

#include <string>

namespace reeve::cli {

struct marker_guard {
  bool is_guarded = false;
  std::string seen;
};

/// `version` of Landlock, as the kernel tells it; below 1 there is none.
inline marker_guard marker_guard_of(long version) {
  const auto name = "Landlock " + std::to_string(version);
  if (version < 1) return {false, "no Landlock: a job can remove the marker of its own execution"};
  // With it a job could move no file from one folder to another, wherever they lie.
  if (version == 1) {
    return {false, name +
                       " is not used, because it would forbid every move of a file between "
                       "folders: a job can remove the marker of its own execution"};
  }
  // The marker is empty, and that it is there is all that counts.
  if (version == 2) return {true, name + ", which lets a job cut a file short: a marker stays one"};
  return {true, name};
}

}  // namespace reeve::cli
