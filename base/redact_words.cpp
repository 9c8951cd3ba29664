#include "base/redact_words.hpp"

#include <algorithm>
#include <stdexcept>

namespace reeve {
namespace {

constexpr std::size_t class_count = 64;

struct node {
  std::array<std::uint16_t, class_count> next{};
  std::uint16_t fallback = 0;
  std::vector<std::uint16_t> found;
};

/// Fills in the transitions of all bytes, nearest nodes first.
std::vector<std::uint16_t> connect(std::vector<node>& nodes) {
  std::vector<std::uint16_t> order;
  for (const auto child : nodes[0].next) {
    if (child != 0) order.push_back(child);
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    auto& here = nodes[order[i]];
    const auto& back = nodes[here.fallback];
    here.found.insert(here.found.end(), back.found.begin(), back.found.end());
    for (std::size_t c = 0; c < class_count; ++c) {
      if (here.next[c] == 0) {
        here.next[c] = back.next[c];
      } else {
        nodes[here.next[c]].fallback = back.next[c];
        order.push_back(here.next[c]);
      }
    }
  }
  order.insert(order.begin(), 0);
  return order;
}

}  // namespace

word_automaton::word_automaton(const std::vector<std::string_view>& words) {
  std::uint8_t used = 1;  // class 0 is every byte of no word
  std::vector<node> nodes(1);
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::size_t at = 0;
    for (const char c : words[i]) {
      auto& kind = classes_[static_cast<unsigned char>(c)];
      if (kind == 0) {
        if (used == class_count) throw std::length_error("an automaton of too many bytes");
        kind = used++;
      }
      if (nodes[at].next[kind] == 0) {
        nodes[at].next[kind] = static_cast<std::uint16_t>(nodes.size());
        nodes.emplace_back();
      }
      at = nodes[at].next[kind];
    }
    nodes[at].found.push_back(static_cast<std::uint16_t>(i));
  }
  for (char c = 'a'; c <= 'z'; ++c) {
    classes_[static_cast<unsigned char>(c - 'a' + 'A')] = classes_[static_cast<unsigned char>(c)];
  }
  auto order = connect(nodes);
  const auto ends = std::stable_partition(order.begin(), order.end(),
                                          [&](auto id) { return nodes[id].found.empty(); });
  first_found_ = static_cast<std::uint16_t>(ends - order.begin());
  std::vector<std::uint16_t> number(nodes.size());
  for (std::size_t i = 0; i < order.size(); ++i) number[order[i]] = static_cast<std::uint16_t>(i);
  table_.resize(nodes.size() << class_bits);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto& from = nodes[order[i]];
    for (std::size_t c = 0; c < class_count; ++c)
      table_[i << class_bits | c] = number[from.next[c]];
    if (from.found.empty()) continue;
    found_begin_.push_back(static_cast<std::uint32_t>(found_.size()));
    found_.insert(found_.end(), from.found.begin(), from.found.end());
  }
  found_begin_.push_back(static_cast<std::uint32_t>(found_.size()));
}

bool near_words::stand_before(std::string_view text, std::size_t at, std::size_t within,
                              seen& known) const {
  const auto before = text.substr(0, at);
  // What began before that is too far away.
  const auto far = within + longest_;
  if (at > far && known.place.at < at - far) known = {{at - far, 0}, 0};
  while (known.place.at < before.size() && automaton_.next(before, known.place)) {
    const auto shortest = automaton_.found(known.place).back();
    known.last = known.place.at - words_[shortest].size() + 1;
  }
  return known.last > 0 && known.last <= at && known.last + within > at;
}

}  // namespace reeve
