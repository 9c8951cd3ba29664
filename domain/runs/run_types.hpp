#pragma once
// Words that runs, their jobs and their attempts have in common.

#include "base/digest.hpp"
#include "domain/fields.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

namespace reeve::domain {

enum class job_status { pending, running, success, failed, cancelled };
template <>
struct enum_names<job_status> {
  static constexpr std::array<std::string_view, 5> names{"pending", "running", "success", "failed",
                                                         "cancelled"};
};

enum class run_status { pending, running, success, failed, partial, cancelled };
template <>
struct enum_names<run_status> {
  static constexpr std::array<std::string_view, 6> names{"pending", "running", "success",
                                                         "failed",  "partial", "cancelled"};
};

constexpr bool is_terminal(job_status s) {
  return s >= job_status::success;
}
constexpr bool is_terminal(run_status s) {
  return s >= run_status::success;
}

/// Why an attempt ended or a job is what it is; a closed list, never an engine's or program's text.
enum class end_reason {
  exited,              // the command ended by itself; the exit code decides
  completed,           // work inside Reeve is done
  timed_out,           // the attempt's timeout
  cancelled,           // a client asked
  need_failed,         // a job that it needs did not succeed
  outcome_unknown,     // it was started and nobody knows how it ended
  not_allowlisted,     // the allowlist changed between launch and start
  image_missing,       // the engine does not have the image
  image_changed,       // the image is not the one that was listed
  engine_refused,      // the engine refused to create or start it
  engine_unavailable,  // the engine was away until its time was over, and it never started
  start_failed,        // the command could not be executed, or neither job nor image has one
  out_of_memory,       // killed by the kernel's OOM killer
  second_start,        // reeve-init found the marker of a former execution
  input_missing,       // a log file, container or secret that the task names is not there
  not_available_yet,   // the task kind is not part of this version
  quarantined,         // the third crash while working on it
  internal_error,
  disk_limit  // it had more on disk than it may
};
template <>
struct enum_names<end_reason> {
  static constexpr std::array<std::string_view, 19> names{
      "exited",        "completed",       "timed_out",          "cancelled",
      "need_failed",   "outcome_unknown", "not_allowlisted",    "image_missing",
      "image_changed", "engine_refused",  "engine_unavailable", "start_failed",
      "out_of_memory", "second_start",    "input_missing",      "not_available_yet",
      "quarantined",   "internal_error",  "disk_limit"};
};

/// A secret that an attempt gets, of which version.
struct secret_use {
  std::string name;
  std::int64_t version = 0;
  bool operator==(const secret_use&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("name", &secret_use::name), field("version", &secret_use::version)};
  }
};

struct blob_ref {
  digest sha256{};
  std::int64_t bytes = 0;
  bool truncated = false;
  bool operator==(const blob_ref&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("sha256", &blob_ref::sha256), field("bytes", &blob_ref::bytes),
                      field("truncated", &blob_ref::truncated)};
  }
};

}  // namespace reeve::domain
