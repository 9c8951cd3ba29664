#pragma once
// Free JSON inside typed data: text that the codec has checked and put into canonical form (sorted
// keys, no spaces). The domain carries it and never looks inside.

#include <compare>
#include <string>

namespace reeve::domain {

struct json_text {
  std::string text = "null";
  auto operator<=>(const json_text&) const = default;
};

}  // namespace reeve::domain
