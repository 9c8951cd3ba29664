#include "tasks/triage/log_template.hpp"

#include "base/digest.hpp"
#include "base/utf8.hpp"
#include "tasks/triage/log_mask.hpp"

#include <algorithm>
#include <deque>
#include <functional>
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
// Lists repeat at most so many words: "node-1 0x1f ok node-2 0x2a ok".
constexpr std::size_t longest_repeat = 3;
// Lines that were looked up before, by their masked text; most of a log are such lines.
constexpr std::size_t remembered_lines = 8192;
constexpr std::size_t most_remembered_bytes = 512;  // of one
// Templates that are compared with a line of which nothing begins like it.
constexpr std::size_t most_compared = 256;

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
  return word == "<time>" || word == "[<time>]" || word == "<time>:" || word == "(<time>)" ||
         word == "<time>,";
}

/// A list of what varies is one kind of line however long it is: the last words are left out if the
/// same ones stand before them.
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

enum class lists { shortened, whole };

void split(std::string_view text, std::size_t limit, lists how,
           std::vector<std::string_view>& words) {
  words.clear();
  while (true) {
    const auto begin = text.find_first_not_of(' ');
    if (begin == text.npos) break;
    if (words.size() == limit) {
      words.push_back(cut_text);
      break;
    }
    const auto end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    if (how == lists::shortened) drop_repeat(words);
    text.remove_prefix(end);
  }
}

struct line_words {
  std::vector<std::string_view> texts;
  std::vector<word_id> ids;
  // The id of "key=<*>" if the word is "key=value" and a template has it.
  std::vector<word_id> keyed;
};

struct remembered {
  std::string text;
  std::string partition;
  std::optional<std::size_t> number;
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
  struct root {
    node tree;
    std::vector<std::size_t> first;  // its first templates, whatever they begin with
  };

  miner_limits limits;
  std::deque<std::string> texts{"", std::string(wildcard_text)};
  std::unordered_map<std::string_view, word_id> ids{{wildcard_text, wildcard}};  // of `texts`
  std::vector<word_id> keys{unknown, unknown};  // of "key=<*>" for a word "key=value"
  std::map<std::pair<std::string, std::size_t>, root> roots;
  std::map<std::string, std::size_t> others;
  std::vector<cluster> clusters;
  std::vector<remembered> memory{remembered_lines};
  std::size_t planted = 0;
  std::size_t used = 0;
  std::int64_t overflowed = 0;
  std::string masked;  // of the line that is being looked up, as is the next
  line_words line;

  word_id find(std::string_view word) const;
  word_id intern(std::string_view word);
  word_id key_form(std::string_view word) const;
  root* root_of(std::string_view partition, std::size_t words, bool create);
  node* descend(root& from, const std::vector<std::string_view>& words, bool create);
  std::optional<std::size_t> best(const std::vector<std::size_t>& among, double share) const;
  std::optional<std::size_t> similar(std::string_view partition);
  void merge(cluster& into) const;
  void look_up();
  std::size_t create(std::string_view partition, const std::vector<std::string_view>& words);
  std::size_t other(std::string_view partition);
  std::size_t take(std::string_view partition);
};

word_id template_miner::state::find(std::string_view word) const {
  const auto found = ids.find(word);
  return found == ids.end() ? unknown : found->second;
}

word_id template_miner::state::intern(std::string_view word) {
  if (const auto known = find(word); known != unknown) return known;
  const auto key = key_of(word);
  const auto keyed_text = std::string(key).append(wildcard_text);
  const bool own = key.empty() || word == keyed_text;
  const auto keyed = own ? unknown : intern(keyed_text);
  const auto id = static_cast<word_id>(texts.size());
  texts.emplace_back(word);
  keys.push_back(key.empty() ? unknown : own ? id : keyed);
  ids.emplace(texts.back(), id);
  return id;
}

/// The id of "key=<*>" if a template has a word with this key.
word_id template_miner::state::key_form(std::string_view word) const {
  const auto key = key_of(word);
  return key.empty() ? unknown : find(std::string(key).append(wildcard_text));
}

template_miner::state::root* template_miner::state::root_of(std::string_view partition,
                                                            std::size_t words, bool create) {
  const auto key = std::pair(std::string(partition), words);
  const auto found = roots.find(key);
  if (found != roots.end()) return &found->second;
  return create ? &roots[key] : nullptr;
}

