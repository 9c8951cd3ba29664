#pragma once
// Texts by their beginnings, or by their ends: the longest of them that stands at a place is found
// in one walk, however many of them are equal so far. The texts belong to somebody else, who keeps
// them where they are.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

namespace reeve {

enum class reading : std::uint8_t { forward, backward };

/// Of up to 2^32 - 1 nodes: at most two for each text and each `way_to`.
template <reading Way>
class text_trie {
 public:
  using root = std::uint32_t;

  /// Of a trie of its own.
  root add_root() {
    nodes_.emplace_back();
    return static_cast<root>(nodes_.size() - 1);
  }

  /// Of two equal texts the first one stays: false, and nothing of the second one is kept.
  bool add(root at, std::string_view text, std::uint32_t value) {
    const auto node = way_to(at, text);
    if (nodes_[node].value) return false;
    nodes_[node].value = value;
    return true;
  }

  /// Where texts go on that have `text` before them; made if there are none yet.
  root way_to(root at, std::string_view text) {
    std::uint32_t node = at;
    for (std::size_t depth = 0; depth < text.size();) {
      const auto next = child_of(node, byte_at(text, depth));
      if (!next) return append(node, part_of(text, depth, text.size() - depth));
      const auto same = common(nodes_[*next].label, part_of(text, depth, text.size() - depth));
      if (same < nodes_[*next].label.size()) split(*next, same);
      depth += same;
      node = *next;
    }
    return node;
  }

  struct match {
    std::size_t bytes;
    std::uint32_t value;
  };
  /// The longest text that `in` begins with (or ends with).
  std::optional<match> longest(root at, std::string_view in) const {
    std::optional<match> found;
    std::size_t depth = 0;
    for (std::uint32_t node = at;;) {
      if (nodes_[node].value) found = match{depth, *nodes_[node].value};
      if (depth == in.size()) return found;
      const auto next = child_of(node, byte_at(in, depth));
      if (!next) return found;
      const auto label = nodes_[*next].label;
      if (in.size() - depth < label.size() || part_of(in, depth, label.size()) != label) {
        return found;
      }
      depth += label.size();
      node = *next;
    }
  }

  /// A place on a way: within the label of a node, of which `read` bytes were read.
  struct spot {
    std::uint32_t node;
    std::size_t read;
  };
  struct way {
    spot end;
    std::size_t bytes = 0;       // of `in` up to there
    std::optional<match> found;  // the longest text that ends on the way
  };
  /// As far as texts go on from there as `in` begins (or ends).
  way follow(spot from, std::string_view in) const {
    way made{from, 0, std::nullopt};
    for (;;) {
      const auto& at = nodes_[made.end.node];
      const auto unread = part_of(at.label, made.end.read, at.label.size() - made.end.read);
      const auto most = std::min(unread.size(), in.size() - made.bytes);
      const auto same = common(unread, part_of(in, made.bytes, most));
      made.end.read += same;
      made.bytes += same;
      if (same < unread.size()) return made;
      if (at.value) made.found = match{made.bytes, *at.value};
      if (made.bytes == in.size()) return made;
      const auto next = child_of(made.end.node, byte_at(in, made.bytes));
      if (!next) return made;
      made.end = {*next, 0};
    }
  }
  /// Calls `take(byte, spot)` for each byte that texts go on with from there.
  template <class Take>
  void each_next(spot at, const Take& take) const {
    const auto& here = nodes_[at.node];
    if (at.read < here.label.size()) {
      take(byte_at(here.label, at.read), spot{at.node, at.read + 1});
    } else {
      for (const auto& one : here.branches) take(one.first, spot{one.node, 1});
    }
  }

 private:
  struct branch {
    char first;
    std::uint32_t node;
  };
  struct node {
    std::string_view label;        // of the way to it; a part of a text, as it stands there
    std::vector<branch> branches;  // in the order of their first bytes
    std::optional<std::uint32_t> value;
  };

  /// The byte that is read as the one of this number.
  static char byte_at(std::string_view text, std::size_t i) {
    return Way == reading::forward ? text[i] : text[text.size() - 1 - i];
  }
  /// The bytes that are read from that one on.
  static std::string_view part_of(std::string_view text, std::size_t from, std::size_t bytes) {
    return text.substr(Way == reading::forward ? from : text.size() - from - bytes, bytes);
  }
  static std::size_t common(std::string_view a, std::string_view b) {
    const auto most = std::min(a.size(), b.size());
    std::size_t same = 0;
    while (same < most && byte_at(a, same) == byte_at(b, same)) ++same;
    return same;
  }

  std::optional<std::uint32_t> child_of(std::uint32_t of, char first) const {
    const auto& all = nodes_[of].branches;
    const auto at = std::ranges::lower_bound(all, first, {}, &branch::first);
    if (at == all.end() || at->first != first) return std::nullopt;
    return at->node;
  }
  root append(std::uint32_t to, std::string_view label) {
    const branch made{byte_at(label, 0), add_root()};
    nodes_[made.node].label = label;
    auto& all = nodes_[to].branches;
    all.insert(std::ranges::lower_bound(all, made.first, {}, &branch::first), made);
    return made.node;
  }
  /// The node keeps the first bytes of its label, and a new one below it has everything else.
  void split(std::uint32_t at, std::size_t bytes) {
    const auto below = add_root();
    auto& upper = nodes_[at];
    auto& lower = nodes_[below];
    lower.label = part_of(upper.label, bytes, upper.label.size() - bytes);
    lower.branches.swap(upper.branches);
    lower.value = upper.value;
    upper.value.reset();
    upper.label = part_of(upper.label, 0, bytes);
    upper.branches.push_back({byte_at(lower.label, 0), below});
  }

  std::vector<node> nodes_;
};

}  // namespace reeve
