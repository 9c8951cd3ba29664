#include "tests/support/planted.hpp"

#include "tests/support/environment.hpp"

#include <cstdlib>
#include <filesystem>

namespace support {

std::string planted_program() {
  if (const char* given = std::getenv("REEVE_PLANTED_BIN"); given != nullptr) return given;
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "reeve_planted";
}

other_program::other_program(const std::string& path) : usual_(server_program()) {
  if (!path.empty()) ::setenv("REEVE_BIN", path.c_str(), 1);
}

other_program::~other_program() {
  ::setenv("REEVE_BIN", usual_.c_str(), 1);
}

}  // namespace support
