#include "tasks/triage/log_score.hpp"
#include "tasks/triage/log_text.hpp"
#include "tasks/triage/log_triage_state.hpp"

#include <algorithm>
#include <tuple>

namespace reeve::tasks {
namespace {

constexpr std::size_t max_sources_per_finding = 20;
constexpr std::int64_t min_window_s = 60;
constexpr std::size_t max_missing = 50;

std::optional<domain::timestamp> stamp(std::optional<time_us> at) {
  return at ? std::optional(domain::timestamp{*at}) : std::nullopt;
}

double rounded(double value) {
  return static_cast<double>(static_cast<std::int64_t>(value * 100 + 0.5)) / 100;
}

}  // namespace

triage_baseline baseline_of(const triage_report& report, std::string run) {
  return {std::move(run), report.window_s, report.totals.records, report.templates};
}

/// By id. Template texts and examples are redacted once more: the words of a secret that was cut by
/// a terminal colour are whole again by now.
std::map<std::string, kind_of_line> log_triage::state::kinds() const {
  std::map<std::string, kind_of_line> found;
  for (std::size_t i = 0; i < stats.size(); ++i) {
    if (stats[i].sources.empty()) continue;
    const auto mined = miner.get(i);
    auto text = rules.redact(mined.text);
    auto& kind = found[template_id(text)];
    if (kind.count == 0) {
      kind.text = std::move(text);
      kind.stats = stats[i];
    } else {
      for (const auto& [source, where] : stats[i].sources)
        add_up(kind.stats.sources[source], where);
    }
    if (kind.planted_id.empty()) kind.planted_id = mined.planted_id;
    kind.count += mined.count;
  }
  return found;
}

std::optional<std::int64_t> log_triage::state::window_s() const {
  const auto from = options.since ? options.since : earliest;
  if (!from) return std::nullopt;
  return std::max(min_window_s, (options.now - *from) / us_per_second);
}

const triage_template* log_triage::state::in_baseline(const std::string& id) const {
  const auto found = by_id.find(id);
  return found == by_id.end() ? nullptr : found->second;
}

void log_triage::state::compare(triage_finding& to, const kind_of_line& kind) const {
  if (!baseline) return;
  const auto* before = in_baseline(to.id);
  if (before == nullptr) before = in_baseline(kind.planted_id);
  if (before == nullptr) {
    to.novelty = triage_novelty::fresh;
    return;
  }
  to.baseline_count = before->count;
  const auto window = window_s();
  const bool by_time = window && baseline->window_s && *baseline->window_s > 0;
  const double ratio = by_time
                           ? static_cast<double>(*window) / static_cast<double>(*baseline->window_s)
                           : static_cast<double>(totals.records) /
                                 static_cast<double>(std::max<std::int64_t>(1, baseline->records));
  const double expected = static_cast<double>(before->count) * ratio;
  if (expected > 0) to.rate_change = rounded(static_cast<double>(kind.count) / expected);
  to.novelty = is_more_frequent(kind.count, expected) ? triage_novelty::more_frequent
                                                      : triage_novelty::known;
}

triage_finding log_triage::state::finding(const std::string& id, const kind_of_line& kind) const {
  triage_finding to;
  to.id = id;
  to.text = kind.text;
  to.severity = kind.stats.severity;
  to.count = kind.count;
  compare(to, kind);
  to.score = score_of(to.severity, to.novelty, to.count);
  if (const auto window = window_s()) {
    const double per_hour = static_cast<double>(kind.count) * 3600 / static_cast<double>(*window);
    to.rate_per_hour = rounded(per_hour);
  }
  to.example = shortened(rules.redact(kind.stats.example), options.example_bytes);
  to.example_lines = kind.stats.example_lines;
  occurrences all;
  for (const auto& [number, where] : kind.stats.sources) {
    to.sources.push_back({sources[number].info.name, where.count, where.first_line, where.last_line,
                          stamp(where.first), stamp(where.last)});
    add_up(all, where);
  }
  to.first_seen = stamp(all.first);
  to.last_seen = stamp(all.last);
  std::stable_sort(to.sources.begin(), to.sources.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
  if (to.sources.size() > max_sources_per_finding) to.sources.resize(max_sources_per_finding);
  return to;
}

triage_limits log_triage::state::limits_met() const {
  triage_limits made;
  made.lines = options.max_lines;
  made.bytes = options.max_bytes;
  made.sources = static_cast<std::int64_t>(options.max_sources);
  made.templates = static_cast<std::int64_t>(options.max_templates);
  if (met_lines) made.met.emplace_back("lines");
  if (met_bytes) made.met.emplace_back("bytes");
  if (truncated) made.met.emplace_back("sources");
  if (miner.overflowed() > 0) made.met.emplace_back("templates");
  return made;
}

/// What the baseline had and nobody says any more: the worst first, then the most frequent.
std::vector<triage_template> log_triage::state::missing_of(
    const std::set<std::string>& seen) const {
  std::vector<triage_template> made;
  for (const auto& [id, one] : by_id) {
    if (!seen.contains(id)) made.push_back(*one);
  }
  std::sort(made.begin(), made.end(), [](const auto& a, const auto& b) {
    return std::tuple(-static_cast<int>(a.severity), -a.count, a.id) <
           std::tuple(-static_cast<int>(b.severity), -b.count, b.id);
  });
  return made;
}

triage_report log_triage::finish() {
  auto& s = *state_;
  for (std::size_t i = 0; i < s.sources.size(); ++i) s.close(i);
  triage_report report;
  report.made_at = {s.options.now};
  if (s.options.since) report.since = domain::timestamp{*s.options.since};
  report.window_s = s.window_s();
  if (s.baseline) report.baseline_run = s.baseline->run;
  report.truncated = s.truncated;
  std::set<std::string> seen_before;  // ids of the baseline
  for (const auto& [id, kind] : s.kinds()) {
    report.findings.push_back(s.finding(id, kind));
    const auto& made = report.findings.back();
    report.templates.push_back({id, kind.text, made.severity, kind.count});
    if (made.novelty == triage_novelty::fresh) ++s.totals.new_templates;
    if (made.novelty == triage_novelty::more_frequent) ++s.totals.more_frequent_templates;
    if (made.baseline_count) seen_before.insert(s.in_baseline(id) ? id : kind.planted_id);
  }
  s.totals.templates = static_cast<std::int64_t>(report.templates.size());
  s.totals.overflowed_records = s.miner.overflowed();
  report.missing = s.missing_of(seen_before);
  s.totals.missing_templates = static_cast<std::int64_t>(report.missing.size());
  if (report.missing.size() > max_missing) report.missing.resize(max_missing);
  report.limits = s.limits_met();
  std::sort(report.findings.begin(), report.findings.end(), ranks_before);
  if (report.findings.size() > s.options.max_findings) {
    report.findings.resize(s.options.max_findings);
  }
  for (std::size_t i = 0; i < report.findings.size(); ++i) {
    report.findings[i].rank = static_cast<std::int64_t>(i) + 1;
  }
  report.totals = s.totals;
  for (const auto& source : s.sources) {
    report.truncated = report.truncated || source.info.truncated;
    report.sources.push_back(source.info);
  }
  report.truncated = report.truncated || s.totals.overflowed_records > 0;
  return report;
}

}  // namespace reeve::tasks
