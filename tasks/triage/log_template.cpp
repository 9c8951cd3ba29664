#include "tasks/triage/log_template.hpp"

#include "base/digest.hpp"
#include "base/utf8.hpp"
#include "tasks/triage/log_mask.hpp"
#include "tasks/triage/log_settled_lines.hpp"
#include "tasks/triage/log_template_words.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <span>

namespace reeve::tasks {
namespace {

constexpr std::string_view other_text = "<other>";
constexpr std::size_t short_line_words = 3;
// Lines that were looked up before, by their masked text; most of a log are such lines.
constexpr std::size_t remembered_lines = 8192;
constexpr std::size_t most_remembered_bytes = 512;  // of one
// Templates that are compared with a line of which nothing begins like it.
constexpr std::size_t most_compared = 256;

struct line_words {
  std::vector<std::string_view> texts;
  std::vector<word_id> ids;
  std::vector<word_id> keyed;  // of "key=<*>" where the word is "key=value"
};

struct remembered {
  std::size_t hash = 0;  // of the text, which is not looked at if another one is asked for
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
    std::size_t begin = 0;  // of its words in `template_ids`
    std::size_t size = 0;
    std::string partition;
    std::string planted_id;
    std::int64_t count = 0;
  };
  /// A template that lines are compared with, and where its words begin: looking that up in
  /// `clusters` would go through much memory.
  struct candidate {
    std::size_t number;
    std::size_t begin;
  };
  struct node {
    std::unordered_map<word_id, std::unique_ptr<node>> children;
    std::vector<candidate> leaf;
  };
  struct root {
    node tree;
    std::vector<candidate> first;  // its first templates, whatever they begin with
    std::uint64_t version = 1;     // counts what changed in it
  };
  struct taken {
    std::size_t number;
    const root* from;
    bool settled;  // it would be taken so again
    bool overflows;
  };

  miner_limits limits;
  template_words words;
  std::map<std::string, std::unordered_map<std::size_t, root>, std::less<>> roots;
  std::map<std::string, std::size_t, std::less<>> others;
  std::vector<cluster> clusters;
  // The words of all templates, one template behind the other: comparing many of them goes through
  // little memory.
  std::vector<word_id> template_ids;
  std::vector<remembered> memory{remembered_lines};
  // What lines were found to be while nothing in their root changed; not before there were many.
  settled_lines settled;
  std::size_t lookups = 0;
  std::size_t planted = 0;
  std::size_t used = 0;
  std::int64_t overflowed = 0;
  std::string masked;  // of the line that is being looked up, as is the next
  line_words line;

