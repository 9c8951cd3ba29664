#include "api/header_values.hpp"

#include "api/http_guard.hpp"

#include <algorithm>
#include <charconv>

namespace reeve::api {
namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool only(std::string_view text, std::string_view marks) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_alphanumeric(c) || marks.find(c) != marks.npos; });
}

bool lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool all_zero(std::string_view text) {
  return text.find_first_not_of('0') == text.npos;
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// What stands in quotes: an entity tag has no escapes (RFC 9110 section 8.8.3), in a parameter a
/// backslash takes the character behind it as it is (section 5.6.4).
enum class quotes { tag, parameter };

/// The next element of a list at this separator; `rest` loses it. One inside quotes separates
/// nothing: an entity tag may hold commas.
std::string_view next_of(std::string_view& rest, char separator, quotes kind = quotes::tag) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < rest.size() && (quoted || rest[end] != separator); ++end) {
    const bool escapes = kind == quotes::parameter && quoted && end + 1 < rest.size();
    if (escapes && rest[end] == '\\') {
      ++end;
    } else if (rest[end] == '"') {
      quoted = !quoted;
    }
  }
  const std::string_view item = without_blanks(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return item;
}

std::string_view opaque(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  return etag;
}

bool quoted_tag(std::string_view etag) {
  etag = opaque(etag);
  if (etag.size() < 2 || etag.front() != '"' || etag.back() != '"') return false;
  const std::string_view inner = etag.substr(1, etag.size() - 2);
  return std::all_of(inner.begin(), inner.end(),
                     [](char c) { return c > 0x20 && c < 0x7f && c != '"'; });
}

bool zero_weight(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view one = next_of(parameters, ';', quotes::parameter);
    if (one.size() < 3 || !equals_lower(one.substr(0, 2), "q=")) continue;
    return one.substr(2).find_first_not_of("0.") == one.npos;
  }
  return false;
}

/// How closely a range of Accept names a type: 3 itself, 2 its family, 1 any, 0 not at all.
int closeness(std::string_view range, std::string_view media_type) {
  if (equals_lower(range, media_type)) return 3;
  const std::string_view family = media_type.substr(0, media_type.find('/') + 1);
  const bool is_family = range.ends_with("/*") && range.size() == family.size() + 1 &&
                         equals_lower(range.substr(0, family.size()), family);
  if (is_family) return 2;
  return range == "*/*" ? 1 : 0;
}

}  // namespace

std::string_view bearer_token(std::string_view authorization) {
  constexpr std::size_t scheme = 7;
  if (authorization.size() <= scheme) return {};
  if (!equals_lower(authorization.substr(0, scheme), "bearer ")) return {};
  const std::string_view token = authorization.substr(scheme);
  const std::string_view bare = token.substr(0, token.find_last_not_of('=') + 1);
  if (bare.empty() || token.size() > 4096 || !only(bare, "-._~+/")) return {};
  return token;
}

std::optional<std::string_view> idempotency_key(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  if (value.empty() || value.size() > 128 || !only(value, "._:~-")) return std::nullopt;
  return value;
}

std::optional<std::string> traceparent_of(std::string_view value) {
  // 00-<32 hex>-<16 hex>-<2 hex>
  constexpr std::size_t common = 55;
  const bool later = !value.starts_with("00-");
  const bool goes_on = later && value.size() > common && value[common] == '-';
  if (value.size() < common || (value.size() > common && !goes_on)) return std::nullopt;
  const std::string_view version = value.substr(0, 2);
  if (!lower_hex(version) || version == "ff") return std::nullopt;
  if (value[2] != '-' || value[35] != '-' || value[52] != '-') return std::nullopt;
  const std::string_view trace = value.substr(3, 32);
  const std::string_view parent = value.substr(36, 16);
  const std::string_view flags = value.substr(53, 2);
  if (!lower_hex(trace) || !lower_hex(parent) || !lower_hex(flags)) return std::nullopt;
  if (all_zero(trace) || all_zero(parent)) return std::nullopt;
  return "00" + std::string(value.substr(2, common - 2));
}

std::string traceresponse_to(std::string_view traceparent, std::string_view request_id) {
  std::string out(traceparent.substr(0, 36));
  // 8-4-4-4-12: the last two groups.
  out.append(request_id.substr(19, 4)).append(request_id.substr(24, 12));
  return out.append(traceparent.substr(52, 3));
}

std::optional<std::int64_t> parse_position(std::string_view value) {
  std::int64_t position = 0;
  const char* end = value.data() + value.size();
  const auto [at, error] = std::from_chars(value.data(), end, position);
  if (error != std::errc{} || at != end || position < 0) return std::nullopt;
  return position;
}

bool valid_etag_list(std::string_view value) {
  if (value == "*") return true;
  if (value.empty() || value.size() > 1024) return false;
  bool has_tag = false;
  while (!value.empty()) {
    const std::string_view tag = next_of(value, ',');
    if (tag.empty()) continue;
    if (!quoted_tag(tag)) return false;
    has_tag = true;
  }
  return has_tag;
}

bool etag_listed(std::string_view list, std::string_view etag) {
  if (list == "*") return true;
  while (!list.empty()) {
    if (opaque(next_of(list, ',')) == opaque(etag)) return true;
  }
  return false;
}

bool etag_matches(std::string_view list, std::string_view etag) {
  if (list == "*") return true;
  if (!etag.starts_with('"')) return false;
  while (!list.empty()) {
    if (next_of(list, ',') == etag) return true;
  }
  return false;
}

bool is_identity(std::string_view codings) {
  while (!codings.empty()) {
    const auto one = next_of(codings, ',');
    if (!one.empty() && !equals_lower(one, "identity")) return false;
  }
  return true;
}

bool accepts(std::string_view accept, std::string_view media_type) {
  int closest = -1;  // of the ranges so far: there was none
  bool admits = true;
  while (!accept.empty()) {
    std::string_view item = next_of(accept, ',', quotes::parameter);
    if (item.empty()) continue;
    const int close = closeness(next_of(item, ';', quotes::parameter), media_type);
    if (close < closest) continue;
    const bool admitted_here = close > 0 && !zero_weight(item);
    admits = admitted_here || (close == closest && admits);
    closest = close;
  }
  return admits;
}

bool is_media_type(std::string_view content_type, std::string_view media_type) {
  std::string_view parameters = content_type;
  if (!equals_lower(next_of(parameters, ';', quotes::parameter), media_type)) return false;
  while (!parameters.empty()) {
    const std::string_view one = next_of(parameters, ';', quotes::parameter);
    if (one.size() < 8 || !equals_lower(one.substr(0, 8), "charset=")) continue;
    std::string_view charset = one.substr(8);
    if (charset.size() > 2 && charset.front() == '"' && charset.back() == '"') {
      charset = charset.substr(1, charset.size() - 2);
    }
    if (!equals_lower(charset, "utf-8")) return false;
  }
  return true;
}

bool safe_header(std::string_view name, std::string_view value) {
  if (!is_token(name)) return false;
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

}  // namespace reeve::api
