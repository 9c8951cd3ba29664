#include "api/http_guard.hpp"

#include <array>
#include <charconv>
#include <cstring>

namespace reeve::api {
namespace {

// One bit per class a byte may belong to.
constexpr std::uint8_t token_bit = 1;   // tchar
constexpr std::uint8_t value_bit = 2;   // HTAB, SP, VCHAR and obs-text
constexpr std::uint8_t target_bit = 4;  // visible ASCII without # " < >
constexpr std::uint8_t host_bit = 8;

constexpr bool alphanumeric(int c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

constexpr std::array<std::uint8_t, 256> classes_of_bytes = [] {
  constexpr std::string_view token_marks = "!#$%&'*+-.^_`|~";
  constexpr std::string_view host_marks = "-._~:[]%";
  constexpr std::string_view not_in_target = "#\"<>";
  std::array<std::uint8_t, 256> table{};
  for (int c = 0; c < 256; ++c) {
    const char as_char = static_cast<char>(c);
    unsigned bits = 0;
    if (alphanumeric(c) || token_marks.find(as_char) != token_marks.npos) bits |= token_bit;
    if (alphanumeric(c) || host_marks.find(as_char) != host_marks.npos) bits |= host_bit;
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) bits |= value_bit;
    const bool visible = c > 0x20 && c < 0x7f;
    if (visible && not_in_target.find(as_char) == not_in_target.npos) bits |= target_bit;
    table[static_cast<std::size_t>(c)] = static_cast<std::uint8_t>(bits);
  }
  return table;
}();

bool all_of_class(std::string_view text, std::uint8_t bit) {
  for (const char c : text) {
    if (!(classes_of_bytes[static_cast<unsigned char>(c)] & bit)) return false;
  }
  return true;
}

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

rejection bad(const char* detail) {
  return reject(errc::bad_request, detail);
}

/// Takes the next line, without its CRLF; a lone CR or LF is left inside for the checks of
/// characters, which refuse both.
std::string_view next_line(std::string_view& rest) {
  const std::size_t end = rest.find("\r\n");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 2);
  return line;
}

std::optional<rejection> read_request_line(std::string_view line, request_head& out) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == line.npos || first == last) return bad("the request line is malformed");
  out.method = line.substr(0, first);
  out.target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(out.method) || out.method.size() > 32) return bad("the method is malformed");
  if (version == "HTTP/1.1") {
    out.minor = 1;
  } else if (version == "HTTP/1.0") {
    out.minor = 0;
  } else {
    return bad("the protocol version is not supported");
  }
  if (out.target.size() > max_target_bytes) {
    return reject(errc::uri_too_long, "the request target is longer than 8 KiB");
  }
  if (!all_of_class(out.target, target_bit)) return bad("the request target is malformed");
  const bool asterisk = out.target == "*" && out.method == "OPTIONS";
  if (!asterisk && !out.target.starts_with('/')) {
    return bad("the request target must start with a slash");
  }
  return std::nullopt;
}

std::optional<rejection> read_fields(std::string_view rest, request_head& out) {
  for (;;) {
    const std::string_view line = next_line(rest);
    if (line.empty()) break;
    if (line.front() == ' ' || line.front() == '\t') return bad("a header field is folded");
    const std::size_t colon = line.find(':');
    if (colon == line.npos) return bad("a header field has no colon");
    const head_field field{line.substr(0, colon), trim(line.substr(colon + 1))};
    if (!is_token(field.name)) return bad("the name of a header field is malformed");
    if (!all_of_class(field.value, value_bit)) {
      return bad("a header field has a control character");
    }
    if (out.fields.size() == max_head_fields) {
      return reject(errc::headers_too_large, "there are more than 100 header fields");
    }
    out.fields.push_back(field);
  }
  return rest.empty() ? std::nullopt : std::optional(bad("the head has bytes behind its end"));
}

std::optional<rejection> read_length(std::string_view digits, request_head& out) {
  std::uint64_t length = 0;
  const char* end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, length);
  const bool sound = error == std::errc{} && at == end && length <= INT64_MAX;
  if (!sound) return bad("Content-Length is not one number");
  out.content_length = length;
  return std::nullopt;
}

/// Fields that may stand only once, because two would be read in two ways.
enum single {
  host,
  content_length,
  transfer_encoding,
  authorization,
  content_type,
  expect,
  idempotency_key,
  min_position,
  last_event_id,
  singles
};
constexpr std::array<std::string_view, singles> single_names = {
    "host",   "content-length",  "transfer-encoding",  "authorization", "content-type",
    "expect", "idempotency-key", "reeve-min-position", "last-event-id"};

