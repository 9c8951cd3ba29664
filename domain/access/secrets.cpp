#include "domain/access/secrets.hpp"

#include "domain/name.hpp"

namespace reeve::domain {
namespace {

secret_state changed(const secret_state* before, const std::string& name, const evolve_context& c) {
  secret_state s = before == nullptr ? secret_state() : *before;
  if (before == nullptr) {
    s.name = name;
    s.is_active = false;
    s.created_by = std::string(c.principal);
    s.created_position = c.stamp.at;
    s.created_at = c.stamp.recorded_at_us;
  }
  s.gone.clear();
  s.updated_by = std::string(c.principal);
  s.last_position = c.stamp.at;
  s.updated_at = c.stamp.recorded_at_us;
  return s;
}

void put(secret_list_state& list, const secret_put& e, const evolve_context& c) {
  auto s = changed(list.find(e.name), e.name, c);
  if (!s.is_active) ++list.active;
  s.is_active = true;
  s.deleted_at.reset();
  s.version = e.version;
  s.value_digest = e.value_digest;
  s.kept.push_back({e.version, e.value});
  if (s.kept.size() > kept_versions) {
    s.gone.push_back(s.kept.front().id);
    s.kept.erase(s.kept.begin());
  }
  list.secrets.set(e.name, std::move(s));
}

void end(secret_list_state& list, const secret_deleted& e, const evolve_context& c) {
  const auto* found = list.find_active(e.name);
  if (found == nullptr) return;
  auto s = changed(found, e.name, c);
  for (const auto& value : s.kept) s.gone.push_back(value.id);
  s.kept.clear();
  s.is_active = false;
  s.value_digest = {};
  s.deleted_at = c.stamp.recorded_at_us;
  --list.active;
  list.secrets.set(e.name, std::move(s));
}

}  // namespace

std::optional<uuid> secret_state::value_of(std::int64_t wanted) const {
  for (const auto& value : kept) {
    if (value.version == wanted) return value.id;
  }
  return std::nullopt;
}

const secret_state* secret_list_state::find_active(std::string_view name) const {
  const auto* found = find(name);
  return found != nullptr && found->is_active ? found : nullptr;
}

void evolve(secret_list_state& state, const secret_event& event, const evolve_context& context) {
  state.stream_version = context.stamp.version_in_stream;
  state.tenant = context.tenant;
  std::visit(overloaded{[&](const secret_put& e) { put(state, e, context); },
                        [&](const secret_deleted& e) { end(state, e, context); }},
             event);
}

outcome<std::vector<secret_event>> decide(const secret_list_state& state, const put_secret& c) {
  if (!is_name(c.name)) {
    return reject(errc::invalid, "a name has 1..64 letters, digits and ._-", "/name");
  }
  const auto* before = state.find(c.name);
  const bool is_active = before != nullptr && before->is_active;
  if (is_active && before->value_digest == c.value_digest) return std::vector<secret_event>{};
  if (!is_active && state.active >= max_secrets) {
    return reject(errc::conflict, "the tenant has 1,000 active secrets already");
  }
  if (before == nullptr && state.secrets.size() >= max_secret_names) {
    return reject(errc::conflict,
                  "the tenant has had 10,000 secrets: use one of their names again");
  }
  const auto version = before == nullptr ? 1 : before->version + 1;
  return std::vector<secret_event>{secret_put{c.name, version, c.value, c.value_digest}};
}

outcome<std::vector<secret_event>> decide(const secret_list_state& state, const delete_secret& c) {
  const auto* secret = state.find(c.name);
  if (secret == nullptr) return reject(errc::not_found, "there is no such resource");
  if (!secret->is_active) return std::vector<secret_event>{};
  return std::vector<secret_event>{secret_deleted{c.name, secret->version}};
}

secret_document document_of(const secret_state& s) {
  return {s.name,         s.version,    s.is_active,    s.created_by,
          {s.created_at}, s.updated_by, {s.updated_at}, shown(s.deleted_at)};
}

}  // namespace reeve::domain
