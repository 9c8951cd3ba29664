#pragma once
// One hexadecimal digit, by table: reading the log turns some 200 of them an event into bytes.

#include <array>
#include <cstdint>

namespace reeve {

inline constexpr auto hex_values = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (int i = 0; i < 10; ++i)
    values[static_cast<std::size_t>('0' + i)] = static_cast<std::int8_t>(i);
  for (int i = 0; i < 6; ++i) {
    values[static_cast<std::size_t>('a' + i)] = static_cast<std::int8_t>(10 + i);
    values[static_cast<std::size_t>('A' + i)] = static_cast<std::int8_t>(10 + i);
  }
  return values;
}();

/// 0..15; negative for what is no digit.
inline int hex_value(char c) {
  return hex_values[static_cast<unsigned char>(c)];
}

}  // namespace reeve
