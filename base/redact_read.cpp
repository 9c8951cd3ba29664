// Where a value ends.
#include "base/redact_scan.hpp"
#include "base/redact_text.hpp"

#include <algorithm>

namespace reeve {
namespace {

constexpr sign_set double_stops("\"\\");
constexpr sign_set single_stops("'\\");
constexpr sign_set escaped_stops("\"'\\");
constexpr sign_set bare_stops(" \t\r\n\f\"'&<>;\x1b");
constexpr sign_set json_stops(" \t\r\n\f\"'&<>,}];\x1b");

/// The end of a value in double or single quotes, which may be unclosed.
std::size_t quoted_end(std::string_view line, std::size_t at, char quote) {
  const auto& stops = quote == '"' ? double_stops : single_stops;
  while (true) {
    at = stops.find(line, at);
    if (at == line.size() || line[at] == quote || at + 1 == line.size()) return at;
    at += 2;
  }
}

/// The end of a value in escaped quotes: the next quote, with the backslashes before it.
std::size_t escaped_end(std::string_view line, std::size_t at) {
  while (true) {
    at = escaped_stops.find(line, at);
    if (at == line.size() || line[at] != '\\') return at;
    const auto behind = line.find_first_not_of('\\', at);
    if (behind == line.npos || is_quote(line[behind])) return at;
    at = behind + 1;
  }
}

/// Behind ';' a further name and its '=' follow, as in connection strings.
bool setting_follows(std::string_view line, std::size_t at) {
  const auto next = line.substr(at + 1, 40);
  const auto end = next.find('=');
  return end != next.npos && end > 0 && end < next.size() && is_alpha(next[next[0] == ' ']) &&
         std::all_of(next.begin(), next.begin() + static_cast<std::ptrdiff_t>(end),
                     [](char c) { return is_key_char(c) || c == ' '; });
}

std::size_t bare_end(std::string_view line, std::size_t at, bool in_json) {
  const auto& stops = in_json ? json_stops : bare_stops;
  while (true) {
    at = stops.find(line, at);
    if (at == line.size() || line[at] != ';' || setting_follows(line, at)) return at;
    ++at;
  }
}

}  // namespace

read_value value_at(line_scan& scan, std::size_t at, bool in_json, std::string_view kind) {
  const auto line = scan.line;
  if (at >= line.size()) return {{line.size(), line.size(), kind, false}, false};
  if (is_quote(line[at])) return {{at + 1, quoted_end(line, at + 1, line[at]), kind, false}, true};
  if (line[at] == '\\') {
    const auto behind = line.find_first_not_of('\\', at);
    if (behind != line.npos && is_quote(line[behind])) {
      return {{behind + 1, escaped_end(line, behind + 1), kind, false}, true};
    }
  }
  auto& [from, end] = scan.bare_known[in_json ? 1 : 0];
  if (at < from || at >= end) {
    from = at;
    end = bare_end(line, at, in_json);
  }
  return {{at, end, kind, in_json && end > at}, false};
}

}  // namespace reeve
