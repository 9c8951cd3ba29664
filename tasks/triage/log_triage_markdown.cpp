#include "tasks/triage/log_triage_markdown.hpp"

#include "base/time.hpp"
#include "tasks/triage/log_text.hpp"

#include <algorithm>
#include <cstdint>

namespace reeve::tasks {
namespace {

constexpr std::size_t max_written = 50;
constexpr std::size_t max_code_bytes = 1000;

std::size_t longest_backticks(std::string_view text) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

/// Two decimals at most: "12.5", "40".
std::string number(double value) {
  const auto hundredths = static_cast<std::int64_t>(value * 100 + (value < 0 ? -0.5 : 0.5));
  std::string out = std::to_string(hundredths / 100);
  const auto rest = hundredths % 100;
  if (rest == 0) return out;
  out.push_back('.');
  out.push_back(static_cast<char>('0' + rest / 10));
  if (rest % 10 != 0) out.push_back(static_cast<char>('0' + rest % 10));
  return out;
}

std::string_view words_for(triage_novelty novelty) {
  switch (novelty) {
    case triage_novelty::fresh:
      return "new";
    case triage_novelty::more_frequent:
      return "more frequent";
    case triage_novelty::known:
      return "known";
    case triage_novelty::no_baseline:
      break;
  }
  return "nothing to compare with";
}

void add_row(std::string& out, std::string_view name, std::int64_t value) {
  out.append("| ").append(name).append(" | ").append(std::to_string(value)).append(" |\n");
}

void add_summary(std::string& out, const triage_report& report) {
  const auto& totals = report.totals;
  out.append("# Log triage\n\nMade at ").append(format_time(report.made_at.at));
  if (report.since)
    out.append(", with what was logged since ").append(format_time(report.since->at));
  out.append(".\n");
  if (report.baseline_run) {
    out.append("Compared with the last successful run ")
        .append(markdown_code(*report.baseline_run));
    out.append(".\n");
  } else {
    out.append("There is no earlier successful run to compare with.\n");
  }
  if (report.truncated) {
    out.append("\n**Incomplete:** a limit was reached; see the sources below.\n");
    const auto& limits = report.limits;
    for (const auto& met : limits.met) {
      const auto most = met == "lines"     ? limits.lines
                        : met == "bytes"   ? limits.bytes
                        : met == "sources" ? limits.sources
                                           : limits.templates;
      out.append("- At most ").append(std::to_string(most)).append(" ").append(met);
      out.append(met == "templates" ? " are told apart.\n" : " are read.\n");
    }
  }
  out.append("\n| what | number |\n| --- | ---: |\n");
  add_row(out, "lines", totals.lines);
  add_row(out, "records", totals.records);
  add_row(out, "kinds of records", totals.templates);
  add_row(out, "new kinds", totals.new_templates);
  add_row(out, "more frequent kinds", totals.more_frequent_templates);
  add_row(out, "kinds no longer seen", totals.missing_templates);
  add_row(out, "fatal", totals.fatal);
  add_row(out, "error", totals.error);
  add_row(out, "warning", totals.warning);
  add_row(out, "notice", totals.notice);
  add_row(out, "info", totals.info);
  add_row(out, "debug", totals.debug);
  add_row(out, "unknown", totals.unknown);
}

void add_finding(std::string& out, const triage_finding& finding) {
  out.append("\n### ").append(std::to_string(finding.rank)).append(". ");
  out.append(domain::name_of(finding.severity)).append(", ").append(words_for(finding.novelty));
  out.append(", ")
      .append(std::to_string(finding.count))
      .append(finding.count == 1 ? " time, score " : " times, score ");
  out.append(number(finding.score.total)).append("\n\n");
  out.append(markdown_block(finding.text));
  out.append("\nExample");
  if (finding.example_lines > 1) {
    out.append(" (the first of ").append(std::to_string(finding.example_lines)).append(" lines)");
  }
  out.append(":\n\n").append(markdown_block(finding.example)).append("\n");
  out.append("- Score: severity ").append(number(finding.score.severity));
  out.append(" + novelty ").append(number(finding.score.novelty));
  out.append(" + frequency ").append(number(finding.score.frequency)).append("\n");
  if (finding.rate_per_hour) {
    out.append("- Rate: ").append(number(*finding.rate_per_hour)).append(" an hour\n");
  }
  if (finding.baseline_count) {
    out.append("- In the last successful run: ");
    out.append(std::to_string(*finding.baseline_count)).append(" times");
    if (finding.rate_change) {
      out.append("; now ").append(number(*finding.rate_change)).append(" times as often");
    }
    out.append("\n");
  }
  if (finding.first_seen && finding.last_seen) {
    out.append("- Seen from ").append(format_time(finding.first_seen->at));
    out.append(" to ").append(format_time(finding.last_seen->at)).append("\n");
  }
  for (const auto& source : finding.sources) {
    out.append("- Source ").append(markdown_code(source.source)).append(": ");
    out.append(std::to_string(source.count));
    out.append(source.count == 1 ? ", line " : ", lines ")
        .append(std::to_string(source.first_line));
    if (source.last_line != source.first_line)
      out.append(" to ").append(std::to_string(source.last_line));
    out.append("\n");
  }
}

void add_missing(std::string& out, const triage_report& report) {
  if (report.missing.empty()) return;
  out.append("\n## No longer seen\n\n");
  for (const auto& one : report.missing) {
    out.append("- ").append(std::to_string(one.count));
    out.append(one.count == 1 ? " time before: " : " times before: ");
    out.append(markdown_code(one.text)).append("\n");
  }
}

void add_sources(std::string& out, const triage_report& report) {
  out.append("\n## Sources\n\n");
  if (report.sources.empty()) out.append("None.\n");
  for (const auto& source : report.sources) {
    out.append("- ")
        .append(domain::name_of(source.kind))
        .append(" ")
        .append(markdown_code(source.name));
    out.append(": ").append(std::to_string(source.lines)).append(" lines");
    if (source.older_lines > 0) {
      out.append(", ").append(std::to_string(source.older_lines)).append(" older ones left out");
    }
    if (const auto undated = source.undated_lines.value_or(0); undated > 0) {
      out.append(", ").append(std::to_string(undated));
      out.append(" kept whose time is not known");
    }
    if (source.truncated) out.append(", **cut at a limit**");
    if (source.problem) out.append(", problem: ").append(markdown_code(*source.problem));
    out.append("\n");
  }
}

}  // namespace

std::string markdown_code(std::string_view text) {
  auto line = shortened(text, max_code_bytes);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  const std::string fence(longest_backticks(line) + 1, '`');
  return fence + ' ' + line + ' ' + fence;
}

std::string markdown_block(std::string_view text) {
  const std::string fence(std::max<std::size_t>(3, longest_backticks(text) + 1), '`');
  std::string out = fence + "text\n";
  out.append(shortened(text, 4 * max_code_bytes));
  if (!out.ends_with('\n')) out.push_back('\n');
  return out + fence + "\n";
}

std::string to_markdown(const triage_report& report) {
  std::string out;
  add_summary(out, report);
  out.append("\n## Findings\n");
  if (report.findings.empty()) out.append("\nNone: there was nothing to read.\n");
  const auto written = std::min(report.findings.size(), max_written);
  for (std::size_t i = 0; i < written; ++i) add_finding(out, report.findings[i]);
  if (written < report.findings.size()) {
    out.append("\nThe JSON report has ").append(std::to_string(report.findings.size() - written));
    out.append(" further findings.\n");
  }
  add_missing(out, report);
  add_sources(out, report);
  return out;
}

}  // namespace reeve::tasks
