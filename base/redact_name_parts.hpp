#pragma once
// What a word of a name says of the value: by the parts that it is made of, which are found in all
// words of a name in one pass.

#include "base/redact_keys.hpp"
#include "base/redact_words.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace reeve {

/// Some parts, a bit each.
using part_bits = std::uint64_t;

/// Those of one word.
struct word_parts {
  part_bits anywhere = 0;
  part_bits at_end = 0;
};

/// Goes through the parts that stand in a name, in the order of their ends.
class part_finder {
 public:
  explicit part_finder(std::string_view name) : name_(name) {}
  /// False if there are no more; else about one or more parts that have the same end.
  bool next();
  std::size_t end() const { return here_.at; }
  /// One of them is a key, as "apikey" and "secretkey" are.
  bool is_key() const;
  /// Those of them that stand within the word [begin, end).
  void add_to(word_parts& word, std::size_t begin, std::size_t end) const;

 private:
  std::string_view name_;
  word_automaton::place here_;
};

/// One word, or what is written as one ("dbpassword", "apikey", "accesstoken"), of these parts. In
/// lower case.
name_kind kind_of_word(std::string_view word, const word_parts& parts);

}  // namespace reeve
