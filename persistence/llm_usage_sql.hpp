#pragma once
// Pages of the sums of LLM calls: lines of one job, model and day are walked in the order of the
// groups, step by step, and added up where they fit. Pure.

#include "base/outcome.hpp"
#include "persistence/llm_usage_port.hpp"
#include "persistence/read_sql.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reeve::persistence {

/// The next `rows` lines behind a place, or behind the query's cursor. Rows: the group's key, how
/// many of its lines fit, their sums in the order of `llm_sums`, and the place of the step's
/// last line if there were as many as `rows`. Errors: `invalid` for limit and cursor.
outcome<read_query> compose_usage(const llm_usage_query& query, const std::string& behind,
                                  std::int64_t rows);

/// One row: the sums in the order of `llm_sums`.
read_query compose_spent(const llm_spent_query& query);

/// One group of a step, however much of it the step saw.
struct usage_part {
  std::string key;
  std::int64_t lines = 0;  // that fit
  domain::llm_sums sums;
};

struct usage_step {
  std::vector<usage_part> parts;
  std::string last;  // place of the last line; empty: the list ends here
};

/// How a page is filled.
class usage_walk {
 public:
  static constexpr std::int64_t most_lines = 50'000;
  static constexpr std::int64_t most_us = 200'000;
  static constexpr std::int64_t largest_step = 10'000;

  struct group {
    std::string key;
    domain::llm_sums sums;
    bool is_partial = false;
  };

  /// `now_us`: monotonic.
  usage_walk(int limit, std::int64_t now_us);

  std::int64_t step_lines() const { return step_; }
  /// The place behind which another step begins; nothing: the page is done.
  std::optional<std::string> take(const usage_step& step, std::int64_t now_us);

  const std::vector<group>& groups() const { return groups_; }
  /// The place behind which the next page begins; empty: this was the last one.
  const std::string& next() const { return next_; }

 private:
  std::size_t limit_;
  std::int64_t until_us_;
  std::int64_t step_;
  std::int64_t walked_ = 0;
  std::vector<group> groups_;
  std::string next_;
};

/// The document of one group.
std::string render_usage_group(domain::llm_grouping by, const usage_walk::group& group);

/// A place as clients get it.
std::string usage_cursor(const llm_usage_query& query, const std::string& place);

}  // namespace reeve::persistence
