// P17: whose the server is stands in one place, and is known as soon as there is a tenant.

#include "persistence/token_table.hpp"

#include "persistence/projection.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace reeve::persistence {
namespace {

const uuid oldest = derived_uuid({}, "oldest"), younger = derived_uuid({}, "younger");

/// What is told when a tenant was made.
void tell_of(token_table& table, const uuid& tenant) {
  static const auto& tenants = projection_named("tenants");
  projection_row row;
  row.of = &tenants;
  row.cells.resize(tenants.columns.size());
  row.cells[static_cast<std::size_t>(column_index(tenants, "id"))] = to_string(tenant);
  const std::vector<projection_row> rows{row};
  commit_notice notice{};
  notice.rows = rows;
  table.on_commit(notice);
}

}  // namespace

TEST(P17_first_tenant, is_the_oldest_one_beside_the_systems) {
  using rows = std::vector<tenant_row>;
  EXPECT_EQ(first_tenant_of(rows{}), std::nullopt);
  EXPECT_EQ(first_tenant_of(rows{{system_tenant, "system"}}), std::nullopt);
  EXPECT_EQ(first_tenant_of(rows{{system_tenant, "system"}, {oldest, "a"}, {younger, "b"}}),
            oldest);
  EXPECT_EQ(first_tenant_of(rows{{oldest, "a"}, {system_tenant, "system"}}), oldest);
}

TEST(P17_first_tenant, is_loaded_or_the_first_one_that_is_made) {
  token_table made;
  EXPECT_FALSE(made.is_first_tenant(oldest));
  EXPECT_FALSE(made.is_first_tenant(uuid{})) << "nobody is";
  tell_of(made, system_tenant);
  EXPECT_FALSE(made.is_first_tenant(system_tenant));
  tell_of(made, oldest);
  tell_of(made, younger);
  EXPECT_TRUE(made.is_first_tenant(oldest));
  EXPECT_FALSE(made.is_first_tenant(younger));

  token_table loaded;
  loaded.begin_load();
  tell_of(loaded, younger);
  loaded.load({}, oldest);
  EXPECT_TRUE(loaded.is_first_tenant(oldest)) << "what is loaded is older than what was told";
  loaded.load({});
  EXPECT_TRUE(loaded.is_first_tenant(oldest));
  EXPECT_FALSE(loaded.is_first_tenant(younger));
}

}  // namespace reeve::persistence
