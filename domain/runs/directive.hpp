#pragma once
// Directives: named, versioned instructions. Every version is kept (in the log and as a row);
// archiving ends launches, never a run that was launched before.

#include "base/outcome.hpp"
#include "domain/aggregate.hpp"
#include "domain/runs/task.hpp"

#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace reeve::domain {

struct directive_created {
  static constexpr std::string_view type = "directive_created";
  uuid id;
  directive_spec spec;
  bool is_default = false;  // the one that a bare {"tasks": …} launch uses
  bool operator==(const directive_created&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("id", &directive_created::id), field("spec", &directive_created::spec),
                      field("is_default", &directive_created::is_default)};
  }
};

struct directive_revised {
  static constexpr std::string_view type = "directive_revised";
  uuid id;
  std::int64_t version = 0;
  directive_spec spec;
  bool operator==(const directive_revised&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("id", &directive_revised::id),
                      field("version", &directive_revised::version),
                      field("spec", &directive_revised::spec)};
  }
};

struct directive_archived {
  static constexpr std::string_view type = "directive_archived";
  uuid id;
  bool operator==(const directive_archived&) const = default;
  static constexpr auto fields() { return std::tuple{field("id", &directive_archived::id)}; }
};

using directive_event = std::variant<directive_created, directive_revised, directive_archived>;

struct directive_state {
  uuid id;
  uuid tenant;
  domain::version stream_version = 0;  // 0: does not exist
  std::int64_t version = 0;
  directive_spec spec;
  bool is_default = false;
  bool is_archived = false;
  position created_position = 0;
  position last_position = 0;
  time_us created_at = 0;
  time_us updated_at = 0;
  bool operator==(const directive_state&) const = default;
};

template <>
struct aggregate_of<directive_state> {
  using event = directive_event;
  static constexpr std::string_view prefix = "directive";
};

void evolve(directive_state& state, const directive_event& event, const evolve_context& context);

using directive_events = std::vector<directive_event>;

/// `spec` has passed `name_tasks`; invalid with the field, conflict when it exists already.
outcome<directive_events> decide_create(const directive_state& state, const uuid& id,
                                        const directive_spec& spec, bool is_default);
/// A new version; the same spec again gives no event. conflict when it is archived.
outcome<directive_events> decide_revise(const directive_state& state, const directive_spec& spec);
/// Archiving twice gives no event; the default directive cannot be archived (conflict).
outcome<directive_events> decide_archive(const directive_state& state);

}  // namespace reeve::domain
