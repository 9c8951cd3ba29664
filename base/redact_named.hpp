#pragma once
// The index of named secrets: all written forms of each, found in one pass over the text.

#include "base/redact.hpp"
#include "base/text_trie.hpp"

#include <bitset>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace reeve {

/// Bytes [begin, end) to be replaced by one marker of this kind. `quoted` puts the marker into
/// double quotes, where a bare JSON number stood. An empty kind writes no marker: the rest of a
/// span whose marker is already out.
struct secret_span {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string_view kind;
  bool quoted = false;
};

/// A window of a long line has to hold any form, and what is not shown behind a gap any rest of one
/// (tasks/container/lost_beginning.hpp): a longer form is left out.
inline constexpr std::size_t max_form_bytes = 6 * max_secret_bytes;
/// All forms of one secret have no more together. Those that are encoded twice come last, so that
/// those of values of more than some 3,000 bytes may be left out.
inline constexpr std::size_t max_bytes_of_forms = std::size_t{1} << 20;

/// Every form in which a secret is looked for; each has at least `min_secret_bytes`, and at most
/// `max_form_bytes`. Those with a character that was cut are none of them (redact_cut.hpp).
std::vector<std::string> secret_forms(std::string_view value);

class secret_index {
 public:
  /// The values were checked by `redactor::make`.
  explicit secret_index(std::vector<named_secret> secrets);
  ~secret_index();
  secret_index(const secret_index&) = delete;
  secret_index& operator=(const secret_index&) = delete;

  const std::vector<named_secret>& secrets() const { return secrets_; }
  /// Bytes of the longest form, cut characters included, 0 without secrets.
  std::size_t longest() const { return longest_; }
  /// Appends every occurrence, also overlapping ones ("abcdef" and "defghi" in "abcdefghi").
  void find(std::string_view text, std::vector<secret_span>& out) const;
  /// Where the earliest form starts that `text` (which ends in a newline) may hold the beginning
  /// of; `text.size()` if there is none.
  std::size_t unfinished_from(std::string_view text) const;

 private:
  void add(std::string text, std::size_t owner);
  void add_cut(std::string_view form, std::size_t owner);
  /// Of what begins with these six bytes.
  text_trie<reading::forward>::root root_of(std::string_view begun);

  std::vector<named_secret> secrets_;
  std::vector<std::string> kinds_;
  std::deque<std::string> forms_;  // each once: one that two secrets have is the first one's
  std::size_t longest_ = 0;
  bool is_wide_ = false;  // a form has characters that a border may cut
  // A form's first four bytes, hashed to 16 bits: the one test that most positions fail. Its first
  // six bytes then lead to the forms themselves, by what follows those.
  std::bitset<65536> starts_;
  text_trie<reading::forward> by_start_;  // values are owners
  std::unordered_map<std::uint64_t, text_trie<reading::forward>::root> by_head_;
  // What forms of several lines begin with, up to the end of each line but the last.
  text_trie<reading::backward> begun_;
};

}  // namespace reeve
