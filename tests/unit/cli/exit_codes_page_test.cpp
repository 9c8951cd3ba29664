// docs/operations.md has a row for every exit code that scripts may rely on, and for no other.

#include "cli/commands.hpp"
#include "tests/support/source_dir.hpp"

#include <cctype>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <string>

namespace {

/// The numbers that lines with `mark` have behind it.
std::set<int> numbers_behind(const std::string& path, const std::string& mark,
                             const std::string& beginning) {
  std::ifstream file(support::source_dir() + path);
  std::set<int> found;
  for (std::string line; std::getline(file, line);) {
    const auto at = line.find(mark);
    if (!line.starts_with(beginning) || at == line.npos) continue;
    const auto digits = line.substr(at + mark.size());
    if (!digits.empty() && std::isdigit(static_cast<unsigned char>(digits.front())) != 0) {
      found.insert(std::stoi(digits));
    }
  }
  return found;
}

TEST(OPS1_exit_codes, stand_on_their_page) {
  auto told = numbers_behind("/docs/operations.md", "| ", "| ");
  told.erase(128);  // "128 + n": the shell's, for a signal
  const auto meant = numbers_behind("/cli/commands.hpp", " = ", "  exit_");
  EXPECT_TRUE(meant.contains(reeve::cli::exit_ok));
  EXPECT_TRUE(meant.contains(reeve::cli::exit_database));
  EXPECT_GE(meant.size(), 10U);
  EXPECT_EQ(told, meant);
}

}  // namespace
