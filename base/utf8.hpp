#pragma once
// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.

#include <cstddef>
#include <string>
#include <string_view>

namespace reeve {

struct utf8_sequence {
  std::size_t size;  // bytes taken, at least 1
  bool valid;
};

/// The sequence at the front of text that is not empty, or the maximal subpart of a bad one
/// (Unicode 15, section 3.9).
utf8_sequence first_sequence(std::string_view text);

/// Offset of the first byte that does not begin or continue a valid sequence; npos if there is
/// none.
std::size_t first_invalid_utf8(std::string_view text);

/// The longest prefix of at most `bytes` bytes that does not cut a sequence.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes);

/// Appends a JSON string with its quotes. Control characters are escaped. Each maximal subpart of
/// invalid UTF-8 (Unicode 15, section 3.9) and each NUL, which PostgreSQL cannot keep and
/// codec/json.hpp refuses, becomes U+FFFD: what is written can be read again.
void append_json_string(std::string& out, std::string_view text);

}  // namespace reeve
