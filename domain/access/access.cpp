#include "domain/access/access.hpp"

#include "domain/name.hpp"

#include <algorithm>

namespace reeve::domain {

void evolve(access_state& s, const access_event& event, const evolve_context& c) {
  s.stream_version = c.stamp.version_in_stream;
  std::visit(overloaded{[&](const tenant_created& e) {
                          s.tenant = e.id;
                          s.name = e.name;
                          s.default_directive = e.default_directive;
                          s.created_position = c.stamp.at;
                        },
                        [&](const token_created& e) {
                          token_state t;
                          t.what = e;
                          t.created_by = std::string(c.principal);
                          t.created_position = t.last_position = c.stamp.at;
                          t.created_at = c.stamp.recorded_at_us;
                          s.tokens.push_back(std::move(t));
                        },
                        [&](const token_revoked& e) {
                          for (auto& t : s.tokens) {
                            if (t.what.id != e.id) continue;
                            t.is_active = false;
                            t.last_position = c.stamp.at;
                            t.revoked_at = c.stamp.recorded_at_us;
                          }
                        }},
             event);
}

outcome<std::vector<access_event>> decide_tenant(const access_state& state, const uuid& id,
                                                 const std::string& name,
                                                 const uuid& default_directive) {
  if (state.stream_version != 0) return reject(errc::conflict, "the tenant exists already");
  if (!is_name(name)) return reject(errc::invalid, "a name has 1..64 characters", "/name");
  return std::vector<access_event>{tenant_created{id, name, default_directive}};
}

outcome<std::vector<access_event>> decide_token(const access_state& state, token_created token) {
  if (state.stream_version == 0) return reject(errc::not_found, "there is no such tenant");
  if (!is_name(token.name)) {
    return reject(errc::invalid, "a name has 1..64 letters, digits and ._-", "/name");
  }
  if (token.role == token_role::auditor && state.tenant != system_tenant) {
    return reject(errc::forbidden, "only an administrator of the system tenant grants this role",
                  "/role");
  }
  if (state.tokens.size() >= max_tokens) {
    return reject(errc::conflict, "the tenant has 1,000 tokens already");
  }
  if (state.find(token.id) != nullptr) return reject(errc::conflict, "the token exists already");
  return std::vector<access_event>{std::move(token)};
}

outcome<std::vector<access_event>> decide_revoke(const access_state& state, const uuid& id) {
  const auto* token = state.find(id);
  if (token == nullptr) return reject(errc::not_found, "there is no such token");
  if (!token->is_active) return std::vector<access_event>{};
  const auto admins = std::count_if(state.tokens.begin(), state.tokens.end(), [](const auto& t) {
    return t.is_active && t.what.role == token_role::admin;
  });
  if (token->what.role == token_role::admin && admins == 1) {
    return reject(errc::conflict, "it is the last admin token of the tenant");
  }
  return std::vector<access_event>{token_revoked{id}};
}

}  // namespace reeve::domain
