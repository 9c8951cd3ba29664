#pragma once
// Secrets that a border cut within a character. A container engine cuts long lines every 16 KiB of
// output, and writes U+FFFD for each byte of a character of UTF-8 that a border cut; other writers
// put fewer of them. So one character of n bytes may stand as 1 to n U+FFFD.
//
// One character of a form is read so, wherever in it, since forms with such characters are hardly
// ever longer than 16 KiB; and in at most `most_cut_ways` ways for one place of a text: more are
// needed only where very many secrets differ in that character alone.

#include "base/redact_encodings.hpp"
#include "base/text_trie.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

namespace reeve {

inline constexpr std::string_view cut_mark = "\xEF\xBF\xBD";
inline constexpr std::string_view cut_marks = "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD";
/// A character of four bytes becomes 12.
inline constexpr std::size_t most_more_when_cut = 8;
inline constexpr std::size_t most_cut_ways = 128;

/// The longest text of a trie that stands at the beginning (or end) of `in`, cut or not.
template <reading Way>
class cut_search {
 public:
  using trie = text_trie<Way>;

  cut_search(const trie& texts, std::string_view in) : texts_(texts), in_(in) {}
  std::optional<typename trie::match> longest(typename trie::root at) {
    go_on({at, 0}, 0, true);
    return best_;
  }

 private:
  using spot = typename trie::spot;

  static std::string_view without(std::string_view text, std::size_t bytes) {
    if (Way == reading::forward) return text.substr(bytes);
    return text.substr(0, text.size() - bytes);
  }
  static std::string_view first(std::string_view text, std::size_t bytes) {
    return Way == reading::forward ? text.substr(0, bytes) : text.substr(text.size() - bytes);
  }
  static bool at_mark(std::string_view text) {
    return Way == reading::forward ? text.starts_with(cut_mark) : text.ends_with(cut_mark);
  }

  void go_on(spot from, std::size_t done, bool may_be_cut) {
    const auto rest = without(in_, done);
    const auto way = texts_.follow(from, rest);
    if (way.found && (!best_ || done + way.found->bytes > best_->bytes)) {
      best_ = {done + way.found->bytes, way.found->value};
    }
    if (!may_be_cut) return;
    // What differs may be the second or third byte of a U+FFFD.
    for (std::size_t back = 0; back < cut_mark.size() && back <= way.bytes; ++back) {
      const auto same = way.bytes - back;
      if (!at_mark(without(rest, same))) continue;
      const auto end = back == 0 ? way.end : texts_.follow(from, first(rest, same)).end;
      return pass_character(end, 1, done + same);
    }
  }

  /// Goes on behind any character that texts have there; `bytes` counts its bytes so far.
  void pass_character(spot at, std::size_t bytes, std::size_t done) {
    texts_.each_next(at, [&](char byte, spot behind) {
      const auto kind = static_cast<unsigned char>(byte);
      const bool is_inner = (kind & 0xC0U) == 0x80U;
      const std::size_t size = kind >= 0xF0 ? 4 : kind >= 0xE0 ? 3 : kind >= 0xC2 ? 2 : 1;
      if (Way == reading::backward) {
        if (is_inner && bytes < 4) pass_character(behind, bytes + 1, done);
        if (!is_inner && bytes > 1 && size == bytes) pass_marks(behind, size, done);
      } else if (bytes == 1) {
        if (!is_inner && size > 1) pass_inner(behind, size, size - 1, done);
      }
    });
  }
  void pass_inner(spot at, std::size_t size, std::size_t left, std::size_t done) {
    if (left == 0) return pass_marks(at, size, done);
    texts_.each_next(at, [&](char byte, spot behind) {
      const bool is_inner = (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
      if (is_inner) pass_inner(behind, size, left - 1, done);
    });
  }
  void pass_marks(spot behind, std::size_t most, std::size_t done) {
    for (; most > 0 && at_mark(without(in_, done)) && ways_left_ > 0; --most) {
      --ways_left_;
      done += cut_mark.size();
      go_on(behind, done, false);
    }
  }

  const trie& texts_;
  std::string_view in_;
  std::size_t ways_left_ = most_cut_ways;
  std::optional<typename trie::match> best_;
};

}  // namespace reeve
