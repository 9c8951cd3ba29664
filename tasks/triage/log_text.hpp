#pragma once
// The bytes of a log line made fit to be kept: valid UTF-8, no control characters, no terminal
// colours, and of limited length.

#include "tasks/triage/log_time.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace reeve::tasks {

/// Escape sequences (colours, titles, the address behind a link's text) and other control
/// characters are dropped, a tab becomes a space except at the start (indentation is kept as
/// spaces), and bytes that are not UTF-8 become U+FFFD. The result has at most `max_bytes` and
/// never ends inside a character.
std::string clean_line(std::string_view bytes, std::size_t max_bytes);
/// The same in place of what is in `out`, whose room is used again.
void clean_line(std::string_view bytes, std::size_t max_bytes, std::string& out);

/// Printable ASCII throughout: clean as it is.
bool is_printable(std::string_view text);

/// Whether cleaning would drop something: colours, control characters, marks that nobody sees.
bool has_hidden(std::string_view text);

/// Without U+FEFF at its beginning: editors and PowerShell put it in front of a file's first line.
std::string_view without_byte_order_mark(std::string_view line);

/// At most `max_bytes`, cut between characters, with "…" if something was cut.
std::string shortened(std::string_view text, std::size_t max_bytes);

}  // namespace reeve::tasks
