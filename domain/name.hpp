#pragma once
// The one rule for names that clients choose: of directives, tasks, tokens, tenants, label keys.

#include <string_view>

namespace reeve::domain {

inline constexpr std::size_t max_name_bytes = 64;

/// Letters, digits and ._- ; 1..64, the first one a letter or digit.
constexpr bool is_name(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty() || text.size() > max_name_bytes || !plain(text.front())) return false;
  for (const char c : text) {
    if (!plain(c) && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

}  // namespace reeve::domain
