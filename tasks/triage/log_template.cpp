#include "tasks/triage/log_template.hpp"

#include "base/digest.hpp"
#include "base/utf8.hpp"
#include "tasks/triage/log_mask.hpp"

#include <algorithm>
#include <deque>
#include <optional>

namespace reeve::tasks {
namespace {

using word_id = std::uint32_t;

// Words of templates are numbers, so that comparing a line with a template costs no string
// comparison. A word of a line that no template has is `unknown`.
constexpr word_id unknown = 0;
constexpr word_id wildcard = 1;
constexpr std::string_view wildcard_text = "<*>";
constexpr std::string_view cut_text = "<etc>";
constexpr std::string_view other_text = "<other>";
constexpr std::size_t short_line_words = 3;

std::vector<std::string> split(std::string_view text, std::size_t limit) {
  std::vector<std::string> words;
  while (true) {
    const auto begin = text.find_first_not_of(' ');
    if (begin == text.npos) break;
    const auto end = std::min(text.find(' ', begin), text.size());
    if (words.size() == limit) {
      words.emplace_back(cut_text);
      break;
    }
    words.emplace_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
  return words;
}

/// "key=" of a "key=value" word, else empty. The key must look like a name: "a.b_c-d".
std::string_view key_of(std::string_view word) {
  const auto equals = word.find('=');
  if (equals == word.npos || equals == 0 || equals > 40) return {};
  const bool name =
      std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(equals), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
      });
  return name ? word.substr(0, equals + 1) : std::string_view{};
}

/// The time that a line begins with says nothing about its kind.
bool is_time(std::string_view word) {
  return word == "<time>" || word == "[<time>]" || word == "<time>:" || word == "(<time>)";
}

struct line_words {
  std::vector<std::string> texts;
  std::vector<word_id> ids;
  std::vector<word_id>
      keyed;  // the id of "key=<*>" if the word is "key=value" and a template has it
};

}  // namespace

std::string template_id(std::string_view text) {
  return to_hex(sha256(text)).substr(0, 16);
}

struct template_miner::state {
  struct cluster {
    std::vector<word_id> words;
    std::string partition;
    std::string planted_id;
    std::int64_t count = 0;
  };
  struct node {
    std::unordered_map<word_id, std::unique_ptr<node>> children;
    std::vector<std::size_t> leaf;
  };

  miner_limits limits;
  std::unordered_map<std::string, word_id> ids{{std::string(wildcard_text), wildcard}};
  std::deque<std::string> texts{"", std::string(wildcard_text)};
  std::vector<word_id> keys{unknown, unknown};  // of "key=<*>" for a word "key=value"
  std::map<std::pair<std::string, std::size_t>, node> roots;
  std::map<std::string, std::size_t> others;
  std::vector<cluster> clusters;
  std::size_t planted = 0;
  std::size_t used = 0;
  std::int64_t overflowed = 0;

  word_id find(const std::string& word) const;
  word_id intern(const std::string& word);
  word_id key_form(const std::string& word) const;
  node* descend(std::string_view partition, const std::vector<std::string>& words, bool create);
  std::optional<std::size_t> best(const node& leaf, const line_words& line, double share) const;
  void merge(cluster& into, const line_words& line) const;
  line_words look_up(std::string_view text) const;
  std::size_t create(node* leaf, const std::vector<std::string>& words, std::string_view partition);
  std::size_t other(std::string_view partition);
};

word_id template_miner::state::find(const std::string& word) const {
  const auto found = ids.find(word);
  return found == ids.end() ? unknown : found->second;
}

word_id template_miner::state::intern(const std::string& word) {
  if (const auto known = find(word); known != unknown) return known;
  const auto key = key_of(word);
  const auto keyed_text = std::string(key).append(wildcard_text);
  const bool own = key.empty() || word == keyed_text;
  const auto keyed = own ? unknown : intern(keyed_text);
  const auto id = static_cast<word_id>(texts.size());
  texts.push_back(word);
  keys.push_back(key.empty() ? unknown : own ? id : keyed);
  ids.emplace(word, id);
  return id;
}

/// The id of "key=<*>" if a template has a word with this key.
word_id template_miner::state::key_form(const std::string& word) const {
  const auto key = key_of(word);
  return key.empty() ? unknown : find(std::string(key).append(wildcard_text));
}

template_miner::state::node* template_miner::state::descend(std::string_view partition,
                                                            const std::vector<std::string>& words,
                                                            bool create) {
  const auto root = std::pair(std::string(partition), words.size());
  const auto found = roots.find(root);
  if (found == roots.end() && !create) return nullptr;
  node* at = found == roots.end() ? &roots[root] : &found->second;
  for (std::size_t i = 0; i < std::min(limits.prefix_words, words.size()); ++i) {
    // A "key=value" word leads by its key; its value is likely to vary.
    const auto key = key_of(words[i]);
    const auto word = key.empty() ? words[i] : std::string(key).append(wildcard_text);
    auto child = at->children.find(find(word));
    if (child == at->children.end() && create && at->children.size() < limits.children) {
      child = at->children.emplace(intern(word), std::make_unique<node>()).first;
    }
    if (child == at->children.end()) child = at->children.find(wildcard);
    if (child == at->children.end()) {
      if (!create) return nullptr;
      child = at->children.emplace(wildcard, std::make_unique<node>()).first;
    }
    at = child->second.get();
  }
  return at;
}

