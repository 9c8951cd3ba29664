#pragma once
// Files that configuration comes from.

#include "base/outcome.hpp"

#include <map>
#include <string>

namespace reeve::cli {

/// Top-level keys of a TOML file as text; arrays of text become one with colons in between. An
/// empty path is an empty file. `invalid` names file, line and what is wrong; also of a folder, of
/// what cannot be read, and of more than 1 MiB.
outcome<std::map<std::string, std::string>> read_config_file(const std::string& path);

/// The first line of a file, without its end, of at most 4 KiB; empty if it cannot be read.
std::string read_secret_file(const std::string& path);

/// A value in libpq's key=value form.
std::string quoted_value(const std::string& value);

}  // namespace reeve::cli
