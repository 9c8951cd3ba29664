// Rows on their way into a replay's scratch tables: the newest of a key counts, whatever has been
// written before it (EV8).

#include "persistence/replay_tables.hpp"

#include "persistence/copy_line.hpp"
#include "tests/unit/persistence/journal_fixture.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;

const auto facts = index_of(projection_named("singletons"));
const std::string tenant = "0190b3f2-7d3e-7c4a-9b1f-0c2d3e4f5a6b";

TEST(EV8_replay_tables, keys_come_first_in_every_table) {
  for (const auto& table : replay_tables()) {
    bool is_key = true;
    ASSERT_TRUE(table.columns.front().is_key) << table.live;
    for (const auto& c : table.columns) {
      EXPECT_TRUE(is_key || !c.is_key) << table.live << '.' << c.name;
      is_key = c.is_key;
    }
  }
}

TEST(EV8_replay_tables, a_field_of_copy_comes_back_as_it_was) {
  const std::string odd = "a\tb\nc\rd\\e\\N\x01 \xc3\xbc";
  std::string line;
  append_copy_field(line, odd);
  line += '\t';
  append_copy_field(line, "");
  EXPECT_EQ(line, "a\\tb\\nc\\rd\\\\e\\\\N\x01 \xc3\xbc\t");
  copy_line read(line);
  std::string first, second;
  read.text(first);
  read.text(second);
  EXPECT_TRUE(read.good());
  EXPECT_EQ(first, odd);
  EXPECT_EQ(second, "");
  std::string null;
  append_copy_field(null, std::nullopt);
  EXPECT_EQ(null, "\\N");
}

class replay_scratch : public ::testing::Test {
 protected:
  replay_scratch()
      : connection(db.url_of(pqxx::connection(std::getenv("REEVE_TEST_PG")).username())),
        tables(replay_tables()),
        rows(tables) {
    pqxx::work tx(connection);
    make_scratch(tx, tables);
    tx.commit();
  }
  void add(const std::string& id, int position, const std::string& doc) {
    rows.add(facts, {tenant, id, std::to_string(position), doc});
  }
  void spill() {
    rows.set_aside();
    pqxx::work tx(connection);
    rows.write(tx);
    tx.commit();
  }
  std::string merged() {
    pqxx::work tx(connection);
    rows.merge(tx);
    const auto all = tx.exec1("SELECT string_agg(id || '=' || doc, ' ' ORDER BY id) FROM " +
                              tables[facts].scratch);
    tx.commit();
    return all[0].as<std::string>();
  }

  test_database db;
  pqxx::connection connection;
  std::vector<replay_table> tables;
  replay_rows rows;
};

TEST_F(replay_scratch, EV8_the_newest_row_of_a_key_counts_within_a_spill) {
  add("a", 1, "old");
  add("b", 2, "only");
  add("a", 3, "new");
  spill();
  EXPECT_EQ(merged(), "a=new b=only");
}

TEST_F(replay_scratch, EV8_the_newest_row_of_a_key_counts_over_many_spills) {
  for (int spilled = 1; spilled <= 12; ++spilled) {
    add("a", spilled, "a" + std::to_string(spilled));
    if (spilled % 5 == 0) add("b", spilled, "b" + std::to_string(spilled));
    add("only" + std::to_string(spilled), spilled, "x\t\\y\n");
    spill();
  }
  const auto all = merged();
  EXPECT_TRUE(all.starts_with("a=a12 b=b10 only1=x\t\\y\n ")) << all;
  EXPECT_EQ(std::count(all.begin(), all.end(), '='), 14);
}

}  // namespace
