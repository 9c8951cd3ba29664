#pragma once
// The triage report for people. Whatever comes from a log stands in code spans or fenced blocks
// whose fence is longer than any run of backticks inside: Markdown interprets nothing there, so a
// log line cannot bring links, HTML, images, headings or table cells into the report.

#include "tasks/triage/log_triage.hpp"

#include <string>

namespace reeve::tasks {

/// At most 50 findings are written out; the JSON report has all of them.
std::string to_markdown(const triage_report& report);

/// One line as a code span: line ends become spaces.
std::string markdown_code(std::string_view text);
/// One or more lines as a fenced block, ending in a newline.
std::string markdown_block(std::string_view text);

}  // namespace reeve::tasks
