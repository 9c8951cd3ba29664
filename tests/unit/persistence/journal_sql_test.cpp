// The append's statement: a text of its own for each combination of any number of tables, and one
// that a later schema does not disturb.

#include "persistence/journal_sql.hpp"

#include "tests/unit/persistence/journal_fixture.hpp"

#include <gtest/gtest.h>
#include <map>
#include <set>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;

/// As many projections as there may be some day.
class many_projections {
 public:
  explicit many_projections(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) names_.push_back("t" + std::to_string(i));
    for (const auto& name : names_) {
      made_.push_back(
          {.name = name, .source = "thing", .columns = {{"id", "uuid", true}, {"doc", "text"}}});
    }
    for (const auto& one : made_) list.push_back(&one);
    types.projections.assign(count, 100000);
  }

  std::string parts_of(const std::vector<std::size_t>& tables) const {
    std::vector<projection_row> rows;
    for (const auto t : tables) rows.push_back({list[t], {to_string(real_ids().next()), "{}"}});
    batch_content content;
    content.rows = rows;
    return compose_batch(content, types, list).parts;
  }

  std::vector<const projection*> list;
  row_types types;

 private:
  std::vector<std::string> names_;
  std::vector<projection> made_;
};

TEST(C8_journal_sql, each_combination_of_64_tables_is_a_statement_of_its_own) {
  const many_projections many(64);
  std::map<std::string, std::string> seen;
  const auto see = [&](const std::vector<std::size_t>& tables) {
    const auto parts = many.parts_of(tables);
    const auto sql = batch_sql(parts, many.list);
    EXPECT_TRUE(seen.emplace(parts, sql).second) << parts;
    for (const auto t : tables) {
      EXPECT_NE(sql.find("INTO reeve_read.t" + std::to_string(t) + " (id, doc)"), sql.npos) << sql;
    }
    std::size_t inserts = 0;
    for (auto at = sql.find("INSERT"); at != sql.npos; at = sql.find("INSERT", at + 1)) ++inserts;
    EXPECT_EQ(inserts, tables.size() + 1) << "and the events";
  };
  for (std::size_t a = 0; a < 64; ++a) {
    see({a});
    for (std::size_t b = a + 1; b < 64; ++b) see({a, b});
  }
  std::set<std::string> texts;
  for (const auto& [parts, sql] : seen) texts.insert(sql);
  EXPECT_EQ(texts.size(), seen.size());
}

/// An older leader goes on under a newer schema: everything that it knows is written.
TEST(C8_journal_sql, a_column_that_a_migration_adds_disturbs_no_running_writer) {
  const test_database db;
  journal log(journal_on(db.writer_url()));
  ASSERT_TRUE(log.open());
  const auto tenant = real_ids().next();
  const auto write = [&](const std::string& id) {
    auto request = append_to(fresh_stream(), 0, tenant);
    request.command = key_of(tenant, id, "body");
    request.project = [&](std::span<const domain::event_stamp> stamps, row_sink& rows) {
      const auto at = std::to_string(stamps[0].at);
      rows.push_back({&projection_named("singletons"), {to_string(tenant), id, at, "{}"}});
      rows.push_back(
          {&projection_named("run_labels"), {to_string(tenant), "k", "v", at, to_string(tenant)}});
    };
    return append_one(log, request);
  };
  ASSERT_TRUE(write("before"));
  for (const auto* of : projections()) {
    db.root("ALTER TABLE " + table_of(*of) + " ADD COLUMN more text");
  }
  db.root(
      "ALTER TABLE reeve.streams ADD COLUMN more text;"
      "ALTER TABLE reeve.commands ADD COLUMN more int");
  const auto after = write("after");
  ASSERT_TRUE(after) << after.error().detail;
  EXPECT_EQ(log.stale_projections(), 0);
  EXPECT_EQ(db.root("SELECT 1 FROM reeve_read.singletons").size(), 2U);
  EXPECT_EQ(db.root("SELECT 1 FROM reeve_read.run_labels").size(), 2U);
}

}  // namespace
