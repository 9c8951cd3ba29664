#include "persistence/token_table.hpp"

#include "domain/access/token_text.hpp"
#include "persistence/projection.hpp"

namespace reeve::persistence {
namespace {

std::string cell_of(const projection_row& row, std::string_view name) {
  const auto i = static_cast<std::size_t>(column_index(*row.of, name));
  return row.cells[i].value_or("");
}

std::optional<token_row> row_of(const projection_row& row) {
  const auto cell = [&](std::string_view name) { return cell_of(row, name); };
  token_row token;
  const auto tenant = parse_uuid(cell("tenant"));
  const auto id = parse_uuid(cell("id"));
  const auto hash = digest_from_hex(cell("secret_hash"));
  if (!tenant || !id || !hash || !domain::from_name(cell("role"), token.role)) return std::nullopt;
  token.tenant = *tenant;
  token.id = *id;
  token.secret_hash = *hash;
  token.is_active = cell("is_active") == "true";
  return token;
}

}  // namespace

void token_table::load(const std::vector<token_row>& rows, std::optional<uuid> first_tenant) {
  std::lock_guard lock(mutex_);
  if (first_tenant) first_tenant_ = first_tenant;
  tokens_.clear();
  for (const auto& row : rows) tokens_[row.id] = row;
  for (const auto& [id, row] : told_while_loading_) tokens_[id] = row;
  told_while_loading_.clear();
  is_loading_ = false;
}

void token_table::begin_load() {
  std::lock_guard lock(mutex_);
  is_loading_ = true;
  told_while_loading_.clear();
}

void token_table::on_commit(const commit_notice& notice) {
  static const auto& tokens = projection_named("tokens");
  static const auto& tenants = projection_named("tenants");
  for (const auto& row : notice.rows) {
    if (row.of == &tenants) note_tenant(parse_uuid(cell_of(row, "id")));
    if (row.of != &tokens) continue;
    const auto token = row_of(row);
    if (!token) continue;
    std::lock_guard lock(mutex_);
    tokens_[token->id] = *token;
    if (is_loading_) told_while_loading_[token->id] = *token;
  }
}

/// The first start makes the first one behind everybody's back: nothing was there to be loaded.
void token_table::note_tenant(std::optional<uuid> tenant) {
  if (!tenant) return;
  const tenant_row made{*tenant, {}};
  std::lock_guard lock(mutex_);
  if (!first_tenant_) first_tenant_ = first_tenant_of({&made, 1});
}

bool token_table::is_first_tenant(const uuid& tenant) const {
  std::lock_guard lock(mutex_);
  return first_tenant_ == tenant;
}

std::optional<token_row> token_table::find(std::string_view text) const {
  const auto parts = domain::parts_of_token(text);
  if (!parts) return std::nullopt;
  const auto hash = sha256(parts->secret);
  std::lock_guard lock(mutex_);
  const auto found = tokens_.find(parts->id);
  if (found == tokens_.end() || !found->second.is_active) return std::nullopt;
  if (!equal_constant_time(as_view(hash), as_view(found->second.secret_hash))) return std::nullopt;
  return found->second;
}

}  // namespace reeve::persistence
