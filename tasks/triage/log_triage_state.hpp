#pragma once
// What a triage knows while it reads; private to log_triage.cpp, which fills it, and to
// log_triage_report.cpp, which makes the report of it.

#include "tasks/triage/log_occurrences.hpp"
#include "tasks/triage/log_reader.hpp"
#include "tasks/triage/log_record.hpp"
#include "tasks/triage/log_since.hpp"
#include "tasks/triage/log_template.hpp"
#include "tasks/triage/log_triage.hpp"

#include <array>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace reeve::tasks {

/// Templates are kept in the report and planted in the next run; so long a text tells lines apart.
inline constexpr std::size_t template_line_bytes = 512;

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
  // Lines of one channel that wait to be redacted together, which costs less than one by one. A
  // line of another channel lets them go first, so that records come in the order of their lines.
  std::string block;
  std::size_t block_source = 0;
  channel* block_channel = nullptr;
  std::vector<log_record> done;  // for its room

  channel& channel_of(source& of, log_channel which) const;
  void put(std::size_t number, channel& into, std::string_view line);
  void let_go();
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

}  // namespace reeve::tasks
