#pragma once
// Lines of a file or of standard input, plain or compressed by zstd.

#include "base/outcome.hpp"

#include <memory>
#include <optional>
#include <string>

namespace reeve::cli {

class text_input {
 public:
  virtual ~text_input() = default;
  /// Without its end; nothing at the end of the input. A line of more than 8 MiB ends the input.
  virtual std::optional<std::string> line() = 0;
};

/// `path` "-" is standard input. `unavailable` if it cannot be read, `invalid` if it is a folder.
outcome<std::unique_ptr<text_input>> open_text_input(const std::string& path);

/// Writes lines of JSON to a file or standard output ("-"), compressed if asked for. What the file
/// held stays until there is something to put in its place. A terminal gets what would harm it
/// escaped (cli/terminal_text.hpp), and nothing compressed (`invalid`).
class text_output {
 public:
  virtual ~text_output() = default;
  virtual bool write(std::string_view text) = 0;
  /// Everything is on its way; false if something was lost.
  virtual bool finish() = 0;
};
outcome<std::unique_ptr<text_output>> open_text_output(const std::string& path, bool zstd);

}  // namespace reeve::cli
