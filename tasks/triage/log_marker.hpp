#pragma once
// Whether a word that would make a line an error or a warning says so where it stands.

#include "tasks/triage/log_severity.hpp"

#include <cstddef>
#include <string_view>

namespace reeve::tasks {

/// A word that says how bad a line is; in lower case.
struct severity_marker {
  std::string_view text;
  log_severity severity;
};

/// Whether `line` has the text at `at`, in any case.
bool marker_stands_at(std::string_view line, std::size_t at, std::string_view lower_text);

/// False for a marker, which stands at `at`, that is a piece of a name (thiserror, errors.py,
/// /api/errors, error_user) and for one that counts nothing or is said not to be (0 errors,
/// error_count=0, "errors": [], Error rate: 0.00%, no failure). True where it is a word, the end of
/// an exception's name (RuntimeError, errors.NotFound), what a name says (auth_failed,
/// foo-error: text) or a count that is none of 0 (io_errors=3). Looks at most at so many bytes
/// around it as a few words have.
bool marker_counts(std::string_view line, std::size_t at, const severity_marker& marker);

}  // namespace reeve::tasks
