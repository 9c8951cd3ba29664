#include "tasks/triage/log_template_words.hpp"

#include <algorithm>
#include <array>

namespace reeve::tasks {
namespace {

constexpr std::size_t longest_key = 40;
// Lists repeat at most so many words: "node-1 0x1f ok node-2 0x2a ok".
constexpr std::size_t longest_repeat = 3;

/// The last words are left out if the same ones stand before them.
void drop_repeat(std::vector<std::string_view>& words) {
  for (std::size_t size = 1; size <= longest_repeat && 2 * size <= words.size(); ++size) {
    const auto last = words.end() - static_cast<std::ptrdiff_t>(size);
    if (!std::equal(last, words.end(), last - static_cast<std::ptrdiff_t>(size))) continue;
    const bool varies = std::any_of(last, words.end(), [](std::string_view word) {
      return word.find('<') != word.npos && word.find('>') != word.npos;
    });
    if (varies) return words.resize(words.size() - size);
  }
}

}  // namespace

std::string_view key_of(std::string_view word) {
  const auto equals = word.find('=');
  if (equals == word.npos || equals == 0 || equals > longest_key) return {};
  const bool name =
      std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(equals), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
      });
  return name ? word.substr(0, equals + 1) : std::string_view{};
}

void split(std::string_view text, std::size_t limit, lists how,
           std::vector<std::string_view>& words) {
  words.clear();
  for (std::size_t at = 0;;) {
    while (at < text.size() && text[at] == ' ') ++at;
    if (at == text.size()) return;
    if (words.size() == limit) {
      words.push_back(cut_text);
      return;
    }
    const auto end = std::min(text.find(' ', at), text.size());
    words.push_back(text.substr(at, end - at));
    if (how == lists::shortened) drop_repeat(words);
    at = end;
  }
}

bool is_time(std::string_view word) {
  return word == "<time>" || word == "[<time>]" || word == "<time>:" || word == "(<time>)" ||
         word == "<time>,";
}

word_id template_words::find(std::string_view word) const {
  const auto found = ids_.find(word);
  return found == ids_.end() ? unknown_word : found->second;
}

word_id template_words::intern(std::string_view word) {
  if (const auto known = find(word); known != unknown_word) return known;
  const auto key = key_of(word);
  const auto keyed_text = std::string(key).append(wildcard_text);
  const bool own = key.empty() || word == keyed_text;
  const auto keyed = own ? unknown_word : intern(keyed_text);
  const auto id = static_cast<word_id>(texts_.size());
  texts_.emplace_back(word);
  keys_.push_back(key.empty() ? unknown_word : own ? id : keyed);
  ids_.emplace(texts_.back(), id);
  return id;
}

word_id template_words::key_form(std::string_view word) const {
  const auto key = key_of(word);
  if (key.empty()) return unknown_word;
  std::array<char, longest_key + 1 + wildcard_text.size()> text;
  const auto end = std::copy(key.begin(), key.end(), text.begin());
  std::copy(wildcard_text.begin(), wildcard_text.end(), end);
  return find({text.data(), key.size() + wildcard_text.size()});
}

}  // namespace reeve::tasks
