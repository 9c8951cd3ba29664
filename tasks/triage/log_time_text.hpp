#pragma once
// A text that is read from left to right, for those who look for times in it: each function takes
// what it names and goes on behind it, or takes nothing and says so.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace reeve::tasks {

class time_text {
 public:
  explicit time_text(std::string_view text) : text_(text) {}

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

  bool literal(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool any_of(std::string_view choices) {
    if (at_ >= text_.size()) return false;
    // By hand: the library calls a function to search the few characters.
    for (const char c : choices) {
      if (c != text_[at_]) continue;
      ++at_;
      return true;
    }
    return false;
  }
  /// Exactly `count` digits.
  std::optional<std::int64_t> number(std::size_t count) {
    if (at_ + count > text_.size()) return std::nullopt;
    std::int64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const char c = text_[at_ + i];
      if (!is_digit(c)) return std::nullopt;
      value = value * 10 + (c - '0');
    }
    at_ += count;
    return value;
  }
  /// Two digits, as nearly all parts of a time have.
  std::optional<std::int64_t> pair() {
    if (at_ + 2 > text_.size() || !is_digit(text_[at_]) || !is_digit(text_[at_ + 1]))
      return std::nullopt;
    at_ += 2;
    return (text_[at_ - 2] - '0') * 10 + (text_[at_ - 1] - '0');
  }
  /// One or two digits.
  std::optional<std::int64_t> one_or_two() {
    if (const auto both = pair()) return both;
    return number(1);
  }
  bool text(std::string_view expected) {
    if (!rest().starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }
  /// `expected`, and no letter or digit behind it.
  bool word(std::string_view expected) {
    const auto start = at_;
    if (!text(expected)) return false;
    if (!is_digit(peek()) && !is_letter(peek())) return true;
    at_ = start;
    return false;
  }
  /// "Nov" is 11; "NOV" only where `any_case`.
  std::optional<int> month(bool any_case = false) {
    static constexpr std::array<std::string_view, 12> names = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (peek() < 'A' || peek() > 'S' || at_ + 3 > text_.size()) return std::nullopt;
    const auto small = [&](std::size_t i) {
      const char c = text_[at_ + i];
      return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i][0] != peek() || names[i][1] != small(1) || names[i][2] != small(2)) continue;
      at_ += 3;
      return static_cast<int>(i) + 1;
    }
    return std::nullopt;
  }
  /// A fraction of a second in microseconds; further digits are cut.
  std::int64_t fraction() {
    std::int64_t us = 0;
    std::int64_t unit = 100'000;
    for (; at_ < text_.size() && is_digit(text_[at_]); ++at_, unit /= 10) {
      us += (text_[at_] - '0') * unit;
    }
    return us;
  }
  /// Digits from here on, `most` at most; they are not taken.
  std::size_t digits(std::size_t most) const {
    std::size_t count = 0;
    while (count < most && at_ + count < text_.size() && is_digit(text_[at_ + count])) ++count;
    return count;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  char peek(std::size_t ahead) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  std::string_view rest() const { return text_.substr(at_ < text_.size() ? at_ : text_.size()); }
  std::size_t at() const { return at_; }
  void seek(std::size_t at) { at_ = at; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace reeve::tasks
