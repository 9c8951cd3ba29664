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

/// invalid with the field, conflict when it exists already.
struct create_directive {
  uuid id;
  directive_spec spec;
  bool is_default = false;
  uuid subject() const { return id; }
};
/// A new version; the same spec again gives no event. conflict when it is archived.
struct revise_directive {
  uuid id;
  directive_spec spec;
  uuid subject() const { return id; }
};
/// Archiving twice gives no event; the default directive cannot be archived (conflict).
struct archive_directive {
  uuid id;
  uuid subject() const { return id; }
};

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
  using command = std::variant<create_directive, revise_directive, archive_directive>;
  static constexpr std::string_view prefix = "directive";
};

void evolve(directive_state& state, const directive_event& event, const evolve_context& context);

using directive_events = std::vector<directive_event>;

outcome<directive_events> decide(const directive_state& state, const create_directive& command);
outcome<directive_events> decide(const directive_state& state, const revise_directive& command);
outcome<directive_events> decide(const directive_state& state, const archive_directive& command);

/// What a tenant has from its creation.
directive_spec default_directive();

struct directive_document {
  uuid id;
  std::string name;
  std::string description;
  std::int64_t version = 0;
  bool is_default = false;
  bool is_archived = false;
  std::vector<task_spec> tasks;
  directive_limits limits;
  label_map labels;
  timestamp created_at;
  timestamp updated_at;
  static constexpr auto fields() {
    return std::tuple{field("id", &directive_document::id),
                      field("name", &directive_document::name),
                      field("description", &directive_document::description),
                      field("version", &directive_document::version),
                      field("is_default", &directive_document::is_default),
                      field("is_archived", &directive_document::is_archived),
                      field("tasks", &directive_document::tasks),
                      field("limits", &directive_document::limits),
                      field("labels", &directive_document::labels),
                      field("created_at", &directive_document::created_at),
                      field("updated_at", &directive_document::updated_at)};
  }
};

directive_document document_of(const directive_state& state);

}  // namespace reeve::domain
