// What the database itself refuses, whoever asks (P4), and what it shows to whom (P17).

#include "persistence/projection.hpp"
#include "persistence/read_sql.hpp"
#include "tests/unit/persistence/journal_fixture.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;

/// The SQLSTATE of a statement, "" if it went through. Always rolled back.
std::string refused_with(const std::string& url, const std::string& sql) {
  pqxx::connection connection(url);
  pqxx::work tx(connection);
  try {
    tx.exec(sql);
    return "";
  } catch (const pqxx::insufficient_privilege&) {
    return "42501";
  } catch (const pqxx::sql_error& e) {
    return e.sqlstate();
  }
}

class log_schema : public ::testing::Test {
 protected:
  log_schema() : log(journal_on(db.writer_url())), tenant(real_ids().next()) {
    const auto opened = log.open();
    if (!opened) throw std::runtime_error(opened.error().detail);
    auto request = append_to(fresh_stream(), 0, tenant);
    request.command = key_of(tenant, "k", "body");
    request.project = [this](std::span<const domain::event_stamp>, row_sink& rows) {
      rows.push_back({&projection_named("singletons"), {to_string(tenant), "f", "2", "{}"}});
      rows.push_back({&projection_named("tenants"), {to_string(tenant), "a", "2", std::nullopt}});
    };
    if (!append_one(log, request)) throw std::runtime_error("the append failed");
  }
  std::vector<std::string> tables(const std::string& where) const {
    std::vector<std::string> names;
    for (const auto& row :
         db.root("SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n "
                 "ON n.oid ="
                 " c.relnamespace WHERE c.relkind IN ('r', 'p') AND n.nspname LIKE 'reeve%' AND " +
                 where)) {
      names.emplace_back(row[0].c_str());
    }
    return names;
  }

  test_database db;
  journal log;
  uuid tenant;
};

/// Everything that would change, hide or replace what a table holds.
std::vector<std::string> changes_of(const std::string& table) {
  return {"UPDATE " + table + " SET position = position",
          "DELETE FROM " + table,
          "TRUNCATE " + table,
          "DROP TABLE " + table,
          "LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE",
          "ALTER TABLE " + table + " ADD COLUMN more int",
          "ALTER TABLE " + table + " DROP COLUMN hash",
          "ALTER TABLE " + table + " RENAME TO renamed",
          "ALTER TABLE " + table + " OWNER TO CURRENT_USER",
          "ALTER TABLE " + table + " DISABLE TRIGGER append_only_row",
          "ALTER TABLE " + table + " DISABLE TRIGGER append_only_statement",
          "ALTER TABLE " + table + " DISABLE TRIGGER ALL",
          "ALTER TABLE " + table + " DISABLE ROW LEVEL SECURITY",
          "ALTER TABLE " + table + " NO FORCE ROW LEVEL SECURITY",
          "DROP TRIGGER append_only_row ON " + table,
          "CREATE POLICY p ON " + table + " FOR SELECT USING (true)",
          "CREATE TRIGGER t BEFORE INSERT ON " + table +
              " FOR EACH ROW EXECUTE FUNCTION reeve.refuse_change()",
          "CREATE RULE r AS ON INSERT TO " + table + " DO INSTEAD NOTHING"};
}

