#pragma once
// Where the project's files lie: the only unit that knows it is built with a path in its command
// line, so that all others are the same in every checkout and come out of the compiler's cache.

#include <string>

namespace support {

/// The project's root, absolute, without a slash at its end.
const std::string& source_dir();

}  // namespace support
