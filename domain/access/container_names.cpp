#include "domain/access/container_names.hpp"

namespace reeve::domain {

std::string container_name_of(const uuid& tenant, const uuid& job, std::int64_t attempt) {
  const std::string digits = to_string(tenant);
  return "reeve-" + digits.substr(digits.size() - 12) + "-" + to_string(job) + "-a" +
         std::to_string(attempt);
}

std::string_view tenant_part_of(std::string_view container_name) {
  constexpr std::string_view prefix = "reeve-";
  constexpr std::size_t digits = 12;
  if (!container_name.starts_with(prefix)) return {};
  const auto part = container_name.substr(prefix.size(), digits);
  const bool whole =
      part.size() == digits && container_name.substr(prefix.size() + digits, 1) == "-";
  return whole && part.find_first_not_of("0123456789abcdef") == part.npos ? part
                                                                          : std::string_view{};
}

}  // namespace reeve::domain
