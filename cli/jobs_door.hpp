#pragma once
// The folder with the socket through which jobs call language models. Their containers get it, so
// that nothing but the socket may lie in it.

#include "base/outcome.hpp"
#include "cli/config.hpp"

#include <string>

namespace reeve::cli {

/// Where it is, absolute and without links. `invalid`: the socket's path would be longer than the
/// system takes.
outcome<std::string> jobs_door_of(const config& c);

/// The socket in it.
std::string socket_in(const std::string& folder);

/// The same, if it can be that folder as far as can be told without making or changing anything:
/// what a server says before it starts, and the doctor. `invalid`: it cannot be made, is not this
/// user's, holds anything else, or could be taken away by others, who write above.
outcome<std::string> fit_jobs_door(const config& c);

/// Makes the folder if it is not there, and lets every user go through it, and nobody else write in
/// it. `invalid` as above.
outcome<done> make_jobs_door(const std::string& folder);

}  // namespace reeve::cli
