#pragma once
// The file that says what is known of language models: JSON, of domain::llm_settings.

#include "base/outcome.hpp"
#include "domain/runs/llm_settings.hpp"

#include <string>

namespace reeve::cli {

/// No path is a file that says nothing. `invalid` names the file and what is wrong with it; it has
/// 256 KiB at most.
outcome<domain::llm_settings> read_llm_file(const std::string& path);

}  // namespace reeve::cli
