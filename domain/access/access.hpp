#pragma once
// Tenants and their tokens. A token's secret is 256 random bits: its SHA-256 is kept, the secret is
// shown once. One stream per tenant.

#include "base/outcome.hpp"
#include "domain/aggregate.hpp"

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

struct tenant_created {
  static constexpr std::string_view type = "tenant_created";
  uuid id;
  std::string name;
  uuid default_directive;
  bool operator==(const tenant_created&) const = default;
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
  static constexpr auto fields() { return std::tuple{field("id", &token_revoked::id)}; }
};

using access_event = std::variant<tenant_created, token_created, token_revoked>;

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
  std::vector<token_state> tokens;
  bool operator==(const access_state&) const = default;

  const token_state* find(const uuid& token) const {
    for (const auto& t : tokens) {
      if (t.what.id == token) return &t;
    }
    return nullptr;
  }
};

template <>
struct aggregate_of<access_state> {
  using event = access_event;
  static constexpr std::string_view prefix = "access";
};

void evolve(access_state& state, const access_event& event, const evolve_context& context);

inline constexpr std::size_t max_tokens = 1000;  // per tenant, active ones and revoked ones

outcome<std::vector<access_event>> decide_tenant(const access_state& state, const uuid& id,
                                                 const std::string& name,
                                                 const uuid& default_directive);
/// An auditor reads the events of every tenant, so only the system tenant makes one (forbidden).
outcome<std::vector<access_event>> decide_token(const access_state& state, token_created token);
/// Revoking twice gives no event. The last active admin token is kept (conflict).
outcome<std::vector<access_event>> decide_revoke(const access_state& state, const uuid& token);

}  // namespace reeve::domain
