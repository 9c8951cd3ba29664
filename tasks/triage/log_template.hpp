#pragma once
// Groups log lines into templates while they stream by: "user <*> logged in from <ip>".
//
// The algorithm is Drain (P. He, J. Zhu, Z. Zheng, M. R. Lyu, "Drain: An Online Log Parsing
// Approach with Fixed Depth Tree", ICWS 2017): a tree of fixed depth leads by the number of words
// and the first word to a short list of templates; the most similar one takes the line if enough
// words agree, and words that differ become "<*>". The bound on children (100) is the paper's.
// The threshold is higher than its 0.5, and higher still for lines of up to three words: there one
// other word ("disk full", "disk slow") is another message, and a triage that merges them would
// call something new known.
//
// Ours as well: variables are masked first (log_mask.hpp); "key=value" words keep their key
// ("key=<*>"); a partition (the severity) is the first level of the tree, so that an error never
// hides among harmless lines of the same wording; templates of an earlier run can be planted, so
// that a line is recognised even where this run alone would not have found the same "<*>"; and
// everything is bounded, so that no input can exhaust memory.
//
// Deterministic: the same lines in the same order give the same templates and ids.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace reeve::tasks {

struct miner_limits {
  double similarity = 0.6;        // share of words that must agree
  double short_similarity = 0.8;  // the same for lines of at most three words
  double full_similarity = 0.3;   // the same when there is no room for another template
  // The same for a template that begins with another word, and words of a line to be one.
  double other_start_similarity = 0.75;
  std::size_t other_start_words = 6;
  std::size_t prefix_words = 1;  // levels of the tree below the number of words
  std::size_t children = 100;    // per node; further words share one branch
  std::size_t leaf_templates = 100;
  std::size_t templates = 2000;   // that took a line; planted ones are limited by the same number
  std::size_t words = 64;         // per line; the rest is "<etc>"
  std::size_t line_bytes = 2048;  // per line, before masking
};

/// First 16 hexadecimal digits of the text's SHA-256: the same in every run, on every machine.
std::string template_id(std::string_view text);

struct mined_template {
  std::string text;  // its partition, if not empty, and its words, separated by one space
  std::string partition;
  std::string planted_id;  // id of the planted template that it came from, or empty
  std::int64_t count = 0;
};

class template_miner {
 public:
  explicit template_miner(miner_limits limits = {});
  ~template_miner();
  template_miner(template_miner&&) noexcept;
  template_miner& operator=(template_miner&&) noexcept;

  /// Before the first line. `text` is that of a mined template, its partition included.
  void plant(std::string_view text, std::string_view partition);

  /// The number of the template that took the line; it never changes, the template's text may.
  /// When the limits are reached, new kinds of lines go to one template "<other>" a partition.
  /// `partition` is a single word or empty.
  std::size_t add(std::string_view line, std::string_view partition = {});

  std::size_t size() const;
  mined_template get(std::size_t number) const;
  /// Lines that went to "<other>".
  std::int64_t overflowed() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace reeve::tasks
