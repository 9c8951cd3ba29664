#pragma once
// reeve-init, out of the archive that every attempt gets.

#include "adapters/attempt_archive_port.hpp"

#include <string>

namespace init_fixture {

/// Its bytes; empty if the archive has none.
inline std::string program() {
  const auto made = reeve::adapters::attempt_archive({});
  const std::string tar = made ? **made : std::string{};
  for (std::size_t at = 0; at + 512 <= tar.size();) {
    const std::string name = tar.c_str() + at;
    const auto size = std::stoull("0" + tar.substr(at + 124, 11), nullptr, 8);
    if (name.ends_with("reeve-init")) return tar.substr(at + 512, size);
    at += 512 + (size + 511) / 512 * 512;
  }
  return {};
}

}  // namespace init_fixture
