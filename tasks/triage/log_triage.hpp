#pragma once
// The triage of logs: lines of many sources in, a ranked report out. Pure: the caller reads the
// logs, says what time it is and keeps the report.
//
// The score of a finding is 0..100, the sum of three parts:
//   severity  0..50  fatal 50, error 40, warning 25, unknown 10, notice 8, info 5, debug 1. An
//                    unknown line ranks above a notice: nobody has said that it is harmless.
//   novelty   0..30  new 30, more frequent 15, known 0; times 1 for warnings and worse, 0.6 for
//                    unknown, 0.4 below: that a service says something new in passing is weak news.
//                    A new warning (55) so ranks above a known error (40): somebody has seen that.
//   frequency 0..20  20 * log2(1 + count) / 20, at most 20, times severity / 50. Logarithmic, since
//                    ten times as many lines are not ten times as important; weighted, since a
//                    frequent harmless line is noise and a frequent error an outage.
// The first run has nothing to compare with: no finding gets novelty points.
//
// "more_frequent": at least 5 records, at least twice what the last successful run lets expect for
// as long a window (by share of records if a window is unknown), and more than 3 standard
// deviations of a Poisson count above it.

#include "base/redact.hpp"
#include "domain/fields.hpp"
#include "tasks/triage/log_severity.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace reeve::tasks {

enum class triage_novelty { no_baseline, fresh, known, more_frequent };
enum class log_source_kind { container, file };
/// Where the caller can tell them apart; each is redacted and folded by itself.
enum class log_channel { out, err };

}  // namespace reeve::tasks

template <>
struct reeve::domain::enum_names<reeve::tasks::triage_novelty> {
  static constexpr std::array<std::string_view, 4> names{"no_baseline", "new", "known",
                                                         "more_frequent"};
};

template <>
struct reeve::domain::enum_names<reeve::tasks::log_source_kind> {
  static constexpr std::array<std::string_view, 2> names{"container", "file"};
};

