#pragma once
// The characters of lines that are masked, by a table. What is not ASCII is a part of a word.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace reeve::tasks {

// Bits of a character: a digit of base 10 or 16, a letter or another part of a word.
inline constexpr std::uint8_t digit_bit = 1;
inline constexpr std::uint8_t hex_bit = 2;
inline constexpr std::uint8_t word_bit = 4;
inline constexpr std::uint8_t letter_bit = 8;  // of a word, and no digit

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> made{};
  for (std::size_t c = 0; c < made.size(); ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool hex = digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    made[c] = static_cast<std::uint8_t>((digit ? digit_bit : 0) | (hex ? hex_bit : 0) |
                                        (digit || letter || c >= 0x80 ? word_bit : 0) |
                                        (letter || c >= 0x80 ? letter_bit : 0));
  }
  return made;
}
inline constexpr auto classes = make_classes();

inline std::uint8_t class_of(char c) {
  return classes[static_cast<unsigned char>(c)];
}
inline bool is_digit(char c) {
  return (class_of(c) & digit_bit) != 0;
}
inline bool is_hex(char c) {
  return (class_of(c) & hex_bit) != 0;
}
inline bool is_word(char c) {
  return (class_of(c) & word_bit) != 0;
}

inline bool word_at(std::string_view text, std::size_t at) {
  return at < text.size() && is_word(text[at]);
}

inline std::size_t digits_from(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

}  // namespace reeve::tasks
