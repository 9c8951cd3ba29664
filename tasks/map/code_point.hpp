#pragma once

#include <cstddef>
#include <string_view>

namespace reeve::tasks {

/// The number of one valid sequence of UTF-8.
constexpr char32_t code_point(std::string_view bytes) {
  const auto byte = [bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() == 1) return byte(0);
  char32_t point = byte(0) & (0xffU >> (bytes.size() + 1));
  for (std::size_t i = 1; i < bytes.size(); ++i) point = point << 6U | (byte(i) & 0x3fU);
  return point;
}

}  // namespace reeve::tasks
