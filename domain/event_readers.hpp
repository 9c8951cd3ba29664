#pragma once
// Who reads events, in rising order of what they are shown. An event that is not for everybody says
// beside its fields which of them are, and for whom:
//
//   static constexpr std::array seen{seen_by("id", event_reader::member),
//                                    seen_by("name", event_reader::admin)};
//
// What it does not name is for auditors alone. An event without such a list is for every member of
// its tenant.

#include <cstdint>
#include <string_view>

namespace reeve::domain {

/// `member`: whoever may read the tenant's events at all. An auditor checks the log as it is.
enum class event_reader : std::uint8_t { member, admin, auditor };

struct seen_field {
  std::string_view name;
  event_reader from = event_reader::auditor;
};

/// The field is shown to this reader and to those that are shown more.
constexpr seen_field seen_by(std::string_view name, event_reader from) {
  return {name, from};
}

}  // namespace reeve::domain
