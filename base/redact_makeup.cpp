#include "base/redact_makeup.hpp"

#include "base/redact_sets.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace reeve {
namespace {

/// As many bytes as every processor that Reeve runs on compares at once. Comparisons give 255 for
/// true and 0 for false.
constexpr std::size_t width = 16;
using bytes = std::uint8_t __attribute__((vector_size(width)));

bytes load(const std::uint8_t* from) {
  bytes out;
  std::memcpy(&out, from, width);
  return out;
}

bytes within(bytes all, std::uint8_t first, std::uint8_t last) {
  return reinterpret_cast<bytes>(all - first <= static_cast<std::uint8_t>(last - first));
}
bytes same(bytes all, std::uint8_t one) {
  return reinterpret_cast<bytes>(all == one);
}

/// Of at most 255 in all.
std::size_t sum(bytes counts) {
  std::array<std::uint64_t, 2> halves;
  std::memcpy(halves.data(), &counts, width);
  // No byte of a half exceeds a few counts, so their sum cannot carry over.
  return ((halves[0] + halves[1]) * 0x0101010101010101U) >> 56;
}

/// All but the last `count` bytes gone.
bytes last_of(bytes all, std::size_t count) {
  static constexpr auto mask = [] {
    std::array<std::uint8_t, 2 * width> made{};
    for (std::size_t i = width; i < made.size(); ++i) made[i] = 255;
    return made;
  }();
  return all & load(mask.data() + count);
}

bytes signs_of(bytes all) {
  return same(all, '!') | within(all, '#', '&') | within(all, '*', '+') | same(all, '=') |
         within(all, '?', '@') | same(all, '^') | same(all, '~');
}

/// Counts of many bytes at once. Each byte is compared with the one before it, which the first one
/// of a text has not.
struct counts {
  bytes lower{}, upper{}, digits{}, signs{}, turns{};

  /// The last `count` of the bytes from `from` on.
  void add(const std::uint8_t* from, std::size_t count) {
    const auto here = last_of(load(from), count);
    const auto before = load(from - 1);
    const auto small = within(here, 'a', 'z');
    const auto large = within(here, 'A', 'Z');
    const auto digit = within(here, '0', '9');
    const auto small_before = within(before, 'a', 'z');
    const auto letter_before = small_before | within(before, 'A', 'Z');
    const auto turn = (letter_before & digit) | (small_before & large) |
                      (within(before, '0', '9') & (small | large));
    lower -= small;
    upper -= large;
    digits -= digit;
    signs -= signs_of(here);
    turns -= turn;
  }
};

/// What one byte counts for, each in bits of its own, and behind which kinds of bytes it turns.
struct byte_counts {
  std::uint32_t all = 0;  // small letters, large ones, digits and signs, from the lowest byte on
  std::uint8_t kind = 0;
  std::uint8_t turns_behind = 0;
};
constexpr auto counts_of_bytes = [] {
  std::array<byte_counts, 256> made{};
  constexpr std::uint32_t of_lower = 1, of_upper = 1U << 8, of_digits = 1U << 16,
                          of_signs = 1U << 24;
  constexpr std::uint8_t letters = lower_kind | upper_kind;
  for (unsigned c = 'a'; c <= 'z'; ++c) made[c] = {of_lower, lower_kind, digit_kind};
  for (unsigned c = 'A'; c <= 'Z'; ++c) {
    made[c] = {of_upper, upper_kind, digit_kind | lower_kind};
  }
  for (unsigned c = '0'; c <= '9'; ++c) made[c] = {of_digits, digit_kind, letters};
  for (const unsigned char c : {'!', '#', '$', '%', '&', '*', '+', '=', '?', '@', '^', '~'}) {
    made[c].all = of_signs;
  }
  return made;
}();

makeup made_of_short(std::string_view text) {
  std::uint32_t all = 0;
  std::size_t turns = 0;
  std::uint8_t before = 0;
  for (const char c : text) {
    const auto& one = counts_of_bytes[static_cast<unsigned char>(c)];
    all += one.all;
    turns += (one.turns_behind & before) != 0;
    before = one.kind;
  }
  return {all & 255, all >> 8 & 255, all >> 16 & 255, all >> 24, turns};
}

}  // namespace

makeup made_of(std::string_view value) {
  value = value.substr(0, looked_at);
  // Most values are, and for those the way of many bytes at once is the longer one.
  if (value.size() <= width) return made_of_short(value);
  const auto* const text = reinterpret_cast<const std::uint8_t*>(value.data());
  const auto& first = counts_of_bytes[text[0]];
  counts all;
  std::size_t at = 1;
  for (; at + width <= value.size(); at += width) all.add(text + at, width);
  const auto left = value.size() - at;
  if (left > 0) all.add(text + value.size() - width, left);
  return {sum(all.lower) + (first.all & 255), sum(all.upper) + (first.all >> 8 & 255),
          sum(all.digits) + (first.all >> 16 & 255), sum(all.signs) + (first.all >> 24),
          sum(all.turns)};
}

std::uint8_t kinds_of_signs(std::string_view text) {
  constexpr std::size_t longest = 24;
  static constexpr auto kinds = [] {
    std::array<std::uint8_t, 256> made{};
    made.fill(other_sign);
    for (unsigned c = '0'; c <= '9'; ++c) made[c] = some_digit;
    for (unsigned c = 'a'; c <= 'z'; ++c) made[c] = some_letter;
    for (unsigned c = 'A'; c <= 'Z'; ++c) made[c] = some_letter;
    made['v'] = other_sign;
    made['/'] = made['\\'] = some_slash;
    made['.'] = some_point;
    for (const unsigned char c : {'(', '[', '{', '@'}) made[c] = opening_sign;
    return made;
  }();
  if (text.size() > longest) return 255;
  std::uint8_t all = 0;
  for (const char c : text) all |= kinds[static_cast<unsigned char>(c)];
  return all;
}

bool is_odd(std::string_view word) {
  const auto all = made_of(word);
  return all.turns >= 2 && word.size() < 4 * all.turns && all.lower + all.upper == word.size();
}

bool looks_made_up(std::string_view value) {
  // What a part looks like, the whole does.
  if (value.size() > width && looks_made_up(value.substr(0, width))) return true;
  const auto all = made_of(value);
  const auto letters = all.lower + all.upper;
  if (letters + all.digits < 4) return false;
  if (all.digits > 0 && letters > 0) return true;
  return all.signs > 0 && value.size() >= 6;
}

bool looks_random(std::string_view value) {
  if (value.size() < 16) return false;
  const auto all = made_of(value);
  if (all.digits == 0) return all.lower > 0 && all.upper > 2 && all.turns > 4;
  return all.lower + all.upper > 0 && all.turns >= 2;
}

}  // namespace reeve