/// Roles x statements x {events, every partition, checkpoints}.
TEST_F(log_schema, P4_no_role_changes_the_log) {
  // One that is made while a server runs counts as much as those of the first migration.
  {
    pqxx::connection writer(db.writer_url());
    ASSERT_TRUE(pqxx::nontransaction(writer).exec1("SELECT reeve.make_partition(2)")[0].as<bool>());
  }
  std::size_t partitions = 0;
  const std::string denied = "42501";
  const auto parts = tables("c.relname LIKE 'events%' OR c.relname = 'checkpoints'");
  ASSERT_EQ(parts.size(), 5U) << "events, three partitions, checkpoints";
  for (const auto& user : {db.writer(), db.reader()}) {
    for (const auto& table : parts) {
      for (const auto& statement : changes_of(table)) {
        EXPECT_EQ(refused_with(db.url_of(user), statement), denied) << user << ": " << statement;
      }
      if (table.find("_p0") == table.npos) continue;
      ++partitions;
      EXPECT_EQ(refused_with(db.url_of(user), "SELECT 1 FROM " + table), denied);
      EXPECT_EQ(refused_with(db.url_of(user), "INSERT INTO " + table + " DEFAULT VALUES"), denied);
      EXPECT_EQ(refused_with(db.url_of(user), "ALTER TABLE reeve.events DETACH PARTITION " + table),
                denied);
    }
    for (const char* statement :
         {"SET session_replication_role = replica", "CREATE TABLE reeve.x ()",
          "DROP SCHEMA reeve CASCADE", "DROP FUNCTION reeve.refuse_change() CASCADE",
          "CREATE OR REPLACE FUNCTION reeve.refuse_change() RETURNS trigger LANGUAGE plpgsql"
          " AS 'BEGIN RETURN NEW; END'"}) {
      EXPECT_EQ(refused_with(db.url_of(user), statement), denied) << user << ": " << statement;
    }
  }
  EXPECT_EQ(partitions, 6U);
  EXPECT_EQ(refused_with(db.reader_url(), "SELECT reeve.make_partition(3)"), denied);
  EXPECT_EQ(refused_with(db.reader_url(), "INSERT INTO reeve.events DEFAULT VALUES"), denied);
}

/// What the statements above try, once more from the catalogue: a privilege that somebody grants
/// later, to whatever runtime role, turns up here.
TEST_F(log_schema, P4_the_catalogue_grants_no_change_of_the_log) {
  const auto rows = db.root(
      "SELECT c.relname, r.rolname, p.privilege FROM pg_class c"
      " JOIN pg_namespace n ON n.oid = c.relnamespace"
      " CROSS JOIN (VALUES ('UPDATE'), ('DELETE'), ('TRUNCATE'), ('REFERENCES'), ('TRIGGER'))"
      " AS p(privilege) JOIN pg_roles r ON r.rolname IN ('" +
      db.writer() + "', '" + db.reader() +
      "') WHERE n.nspname = 'reeve' AND c.relkind IN ('r', 'p')"
      " AND (c.relname LIKE 'events%' OR c.relname = 'checkpoints')"
      " AND has_table_privilege(r.oid, c.oid, p.privilege)");
  for (const auto& row : rows) {
    ADD_FAILURE() << row[1].c_str() << " has " << row[2].c_str() << " on " << row[0].c_str();
  }
  EXPECT_EQ(db.root("SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner"
                    " WHERE NOT (c.relkind = 'c' AND c.relpersistence = 't') AND r.rolname IN ('" +
                    db.writer() + "', '" + db.reader() + "')")[0][0]
                .as<int>(),
            0)
      << "the runtime roles own nothing, but for the row types of a session";
}

TEST_F(log_schema, P4_the_triggers_stop_the_owner_too) {
  for (const auto& table : tables("c.relname IN ('events', 'events_p000000')")) {
    for (const std::string& statement :
         {"UPDATE " + table + " SET payload = ''", "DELETE FROM " + table, "TRUNCATE " + table,
          "SET session_replication_role = replica; DELETE FROM " + table}) {
      try {
        db.root(statement);
        ADD_FAILURE() << "went through: " << statement;
      } catch (const pqxx::sql_error& e) {
        EXPECT_EQ(e.sqlstate(), "RV003") << statement;
      }
    }
  }
  EXPECT_EQ(db.root("SELECT count(*) FROM reeve.events")[0][0].as<int>(), 2);
}

