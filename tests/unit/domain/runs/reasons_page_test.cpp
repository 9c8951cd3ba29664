// docs/reasons.md has a row for every reason that an attempt or a job can end with, in the order of
// the list, and says truly which are tried again.

#include "tests/support/source_dir.hpp"
#include "tests/unit/domain/runs/run_steps.hpp"

#include <fstream>

namespace {

using namespace reeve;
using namespace reeve::domain;
using steps::container_task;
using steps::driven_run;
using steps::id_of;

struct page_row {
  std::string reason, meaning, tried_again;
};

std::string trimmed(const std::string& cell) {
  const auto begin = cell.find_first_not_of(' ');
  return begin == cell.npos ? "" : cell.substr(begin, cell.find_last_not_of(' ') + 1 - begin);
}

/// The rows of the table whose first cell is `so`.
std::vector<page_row> rows_of_page() {
  std::ifstream page(support::source_dir() + "/docs/reasons.md");
  std::vector<page_row> rows;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    std::vector<std::string> cells;
    for (std::size_t at = 1, end; at < line.size(); at = end + 1) {
      end = std::min(line.find('|', at), line.size());
      cells.push_back(trimmed(line.substr(at, end - at)));
    }
    if (cells.size() < 4) continue;
    rows.push_back({cells[0].substr(1, cells[0].size() - 2), cells[1], cells[2]});
  }
  return rows;
}

bool is_tried_again(end_reason reason) {
  directive_limits limits;
  limits.retries = 1;
  driven_run run({container_task("a")}, limits);
  run.start(0);
  const auto events = decide_end(run.state, id_of(0), {reason, 3, {}, true});
  return events && std::holds_alternative<retry_scheduled>(events->back());
}

TEST(RUN5_reasons, stand_on_their_page_in_order) {
  const auto rows = rows_of_page();
  const auto& names = enum_names<end_reason>::names;
  std::vector<std::string> listed;
  for (const auto& row : rows) listed.push_back(row.reason);
  EXPECT_EQ(listed, std::vector<std::string>(names.begin(), names.end()));
  for (std::size_t i = 0; i < std::min(rows.size(), names.size()); ++i) {
    EXPECT_FALSE(rows[i].meaning.empty()) << rows[i].reason;
    const bool said =
        rows[i].tried_again.starts_with("yes") || rows[i].tried_again.starts_with("if");
    EXPECT_EQ(said, is_tried_again(static_cast<end_reason>(i))) << rows[i].reason;
  }
}

}  // namespace
