#pragma once
// What characters a piece of text is made of. Its first 96 bytes (`looked_at`) are looked at, many
// at a time: every value beside the name of a secret is asked so.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace reeve {

/// So much of a value says what it is.
inline constexpr std::size_t looked_at = 96;

struct makeup {
  std::size_t lower = 0;
  std::size_t upper = 0;
  std::size_t digits = 0;
  std::size_t signs = 0;  // of those that stand in passwords and hardly elsewhere: !#$%^&*+=~?@
  std::size_t turns = 0;  // from letter to digit and back, and from small to large letter
};
makeup made_of(std::string_view value);

/// Kinds of signs that a text holds, as bits: most questions about a short value are answered by
/// those that it does not hold.
enum : std::uint8_t {
  some_digit = 1,
  some_letter = 2,  // but 'v', which versions begin with
  some_slash = 4,   // in either direction
  some_point = 8,
  opening_sign = 16,  // of a call, an index or an address of code: ( [ { @
  other_sign = 32,
};
/// Of a text of at most 24 bytes; of a longer one all of them, though it may hold fewer.
std::uint8_t kinds_of_signs(std::string_view text);

/// Letters that go up and down as in no word and no name: "xkQwPvBn". `word`: without the marks of
/// a sentence.
bool is_odd(std::string_view word);

/// Letters and digits mixed, or signs that only passwords have: nobody's prose.
bool looks_made_up(std::string_view value);
/// At least 16 characters that no name or number has.
bool looks_random(std::string_view value);

}  // namespace reeve