namespace reeve::tasks {

using domain::field;

struct triage_source {
  std::string name;
  log_source_kind kind = log_source_kind::container;
  std::int64_t lines = 0;
  std::int64_t bytes = 0;
  std::int64_t older_lines = 0;  // left out: before `since`
  // Kept though it is not known whether they lie before `since`. Optional, as reports of
  // earlier versions do not say it.
  std::optional<std::int64_t> undated_lines = 0;
  std::int64_t skipped_lines = 0;  // left out: a limit was reached
  bool truncated = false;
  std::optional<std::string> problem;  // why it could not be read (to its end)
  static constexpr auto fields() {
    return std::tuple{field("name", &triage_source::name),
                      field("kind", &triage_source::kind),
                      field("lines", &triage_source::lines),
                      field("bytes", &triage_source::bytes),
                      field("older_lines", &triage_source::older_lines),
                      field("undated_lines", &triage_source::undated_lines),
                      field("skipped_lines", &triage_source::skipped_lines),
                      field("truncated", &triage_source::truncated),
                      field("problem", &triage_source::problem)};
  }
};

struct triage_score {
  double total = 0;
  double severity = 0;
  double novelty = 0;
  double frequency = 0;
  static constexpr auto fields() {
    return std::tuple{
        field("total", &triage_score::total), field("severity", &triage_score::severity),
        field("novelty", &triage_score::novelty), field("frequency", &triage_score::frequency)};
  }
};

/// Where the records of a finding are. Lines are counted from 1 on among those that were read of
/// the source, older ones included: in a file whose beginning was not left out, its own.
struct triage_source_count {
  std::string source;
  std::int64_t count = 0;
  std::int64_t first_line = 0;
  std::int64_t last_line = 0;
  std::optional<domain::timestamp> first_seen;
  std::optional<domain::timestamp> last_seen;
  static constexpr auto fields() {
    return std::tuple{field("source", &triage_source_count::source),
                      field("count", &triage_source_count::count),
                      field("first_line", &triage_source_count::first_line),
                      field("last_line", &triage_source_count::last_line),
                      field("first_seen", &triage_source_count::first_seen),
                      field("last_seen", &triage_source_count::last_seen)};
  }
};

struct triage_finding {
  std::int64_t rank = 0;  // from 1
  std::string id;         // template_id of the text, the same in every run
  std::string text;       // severity and masked words
  log_severity severity = log_severity::unknown;
  triage_novelty novelty = triage_novelty::no_baseline;
  triage_score score;
  std::int64_t count = 0;
  std::optional<double> rate_per_hour;
  std::optional<std::int64_t> baseline_count;
  // Times as often as the baseline lets expect (see "more_frequent"); with two decimals.
  std::optional<double> rate_change;
  std::optional<domain::timestamp> first_seen;
  std::optional<domain::timestamp> last_seen;
  std::string example;                       // redacted, at most 300 bytes
  std::int64_t example_lines = 1;            // with the stack trace behind it
  std::vector<triage_source_count> sources;  // most frequent first, at most 20
  static constexpr auto fields() {
    return std::tuple{field("rank", &triage_finding::rank),
                      field("id", &triage_finding::id),
                      field("template", &triage_finding::text),
                      field("severity", &triage_finding::severity),
                      field("novelty", &triage_finding::novelty),
                      field("score", &triage_finding::score),
                      field("count", &triage_finding::count),
                      field("rate_per_hour", &triage_finding::rate_per_hour),
                      field("baseline_count", &triage_finding::baseline_count),
                      field("rate_change", &triage_finding::rate_change),
                      field("first_seen", &triage_finding::first_seen),
                      field("last_seen", &triage_finding::last_seen),
                      field("example", &triage_finding::example),
                      field("example_lines", &triage_finding::example_lines),
                      field("sources", &triage_finding::sources)};
  }
};

/// Every template that took a line: what the next run compares with.
struct triage_template {
  std::string id;
  std::string text;
  log_severity severity = log_severity::unknown;
  std::int64_t count = 0;
  static constexpr auto fields() {
    return std::tuple{field("id", &triage_template::id), field("template", &triage_template::text),
                      field("severity", &triage_template::severity),
                      field("count", &triage_template::count)};
  }
};

struct triage_totals {
  std::int64_t lines = 0;
  std::int64_t bytes = 0;
  std::int64_t records = 0;  // lines after stack traces were folded
  std::int64_t templates = 0;
  std::int64_t new_templates = 0;
  std::int64_t more_frequent_templates = 0;
  std::int64_t missing_templates = 0;   // of the baseline, not seen now
  std::int64_t overflowed_records = 0;  // counted under "<other>": too many kinds of lines
  std::int64_t fatal = 0;               // records by severity
  std::int64_t error = 0;
  std::int64_t warning = 0;
  std::int64_t notice = 0;
  std::int64_t info = 0;
  std::int64_t debug = 0;
  std::int64_t unknown = 0;
  static constexpr auto fields() {
    return std::tuple{field("lines", &triage_totals::lines),
                      field("bytes", &triage_totals::bytes),
                      field("records", &triage_totals::records),
                      field("templates", &triage_totals::templates),
                      field("new_templates", &triage_totals::new_templates),
                      field("more_frequent_templates", &triage_totals::more_frequent_templates),
                      field("missing_templates", &triage_totals::missing_templates),
                      field("overflowed_records", &triage_totals::overflowed_records),
                      field("fatal", &triage_totals::fatal),
                      field("error", &triage_totals::error),
                      field("warning", &triage_totals::warning),
                      field("notice", &triage_totals::notice),
                      field("info", &triage_totals::info),
                      field("debug", &triage_totals::debug),
                      field("unknown", &triage_totals::unknown)};
  }
};

/// What a triage takes at most, and which of it was met: "lines", "bytes", "sources", "templates".
struct triage_limits {
  std::int64_t lines = 0;
  std::int64_t bytes = 0;
  std::int64_t sources = 0;
  std::int64_t templates = 0;
  std::vector<std::string> met;
  static constexpr auto fields() {
    return std::tuple{field("lines", &triage_limits::lines), field("bytes", &triage_limits::bytes),
                      field("sources", &triage_limits::sources),
                      field("templates", &triage_limits::templates),
                      field("met", &triage_limits::met)};
  }
};

/// 2: templates have <duration>, <size> and <day>. Those of another format are not compared.
inline constexpr std::int64_t triage_format = 2;

/// The JSON artifact. With 2,000 templates and 200 findings in 20 sources each it has about 50,000
/// JSON values and up to 4 MB: whoever reads it back raises the limits of the parser accordingly.
struct triage_report {
  std::int64_t format = triage_format;
  domain::timestamp made_at;
  std::optional<domain::timestamp> since;
  std::optional<std::int64_t> window_s;     // since, or the first time seen, until made_at
  std::optional<std::string> baseline_run;  // the last successful run
  bool truncated = false;                   // some limit was reached somewhere
  triage_limits limits;
  triage_totals totals;
  std::vector<triage_source> sources;
  std::vector<triage_finding> findings;    // best score first, at most 200
  std::vector<triage_template> missing;    // of the baseline and not seen now, worst first; 50
  std::vector<triage_template> templates;  // by id
  static constexpr auto fields() {
    return std::tuple{field("format", &triage_report::format),
                      field("made_at", &triage_report::made_at),
                      field("since", &triage_report::since),
                      field("window_s", &triage_report::window_s),
                      field("baseline_run", &triage_report::baseline_run),
                      field("truncated", &triage_report::truncated),
                      field("limits", &triage_report::limits),
                      field("totals", &triage_report::totals),
                      field("sources", &triage_report::sources),
                      field("findings", &triage_report::findings),
                      field("missing", &triage_report::missing),
                      field("templates", &triage_report::templates)};
  }
};

/// What the last successful run of the same directive saw.
struct triage_baseline {
  std::string run;
  std::optional<std::int64_t> window_s;
  std::int64_t records = 0;
  std::vector<triage_template> templates;
};
triage_baseline baseline_of(const triage_report& report, std::string run);

struct triage_options {
  time_us now = 0;
  /// Seconds that a local time (as if it were UTC) is ahead of UTC, for lines that do not say their
  /// zone; none is UTC. Such a line is left out as older than `since` only if it would be in every
  /// zone: nobody knows on which machine it was written.
  std::function<std::int64_t(time_us local)> local_offset_s = nullptr;
  std::optional<time_us> since;
  std::int64_t max_lines = 10'000'000;
  std::int64_t max_bytes = std::int64_t{4} << 30;
  std::size_t max_sources = 256;
  std::size_t max_templates = 2000;
  std::size_t max_findings = 200;
  std::size_t example_bytes = 300;
  std::size_t line_bytes = 4096;  // a longer line is cut; JSON is read up to 64 KiB before it is
};

class log_triage {
 public:
  /// Everything goes through `rules` first, pattern redaction included, whatever they say: the
  /// report is an artifact, not a job's log.
  log_triage(triage_options options, redactor rules, std::optional<triage_baseline> baseline);
  ~log_triage();
  log_triage(log_triage&&) noexcept;
  log_triage& operator=(log_triage&&) noexcept;

  /// The number of the source, for the calls below; nothing if there are too many.
  std::optional<std::size_t> open(std::string name, log_source_kind kind);
  /// One line without its newline, any bytes. Without `at` its own time counts. Of lines without
  /// one those that belong to the record of an older line are left out with it, others never are.
  /// False once a limit is reached: the caller may stop reading, further lines are only counted.
  bool add(std::size_t source, std::string_view line, std::optional<time_us> at = std::nullopt,
           log_channel channel = log_channel::out);
  /// The source ended, was cut (`truncated`), or could not be read.
  void close(std::size_t source, bool truncated = false,
             std::optional<std::string> problem = std::nullopt);
  /// Closes what is open and makes the report. Call it once.
  triage_report finish();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace reeve::tasks
