#include "api/uri.hpp"

#include "base/utf8.hpp"

#include <algorithm>

namespace reeve::api {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// RFC 3986 section 3.3: what may stand in a path besides escapes.
bool path_char(char c) {
  constexpr std::string_view marks = "-._~!$&'()*+,;=:@/";
  return letter_or_digit(c) || marks.find(c) != marks.npos;
}

bool control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// The byte behind the escape at `at`, or -1.
int escaped(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size()) return -1;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool has_dot_segment(std::string_view path) {
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    if (segment == "." || segment == "..") return true;
    at = end + 1;
  }
  return false;
}

std::optional<std::string> decode_form(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int byte = escaped(text, i);
      if (byte <= 0) return std::nullopt;
      out.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  if (first_invalid_utf8(out) != std::string::npos) return std::nullopt;
  return out;
}

bool plain_name(std::string_view name) {
  const auto plain = [](char c) { return letter_or_digit(c) || c == '_' || c == '-' || c == '.'; };
  return !name.empty() && name.size() <= max_query_name_bytes &&
         std::all_of(name.begin(), name.end(), plain);
}

}  // namespace

split_target split(std::string_view target) {
  const std::size_t mark = target.find('?');
  if (mark == target.npos) return {target, {}};
  return {target.substr(0, mark), target.substr(mark + 1)};
}

outcome<std::string> decode_path(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c != '%') {
      if (!path_char(c)) return reject(errc::bad_request, "the path has a character to escape");
      out.push_back(c);
      continue;
    }
    const int byte = escaped(path, i);
    if (byte < 0) return reject(errc::bad_request, "the path has a malformed escape");
    const char decoded = static_cast<char>(byte);
    if (decoded == '/' || decoded == '\\' || control(decoded)) {
      return reject(errc::bad_request, "the path has an escape that is not allowed");
    }
    out.push_back(decoded);
    i += 2;
  }
  if (first_invalid_utf8(out) != std::string::npos) {
    return reject(errc::bad_request, "the path is not UTF-8");
  }
  if (has_dot_segment(out)) return reject(errc::bad_request, "the path has a dot segment");
  if (static_cast<std::size_t>(std::count(out.begin(), out.end(), '/')) > max_path_segments) {
    return reject(errc::bad_request, "the path has too many segments");
  }
  if (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

outcome<std::vector<std::pair<std::string, std::string>>> decode_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view item = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (item.empty()) continue;
    const std::size_t equals = std::min(item.find('='), item.size());
    auto name = decode_form(item.substr(0, equals));
    auto value = decode_form(item.substr(std::min(equals + 1, item.size())));
    if (!name || !value) return reject(errc::bad_request, "the query has a malformed escape");
    const auto same = [&](const auto& pair) { return pair.first == *name; };
    if (std::any_of(pairs.begin(), pairs.end(), same)) {
      return reject(errc::invalid, "the query parameter stands twice", query_pointer(*name));
    }
    if (pairs.size() == max_query_pairs) {
      return reject(errc::invalid, "there are more than 64 query parameters", "/query");
    }
    pairs.emplace_back(std::move(*name), std::move(*value));
  }
  return pairs;
}

std::string query_pointer(std::string_view name) {
  return plain_name(name) ? "/query/" + std::string(name) : std::string("/query");
}

}  // namespace reeve::api