  root* root_of(std::string_view partition, std::size_t words, bool create);
  node* descend(root& from, const std::vector<std::string_view>& texts, bool create);
  std::optional<std::size_t> best(const std::vector<candidate>& among, double share) const;
  std::optional<std::size_t> similar(root& from);
  void merge(root& of, const cluster& into);
  void look_up();
  std::size_t create(std::string_view partition, const std::vector<std::string_view>& texts);
  std::size_t create_in(root& from, node& leaf, std::string_view partition,
                        const std::vector<std::string_view>& texts);
  std::size_t other(std::string_view partition);
  taken take(std::string_view partition);
  bool holds(const settled_line& one, std::string_view partition) const;
  std::size_t find_or_take(std::size_t hash, std::string_view partition);
};

template_miner::state::root* template_miner::state::root_of(std::string_view partition,
                                                            std::size_t words, bool create) {
  auto of = roots.find(partition);
  if (of == roots.end()) {
    if (!create) return nullptr;
    of = roots.try_emplace(std::string(partition)).first;
  }
  if (create) return &of->second[words];
  const auto found = of->second.find(words);
  return found == of->second.end() ? nullptr : &found->second;
}

template_miner::state::node* template_miner::state::descend(
    root& from, const std::vector<std::string_view>& texts, bool create) {
  node* at = &from.tree;
  for (std::size_t i = 0; i < std::min(limits.prefix_words, texts.size()); ++i) {
    // A "key=value" word leads by its key; its value is likely to vary.
    const auto key = key_of(texts[i]);
    const auto id = key.empty() ? words.find(texts[i]) : words.key_form(texts[i]);
    auto child = at->children.find(id);
    if (child == at->children.end() && create && at->children.size() < limits.children) {
      const auto made = key.empty() ? words.intern(texts[i])
                                    : words.intern(std::string(key).append(wildcard_text));
      child = at->children.emplace(made, std::make_unique<node>()).first;
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
std::optional<std::size_t> template_miner::state::best(const std::vector<candidate>& among,
                                                       double share) const {
  std::optional<std::size_t> winner;
  std::size_t winner_score = 0;
  std::size_t winner_wild = 0;
  const double needed = share * 2.0 * static_cast<double>(line.ids.size());
  // A template that has lost so much cannot win any more; rounded down, the test below is exact.
  const auto least = static_cast<std::size_t>(needed);
  for (const auto [number, begin] : among) {
    // All of these have as many words as the line.
    const auto candidate = std::span(template_ids).subspan(begin, line.ids.size());
    // In halves: an equal key with another value is half an agreement.
    std::size_t score = 2 * candidate.size();
    std::size_t wild = 0;
    for (std::size_t i = 0; i < candidate.size(); ++i) {
      const auto word = candidate[i];
      if (word == line.ids[i] && word != wildcard) continue;
      if (word == wildcard) {
        ++wild;
        score -= 2;
      } else if (word != line.keyed[i]) {
        const bool half = line.keyed[i] != unknown_word && words.key_form(word) == line.keyed[i];
        score -= half ? 1 : 2;
      }
      if (score < std::max(least, winner_score)) break;
    }
    if (static_cast<double>(score) + 1e-9 < needed) continue;
    if (score == 2 * candidate.size()) return number;  // nothing is better
    if (!winner || score > winner_score || (score == winner_score && wild > winner_wild)) {
      winner = number;
      winner_score = score;
      winner_wild = wild;
    }
  }
  return winner;
}

/// The template of the line that was looked up, if one is similar enough.
std::optional<std::size_t> template_miner::state::similar(root& from) {
  const bool is_short = line.ids.size() <= short_line_words;
  if (const auto* leaf = descend(from, line.texts, false)) {
    const auto share = is_short ? limits.short_similarity : limits.similarity;
    if (const auto number = best(leaf->leaf, share)) return number;
  }
  // What a line begins with may vary too: the name of a program or of a thread.
  if (line.ids.size() < limits.other_start_words) return std::nullopt;
  return best(from.first, limits.other_start_similarity);
}

/// Words that differ become "<*>", or "key=<*>" where only the value differs.
void template_miner::state::merge(root& of, const cluster& into) {
  for (std::size_t i = 0; i < into.size; ++i) {
    auto& word = template_ids[into.begin + i];
    if (word == wildcard || word == line.ids[i] || word == line.keyed[i]) continue;
    const bool keyed = line.keyed[i] != unknown_word && words.key_form(word) == line.keyed[i];
    word = keyed ? line.keyed[i] : wildcard;
    ++of.version;
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
    line.ids.push_back(words.find(word));
    line.keyed.push_back(words.key_form(word));
  }
}

std::size_t template_miner::state::create(std::string_view partition,
                                          const std::vector<std::string_view>& texts) {
  cluster made;
  made.partition = partition;
  made.begin = template_ids.size();
  made.size = texts.size();
  for (const auto word : texts) template_ids.push_back(words.intern(word));
  clusters.push_back(std::move(made));
  return clusters.size() - 1;
}

std::size_t template_miner::state::create_in(root& from, node& leaf, std::string_view partition,
                                             const std::vector<std::string_view>& texts) {
  const auto made = create(partition, texts);
  leaf.leaf.push_back({made, clusters[made].begin});
  if (from.first.size() < most_compared) from.first.push_back(leaf.leaf.back());
  ++from.version;
  return made;
}

std::size_t template_miner::state::other(std::string_view partition) {
  const auto found = others.find(partition);
  if (found != others.end()) return found->second;
  others.emplace(partition, clusters.size());
  return create(partition, {other_text});
}

/// The template of the line that was looked up.
template_miner::state::taken template_miner::state::take(std::string_view partition) {
  const auto use = [&](root& of, std::size_t number) {
    merge(of, clusters[number]);
    if (clusters[number].count == 0) ++used;
  };
  auto* from = root_of(partition, line.ids.size(), false);
  const auto version = from == nullptr ? 0 : from->version;
  if (const auto number = from == nullptr ? std::nullopt : similar(*from)) {
    use(*from, *number);
    return {*number, from, from->version == version, false};
  }
  const bool room = used < limits.templates;
  if (room) from = root_of(partition, line.ids.size(), true);
  auto* const leaf = from == nullptr ? nullptr : descend(*from, line.texts, room);
  if (room && leaf->leaf.size() < limits.leaf_templates) {
    // Not through `use`: the words were looked up before this template brought them in.
    const auto made = create_in(*from, *leaf, partition, line.texts);
    ++used;
    return {made, from, false, false};
  }
  if (leaf != nullptr) {
    if (const auto number = best(leaf->leaf, limits.full_similarity)) {
      use(*from, *number);
      return {*number, from, from->version == version, false};
    }
  }
  // Where there was room, what leads here is full: it stays so.
  ++overflowed;
  return {other(partition), from, true, true};
}

/// Whether nothing changed since the line was looked up.
bool template_miner::state::holds(const settled_line& one, std::string_view partition) const {
  const auto* const from = static_cast<const root*>(one.from);
  return one.version == (from == nullptr ? 1 : from->version) &&
         clusters[one.number].partition == partition;
}

/// For a line that `memory` does not have; the hash is of its text and its partition.
std::size_t template_miner::state::find_or_take(std::size_t hash, std::string_view partition) {
  if (++lookups == remembered_lines) settled.open();
  const auto known = [&](const settled_line& one) { return holds(one, partition); };
  if (const auto* const one = settled.find(hash, masked, known)) {
    if (one->overflows) ++overflowed;
    return one->number;
  }
  look_up();
  const auto found = take(partition);
  auto* const kept = found.settled ? settled.keep(hash, masked) : nullptr;
  if (kept != nullptr) {
    kept->version = found.from == nullptr ? 1 : found.from->version;
    kept->from = found.from;
    kept->number = found.number;
    kept->overflows = found.overflows;
  }
  return found.number;
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
  const auto made = s.create_in(*from, *s.descend(*from, words, true), partition, words);
  s.clusters[made].planted_id = template_id(text);
}

std::size_t template_miner::add(std::string_view line, std::string_view partition) {
  auto& s = *state_;
  s.masked.clear();
  mask_variables(utf8_prefix(line, s.limits.line_bytes), s.masked);
  if (line.size() > s.limits.line_bytes) s.masked.append(" ").append(cut_text);
  const auto hash = std::hash<std::string_view>{}(s.masked);
  // A text that comes with several partitions has a place with each.
  const auto hash_of_both = hash ^ std::hash<std::string_view>{}(partition);
  s.settled.approach(hash_of_both);
  auto& known = s.memory[hash % remembered_lines];
  if (known.hash == hash && known.number && known.text == s.masked &&
      known.partition == partition) {
    // A template only becomes more general: it takes for ever what it has taken once.
    ++s.clusters[*known.number].count;
    return *known.number;
  }
  const auto before = s.overflowed;
  const auto number = s.find_or_take(hash_of_both, partition);
  ++s.clusters[number].count;
  // What found no room is counted each time.
  if (s.overflowed == before && s.masked.size() <= most_remembered_bytes) {
    known.hash = hash;
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
  for (std::size_t i = 0; i < from.size; ++i) {
    if (!text.empty()) text.push_back(' ');
    text.append(state_->words.text(state_->template_ids[from.begin + i]));
  }
  return {std::move(text), from.partition, from.planted_id, from.count};
}

}  // namespace reeve::tasks
