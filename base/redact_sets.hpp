#pragma once
// Kinds of characters, sets of signs and sets of words, made for many questions about short texts.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace reeve {

/// What a byte is, as bits: a question costs one look, whatever the byte.
enum : std::uint8_t { digit_kind = 1, upper_kind = 2, lower_kind = 4, joint_kind = 8 };
inline constexpr auto byte_kinds = [] {
  std::array<std::uint8_t, 256> all{};
  for (unsigned c = '0'; c <= '9'; ++c) all[c] = digit_kind;
  for (unsigned c = 'A'; c <= 'Z'; ++c) all[c] = upper_kind;
  for (unsigned c = 'a'; c <= 'z'; ++c) all[c] = lower_kind;
  for (const unsigned char c : {'_', '.', '-'}) all[c] = joint_kind;
  return all;
}();
inline constexpr std::uint8_t kind_of_byte(char c) {
  return byte_kinds[static_cast<unsigned char>(c)];
}

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
inline constexpr bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
inline bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
inline bool is_alpha(char c) {
  return (kind_of_byte(c) & (upper_kind | lower_kind)) != 0;
}
inline bool is_alnum(char c) {
  return (kind_of_byte(c) & (upper_kind | lower_kind | digit_kind)) != 0;
}
inline bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
inline bool is_quote(char c) {
  return c == '"' || c == '\'';
}
/// Letters, digits and joints.
inline bool is_key_char(char c) {
  return kind_of_byte(c) != 0;
}
inline constexpr char to_lower(char c) {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

/// As starts_with; the size of what is looked for is known, so that no function is called for it.
template <std::size_t N>
bool begins_with(std::string_view text, const char (&part)[N]) {
  return text.size() >= N - 1 && std::memcmp(text.data(), part, N - 1) == 0;
}

/// The text in lower case is `small`.
inline bool equals_lower(std::string_view text, std::string_view small) {
  if (text.size() != small.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (to_lower(text[i]) != small[i]) return false;
  }
  return true;
}
inline bool ends_lower(std::string_view text, std::string_view small) {
  return text.size() >= small.size() &&
         equals_lower(text.substr(text.size() - small.size()), small);
}
/// `small`, which is not empty, stands somewhere in the text in lower case.
inline bool holds_lower(std::string_view text, std::string_view small) {
  for (std::size_t i = 0; i + small.size() <= text.size(); ++i) {
    if (to_lower(text[i]) == small[0] && equals_lower(text.substr(i, small.size()), small)) {
      return true;
    }
  }
  return false;
}

/// Some signs, as a table of all bytes: a search costs a look a byte however many they are.
class sign_set {
 public:
  template <std::size_t N>
  consteval explicit sign_set(const char (&signs)[N]) {
    for (std::size_t i = 0; i + 1 < N; ++i) held_[static_cast<unsigned char>(signs[i])] = true;
  }
  constexpr bool holds(char c) const { return held_[static_cast<unsigned char>(c)]; }
  /// The first of them from `from` on; `text.size()` if there is none.
  std::size_t find(std::string_view text, std::size_t from) const {
    while (from < text.size() && !holds(text[from])) ++from;
    return from < text.size() ? from : text.size();
  }
  /// The first sign from `from` on that is none of them; `text.size()` if there is none.
  std::size_t find_other(std::string_view text, std::size_t from) const {
    while (from < text.size() && holds(text[from])) ++from;
    return from < text.size() ? from : text.size();
  }
  /// Behind the last of them; 0 if there is none.
  std::size_t behind_last(std::string_view text) const {
    auto at = text.size();
    while (at > 0 && !holds(text[at - 1])) --at;
    return at;
  }
  /// All of the text is of them.
  bool hold(std::string_view text) const { return find_other(text, 0) == text.size(); }
  /// One of them is in the text.
  bool stand_in(std::string_view text) const { return find(text, 0) < text.size(); }
  constexpr sign_set operator|(const sign_set& others) const {
    auto both = *this;
    for (std::size_t i = 0; i < held_.size(); ++i) both.held_[i] |= others.held_[i];
    return both;
  }

 private:
  std::array<bool, 256> held_{};
};

template <std::size_t N>
struct sign_text {
  consteval sign_text(const char (&signs)[N]) { std::copy_n(signs, N, text); }
  char text[N];
};
template <sign_text Signs>
inline constexpr sign_set set_of_signs{Signs.text};
/// "+-"_signs: made once, however often it is asked.
template <sign_text Signs>
consteval const sign_set& operator""_signs() {
  return set_of_signs<Signs>;
}

inline bool is_of(char c, const sign_set& signs) {
  return signs.holds(c);
}

/// A sorted list of at most 255 words of 1..31 bytes, in buckets by their size and three of their
/// bytes: most words that are asked about meet an empty one.
template <std::size_t N>
class word_set {
 public:
  consteval explicit word_set(const std::array<std::string_view, N>& sorted) {
    static_assert(N > 0 && N < 256);
    for (std::size_t i = 0; i < N; ++i) {
      if (i > 0 && !(sorted[i - 1] < sorted[i])) throw "the list is not sorted";
      if (sorted[i].empty() || sorted[i].size() > most) throw "a word has 1..31 bytes";
      ++ends_[bucket_of(sorted[i]) + 1];
      sizes_ |= std::uint32_t{1} << sorted[i].size();
      firsts_ |= first_bit(sorted[i]);
    }
    for (std::size_t i = 1; i <= buckets; ++i) ends_[i] += ends_[i - 1];
    auto next = ends_;
    for (const auto word : sorted) words_[next[bucket_of(word)]++] = word;
  }
  bool holds(std::string_view word) const {
    return any_is([&](std::string_view one) { return one == word; }, word);
  }
  /// Its letters in either case.
  bool holds_lower(std::string_view word) const {
    return any_is([&](std::string_view one) { return equals_lower(word, one); }, word);
  }

 private:
  static constexpr std::size_t most = 31;
  static constexpr int bits = std::bit_width(2 * N);
  static constexpr std::size_t buckets = std::size_t{1} << bits;

  /// Letters of either case lead to the same one.
  static constexpr std::size_t bucket_of(std::string_view word) {
    const auto byte = [&](std::size_t at) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(word[at]) | 0x20U);
    };
    const auto size = static_cast<std::uint32_t>(word.size());
    const auto mixed =
        byte(0) | byte(word.size() / 2) << 8 | byte(word.size() - 1) << 16 | size << 24;
    return (mixed * std::uint32_t{0x9E3779B1}) >> (32 - bits);
  }
  /// Likewise, and some signs lead to that of another one.
  static constexpr std::uint64_t first_bit(std::string_view word) {
    return std::uint64_t{1} << ((static_cast<unsigned char>(word[0]) | 0x20U) & 63U);
  }
  template <class Test>
  bool any_is(const Test& test, std::string_view word) const {
    if (word.empty() || word.size() > most) return false;
    // What most words fail, and costs least.
    if ((sizes_ >> word.size() & 1) == 0 || (firsts_ & first_bit(word)) == 0) return false;
    const auto bucket = bucket_of(word);
    for (std::size_t i = ends_[bucket]; i < ends_[bucket + 1]; ++i) {
      if (test(words_[i])) return true;
    }
    return false;
  }

  std::array<std::string_view, N> words_;
  std::uint32_t sizes_ = 0;
  std::uint64_t firsts_ = 0;
  std::array<std::uint8_t, buckets + 1> ends_{};  // where the words of the bucket before end
};

}  // namespace reeve