std::optional<rejection> take_single(std::size_t which, std::string_view value, request_head& out) {
  switch (which) {
    case host:
      if (value.size() > 300 || !all_of_class(value, host_bit)) return bad("Host is malformed");
      return std::nullopt;
    case content_length:
      return read_length(value, out);
    case transfer_encoding:
      if (!equals_lower(value, "chunked")) return bad("Transfer-Encoding is not chunked");
      out.chunked = true;
      return std::nullopt;
    case expect:
      out.expects_continue = out.minor == 1 && equals_lower(value, "100-continue");
      out.unknown_expectation = out.minor == 1 && !out.expects_continue;
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

std::optional<rejection> read_meaning(request_head& out) {
  std::array<bool, singles> seen{};
  bool close = false;
  for (const head_field& field : out.fields) {
    if (equals_lower(field.name, "connection") && list_has(field.value, "close")) close = true;
    for (std::size_t i = 0; i < singles; ++i) {
      if (!equals_lower(field.name, single_names[i])) continue;
      if (seen[i]) return bad("a header field stands twice that may stand once");
      seen[i] = true;
      if (auto refused = take_single(i, field.value, out)) return refused;
    }
  }
  if (out.minor == 1 && !seen[host]) return bad("Host is missing");
  if (out.chunked && out.minor == 0) return bad("HTTP/1.0 has no Transfer-Encoding");
  if (out.chunked && seen[content_length]) {
    return bad("Transfer-Encoding and Content-Length stand together");
  }
  out.keep_alive = out.minor == 1 && !close;
  return std::nullopt;
}

}  // namespace

bool equals_lower(std::string_view text, std::string_view lower_text) {
  if (text.size() != lower_text.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (lower(text[i]) != lower_text[i]) return false;
  }
  return true;
}

bool list_has(std::string_view list, std::string_view lower_token) {
  for (;;) {
    const std::size_t comma = list.find(',');
    if (equals_lower(trim(list.substr(0, comma)), lower_token)) return true;
    if (comma == list.npos) return false;
    list.remove_prefix(comma + 1);
  }
}

bool is_token(std::string_view text) {
  return !text.empty() && all_of_class(text, token_bit);
}

std::string_view request_head::field(std::string_view lower_name) const {
  for (const head_field& one : fields) {
    if (equals_lower(one.name, lower_name)) return one.value;
  }
  return {};
}

std::optional<std::string> request_head::list(std::string_view lower_name) const {
  std::optional<std::string> joined;
  for (const head_field& one : fields) {
    if (!equals_lower(one.name, lower_name)) continue;
    joined = joined ? *joined + ", " + std::string(one.value) : std::string(one.value);
  }
  return joined;
}

head_end find_head_end(std::string_view text, std::size_t from) {
  for (;;) {
    const std::size_t feed = text.find('\n', from);
    if (feed == text.npos) return {head_end::state::incomplete, 0, text.size()};
    if (feed == 0 || text[feed - 1] != '\r') return {head_end::state::malformed, 0, 0};
    const bool empty_line = feed == 1 || (feed >= 3 && text[feed - 2] == '\n');
    if (empty_line) return {head_end::state::complete, feed + 1, 0};
    from = feed + 1;
  }
}

rejection overlong_head(std::string_view text) {
  request_head ignored;
  if (auto refused = check_head(text, ignored)) {
    if (text.find("\r\n") != text.npos) return *refused;
  }
  return reject(errc::uri_too_long, "the request target is longer than 8 KiB");
}

std::optional<rejection> check_head(std::string_view head, request_head& out) {
  out.fields.clear();
  out.chunked = out.expects_continue = out.unknown_expectation = false;
  out.content_length.reset();
  out.keep_alive = true;
  // The line is looked at first: a target that is too long is told as such, however long the head.
  std::string_view rest = head;
  if (auto refused = read_request_line(next_line(rest), out)) return refused;
  if (head.size() > max_head_bytes) {
    return reject(errc::headers_too_large, "the head is larger than 16 KiB");
  }
  if (!head.ends_with("\r\n\r\n")) return bad("the head does not end with an empty line");
  if (auto refused = read_fields(rest, out)) return refused;
  return read_meaning(out);
}

}  // namespace reeve::api
