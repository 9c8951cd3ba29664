#pragma once
// What is asked of the sums of LLM calls. Beside read_port.hpp, which answers it.

#include "base/ids.hpp"
#include "domain/runs/llm_usage.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace reeve::persistence {

/// Groups come newest first where they are days or runs, in the order of their names and ids where
/// they are models or directives. A page looks at 50,000 lines (of one job, model and day each) or
/// for 200 ms: it may be empty and not the last one, and its last group may go on on the next page,
/// which it then says.
struct llm_usage_query {
  uuid tenant;
  domain::llm_grouping by = domain::llm_grouping::day;
  std::optional<uuid> run;
  std::optional<uuid> directive;
  std::optional<std::string> model;
  std::optional<std::int64_t> from_day;  // of UTC, counted from 1970-01-01; inclusive
  std::optional<std::int64_t> to_day;    // exclusive
  int limit = 50;                        // 1..500
  std::string cursor;                    // opaque, as a former answer gave it; empty = first page
  uuid asked_by{};                       // as in a list_query
};

/// What calls came to from a day on: all of the tenant's, or those of a directive or of a model.
struct llm_spent_query {
  uuid tenant;
  std::optional<uuid> directive;
  std::optional<std::string> model;
  std::int64_t from_day = 0;
};

}  // namespace reeve::persistence
