#include "tasks/triage/log_keys.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace reeve::tasks {
namespace {

constexpr std::size_t max_key_bytes = 24;

struct row {
  std::string_view key;
  key_role is;
};

// In lower case, without "_", "-" and ".".
constexpr row rows[] = {{"level", key_role::level},
                        {"severity", key_role::level},
                        {"lvl", key_role::level},
                        {"loglevel", key_role::level},
                        {"levelname", key_role::level},
                        {"severitytext", key_role::level},
                        {"errorseverity", key_role::level},
                        {"priority", key_role::level},
                        {"@l", key_role::level},
                        {"severitynumber", key_role::otel_number},
                        {"levelno", key_role::python_number},
                        {"msg", key_role::message},
                        {"message", key_role::message},
                        {"shortmessage", key_role::message},
                        {"renderedmessage", key_role::message},
                        {"textpayload", key_role::message},
                        {"body", key_role::message},
                        {"@m", key_role::message},
                        {"@mt", key_role::lesser_message},
                        {"messagetemplate", key_role::lesser_message},
                        {"event", key_role::lesser_message},
                        {"log", key_role::lesser_message},
                        {"fullmessage", key_role::lesser_message},
                        {"err", key_role::error},
                        {"error", key_role::error},
                        {"exception", key_role::error},
                        {"excinfo", key_role::error},
                        {"@x", key_role::error},
                        {"time", key_role::time},
                        {"ts", key_role::time},
                        {"timestamp", key_role::time},
                        {"@timestamp", key_role::time},
                        {"@t", key_role::time},
                        {"timeunixnano", key_role::time},
                        {"datetime", key_role::time},
                        {"asctime", key_role::time},
                        {"t", key_role::time},
                        {"instant", key_role::time},
                        {"timemillis", key_role::time},
                        {"timeiso8601", key_role::time},
                        {"date", key_role::lesser_time},
                        {"eventtime", key_role::lesser_time},
                        {"logtime", key_role::lesser_time},
                        {"timelocal", key_role::lesser_time},
                        {"status", key_role::status},
                        {"statuscode", key_role::status},
                        {"responsecode", key_role::status},
                        {"responsestatus", key_role::status},
                        {"httpstatus", key_role::status},
                        {"downstreamstatus", key_role::status},
                        {"request", key_role::request},
                        {"method", key_role::request},
                        {"requestmethod", key_role::request},
                        {"path", key_role::request},
                        {"requestpath", key_role::request},
                        {"uri", key_role::request},
                        {"requesturi", key_role::request},
                        {"url", key_role::request},
                        {"fields", key_role::holder},
                        {"record", key_role::holder},
                        {"jsonpayload", key_role::holder},
                        {"httprequest", key_role::holder}};

constexpr std::size_t no_row = std::size(rows);

constexpr std::size_t bits_of(char c) {
  return static_cast<unsigned char>(c) & 31U;
}

/// For the first character of a key the first row, and for each row the next one, that may be it.
struct row_index {
  std::array<std::uint8_t, 32> first{};
  std::array<std::uint8_t, no_row> next{};
};

constexpr row_index make_index() {
  row_index made{};
  made.first.fill(no_row);
  for (std::size_t i = no_row; i-- > 0;) {
    const auto at = bits_of(rows[i].key[0]);
    made.next[i] = made.first[at];
    made.first[at] = static_cast<std::uint8_t>(i);
  }
  return made;
}
constexpr row_index index_of_rows = make_index();

/// For the first and the last character of a key the size of the shortest row that has them, 0 if
/// there is none: most keys fail this test.
constexpr auto shortest_rows = [] {
  std::array<std::array<std::uint8_t, 32>, 32> made{};
  for (const auto& one : rows) {
    auto& size = made[bits_of(one.key.front())][bits_of(one.key.back())];
    if (size == 0 || one.key.size() < size) size = static_cast<std::uint8_t>(one.key.size());
  }
  return made;
}();

key_role role_of_normal(std::string_view key) {
  for (auto i = index_of_rows.first[bits_of(key[0])]; i != no_row; i = index_of_rows.next[i]) {
    if (rows[i].key == key) return rows[i].is;
  }
  return key_role::none;
}

bool is_separator(char c) {
  return c == '_' || c == '-' || c == '.';
}

bool may_have_role(std::string_view key) {
  if (key.empty()) return false;
  if (is_separator(key.front()) || is_separator(key.back())) return true;
  const auto shortest = shortest_rows[bits_of(key.front())][bits_of(key.back())];
  return shortest != 0 && shortest <= key.size();
}

}  // namespace

key_role role_of_key(std::string_view key) {
  if (!may_have_role(key)) return key_role::none;
  // Most are written as they stand in the table.
  if (const auto is = role_of_normal(key); is != key_role::none) return is;
  std::array<char, max_key_bytes> normal{};
  std::size_t size = 0;
  for (const char c : key) {
    if (is_separator(c)) continue;
    if (size == normal.size()) return key_role::none;
    normal[size++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (size == 0) return key_role::none;
  return role_of_normal({normal.data(), size});
}

}  // namespace reeve::tasks
