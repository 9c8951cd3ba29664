#pragma once
// Lines of which the miner knows what it would find again (log_template.cpp). What is compared
// first lies close together: the rest is far from the processor when a line comes again.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reeve::tasks {

struct settled_line {
  std::string text;
  std::uint64_t version = 0;   // of `from`; 0: nothing is known
  const void* from = nullptr;  // what the version is of; null: there is none for such lines
  std::size_t number = 0;      // of a template
  bool overflows = false;      // there is no room for one
};

/// 65,536 lines of at most 256 bytes in pairs; of those of one pair the two that came last stay.
class settled_lines {
 public:
  static constexpr std::size_t most = 65'536;
  static constexpr std::size_t most_bytes = 256;

  /// Nothing is kept before.
  void open() {
    hashes_.resize(most);
    lines_.resize(most);
  }

  /// To be called as early as the hash is known.
  void approach(std::size_t hash) const {
    if (!hashes_.empty()) __builtin_prefetch(&hashes_[pair_of(hash)]);
  }

  /// The line with that text for which `holds` is true, or null.
  template <class Holds>
  const settled_line* find(std::size_t hash, std::string_view text, Holds holds) const {
    if (hashes_.empty()) return nullptr;
    const auto pair = pair_of(hash);
    for (auto i = pair; i < pair + 2; ++i) {
      if (hashes_[i] != hash) continue;
      const auto& one = lines_[i];
      if (one.version != 0 && one.text == text && holds(one)) return &one;
    }
    return nullptr;
  }

  /// Keeps a text: where to write what is known of it, or null if it is too long.
  settled_line* keep(std::size_t hash, std::string_view text) {
    if (hashes_.empty() || text.size() > most_bytes) return nullptr;
    const auto pair = pair_of(hash);
    hashes_[pair + 1] = std::exchange(hashes_[pair], hash);
    std::swap(lines_[pair], lines_[pair + 1]);
    lines_[pair].text = text;
    return &lines_[pair];
  }

 private:
  static std::size_t pair_of(std::size_t hash) { return hash % (most / 2) * 2; }

  std::vector<std::size_t> hashes_;
  std::vector<settled_line> lines_;
};

}  // namespace reeve::tasks
