#include "tasks/triage/log_triage.hpp"

#include "tasks/triage/log_occurrences.hpp"
#include "tasks/triage/log_reader.hpp"
#include "tasks/triage/log_record.hpp"
#include "tasks/triage/log_score.hpp"
#include "tasks/triage/log_since.hpp"
#include "tasks/triage/log_template.hpp"
#include "tasks/triage/log_text.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

namespace reeve::tasks {
namespace {

constexpr std::size_t max_sources_per_finding = 20;
/// Templates are kept in the report and planted in the next run; so long a text tells lines apart.
constexpr std::size_t template_line_bytes = 512;
constexpr std::int64_t min_window_s = 60;
constexpr std::size_t max_missing = 50;

struct template_stats {
  std::string example;
  std::int64_t example_lines = 1;
  log_severity severity = log_severity::unknown;
  std::map<std::size_t, occurrences> sources;
};

/// One kind of line in the report: several templates whose texts became equal are one.
struct kind_of_line {
  std::string text;
  std::string planted_id;
  std::int64_t count = 0;
  template_stats stats;
};

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

struct log_triage::state {
  struct line_place {
    std::optional<time_us> at;
    std::int64_t number = 0;
  };
  struct channel {
    redacting_stream redacted;
    record_reader reader;
    std::deque<line_place> places;  // of lines that the redaction holds back
    since_filter filter;
  };
  struct source {
    triage_source info;
    std::int64_t read = 0;  // lines, those included that were left out
    std::array<std::optional<channel>, 2> channels;
    bool closed = false;
  };

  state(triage_options o, redactor r, std::optional<triage_baseline> b)
      : options(o), rules(std::move(r)), baseline(std::move(b)), miner(limits_of(o)) {}

  static miner_limits limits_of(const triage_options& options) {
    miner_limits limits;
    limits.templates = options.max_templates;
    limits.line_bytes = template_line_bytes;
    return limits;
  }

  triage_options options;
  redactor rules;
  std::optional<triage_baseline> baseline;
  std::unordered_map<std::string, const triage_template*> by_id;  // of the baseline
  template_miner miner;
  std::vector<source> sources;
  std::vector<template_stats> stats;
  triage_totals totals;
  std::optional<time_us> earliest;
  bool truncated = false;
  bool met_lines = false;
  bool met_bytes = false;

  channel& channel_of(source& of, log_channel which) const;
  void take_redacted(std::size_t number, channel& from, std::string_view text);
  void take_record(std::size_t number, const log_record& record);
  void close(std::size_t number);
  std::map<std::string, kind_of_line> kinds() const;
  std::optional<std::int64_t> window_s() const;
  triage_finding finding(const std::string& id, const kind_of_line& kind) const;
  void compare(triage_finding& to, const kind_of_line& kind) const;
  triage_limits limits_met() const;
  std::vector<triage_template> missing_of(const std::set<std::string>& seen) const;
  const triage_template* in_baseline(const std::string& id) const;
};

log_triage::log_triage(triage_options options, redactor rules,
                       std::optional<triage_baseline> baseline)
    : state_(std::make_unique<state>(options, rules.with_patterns(), std::move(baseline))) {
  if (!state_->baseline) return;
  for (const auto& one : state_->baseline->templates) {
    state_->by_id.emplace(one.id, &one);
    state_->miner.plant(one.text, domain::name_of(one.severity));
  }
}
log_triage::~log_triage() = default;
log_triage::log_triage(log_triage&&) noexcept = default;
log_triage& log_triage::operator=(log_triage&&) noexcept = default;

std::optional<std::size_t> log_triage::open(std::string name, log_source_kind kind) {
  auto& s = *state_;
  if (s.sources.size() >= s.options.max_sources) {
    s.truncated = true;
    return std::nullopt;
  }
  triage_source info;
  info.name = clean_line(name, 256);
  info.kind = kind;
  s.sources.push_back({std::move(info), 0, {}, false});
  return s.sources.size() - 1;
}

log_triage::state::channel& log_triage::state::channel_of(source& of, log_channel which) const {
  auto& one = of.channels[static_cast<std::size_t>(which)];
  if (!one) {
    one.emplace(channel{
        redacting_stream(rules), record_reader(options.line_bytes), {}, since_filter(options)});
  }
  return *one;
}

bool log_triage::add(std::size_t number, std::string_view line, std::optional<time_us> at,
                     log_channel channel) {
  auto& s = *state_;
  auto& source = s.sources.at(number);
  const auto size = static_cast<std::int64_t>(line.size()) + 1;
  ++source.read;
  if (s.totals.lines >= s.options.max_lines || s.totals.bytes + size > s.options.max_bytes) {
    (s.totals.lines >= s.options.max_lines ? s.met_lines : s.met_bytes) = true;
    ++source.info.skipped_lines;
    source.info.truncated = true;
    return false;
  }
  if (line.ends_with('\r')) line.remove_suffix(1);
  auto& into = s.channel_of(source, channel);
  const auto dated = into.filter.look(line, at);
  if (dated.is == since_verdict::older) {
    ++source.info.older_lines;
    return true;
  }
  if (dated.is == since_verdict::undated) ++source.info.undated_lines;
  s.totals.lines += 1;
  s.totals.bytes += size;
  source.info.lines += 1;
  source.info.bytes += size;
  into.places.push_back({dated.at, source.read});
  // Redaction sees the line as it came, so that a cut can never split a secret's marker off; a
  // newline inside would count as another line.
  std::string bytes(line);
  std::replace(bytes.begin(), bytes.end(), '\n', ' ');
  bytes.push_back('\n');
  s.take_redacted(number, into, into.redacted.write(bytes));
  return true;
}

void log_triage::state::take_redacted(std::size_t number, channel& from, std::string_view text) {
  std::vector<log_record> done;
  while (!text.empty()) {
    // A very long line comes in parts; each counts as a line of the same time.
    const auto newline = text.find('\n');
    const auto line = text.substr(0, newline);
    text.remove_prefix(newline == text.npos ? text.size() : newline + 1);
    line_place place;
    if (!from.places.empty()) {
      place = from.places.front();
      if (newline != text.npos) from.places.pop_front();
    }
    from.reader.add(line, place.at, done, place.number);
    for (const auto& record : done) take_record(number, record);
    done.clear();
  }
}

void log_triage::state::take_record(std::size_t number, const log_record& record) {
  ++totals.records;
  ++severity_total(totals, record.severity);
  if (record.at && (!earliest || *record.at < *earliest)) earliest = record.at;
  const auto kind = miner.add(record.text, domain::name_of(record.severity));
  if (kind >= stats.size()) stats.resize(kind + 1);
  auto& one = stats[kind];
  if (one.sources.empty()) {
    one.example = record.example;
    one.example_lines = record.lines;
    one.severity = record.severity;
  }
  add_up(one.sources[number], {1, record.number, record.number, record.at, record.at});
}

void log_triage::state::close(std::size_t number) {
  auto& source = sources[number];
  if (source.closed) return;
  source.closed = true;
  for (auto& one : source.channels) {
    if (!one) continue;
    take_redacted(number, *one, one->redacted.finish());
    std::vector<log_record> done;
    one->reader.finish(done);
    for (const auto& record : done) take_record(number, record);
    one.reset();
  }
}

void log_triage::close(std::size_t number, bool truncated, std::optional<std::string> problem) {
  auto& info = state_->sources.at(number).info;
  info.truncated = info.truncated || truncated;
  if (problem) info.problem = clean_line(state_->rules.redact(*problem), 300);
  state_->close(number);
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
