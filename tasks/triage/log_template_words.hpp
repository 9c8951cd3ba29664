#pragma once
// The words of log lines and of their templates, as log_template.hpp compares them. Words of
// templates are numbers, so that comparing a line with a template costs no string comparison.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace reeve::tasks {

using word_id = std::uint32_t;

inline constexpr word_id unknown_word = 0;  // of a line, which no template has
inline constexpr word_id wildcard = 1;
inline constexpr std::string_view wildcard_text = "<*>";
inline constexpr std::string_view cut_text = "<etc>";

/// "key=" of a "key=value" word, else empty. The key must look like a name: "a.b_c-d".
std::string_view key_of(std::string_view word);

/// A list of what varies is one kind of line however long it is, unless it is to stay whole.
enum class lists { shortened, whole };
/// At most `limit` words, and one that says so if there are more.
void split(std::string_view text, std::size_t limit, lists how,
           std::vector<std::string_view>& words);

/// One that templates do not begin with: when a line was written says nothing about its kind.
bool is_time(std::string_view word);

/// All words that templates have.
class template_words {
 public:
  word_id find(std::string_view word) const;
  word_id intern(std::string_view word);
  /// That of "key=<*>" for a word "key=value", if a template has it.
  word_id key_form(std::string_view word) const;
  /// The same for a word of a template.
  word_id key_form(word_id word) const { return keys_[word]; }
  const std::string& text(word_id word) const { return texts_[word]; }

 private:
  std::deque<std::string> texts_{"", std::string(wildcard_text)};
  std::unordered_map<std::string_view, word_id> ids_{{wildcard_text, wildcard}};  // of `texts_`
  std::vector<word_id> keys_{unknown_word, unknown_word};
};

}  // namespace reeve::tasks
