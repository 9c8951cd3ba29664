#pragma once
// Named secrets of a tenant, without their values: a value lies sealed in a row that is neither
// event nor projection (persistence/secret_port.hpp), and what is said here is which row that is.
// One stream per tenant.

#include "base/outcome.hpp"
#include "base/persistent_map.hpp"
#include "domain/aggregate.hpp"
#include "domain/event_readers.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

namespace reeve::domain {

/// A new version of a secret. Versions of one name count on, also over a deletion.
struct secret_put {
  static constexpr std::string_view type = "secret_put";
  std::string name;
  std::int64_t version = 0;  // 1..
  uuid value;                // where it lies, sealed
  digest value_digest{};     // with a key that is not in the database: equal if the value is
  bool operator==(const secret_put&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("name", &secret_put::name), field("version", &secret_put::version),
                      field("value", &secret_put::value),
                      field("value_digest", &secret_put::value_digest)};
  }
  static constexpr std::array seen{seen_by("name", event_reader::admin),
                                   seen_by("version", event_reader::admin)};
};

/// Its values are destroyed.
struct secret_deleted {
  static constexpr std::string_view type = "secret_deleted";
  std::string name;
  std::int64_t version = 0;  // the last one
  bool operator==(const secret_deleted&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("name", &secret_deleted::name),
                      field("version", &secret_deleted::version)};
  }
  static constexpr std::array seen{seen_by("name", event_reader::admin),
                                   seen_by("version", event_reader::admin)};
};

using secret_event = std::variant<secret_put, secret_deleted>;

/// The value that it has already gives no event. invalid at /name, conflict if there are too many.
struct put_secret {
  std::string name;
  uuid value;
  digest value_digest{};
};
/// Twice gives no event.
struct delete_secret {
  std::string name;
};

struct secret_value {
  std::int64_t version = 0;
  uuid id;
  bool operator==(const secret_value&) const = default;
};

struct secret_state {
  std::string name;
  std::int64_t version = 0;
  digest value_digest{};
  bool is_active = true;
  std::vector<secret_value> kept;  // the newest one last; none once it is deleted
  std::vector<uuid> gone;          // what its last event left no use for
  std::string created_by, updated_by;
  position created_position = 0;
  position last_position = 0;
  time_us created_at = 0;
  time_us updated_at = 0;
  std::optional<time_us> deleted_at;
  bool operator==(const secret_state&) const = default;

  /// Nothing: it was deleted, or that version is no longer kept.
  std::optional<uuid> value_of(std::int64_t version) const;
};

struct secret_list_state {
  uuid tenant;
  domain::version stream_version = 0;
  persistent_map<std::string, secret_state> secrets;  // every one that ever was
  std::size_t active = 0;
  bool operator==(const secret_list_state&) const = default;

  const secret_state* find(std::string_view name) const { return secrets.find(name); }
  /// Null also for one that was deleted.
  const secret_state* find_active(std::string_view name) const;
};

template <>
struct aggregate_of<secret_list_state> {
  using event = secret_event;
  using command = std::variant<put_secret, delete_secret>;
  static constexpr std::string_view prefix = "secrets";
};

void evolve(secret_list_state& state, const secret_event& event, const evolve_context& context);

inline constexpr std::size_t max_secrets = 1000;        // active ones of a tenant
inline constexpr std::size_t max_secret_names = 10000;  // with those that were deleted
/// The newest version and those before it, whose values are still needed: what a job got that was
/// started with one of them has to be hidden in its log, also by a server that was started since.
inline constexpr std::size_t kept_versions = 4;

outcome<std::vector<secret_event>> decide(const secret_list_state& state, const put_secret& c);
outcome<std::vector<secret_event>> decide(const secret_list_state& state, const delete_secret& c);

struct secret_document {
  std::string name;
  std::int64_t version = 0;
  bool is_active = true;
  std::string created_by;
  timestamp created_at;
  std::string updated_by;
  timestamp updated_at;
  std::optional<timestamp> deleted_at;
  static constexpr auto fields() {
    return std::tuple{field("name", &secret_document::name),
                      field("version", &secret_document::version),
                      field("is_active", &secret_document::is_active),
                      field("created_by", &secret_document::created_by),
                      field("created_at", &secret_document::created_at),
                      field("updated_by", &secret_document::updated_by),
                      field("updated_at", &secret_document::updated_at),
                      field("deleted_at", &secret_document::deleted_at)};
  }
};

secret_document document_of(const secret_state& secret);

}  // namespace reeve::domain
