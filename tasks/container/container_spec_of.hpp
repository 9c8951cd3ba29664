#pragma once
// From a job to the container that executes it: pure.

#include "adapters/engine_port.hpp"
#include "base/redact.hpp"
#include "domain/runs/run.hpp"

#include <map>
#include <string>
#include <string_view>

namespace reeve::tasks {

/// Labels by which a container of ours is known: instance, tenant, run, job, attempt.
adapters::label_map labels_of(const uuid& instance, const domain::run_state& run, const uuid& job,
                              std::int64_t attempt);

/// What it may have on disk, in bytes.
std::int64_t disk_bytes_of(const domain::container_params& params);

/// The line that reeve-init leaves at the end of the output of what it ended for its disk.
std::string disk_limit_line(std::int64_t disk_bytes);

/// The line that it leaves at the end of the output of a job that failed, if the kernel killed
/// something of it at its memory limit.
inline constexpr std::string_view memory_kill_line =
    "reeve-init: the kernel killed a process for want of memory\n";

/// Volumes of an image's own: more cannot be watched (most_watched of disk_watch.h).
inline constexpr std::size_t most_image_volumes = 60;

/// `image` gives the command where the task has none. Mounts are those of the task: their roots
/// were checked at launch. Without the values of secrets and without the attempt's token, so that a
/// digest of it tells nothing of them: `give_secrets` and `give_token` add them. `llm_folder` is of
/// an attempt that may call language models (attempt_ports).
adapters::container_spec container_spec_of(const uuid& instance, const domain::run_state& run,
                                           const domain::job_state& job,
                                           const domain::attempt_intended& intent,
                                           const adapters::image_info& image,
                                           const std::string& llm_folder = {});

/// Values by the names of secrets; one that the task names and that is not here stays away.
using secret_values = std::map<std::string_view, std::string_view>;
void give_secrets(adapters::container_spec& spec, const domain::container_params& params,
                  const secret_values& values);

/// The variable with the attempt's token; the one with the URL is reeve-init's to set.
inline constexpr std::string_view token_variable = "REEVE_LLM_TOKEN";
void give_token(adapters::container_spec& spec, const std::string& token);
/// These rules, and that such a token is hidden too.
outcome<redactor> hiding_token(const redactor& others, std::string token);

/// reeve-init and the folders that the attempt's user may write.
outcome<adapters::shared_bytes> archive_for(const domain::container_params& params);

}  // namespace reeve::tasks