TEST_F(log_schema, P17_without_a_tenant_the_reader_sees_no_row_of_any_table) {
  pqxx::connection reader(db.reader_url());
  const std::string root_sees =
      "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.columns"
      " WHERE table_schema LIKE 'reeve%' AND (column_name = 'tenant' OR"
      " (table_name = 'tenants' AND column_name = 'id')) ORDER BY 1";
  int looked_at = 0, denied = 0, with_rows = 0;
  // After a SET LOCAL has ended the setting is empty and not null: both must see nothing.
  for (int round = 0; round < 2; ++round) {
    for (const auto& row : db.root(root_sees)) {
      const std::string table = row[0].c_str();
      if (!db.root("SELECT 1 FROM " + table + " LIMIT 1").empty()) ++with_rows;
      try {
        pqxx::nontransaction tx(reader);
        EXPECT_TRUE(tx.exec("SELECT 1 FROM " + table).empty()) << table;
        ++looked_at;
      } catch (const pqxx::insufficient_privilege&) {
        ++denied;
      }
    }
    pqxx::work tx(reader);
    tx.exec("SET LOCAL reeve.tenant = '" + to_string(tenant) + "'");
    tx.commit();
  }
  EXPECT_EQ(looked_at, 2 * 21);
  EXPECT_EQ(denied, 2 * 4) << "two partitions of the events, data keys and values of secrets";
  EXPECT_GE(with_rows, 2 * 5) << "empty tables prove nothing";
}

TEST_F(log_schema, P17_the_reader_sees_its_tenant_and_the_auditor_every_event) {
  pqxx::connection reader(db.reader_url());
  pqxx::nontransaction tx(reader);
  const auto rows = [&](const std::string& table) {
    return tx.exec("SELECT 1 FROM " + table).size();
  };
  tx.exec("SET reeve.tenant = '" + to_string(tenant) + "'");
  EXPECT_EQ(rows("reeve.events"), 1U);
  EXPECT_EQ(rows("reeve.commands"), 1U);
  EXPECT_EQ(rows("reeve_read.singletons"), 1U);
  EXPECT_EQ(rows("reeve_read.tenants"), 1U);
  tx.exec("SET reeve.auditor = 'on'");
  EXPECT_EQ(rows("reeve.events"), 1U) << "a query for one tenant is never widened";
  tx.exec("SET reeve.tenant = ''");
  EXPECT_EQ(rows("reeve.events"), 2U);
  EXPECT_EQ(rows("reeve_read.singletons"), 0U);
  tx.exec("RESET reeve.auditor; SET reeve.tenant = '" + to_string(real_ids().next()) + "'");
  EXPECT_EQ(rows("reeve.events"), 0U);
}

TEST_F(log_schema, every_table_with_a_tenant_has_forced_row_security_and_every_table_a_comment) {
  EXPECT_TRUE(tables("NOT (c.relrowsecurity AND c.relforcerowsecurity) AND c.relname NOT IN"
                     " ('log', 'checkpoints', 'migrations', 'projections', 'command_marks')")
                  .empty());
  EXPECT_TRUE(tables("obj_description(c.oid) IS NULL AND c.relname <> 'migrations'").empty());
  for (const auto& table : tables("c.relname LIKE 'llm_%'")) {
    const auto comment =
        db.root("SELECT obj_description('" + table + "'::regclass)")[0][0].as<std::string>();
    EXPECT_NE(comment.find("No prompt or completion text exists"), comment.npos) << table;
  }
}

TEST_F(log_schema, the_list_of_projection_tables_is_the_schema) {
  for (const auto* of : projections()) {
    const auto rows = db.root(
        "SELECT a.attname, a.atttypid::regtype, EXISTS (SELECT 1 FROM pg_index i WHERE"
        " i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey))"
        " FROM pg_attribute a WHERE a.attrelid = '" +
        table_of(*of) + "'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum");
    ASSERT_EQ(rows.size(), of->columns.size()) << of->name;
    for (std::size_t i = 0; i < of->columns.size(); ++i) {
      const auto row = rows[static_cast<int>(i)];
      const auto type = of->columns[i].type == "int" ? "integer" : of->columns[i].type;
      EXPECT_EQ(row[0].c_str(), of->columns[i].name) << of->name;
      EXPECT_EQ(row[1].c_str(), type) << of->name;
      EXPECT_EQ(row[2].as<bool>(), of->columns[i].is_key) << of->name << i;
    }
  }
  EXPECT_EQ(tables("n.nspname = 'reeve_read'").size(), projections().size());
}

