#pragma once
// Where an output is shown from whose beginning the engine may have let go of: pure.
//
// What it begins with may be the rest of a secret whose beginning is lost, which nothing tells as
// one: the rest of a named value, of a key's lines. So a beginning of it is looked at and not
// shown. It is as long as the longest form of a named secret (8,192 bytes, each written in six),
// and a private key with a prefix before each line has no more; a longer value is no secret that
// anybody uses.

#include "domain/runs/line_streams.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace reeve::tasks {

/// So much is never shown; what follows up to the end of a line, of a word is not shown either, at
/// most up to `most_unshown_bytes`.
inline constexpr std::size_t least_unshown_bytes = 48 << 10;
inline constexpr std::size_t most_unshown_bytes = 64 << 10;

/// How much is not shown: of what was written, and of the same as it is redacted.
struct unshown {
  std::size_t written = 0;
  std::size_t redacted = 0;
};

/// `redacted`: of all of `written`, or of a beginning of it. `redacted_later`: where in it stands
/// what the redactor let out once it had seen `later` bytes; it held back less than `later` without
/// `most_unshown_bytes`. Where the cut falls into a line that something was hidden before it in,
/// the place is not known to the byte, and what is shown begins with the next line or there.
unshown unshown_of(std::string_view written, std::string_view redacted, std::size_t redacted_later,
                   std::size_t later);

/// What is left of an output behind a cut: as it was written, as it is redacted (the same lines, or
/// the first of them), and a mark for each line.
struct shown_rest {
  std::string written;
  std::string redacted;
  domain::line_marks lines;
};

/// `before`: what the cut left out, and its marks. Each stream has a beginning of its own: a line
/// that was begun in what is lost may end far behind what the other stream wrote meanwhile. So of
/// a stream of which less than `least_unshown_bytes` were left out further lines are, whole ones.
/// Without marks nothing is.
shown_rest without_beginnings(shown_rest rest, std::string_view before,
                              const domain::line_marks& lines_before);

}  // namespace reeve::tasks
