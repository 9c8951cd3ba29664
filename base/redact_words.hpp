#pragma once
// Finds all of a fixed list of words in one pass over a text, whatever the text is: an automaton
// after Aho and Corasick with a full table of transitions, one step a byte.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace reeve {

class word_automaton {
 public:
  /// `words`: at most 60 different bytes in all, letters in lower case. Letters of the text are
  /// found in either case.
  explicit word_automaton(const std::vector<std::string_view>& words);

  struct place {
    std::size_t at = 0;  // just behind the word's last byte
    std::uint16_t state = 0;
  };
  /// Goes to the next place where a word ends; false at the end of the text.
  bool next(std::string_view text, place& here) const {
    auto at = here.at;
    auto state = here.state;
    while (at < text.size()) {
      state = table_[std::size_t{state} << class_bits |
                     classes_[static_cast<unsigned char>(text[at++])]];
      if (state >= first_found_) {
        here = {at, state};
        return true;
      }
    }
    here = {at, state};
    return false;
  }
  /// Numbers of the words that end here, the longest first.
  std::span<const std::uint16_t> found(const place& here) const {
    const auto* const begin = &found_begin_[std::size_t{here.state} - first_found_];
    return {found_.data() + begin[0], found_.data() + begin[1]};
  }

 private:
  static constexpr std::size_t class_bits = 6;

  std::array<std::uint8_t, 256> classes_{};
  std::vector<std::uint16_t> table_;
  std::uint16_t first_found_ = 0;  // states from here on are ends of words
  std::vector<std::uint16_t> found_;
  std::vector<std::uint32_t> found_begin_;  // of each such state, and where the last one's end
};

/// Whether one of some words stands shortly before a place that moves on through a text: the text
/// is searched for them once, however often that is asked, and only where an answer needs it.
class near_words {
 public:
  /// None within another; otherwise as those of an automaton.
  explicit near_words(std::vector<std::string_view> words)
      : words_(std::move(words)), automaton_(words_) {
    for (const auto word : words_) longest_ = std::max(longest_, word.size());
  }

  struct seen {
    word_automaton::place place;  // up to here they were looked for
    std::size_t last = 0;         // where the last one begins, plus one; 0: there is none
  };
  /// One of them stands within the last `within` bytes before `at`. `known`: of this text, as new
  /// at first.
  bool stand_before(std::string_view text, std::size_t at, std::size_t within, seen& known) const;

 private:
  std::vector<std::string_view> words_;
  std::size_t longest_ = 0;
  word_automaton automaton_;
};

}  // namespace reeve
