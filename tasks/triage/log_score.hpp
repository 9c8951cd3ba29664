#pragma once
// The score of a finding; its formula and the reasons are in log_triage.hpp.

#include "tasks/triage/log_triage.hpp"

#include <cstdint>
#include <optional>

namespace reeve::tasks {

/// Rounded to two decimals, so that reports of equal input are equal bytes.
triage_score score_of(log_severity severity, triage_novelty novelty, std::int64_t count);

/// Whether `count` is significantly more than `expected`.
bool is_more_frequent(std::int64_t count, double expected);

/// Best first: score, severity, count, then the id, so that no tie is left to chance.
bool ranks_before(const triage_finding& a, const triage_finding& b);

/// The count of records of that severity.
std::int64_t& severity_total(triage_totals& totals, log_severity severity);

}  // namespace reeve::tasks
