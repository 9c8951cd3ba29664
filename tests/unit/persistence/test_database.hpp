#pragma once
// A fresh database with our schema and two logins, on the private PostgreSQL that REEVE_TEST_PG
// names (a libpq URL or key=value text of a superuser). Without the variable a test fails.

#include "base/ids.hpp"
#include "tests/support/source_dir.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <pqxx/pqxx>
#include <set>
#include <sstream>
#include <string>

namespace reeve::fixture {

class test_database {
 public:
  test_database() {
    const char* url = std::getenv("REEVE_TEST_PG");
    if (url == nullptr) {
      throw std::runtime_error("REEVE_TEST_PG must name a superuser of a private PostgreSQL");
    }
    server_ = url;
    const auto id = to_string(real_ids().next());
    // The random part of the id: databases of tests that run at the same time differ.
    suffix_ = id.substr(24);
    name_ = "reeve_test_" + suffix_;
    pqxx::connection root(server_);
    host_ = root.hostname() == nullptr ? "" : root.hostname();
    port_ = root.port() == nullptr ? "5432" : root.port();
    super_user_ = root.username();
    pqxx::nontransaction tx(root);
    // Roles belong to the whole cluster, and two changes at once may fail.
    tx.exec("SELECT pg_advisory_lock(7)");
    for (const auto& role : {writer(), reader()}) {
      tx.exec("CREATE ROLE " + role + " LOGIN PASSWORD 'test'");
    }
    tx.exec("SELECT pg_advisory_unlock(7)");
    tx.exec("CREATE DATABASE " + name_ + " TEMPLATE template0 ENCODING 'UTF8'");
    migrate();
  }
  ~test_database() {
    try {
      pqxx::connection root(server_);
      pqxx::nontransaction tx(root);
      tx.exec("DROP DATABASE " + name_ + " WITH (FORCE)");
      tx.exec("SELECT pg_advisory_lock(7)");
      tx.exec("DROP ROLE " + writer());
      tx.exec("DROP ROLE " + reader());
    } catch (const std::exception& e) {
      ADD_FAILURE() << "the test's database stays behind: " << e.what();
    }
  }
  test_database(const test_database&) = delete;
  test_database& operator=(const test_database&) = delete;

  std::string writer() const { return "reeve_writer_" + suffix_; }
  std::string reader() const { return "reeve_reader_" + suffix_; }
  const std::string& name() const { return name_; }
  const std::string& host() const { return host_; }
  const std::string& port() const { return port_; }

  std::string url_of(const std::string& user, const std::string& host = {}) const {
    std::string url = "dbname=" + name_ + " port=" + port_ + " user=" + user + " password=test";
    const auto& at = host.empty() ? host_ : host;
    return at.empty() ? url : url + " host=" + at;
  }
  std::string writer_url() const { return url_of(writer()); }
  std::string reader_url() const { return url_of(reader()); }

  /// Runs SQL as the superuser.
  pqxx::result root(const std::string& sql) const {
    pqxx::connection connection(url_of(super_user_));
    pqxx::nontransaction tx(connection);
    return tx.exec(sql);
  }

 private:
  void migrate() const {
    std::set<std::filesystem::path> files;
    for (const auto& file :
         std::filesystem::directory_iterator(support::source_dir() + "/migrations")) {
      if (file.path().extension() == ".sql") files.insert(file.path());
    }
    pqxx::connection connection(url_of(super_user_));
    for (const auto& path : files) {
      std::ifstream in(path);
      std::stringstream sql;
      sql << in.rdbuf();
      pqxx::work tx(connection);
      tx.exec(with_roles(sql.str()));
      tx.commit();
    }
  }
  std::string with_roles(std::string sql) const {
    for (const auto& [token, role] :
         {std::pair<std::string, std::string>{"@writer@", writer()}, {"@reader@", reader()}}) {
      for (auto at = sql.find(token); at != sql.npos; at = sql.find(token, at)) {
        sql.replace(at, token.size(), '"' + role + '"');
      }
    }
    return sql;
  }

  std::string server_, suffix_, name_, host_, port_, super_user_;
};

}  // namespace reeve::fixture