/// The most similar template of a leaf of which the wanted share of words agrees; of equal ones
/// the one with more wildcards, as in the paper, then the oldest.
std::optional<std::size_t> template_miner::state::best(const node& leaf, const line_words& line,
                                                       double share) const {
  std::optional<std::size_t> winner;
  std::size_t winner_score = 0;
  std::size_t winner_wild = 0;
  const double needed = share * 2.0 * static_cast<double>(line.ids.size());
  for (const auto number : leaf.leaf) {
    const auto& candidate = clusters[number].words;
    std::size_t score = 0;  // in halves: an equal key with another value is half an agreement
    std::size_t wild = 0;
    for (std::size_t i = 0; i < candidate.size(); ++i) {
      const auto word = candidate[i];
      if (word == wildcard) {
        ++wild;
      } else if (word == line.ids[i] || word == line.keyed[i]) {
        score += 2;
      } else if (line.keyed[i] != unknown && keys[word] == line.keyed[i]) {
        ++score;
      }
    }
    if (static_cast<double>(score) + 1e-9 < needed) continue;
    if (!winner || score > winner_score || (score == winner_score && wild > winner_wild)) {
      winner = number;
      winner_score = score;
      winner_wild = wild;
    }
  }
  return winner;
}

/// Words that differ become "<*>", or "key=<*>" where only the value differs.
void template_miner::state::merge(cluster& into, const line_words& line) const {
  for (std::size_t i = 0; i < into.words.size(); ++i) {
    auto& word = into.words[i];
    if (word == wildcard || word == line.ids[i]) continue;
    word = line.keyed[i] != unknown && keys[word] == line.keyed[i] ? line.keyed[i] : wildcard;
  }
}

line_words template_miner::state::look_up(std::string_view text) const {
  auto masked = mask_variables(utf8_prefix(text, limits.line_bytes));
  if (text.size() > limits.line_bytes) masked.append(" ").append(cut_text);
  line_words line;
  line.texts = split(masked, limits.words);
  line.texts.erase(line.texts.begin(),
                   std::find_if_not(line.texts.begin(), line.texts.end(), is_time));
  if (line.texts.empty()) line.texts.emplace_back("<empty>");
  for (const auto& word : line.texts) {
    line.ids.push_back(find(word));
    line.keyed.push_back(key_form(word));
  }
  return line;
}

std::size_t template_miner::state::create(node* leaf, const std::vector<std::string>& words,
                                          std::string_view partition) {
  cluster made;
  made.partition = partition;
  for (const auto& word : words) made.words.push_back(intern(word));
  clusters.push_back(std::move(made));
  leaf->leaf.push_back(clusters.size() - 1);
  return clusters.size() - 1;
}

std::size_t template_miner::state::other(std::string_view partition) {
  const auto [at, fresh] = others.emplace(partition, clusters.size());
  if (fresh) {
    cluster made;
    made.partition = partition;
    made.words.push_back(intern(std::string(other_text)));
    clusters.push_back(std::move(made));
  }
  return at->second;
}

template_miner::template_miner(miner_limits limits) : state_(std::make_unique<state>()) {
  state_->limits = limits;
}
template_miner::~template_miner() = default;
template_miner::template_miner(template_miner&&) noexcept = default;
template_miner& template_miner::operator=(template_miner&&) noexcept = default;

void template_miner::plant(std::string_view text, std::string_view partition) {
  auto& s = *state_;
  if (s.planted >= s.limits.templates) return;
  auto body = text;
  if (!partition.empty()) {
    if (!body.starts_with(partition)) return;
    body.remove_prefix(partition.size());
  }
  const auto words = split(body, s.limits.words + 1);
  if (words.empty()) return;
  ++s.planted;
  if (words.size() == 1 && words[0] == other_text) {
    s.clusters[s.other(partition)].planted_id = template_id(text);
    return;
  }
  const auto made = s.create(s.descend(partition, words, true), words, partition);
  s.clusters[made].planted_id = template_id(text);
}

std::size_t template_miner::add(std::string_view line, std::string_view partition) {
  auto& s = *state_;
  const auto words = s.look_up(line);
  const bool is_short = words.ids.size() <= short_line_words;
  const auto take = [&](std::size_t number) {
    s.merge(s.clusters[number], words);
    if (s.clusters[number].count++ == 0) ++s.used;
    return number;
  };
  auto* leaf = s.descend(partition, words.texts, false);
  if (leaf != nullptr) {
    const auto share = is_short ? s.limits.short_similarity : s.limits.similarity;
    if (const auto number = s.best(*leaf, words, share)) return take(*number);
  }
  const bool room = s.used < s.limits.templates;
  if (room) leaf = s.descend(partition, words.texts, true);
  if (room && leaf->leaf.size() < s.limits.leaf_templates) {
    // Not through `take`: the words were looked up before this template brought them in.
    const auto made = s.create(leaf, words.texts, partition);
    s.clusters[made].count = 1;
    ++s.used;
    return made;
  }
  if (leaf != nullptr) {
    if (const auto number = s.best(*leaf, words, s.limits.full_similarity)) return take(*number);
  }
  ++s.overflowed;
  const auto made = s.other(partition);
  ++s.clusters[made].count;
  return made;
}

std::size_t template_miner::size() const {
  return state_->clusters.size();
}
std::int64_t template_miner::overflowed() const {
  return state_->overflowed;
}

mined_template template_miner::get(std::size_t number) const {
  const auto& from = state_->clusters[number];
  std::string text = from.partition;
  for (const auto word : from.words) {
    if (!text.empty()) text.push_back(' ');
    text.append(state_->texts[word]);
  }
  return {std::move(text), from.partition, from.planted_id, from.count};
}

}  // namespace reeve::tasks
