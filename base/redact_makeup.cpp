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

/// The text with a zero before it and zeros behind it.
class padded {
 public:
  explicit padded(std::string_view text)
      : size_(text.size() < looked_at ? text.size() : looked_at) {
    const auto end = blocks() * width;
    std::memset(text_.data(), 0, width);
    if (end > 0) std::memset(text_.data() + end, 0, width);
    std::memcpy(text_.data() + width, text.data(), size_);
  }
  std::size_t blocks() const { return (size_ + width - 1) / width; }
  bytes block(std::size_t number) const { return load(text_.data() + width * (number + 1)); }
  /// The bytes before those.
  bytes before(std::size_t number) const { return load(text_.data() + width * (number + 1) - 1); }

 private:
  std::array<std::uint8_t, width + looked_at> text_;
  std::size_t size_;
};

bytes signs_of(bytes all) {
  return same(all, '!') | within(all, '#', '&') | within(all, '*', '+') | same(all, '=') |
         within(all, '?', '@') | same(all, '^') | same(all, '~');
}

}  // namespace

makeup made_of(std::string_view value) {
  if (value.empty()) return {};
  const padded text(value);
  bytes lower{};
  bytes upper{};
  bytes digits{};
  bytes signs{};
  bytes turns{};
  for (std::size_t i = 0; i < text.blocks(); ++i) {
    const auto here = text.block(i);
    const auto before = text.before(i);
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
  return {sum(lower), sum(upper), sum(digits), sum(signs), sum(turns)};
}

bool is_odd(std::string_view word) {
  const auto all = made_of(word);
  return all.turns >= 2 && word.size() < 4 * all.turns && all.lower + all.upper == word.size();
}

bool looks_made_up(std::string_view value) {
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
