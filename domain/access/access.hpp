#pragma once
// Tenants and their tokens. A token's secret is 256 random bits: its SHA-256 is kept, the secret is
// shown once. One stream per tenant. Of its events everybody is shown what the routes of tokens
// show him: the list of tokens is for administrators, the hash of a secret for no client.

#include "base/outcome.hpp"
#include "base/persistent_map.hpp"
#include "domain/aggregate.hpp"
#include "domain/event_readers.hpp"

#include <array>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace reeve::domain {

enum class token_role { viewer, operator_, admin, auditor, node };
template <>
struct enum_names<token_role> {
  static constexpr std::array<std::string_view, 5> names{"viewer", "operator", "admin", "auditor",
                                                         "node"};
};

constexpr event_reader reader_of(token_role role) {
  if (role == token_role::auditor) return event_reader::auditor;
  return role == token_role::admin ? event_reader::admin : event_reader::member;
}

struct tenant_created {
  static constexpr std::string_view type = "tenant_created";
  uuid id;
  std::string name;
  uuid default_directive;
  bool operator==(const tenant_created&) const = default;
  static constexpr std::array seen{seen_by("id", event_reader::member),
                                   seen_by("name", event_reader::member),
                                   seen_by("default_directive", event_reader::member)};
  static constexpr auto fields() {
    return std::tuple{field("id", &tenant_created::id), field("name", &tenant_created::name),
                      field("default_directive", &tenant_created::default_directive)};
  }
};

struct token_created {
  static constexpr std::string_view type = "token_created";
  uuid id;
  std::string name;
  token_role role = token_role::viewer;
  digest secret_hash{};
  bool operator==(const token_created&) const = default;
  /// Ids of tokens stand wherever it is told who did something.
  static constexpr std::array seen{seen_by("id", event_reader::member),
                                   seen_by("name", event_reader::admin),
                                   seen_by("role", event_reader::admin)};
  static constexpr auto fields() {
    return std::tuple{field("id", &token_created::id), field("name", &token_created::name),
                      field("role", &token_created::role),
                      field("secret_hash", &token_created::secret_hash)};
  }
};

struct token_revoked {
  static constexpr std::string_view type = "token_revoked";
  uuid id;
  bool operator==(const token_revoked&) const = default;
  static constexpr std::array seen{seen_by("id", event_reader::member)};
  static constexpr auto fields() { return std::tuple{field("id", &token_revoked::id)}; }
};

using access_event = std::variant<tenant_created, token_created, token_revoked>;

struct create_tenant {
  uuid id;
  std::string name;
  uuid default_directive;
};
/// An auditor reads the events of every tenant, so only the system tenant makes one (forbidden).
struct create_token {
  token_created token;
};
/// Revoking twice gives no event. The last active admin token is kept (conflict).
struct revoke_token {
  uuid id;
};

struct token_state {
  token_created what;
  bool is_active = true;
  std::string created_by;
  position created_position = 0;
  position last_position = 0;
  time_us created_at = 0;
  std::optional<time_us> revoked_at;
  bool operator==(const token_state&) const = default;
};

struct access_state {
  uuid tenant;
  std::string name;
  uuid default_directive;
  domain::version stream_version = 0;
  position created_position = 0;
  persistent_map<uuid, token_state> tokens;  // every one that ever was
  uuid newest;                               // the token that was made last
  std::size_t active_tokens = 0;
  std::size_t active_admins = 0;
  bool operator==(const access_state&) const = default;

  const token_state* find(const uuid& token) const { return tokens.find(token); }
};

template <>
struct aggregate_of<access_state> {
  using event = access_event;
  using command = std::variant<create_tenant, create_token, revoke_token>;
  static constexpr std::string_view prefix = "access";
};

void evolve(access_state& state, const access_event& event, const evolve_context& context);

inline constexpr std::size_t max_tokens = 1000;  // active ones of a tenant

outcome<std::vector<access_event>> decide(const access_state& state, const create_tenant& command);
outcome<std::vector<access_event>> decide(const access_state& state, const create_token& command);
outcome<std::vector<access_event>> decide(const access_state& state, const revoke_token& command);

struct token_document {
  uuid id;
  std::string name;
  token_role role = token_role::viewer;
  bool is_active = true;
  std::string created_by;
  timestamp created_at;
  std::optional<timestamp> revoked_at;
  static constexpr auto fields() {
    return std::tuple{field("id", &token_document::id),
                      field("name", &token_document::name),
                      field("role", &token_document::role),
                      field("is_active", &token_document::is_active),
                      field("created_by", &token_document::created_by),
                      field("created_at", &token_document::created_at),
                      field("revoked_at", &token_document::revoked_at)};
  }
};

token_document document_of(const token_state& token);

}  // namespace reeve::domain
