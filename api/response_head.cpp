#include "api/response_head.hpp"

#include "api/http_guard.hpp"
#include "api/problem.hpp"

#include <array>
#include <charconv>
#include <ctime>

namespace reeve::api {
namespace {

void append_number(std::string& out, std::int64_t number) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

void append_two(std::string& out, int number) {
  out.push_back(static_cast<char>('0' + number / 10));
  out.push_back(static_cast<char>('0' + number % 10));
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

/// How the client finds the end of the body.
void append_framing(std::string& out, const response& answer, const head_context& about) {
  if (answer.status == 204 || answer.status == 304) return;
  if (answer.stream && !answer.stream_bytes) {
    if (about.chunked) out.append("Transfer-Encoding: chunked\r\n");
    return;
  }
  const auto bytes = answer.stream
                         ? *answer.stream_bytes
                         : static_cast<std::int64_t>(answer.body ? answer.body->size() : 0);
  out.append("Content-Length: ");
  append_number(out, bytes);
  out.append("\r\n");
}

}  // namespace

void append_head(std::string& out, const response& answer, const head_context& about) {
  out.append("HTTP/1.1 ");
  append_number(out, answer.status);
  out.append(" ").append(reason_of(answer.status));
  out.append("\r\nDate: ").append(about.date).append("\r\n");
  if (answer.body || answer.stream) append_field(out, "Content-Type", answer.content_type);
  append_framing(out, answer, about);
  if (!about.keep_alive) out.append("Connection: close\r\n");
  if (!about.request_id.empty()) append_field(out, "X-Request-Id", about.request_id);
  if (!about.traceresponse.empty()) append_field(out, "traceresponse", about.traceresponse);
  bool has_etag = false;
  bool has_cache_control = false;
  for (const auto& [name, value] : answer.headers) {
    has_etag = has_etag || equals_lower(name, "etag");
    has_cache_control = has_cache_control || equals_lower(name, "cache-control");
    append_field(out, name, value);
  }
  if (!has_cache_control) {
    append_field(out, "Cache-Control", has_etag ? "private, no-cache" : "no-store");
  }
  out.append("X-Content-Type-Options: nosniff\r\n\r\n");
}

std::string http_date(std::int64_t unix_seconds) {
  constexpr std::string_view days = "SunMonTueWedThuFriSat";
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const auto at = static_cast<std::time_t>(unix_seconds);
  std::tm utc{};
  gmtime_r(&at, &utc);
  std::string out;
  out.append(days.substr(static_cast<std::size_t>(utc.tm_wday) * 3, 3)).append(", ");
  append_two(out, utc.tm_mday);
  out.append(" ").append(months.substr(static_cast<std::size_t>(utc.tm_mon) * 3, 3)).append(" ");
  append_number(out, utc.tm_year + 1900);
  out.append(" ");
  append_two(out, utc.tm_hour);
  out.append(":");
  append_two(out, utc.tm_min);
  out.append(":");
  append_two(out, utc.tm_sec);
  out.append(" GMT");
  return out;
}

}  // namespace reeve::api
