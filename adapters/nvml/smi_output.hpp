#pragma once
// What `nvidia-smi --query-… --format=csv,nounits` prints, read into the same structs as the
// library's answers. What a GPU cannot say stands there as "[N/A]", "[Not Supported]", "[Unknown
// Error]" or the like, and is empty here.

#include "adapters/gpu_port.hpp"

#include <string>
#include <string_view>

namespace reeve::adapters::nvml {

/// After --query-gpu=: everything that is read; and what tools of the last ten years know, for
/// those that refuse a field.
extern const std::string_view smi_gpu_fields;
extern const std::string_view smi_basic_gpu_fields;
/// After --query-compute-apps=.
extern const std::string_view smi_process_fields;

/// `fields` is what was asked for, "index" first. Errors: engine_unreadable if it is no such table;
/// unavailable if the tool says in it that it cannot reach the driver.
outcome<gpu_reading> parse_smi_gpus(std::string_view csv, std::string_view fields);

/// Puts the processes to the GPUs of the same UUID. False: it is no such table, nothing was added.
bool add_smi_processes(std::string_view csv, gpu_reading& into);

}  // namespace reeve::adapters::nvml
