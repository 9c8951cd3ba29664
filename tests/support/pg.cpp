#include "tests/support/pg.hpp"

#include "tests/support/environment.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/process.hpp"

#include <algorithm>
#include <atomic>
#include <iostream>
#include <unistd.h>

namespace support {

namespace {

struct result_closer {
  void operator()(PGresult* result) const { PQclear(result); }
};
using result_ptr = std::unique_ptr<PGresult, result_closer>;

void check(PGconn* connection, PGresult* result, const std::string& sql) {
  const auto status = PQresultStatus(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return;
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  throw pg_error(std::string(PQerrorMessage(connection)) + "in: " + sql,
                 state == nullptr ? "" : state);
}

constexpr const char* template_name = "reeve_template";
// Any number that nothing else locks on the tests' own cluster.
constexpr const char* template_lock = "7233001";

/// Makes the template that every test's database is a copy of. The first of the test programs that
/// takes the lock does the work; a copy takes 60–100 ms, migrating several times that.
void ensure_template() {
  static bool done = false;
  if (done) return;
  pg admin(cluster_url());
  admin.query("SELECT pg_advisory_lock($1)", {template_lock});
  const auto there = admin.query("SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate",
                                 {template_name});
  if (there.size() == 0) {
    admin.exec(std::string("DROP DATABASE IF EXISTS ") + template_name);
    admin.exec(std::string("CREATE DATABASE ") + template_name);
    const std::string url = with_database(cluster_url(), template_name);
    const scratch_dir data(work_dir() / "servers", "template");
    const auto made = run_to_end({{server_program().string(), "migrate", "--database", url},
                                  {{"REEVE_DATA", data.path()}},
                                  {"DATABASE_URL"}},
                                 20s);
    // 2 is a program without this sub-command: an empty template will do, because a server
    // migrates when it starts.
    if (made.status == 2) std::cerr << "reeve migrate: " << made.output;
    if (made.status != 0 && made.status != 2) {
      throw std::runtime_error("reeve migrate ended with " + std::to_string(made.status) + ":\n" +
                               made.output);
    }
    admin.exec(std::string("ALTER DATABASE ") + template_name + " IS_TEMPLATE true");
  }
  admin.query("SELECT pg_advisory_unlock($1)", {template_lock});
  done = true;
}

}  // namespace

const pg_cell& pg_rows::at(std::size_t row, const std::string& column) const {
  const auto found = std::find(columns.begin(), columns.end(), column);
  if (found == columns.end()) throw std::out_of_range("no column " + column);
  return rows.at(row).at(static_cast<std::size_t>(found - columns.begin()));
}

pg::pg(const std::string& url) : connection_(PQconnectdb(url.c_str())) {
  if (PQstatus(raw()) != CONNECTION_OK) throw pg_error(PQerrorMessage(raw()), "");
  exec("SET statement_timeout = '20s'; SET client_min_messages = warning");
}

pg_rows pg::query(const std::string& sql, const std::vector<pg_cell>& parameters) {
  std::vector<const char*> values;
  for (const auto& value : parameters) values.push_back(value ? value->c_str() : nullptr);
  const result_ptr result(PQexecParams(raw(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                                       values.data(), nullptr, nullptr, 0));
  check(raw(), result.get(), sql);
  pg_rows out;
  const int columns = PQnfields(result.get());
  for (int column = 0; column < columns; ++column) {
    out.columns.emplace_back(PQfname(result.get(), column));
  }
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    auto& cells = out.rows.emplace_back();
    for (int column = 0; column < columns; ++column) {
      if (PQgetisnull(result.get(), row, column) != 0) {
        cells.emplace_back();
      } else {
        cells.emplace_back(PQgetvalue(result.get(), row, column));
      }
    }
  }
  const std::string affected = PQcmdTuples(result.get());
  if (!affected.empty()) out.affected = std::stoul(affected);
  return out;
}

pg_cell pg::cell(const std::string& sql, const std::vector<pg_cell>& parameters) {
  const auto found = query(sql, parameters);
  if (found.size() != 1 || found.columns.size() != 1) {
    throw std::runtime_error("expected one cell, got " + std::to_string(found.size()) +
                             " rows: " + sql);
  }
  return found.rows[0][0];
}

long long pg::number(const std::string& sql, const std::vector<pg_cell>& parameters) {
  const auto value = cell(sql, parameters);
  if (!value) throw std::runtime_error("null instead of a number: " + sql);
  return std::stoll(*value);
}

void pg::exec(const std::string& sql) {
  const result_ptr result(PQexec(raw(), sql.c_str()));
  check(raw(), result.get(), sql);
}

std::string with_database(const std::string& url, const std::string& database) {
  const auto slashes = url.find("://");
  const auto path = slashes == std::string::npos ? slashes : url.find('/', slashes + 3);
  if (path == std::string::npos) throw std::invalid_argument("not a database URL: " + url);
  const auto query = url.find('?', path);
  return url.substr(0, path + 1) + database + (query == std::string::npos ? "" : url.substr(query));
}

test_database::test_database() {
  ensure_template();
  static std::atomic<int> counter{0};
  name_ = "t" + std::to_string(::getpid()) + "_" + std::to_string(++counter);
  url_ = with_database(cluster_url(), name_);
  pg(cluster_url()).exec("CREATE DATABASE " + name_ + " TEMPLATE " + template_name);
}

test_database::~test_database() {
  try {
    pg(cluster_url()).exec("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
  } catch (const std::exception& why) {
    // The cluster goes at the end of the tests anyway; a test that had this matter looks itself.
    std::cerr << "dropping " << name_ << ": " << why.what();
  }
}

}  // namespace support
