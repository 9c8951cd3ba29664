#pragma once
// Checks that tasks and their parameters share. Inside domain/runs/ only.

#include "base/outcome.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace reeve::domain {

inline rejection bad(std::string detail, const std::string& at) {
  return reject(errc::invalid, std::move(detail), at);
}

inline bool in_range(const std::optional<std::int64_t>& value, std::int64_t low,
                     std::int64_t high) {
  return !value || (*value >= low && *value <= high);
}

inline std::string range_text(std::string_view name, std::int64_t low, std::int64_t high) {
  return std::string(name) + " must be " + std::to_string(low) + ".." + std::to_string(high);
}

inline bool is_plain_text(std::string_view text, std::size_t most) {
  return text.size() <= most && text.find('\0') == std::string_view::npos;
}

}  // namespace reeve::domain
