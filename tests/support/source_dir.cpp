#include "tests/support/source_dir.hpp"

namespace support {

const std::string& source_dir() {
  static const std::string path = REEVE_SOURCE_DIR;
  return path;
}

}  // namespace support
