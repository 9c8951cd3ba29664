#pragma once
// Replaces what varies in a log line by a placeholder, in one pass by hand: regular expressions
// for every kind would cost more than all the rest of the triage, and std::regex may not end.
//
//   <time>  dates and times of day        <uuid>  8-4-4-4-12 hexadecimal digits
//           (log_mask_time.hpp)           <mac>   six pairs of hexadecimal digits
//   <ip>    IPv4 and IPv6 addresses       <day>   a day of the week that belongs to no date
//   <duration>  "17ms", "1.5 s", "2 hours", "1m30s"       <size>  "12 KB", "1.5MiB", "844 bytes"
//           A number with its unit, so that "950ms" and "1.2 s" are the same message; the
//           same size once more in parentheses ("1024 bytes (1.00 KB)") is left out.
//   <hex>   0x… and runs of at least 6 hexadecimal digits with at least one decimal digit
//           (so "facade" stays a word)
//   <id>    letters and digits mixed with at least 3 changes between them ("x2x4z"): names that a
//           machine made; "sha256" and "utf8mb4" are not, or nearly not
//   <num>   any other run of digits, with sign, fraction and exponent. Other units stay
//           ("<num>%"), and so do the letters before it ("worker<num>"): they say what is counted.
//
// Paths are not masked as a whole: their fixed parts say which subsystem speaks, and the varying
// parts are numbers or ids. Quoted strings are not masked either: structured logs quote the very
// message. What still varies is found by the miner, which compares whole words.

#include <string>
#include <string_view>

namespace reeve::tasks {

/// `line` is valid UTF-8 (see clean_line). Never longer than eight times the line; what is masked
/// already stays as it is.
std::string mask_variables(std::string_view line);
/// The same, appended to what is there.
void mask_variables(std::string_view line, std::string& out);

}  // namespace reeve::tasks
