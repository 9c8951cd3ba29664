#include "base/redact_named.hpp"

#include "base/redact_cut.hpp"
#include "base/redact_sets.hpp"

#include <algorithm>
#include <cstring>
#include <sodium.h>

namespace reeve {
namespace {

std::uint64_t head_of(const char* at) {
  std::uint64_t head = 0;
  std::memcpy(&head, at, min_secret_bytes);
  return head;
}

std::size_t start_of(const char* at) {
  std::uint32_t first = 0;
  std::memcpy(&first, at, sizeof first);
  return (first * 2654435761U) >> 16;  // Knuth's multiplicative hash.
}

/// A character is cut within the head already; there is no second one, so that a text of nothing
/// but U+FFFD costs little.
bool begins_cut(std::string_view text) {
  return text.substr(0, min_secret_bytes - 1 + cut_mark.size()).find(cut_mark) != text.npos;
}

std::string kind_of(std::string_view name) {
  std::string kind(name.substr(0, 40));
  for (char& c : kind) {
    if (!is_key_char(c)) c = '_';
  }
  return kind.empty() ? "secret" : kind;
}

}  // namespace

secret_index::secret_index(std::vector<named_secret> secrets) : secrets_(std::move(secrets)) {
  begun_.add_root();
  for (std::size_t i = 0; i < secrets_.size(); ++i) {
    kinds_.push_back(kind_of(secrets_[i].name));
    for (auto& text : secret_forms(secrets_[i].value)) add(std::move(text), i);
  }
}

secret_index::~secret_index() {
  for (auto& form : forms_) sodium_memzero(form.data(), form.size());
  for (auto& secret : secrets_) sodium_memzero(secret.value.data(), secret.value.size());
}

text_trie<reading::forward>::root secret_index::root_of(std::string_view begun) {
  const auto [head, is_new] = by_head_.try_emplace(head_of(begun.data()), 0);
  if (is_new) head->second = by_start_.add_root();
  starts_.set(start_of(begun.data()));
  return head->second;
}

void secret_index::add(std::string text, std::size_t owner) {
  const auto& form = forms_.emplace_back(std::move(text));
  const auto rest = std::string_view(form).substr(min_secret_bytes);
  if (!by_start_.add(root_of(form), rest, static_cast<std::uint32_t>(owner))) {
    sodium_memzero(forms_.back().data(), forms_.back().size());
    forms_.pop_back();
    return;
  }
  longest_ = std::max(longest_, form.size());
  if (std::ranges::any_of(form, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    add_cut(form, owner);
  }
  for (auto at = form.find('\n'); at != form.npos; at = form.find('\n', at + 1)) {
    if (at + 1 < form.size()) begun_.add(0, std::string_view(form).substr(0, at + 1), 0);
  }
}

/// Cut characters are found on the way through the trie; those that its heads would have are put
/// into it.
void secret_index::add_cut(std::string_view form, std::size_t owner) {
  is_wide_ = true;
  longest_ = std::max(longest_, std::min(form.size() + most_more_when_cut, max_form_bytes));
  for (std::size_t at = 0; at < std::min(min_secret_bytes, form.size()); ++at) {
    const auto size = wide_character_bytes(form.substr(at));
    for (std::size_t marks = 1; marks <= size; ++marks) {
      auto rest = form.substr(at + size);
      std::string begun(form.substr(0, at));
      begun.append(cut_marks.substr(0, marks * cut_mark.size()));
      if (begun.size() + rest.size() < min_secret_bytes) continue;
      const auto missing = min_secret_bytes - std::min(min_secret_bytes, begun.size());
      begun.append(rest.substr(0, missing));
      rest.remove_prefix(missing);
      const auto more = cut_marks.substr(cut_marks.size() - (begun.size() - min_secret_bytes));
      const auto way = by_start_.way_to(root_of(begun), more);
      by_start_.add(way, rest, static_cast<std::uint32_t>(owner));
    }
  }
}

void secret_index::find(std::string_view text, std::vector<secret_span>& out) const {
  if (forms_.empty() || text.size() < min_secret_bytes) return;
  for (std::size_t at = 0; at + min_secret_bytes <= text.size(); ++at) {
    if (!starts_.test(start_of(text.data() + at))) continue;
    const auto head = by_head_.find(head_of(text.data() + at));
    if (head == by_head_.end()) continue;
    const auto rest = text.substr(at + min_secret_bytes, longest_ - min_secret_bytes);
    const auto found = is_wide_ && !begins_cut(text.substr(at))
                           ? cut_search(by_start_, rest).longest(head->second)
                           : by_start_.longest(head->second, rest);
    if (!found) continue;
    out.push_back({at, at + min_secret_bytes + found->bytes, kinds_[found->value], false});
  }
}

std::size_t secret_index::unfinished_from(std::string_view text) const {
  const auto found = is_wide_ ? cut_search(begun_, text).longest(0) : begun_.longest(0, text);
  return text.size() - (found ? found->bytes : 0);
}

}  // namespace reeve
