#pragma once
// Replaces what varies in a log line by a placeholder, in one pass by hand: regular expressions
// for every kind would cost more than all the rest of the triage, and std::regex may not end.
//
//   <time>  dates and times of day        <uuid>  8-4-4-4-12 hexadecimal digits
//   <ip>    IPv4 and IPv6 addresses       <mac>   six pairs of hexadecimal digits
//   <hex>   0x… and runs of at least 6 hexadecimal digits with at least one decimal digit
//           (so "facade" stays a word)
//   <id>    letters and digits mixed with at least 3 changes between them ("x2x4z"): names that a
//           machine made; "sha256" and "utf8mb4" are not, or nearly not
//   <num>   any other run of digits, with sign, fraction and exponent. A unit stays ("<num>ms"),
//           and so do the letters before it ("worker<num>"): they say what is counted.
//
// Paths are not masked as a whole: their fixed parts say which subsystem speaks, and the varying
// parts are numbers or ids. Quoted strings are not masked either: structured logs quote the very
// message. What still varies is found by the miner, which compares whole words.

#include <string>
#include <string_view>

namespace reeve::tasks {

/// `line` is valid UTF-8 (see clean_line). Never longer than five times the line.
std::string mask_variables(std::string_view line);

}  // namespace reeve::tasks
