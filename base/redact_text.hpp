#pragma once
// What a piece of text looks like: a sentence, a reference, a placeholder, or a secret. Every
// answer looks at a bounded number of bytes.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace reeve {

/// So much of a value says what it is.
inline constexpr std::size_t looked_at = 96;

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
inline bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
inline bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
inline bool is_alpha(char c) {
  return is_upper(c) || is_lower(c);
}
inline bool is_alnum(char c) {
  return is_alpha(c) || is_digit(c);
}
inline bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
inline bool is_quote(char c) {
  return c == '"' || c == '\'';
}
inline bool is_key_char(char c) {
  return is_alnum(c) || c == '_' || c == '.' || c == '-';
}

/// Some signs, as bits: a search costs a step a byte however many they are.
class sign_set {
 public:
  template <std::size_t N>
  consteval sign_set(const char (&signs)[N]) {
    for (std::size_t i = 0; i + 1 < N; ++i) {
      const auto c = static_cast<unsigned char>(signs[i]);
      bits_[c >> 6] |= std::uint64_t{1} << (c & 63);
    }
  }
  constexpr bool holds(char c) const {
    const auto u = static_cast<unsigned char>(c);
    return (bits_[u >> 6] >> (u & 63) & 1) != 0;
  }
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
  constexpr sign_set operator|(const sign_set& others) const {
    auto both = *this;
    for (std::size_t i = 0; i < bits_.size(); ++i) both.bits_[i] |= others.bits_[i];
    return both;
  }

 private:
  std::array<std::uint64_t, 4> bits_{};
};

/// A sorted list of words in lower case, each of 1..31 bytes. Most of what it is asked about has a
/// beginning or a size that no word of the list has, which is seen at once.
template <std::size_t N>
class word_set {
 public:
  consteval explicit word_set(const std::array<std::string_view, N>& sorted) : words_(sorted) {
    for (std::size_t i = 0; i < N; ++i) {
      if (i > 0 && !(sorted[i - 1] < sorted[i])) throw "the list is not sorted";
      sizes_[sorted[i].at(0) & 31] |= std::uint32_t{1} << sorted[i].size();
    }
  }
  bool holds(std::string_view word) const {
    return may_hold(word) && std::binary_search(words_.begin(), words_.end(), word);
  }
  /// Its letters in either case.
  bool holds_lower(std::string_view word) const {
    if (!may_hold(word)) return false;
    std::array<char, most + 1> small{};
    for (std::size_t i = 0; i < word.size(); ++i) {
      small[i] = is_upper(word[i]) ? static_cast<char>(word[i] - 'A' + 'a') : word[i];
    }
    return holds({small.data(), word.size()});
  }

 private:
  static constexpr std::size_t most = 31;
  // Letters of either case have the same last five bits.
  bool may_hold(std::string_view word) const {
    return !word.empty() && word.size() <= most &&
           (sizes_[static_cast<unsigned char>(word[0]) & 31] >> word.size() & 1) != 0;
  }

  std::array<std::string_view, N> words_;
  std::array<std::uint32_t, 32> sizes_{};
};

std::string lower(std::string_view text);
/// The text up to the first of `stops`.
inline std::string_view before_any(std::string_view text, const sign_set& stops) {
  return text.substr(0, stops.find(text, 0));
}
/// The part of `line` before `at`, at most `bytes` long.
std::string_view left_of(std::string_view line, std::size_t at, std::size_t bytes);
std::string_view trimmed(std::string_view text);

/// Where a word begins whose characters were found to begin at `at`: behind what colours it on a
/// terminal, behind "\\n", "\\u0026" and "%26", whose letters and digits are none of the word's.
std::size_t begin_of_word(std::string_view line, std::size_t at);
/// Behind colours of a terminal (ESC "[" … "m") that begin at `at`.
std::size_t skip_colours(std::string_view line, std::size_t at);

/// References, masks and markers: "${X}", "***", "[redacted:x]". A part of is_no_secret.
bool is_placeholder(std::string_view value);
/// Values that are none: empty, a word for nothing, already hidden, a placeholder, a reference to a
/// variable ("${X}", "$X", "%s", "<token>", "{{ x }}").
bool is_no_secret(std::string_view value);

/// A call, a member or an object's address, as code and debuggers write it: "self.token(x)",
/// "config.password", "Token{a64 ...", "os.Binder@4f1". `name` is the key that it was given to.
bool is_code(std::string_view value);

/// One word of letters, as of a language: "refused", "doesn't", "read-only", "EOF", "Timeout".
bool is_plain_word(std::string_view word);
/// A word that tells the state of a secret and is none: "expired", "missing", "ok".
bool is_status_word(std::string_view word);
/// "is", "to", "with": words that sentences are built with. In lower case.
bool is_small_word(std::string_view word);
/// Words that belong together as a message does: "must be given", "is required", "not found".
bool is_sentence(std::string_view text);
/// As is_sentence, but more than a small word has to say so: passwords may be sentences themselves.
bool is_message(std::string_view text);
/// Letters that go up and down as in no word and no name: "xkQwPvBn".
bool is_odd_word(std::string_view word);
/// A path, the address of a host or of a page, or a place in a source.
bool is_place(std::string_view value);
/// Begins as a path, but one of its parts is of small and large letters and digits, as the base64
/// of a key has it.
bool is_slashed_key(std::string_view value);

/// So much of the base64 of "user:password" is looked at.
inline constexpr std::size_t longest_login_pair = 1024;
/// Base64 of "user:password": printable and with a colon.
bool is_login_pair(std::string_view value);

/// Letters and digits mixed, or signs that only passwords have: nobody's prose.
bool looks_made_up(std::string_view value);
/// At least 16 characters that no name or number has.
bool looks_random(std::string_view value);

}  // namespace reeve
