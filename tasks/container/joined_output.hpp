#pragma once
// The beginning of an output that was taken while the container ran, and what the engine still has
// of it after its end, as one: pure.

#include "adapters/engine_port.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace reeve::tasks {

/// What an output begins with, from its first byte on, however it goes on.
struct output_beginning {
  std::string text;  // not empty
  domain::line_marks lines;
  std::vector<adapters::line_anchor> anchors;
  bool is_full = false;  // the reading had more of it than could be taken
};

/// Of what was read of a container that may run, at most `most` bytes; nothing if that does not
/// surely begin with the first byte, or is too little to be settled.
std::optional<output_beginning> beginning_of(adapters::kept_output read, std::size_t most);

/// `rest`: what was read at the end, with `bytes_each` at each end. Where the engine may have let
/// go of its beginning, and a line of `begun` is found in it, the whole is known as if nothing had
/// been let go of. Where none is, the two are its head and its tail, between which an unknown
/// number of bytes is missing (`lacks_middle`); `left_out` is then the least. So is it with a
/// `rest` that is gone, or empty.
adapters::kept_output joined(output_beginning begun, adapters::kept_output rest,
                             std::size_t bytes_each);

}  // namespace reeve::tasks
