#include "domain/access/access.hpp"

#include "domain/name.hpp"

namespace reeve::domain {
namespace {

bool is_admin(const token_state& token) {
  return token.what.role == token_role::admin;
}

void add_token(access_state& s, const token_created& e, const evolve_context& c) {
  token_state t;
  t.what = e;
  t.created_by = std::string(c.principal);
  t.created_position = t.last_position = c.stamp.at;
  t.created_at = c.stamp.recorded_at_us;
  s.newest = e.id;
  ++s.active_tokens;
  if (is_admin(t)) ++s.active_admins;
  s.tokens.set(e.id, std::move(t));
}

void end_token(access_state& s, const uuid& id, const evolve_context& c) {
  const auto* found = s.find(id);
  if (found == nullptr || !found->is_active) return;
  auto t = *found;
  t.is_active = false;
  t.last_position = c.stamp.at;
  t.revoked_at = c.stamp.recorded_at_us;
  --s.active_tokens;
  if (is_admin(t)) --s.active_admins;
  s.tokens.set(id, std::move(t));
}

}  // namespace

void evolve(access_state& s, const access_event& event, const evolve_context& c) {
  s.stream_version = c.stamp.version_in_stream;
  std::visit(overloaded{[&](const tenant_created& e) {
                          s.tenant = e.id;
                          s.name = e.name;
                          s.default_directive = e.default_directive;
                          s.created_position = c.stamp.at;
                        },
                        [&](const token_created& e) { add_token(s, e, c); },
                        [&](const token_revoked& e) { end_token(s, e.id, c); }},
             event);
}

outcome<std::vector<access_event>> decide(const access_state& state, const create_tenant& c) {
  if (state.stream_version != 0) return reject(errc::conflict, "the tenant exists already");
  if (!is_name(c.name)) return reject(errc::invalid, "a name has 1..64 characters", "/name");
  return std::vector<access_event>{tenant_created{c.id, c.name, c.default_directive}};
}

outcome<std::vector<access_event>> decide(const access_state& state, const create_token& c) {
  if (state.stream_version == 0) return reject(errc::not_found, "there is no such tenant");
  if (!is_name(c.token.name)) {
    return reject(errc::invalid, "a name has 1..64 letters, digits and ._-", "/name");
  }
  if (c.token.role == token_role::auditor && state.tenant != system_tenant) {
    return reject(errc::forbidden, "only an administrator of the system tenant grants this role",
                  "/role");
  }
  if (state.active_tokens >= max_tokens) {
    return reject(errc::conflict, "the tenant has 1,000 active tokens already");
  }
  if (state.find(c.token.id) != nullptr) return reject(errc::conflict, "the token exists already");
  return std::vector<access_event>{c.token};
}

outcome<std::vector<access_event>> decide(const access_state& state, const revoke_token& c) {
  const auto* token = state.find(c.id);
  if (token == nullptr) return reject(errc::not_found, "there is no such resource");
  if (!token->is_active) return std::vector<access_event>{};
  if (is_admin(*token) && state.active_admins == 1) {
    return reject(errc::conflict, "it is the last admin token of the tenant");
  }
  return std::vector<access_event>{token_revoked{c.id}};
}

token_document document_of(const token_state& t) {
  return {t.what.id,    t.what.name,    t.what.role,        t.is_active,
          t.created_by, {t.created_at}, shown(t.revoked_at)};
}

}  // namespace reeve::domain