template_miner::state::node* template_miner::state::descend(
    root& from, const std::vector<std::string_view>& words, bool create) {
  node* at = &from.tree;
  for (std::size_t i = 0; i < std::min(limits.prefix_words, words.size()); ++i) {
    // A "key=value" word leads by its key; its value is likely to vary.
    const auto key = key_of(words[i]);
    const auto word = key.empty() ? std::string(words[i]) : std::string(key).append(wildcard_text);
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

/// The most similar of these templates of which the wanted share of words agrees with the line; of
/// equal ones the one with more wildcards, as in the paper, then the oldest.
std::optional<std::size_t> template_miner::state::best(const std::vector<std::size_t>& among,
                                                       double share) const {
  std::optional<std::size_t> winner;
  std::size_t winner_score = 0;
  std::size_t winner_wild = 0;
  const double needed = share * 2.0 * static_cast<double>(line.ids.size());
  for (const auto number : among) {
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

/// The template of the line that was looked up, if one is similar enough.
std::optional<std::size_t> template_miner::state::similar(std::string_view partition) {
  auto* const from = root_of(partition, line.ids.size(), false);
  if (from == nullptr) return std::nullopt;
  const bool is_short = line.ids.size() <= short_line_words;
  if (const auto* leaf = descend(*from, line.texts, false)) {
    const auto share = is_short ? limits.short_similarity : limits.similarity;
    if (const auto number = best(leaf->leaf, share)) return number;
  }
  // What a line begins with may vary too: the name of a program or of a thread.
  if (line.ids.size() < limits.other_start_words) return std::nullopt;
  return best(from->first, limits.other_start_similarity);
}

/// Words that differ become "<*>", or "key=<*>" where only the value differs.
void template_miner::state::merge(cluster& into) const {
  for (std::size_t i = 0; i < into.words.size(); ++i) {
    auto& word = into.words[i];
    if (word == wildcard || word == line.ids[i]) continue;
    word = line.keyed[i] != unknown && keys[word] == line.keyed[i] ? line.keyed[i] : wildcard;
  }
}

void template_miner::state::look_up() {
  split(masked, limits.words, lists::shortened, line.texts);
  line.texts.erase(line.texts.begin(),
                   std::find_if_not(line.texts.begin(), line.texts.end(), is_time));
  if (line.texts.empty()) line.texts.emplace_back("<empty>");
  line.ids.clear();
  line.keyed.clear();
  for (const auto word : line.texts) {
    line.ids.push_back(find(word));
    line.keyed.push_back(key_form(word));
  }
}

std::size_t template_miner::state::create(std::string_view partition,
                                          const std::vector<std::string_view>& words) {
  cluster made;
  made.partition = partition;
  for (const auto word : words) made.words.push_back(intern(word));
  clusters.push_back(std::move(made));
  return clusters.size() - 1;
}

std::size_t template_miner::state::other(std::string_view partition) {
  const auto [at, fresh] = others.emplace(partition, clusters.size());
  if (fresh) create(partition, {other_text});
  return at->second;
}

/// The number of the template of the line that was looked up.
std::size_t template_miner::state::take(std::string_view partition) {
  const auto use = [&](std::size_t number) {
    merge(clusters[number]);
    if (clusters[number].count == 0) ++used;
    return number;
  };
  if (const auto number = similar(partition)) return use(*number);
  const bool room = used < limits.templates;
  auto* const from = root_of(partition, line.ids.size(), room);
  auto* const leaf = from == nullptr ? nullptr : descend(*from, line.texts, room);
  if (room && leaf->leaf.size() < limits.leaf_templates) {
    // Not through `use`: the words were looked up before this template brought them in.
    const auto made = create(partition, line.texts);
    leaf->leaf.push_back(made);
    if (from->first.size() < most_compared) from->first.push_back(made);
    ++used;
    return made;
  }
  if (leaf != nullptr) {
    if (const auto number = best(leaf->leaf, limits.full_similarity)) return use(*number);
  }
  ++overflowed;
  return other(partition);
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
  std::vector<std::string_view> words;
  // Two words that differed from line to line stand side by side as "<*> <*>": that is no list.
  split(body, s.limits.words + 1, lists::whole, words);
  if (words.empty()) return;
  ++s.planted;
  if (words.size() == 1 && words[0] == other_text) {
    s.clusters[s.other(partition)].planted_id = template_id(text);
    return;
  }
  auto* const from = s.root_of(partition, words.size(), true);
  auto* const leaf = s.descend(*from, words, true);
  const auto made = s.create(partition, words);
  leaf->leaf.push_back(made);
  if (from->first.size() < most_compared) from->first.push_back(made);
  s.clusters[made].planted_id = template_id(text);
}

std::size_t template_miner::add(std::string_view line, std::string_view partition) {
  auto& s = *state_;
  s.masked.clear();
  mask_variables(utf8_prefix(line, s.limits.line_bytes), s.masked);
  if (line.size() > s.limits.line_bytes) s.masked.append(" ").append(cut_text);
  const auto hash = std::hash<std::string_view>{}(s.masked);
  auto& known = s.memory[hash % remembered_lines];
  if (known.number && known.text == s.masked && known.partition == partition) {
    // A template only becomes more general: it takes for ever what it has taken once.
    ++s.clusters[*known.number].count;
    return *known.number;
  }
  s.look_up();
  const auto before = s.overflowed;
  const auto number = s.take(partition);
  ++s.clusters[number].count;
  // What found no room is counted each time.
  if (s.overflowed == before && s.masked.size() <= most_remembered_bytes) {
    known.text = s.masked;
    known.partition = partition;
    known.number = number;
  }
  return number;
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
