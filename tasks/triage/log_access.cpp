#include "tasks/triage/log_access.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace reeve::tasks {
namespace {

constexpr std::string_view methods[] = {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Three digits that stand alone at the start.
std::optional<log_severity> status_at(std::string_view text) {
  if (text.size() < 3 || !std::all_of(text.begin(), text.begin() + 3, is_digit))
    return std::nullopt;
  if (text.size() > 3 && text[3] != ' ' && text[3] != ',' && text[3] != '"') return std::nullopt;
  const auto found =
      severity_of_status((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'));
  if (found == log_severity::unknown) return std::nullopt;
  return found;
}

/// "10/0/30/69/109 200 2750": five times, of which some are "-1" or begin with a "+".
std::optional<log_severity> haproxy_status(std::string_view line) {
  for (std::size_t at = 0; at < line.size();) {
    const auto end = std::min(line.find(' ', at), line.size());
    const auto word = line.substr(at, end - at);
    at = end + 1;
    if (std::count(word.begin(), word.end(), '/') != 4) continue;
    const bool times = std::all_of(word.begin(), word.end(), [](char c) {
      return is_digit(c) || c == '/' || c == '-' || c == '+';
    });
    if (times && at < line.size()) return status_at(line.substr(at));
  }
  return std::nullopt;
}

/// "GET /users 500 12ms": a status with a time or nothing behind it. "GET /users 500 times" is
/// none.
std::optional<log_severity> method_status(std::string_view line) {
  auto slash = line.find('/');
  while (slash != line.npos && (slash == 0 || line[slash - 1] != ' '))
    slash = line.find('/', slash + 1);
  if (slash == line.npos) return std::nullopt;
  const auto before = line.substr(0, slash - 1);
  const auto method = before.substr(before.rfind(' ') + 1);  // npos + 1 is 0
  const auto is = [&](std::string_view one) { return method == one; };
  if (method.size() < 3 || std::none_of(std::begin(methods), std::end(methods), is))
    return std::nullopt;
  const auto space = line.find(' ', slash);
  if (space == line.npos) return std::nullopt;
  const auto status = line.substr(space + 1);
  const auto rest = status.substr(std::min<std::size_t>(status.size(), 3));
  const bool is_end = rest.empty() || rest == " ";
  const bool is_time = rest.size() > 1 && (is_digit(rest[1]) || rest[1] == '-');
  if (!is_end && !is_time && !rest.starts_with(" in ") && !rest.starts_with(" OK"))
    return std::nullopt;
  return status_at(status);
}

/// Where " HTTP/" stands first. Its letters are rare and spaces are not, so those are looked for.
std::size_t find_protocol(std::string_view line) {
  auto at = line.find("HTTP/");
  while (at != line.npos && (at == 0 || line[at - 1] != ' ')) at = line.find("HTTP/", at + 1);
  return at == line.npos ? at : at - 1;
}

}  // namespace

log_severity severity_of_status(int status) {
  if (status < 100 || status > 599) return log_severity::unknown;
  if (status >= 500) return log_severity::error;
  if (status == 401 || status == 403 || status == 429) return log_severity::warning;
  return status >= 400 ? log_severity::notice : log_severity::info;
}

std::optional<log_severity> severity_of_access(std::string_view line) {
  if (const auto gin = line.find("[GIN] "); gin != line.npos) {
    const auto bar = line.find("| ", gin);
    if (bar != line.npos) return status_at(line.substr(bar + 2));
  }
  const auto http = find_protocol(line);
  if (http == line.npos) return method_status(line);
  const auto quote = line.find('"', http);
  if (quote == line.npos || quote > http + 12) return std::nullopt;
  auto rest = line.substr(quote + 1);
  if (rest.starts_with(" status: ")) rest.remove_prefix(8);
  if (rest.starts_with(' ')) {
    if (const auto found = status_at(rest.substr(1))) return found;
  }
  return haproxy_status(line.substr(0, http));
}

}  // namespace reeve::tasks
