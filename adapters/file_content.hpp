#pragma once
// What a file holds, told by its first bytes: compressed and other binary files have no lines.

#include <cstddef>
#include <string_view>

namespace reeve::adapters {

/// So many bytes of a file's beginning tell what it is.
inline constexpr std::size_t looked_at_bytes = 8192;

/// What the file is if it is no text: "compressed with gzip", "a journal of systemd", "binary", …;
/// empty if it is text, or may be. Known by the published signatures of the formats; binary is what
/// has zero bytes for more than a hundredth of it, or control characters that no log has for more
/// than a twentieth. Zeros before the first text are none of it: a log that was cut while its
/// writer went on begins so.
std::string_view what_is_no_text(std::string_view begin);

}  // namespace reeve::adapters
