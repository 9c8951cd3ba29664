#pragma once
// The program with the planted defects of tests/unit/planted/, for tests of the tests.

#include <string>

namespace support {

/// REEVE_PLANTED_BIN, or `reeve_planted` beside this program.
std::string planted_program();

/// Servers that are started while it lives are this program; the usual one if the path is empty.
class other_program {
 public:
  explicit other_program(const std::string& path);
  ~other_program();
  other_program(const other_program&) = delete;
  other_program& operator=(const other_program&) = delete;

 private:
  std::string usual_;
};

}  // namespace support
