#include "tasks/triage/log_score.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace reeve::tasks {
namespace {

double severity_points(log_severity severity) {
  switch (severity) {
    case log_severity::fatal:
      return 50;
    case log_severity::error:
      return 40;
    case log_severity::warning:
      return 25;
    case log_severity::unknown:
      return 10;
    case log_severity::notice:
      return 8;
    case log_severity::info:
      return 5;
    case log_severity::debug:
      return 1;
  }
  return 0;
}

double novelty_points(log_severity severity, triage_novelty novelty) {
  const double points = novelty == triage_novelty::fresh           ? 30
                        : novelty == triage_novelty::more_frequent ? 15
                                                                   : 0;
  if (severity >= log_severity::warning) return points;
  return points * (severity == log_severity::unknown ? 0.6 : 0.4);
}

double rounded(double value) {
  return std::round(value * 100) / 100;
}

}  // namespace

triage_score score_of(log_severity severity, triage_novelty novelty, std::int64_t count) {
  triage_score score;
  score.severity = severity_points(severity);
  score.novelty = rounded(novelty_points(severity, novelty));
  // 2^20 records, a million, are the most that counts.
  const double steps = std::min(20.0, std::log2(1.0 + static_cast<double>(count)));
  score.frequency = rounded(steps * score.severity / 50);
  score.total = rounded(score.severity + score.novelty + score.frequency);
  return score;
}

bool is_more_frequent(std::int64_t count, double expected) {
  const auto seen = static_cast<double>(count);
  return count >= 5 && seen >= 2 * expected && seen > expected + 3 * std::sqrt(expected);
}

bool ranks_before(const triage_finding& a, const triage_finding& b) {
  const auto key = [](const triage_finding& f) {
    return std::tuple(-f.score.total, -static_cast<int>(f.severity), -f.count);
  };
  const auto left = key(a);
  const auto right = key(b);
  return left != right ? left < right : a.id < b.id;
}

std::int64_t& severity_total(triage_totals& totals, log_severity severity) {
  switch (severity) {
    case log_severity::fatal:
      return totals.fatal;
    case log_severity::error:
      return totals.error;
    case log_severity::warning:
      return totals.warning;
    case log_severity::notice:
      return totals.notice;
    case log_severity::info:
      return totals.info;
    case log_severity::debug:
      return totals.debug;
    case log_severity::unknown:
      break;
  }
  return totals.unknown;
}

}  // namespace reeve::tasks