TEST_F(log_schema, position_at_finds_the_last_event_of_a_time) {
  const auto stream = fresh_stream();
  std::vector<domain::event_stamp> stamps;
  for (int i = 0; i < 9; ++i) {
    stamps.push_back(append_one(log, append_to(stream, i, tenant)).value().stamps.front());
  }
  const auto at = [&](time_us when) {
    return db.root("SELECT reeve.position_at(" + std::to_string(when) + ")")[0][0]
        .as<domain::position>();
  };
  EXPECT_EQ(at(0), 0);
  for (const auto& stamp : stamps) {
    EXPECT_EQ(at(stamp.recorded_at_us), stamp.at);
    EXPECT_EQ(at(stamp.recorded_at_us - 1), stamp.at - 1);
  }
  EXPECT_EQ(at(INT64_MAX), stamps.back().at);
}

/// The plan that the reader's role gets for a list.
std::string plan_of(pqxx::transaction_base& tx, const list_query& query) {
  const auto composed = compose_list(query, {51, 51});
  EXPECT_TRUE(composed);
  tx.conn().prepare("list", composed->sql);
  tx.exec_prepared("list", pqxx::prepare::make_dynamic_params(composed->params));
  std::string values, plan;
  for (const auto& value : composed->params) {
    values += (values.empty() ? "" : ", ") + tx.quote(value);
  }
  for (const auto& row : tx.exec("EXPLAIN EXECUTE list (" + values + ")")) {
    plan += std::string(row[0].c_str()) + "\n";
  }
  tx.conn().unprepare("list");
  return plan;
}

TEST_F(log_schema, lists_under_row_security_walk_an_index) {
  pqxx::connection reader(db.reader_url());
  pqxx::nontransaction tx(reader);
  tx.exec("SET enable_seqscan = off; SET reeve.tenant = '" + to_string(tenant) + "'");
  for (const auto what :
       {collection::runs, collection::jobs, collection::directives, collection::image_allowlist,
        collection::container_allowlist, collection::tokens, collection::llm_calls}) {
    list_query query;
    query.what = what;
    query.tenant = tenant;
    query.cursor = cursor_of(query, {7, to_string(tenant)});
    const auto plan = plan_of(tx, query);
    EXPECT_NE(plan.find("_page"), plan.npos) << plan;
    EXPECT_EQ(plan.find("Sort"), plan.npos) << plan;
  }
}

/// Among 20,000 runs with a label of few: no run without it is looked at, and nothing is sorted.
TEST_F(log_schema, C8_a_filter_by_label_walks_the_labels_in_the_order_of_the_list) {
  const auto id = "'" + to_string(tenant) + "'::uuid";
  db.root("INSERT INTO reeve_read.runs SELECT " + id +
          ", md5(n::text)::uuid, null, 'd', false, null, n, n, 'success', n, n, n, n, n, '{}', '{}'"
          " FROM generate_series(1, 20000) n");
  db.root("INSERT INTO reeve_read.run_labels SELECT " + id +
          ", 'team', CASE WHEN n % 100 = 0 THEN 'few' ELSE 'many' END, n, md5(n::text)::uuid"
          " FROM generate_series(1, 20000) n; ANALYZE");
  pqxx::connection reader(db.reader_url());
  pqxx::nontransaction tx(reader);
  tx.exec("SET plan_cache_mode = force_generic_plan; SET reeve.tenant = '" + to_string(tenant) +
          "'");
  list_query query;
  query.tenant = tenant;
  query.labels = {{"team", "few"}};
  for (const bool newest_first : {true, false}) {
    query.newest_first = newest_first;
    for (const auto& cursor : {std::string(), cursor_of(query, {5000, to_string(tenant)})}) {
      query.cursor = cursor;
      const auto plan = plan_of(tx, query);
      EXPECT_NE(plan.find("run_labels_pkey"), plan.npos) << plan;
      EXPECT_NE(plan.find("runs_pkey"), plan.npos) << plan;
      EXPECT_EQ(plan.find("Sort"), plan.npos) << plan;
      EXPECT_EQ(plan.find("Seq Scan"), plan.npos) << plan;
    }
  }
}

}  // namespace
