#pragma once
// The archive that is unpacked at /reeve before an attempt starts:
//   reeve-init   PID 1, owned by root, executable, not writable
//   state/       where reeve-init creates its marker (the user's)
//   in/          inputs, owned by root, readable
//   out/         where the job leaves its artifacts (the user's)

#include "adapters/engine_port.hpp"
#include "base/outcome.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace reeve::adapters {

struct input_file {
  std::string name;  ///< relative to in/
  std::string content;
};

struct attempt_files {
  std::uint32_t uid = 65534;  ///< the container's user
  std::uint32_t gid = 65534;
  std::vector<input_file> inputs;
};

/// Without inputs the one of the usual user is made once. `invalid` or `too_large` with the field
/// of the input, as `make_tar` (tar.hpp).
outcome<shared_bytes> attempt_archive(attempt_files files);

/// An image to import that has nothing but the folder that the volume is mounted at.
outcome<std::string> bare_image();

}  // namespace reeve::adapters
