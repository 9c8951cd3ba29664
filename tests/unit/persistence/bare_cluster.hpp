#pragma once
// An empty database on the PostgreSQL that REEVE_TEST_PG names (a libpq URL or key=value text of a
// superuser), and one more login if a test asks for it. Without the variable a test fails.

#include "base/ids.hpp"

#include <cstdlib>
#include <gtest/gtest.h>
#include <pqxx/pqxx>
#include <stdexcept>
#include <string>
#include <vector>

namespace reeve::fixture {

class bare_database {
 public:
  explicit bare_database(const std::string& encoding = "UTF8") {
    const char* url = std::getenv("REEVE_TEST_PG");
    if (url == nullptr) {
      throw std::runtime_error("REEVE_TEST_PG must name a superuser of a private PostgreSQL");
    }
    server_ = url;
    // The random part of the id: databases of tests that run at the same time differ.
    suffix_ = to_string(real_ids().next()).substr(24);
    name_ = "reeve_bare_" + suffix_;
    pqxx::connection root(server_);
    host_ = root.hostname() == nullptr ? "" : root.hostname();
    port_ = root.port() == nullptr ? "5432" : root.port();
    super_user_ = root.username();
    pqxx::nontransaction(root).exec("CREATE DATABASE " + name_ + " TEMPLATE template0 ENCODING '" +
                                    encoding + "'");
  }
  ~bare_database() {
    try {
      pqxx::connection root(server_);
      pqxx::nontransaction tx(root);
      tx.exec("DROP DATABASE " + name_ + " WITH (FORCE)");
      tx.exec("SELECT pg_advisory_lock(7)");
      for (const auto& role : roles_) tx.exec("DROP ROLE IF EXISTS " + role);
    } catch (const std::exception& e) {
      ADD_FAILURE() << "the test's database stays behind: " << e.what();
    }
  }
  bare_database(const bare_database&) = delete;
  bare_database& operator=(const bare_database&) = delete;

  const std::string& name() const { return name_; }
  std::string url_of(const std::string& user) const {
    std::string url = "dbname=" + name_ + " port=" + port_ + " user=" + user + " password=test";
    return host_.empty() ? url : url + " host=" + host_;
  }
  std::string owner_url() const { return url_of(super_user_); }

  /// Runs SQL as the superuser.
  pqxx::result root(const std::string& sql) const {
    pqxx::connection connection(owner_url());
    pqxx::nontransaction tx(connection);
    return tx.exec(sql);
  }

  /// A role that goes with the database. Two changes of roles at once may fail, hence the lock.
  std::string make_role(const std::string& kind) {
    auto role = "reeve_" + kind + "_" + suffix_;
    roles_.push_back(role);
    pqxx::connection connection(owner_url());
    pqxx::nontransaction tx(connection);
    tx.exec("SELECT pg_advisory_lock(7)");
    tx.exec("CREATE ROLE " + role + " LOGIN PASSWORD 'test'");
    return role;
  }
  /// One that somebody else made and that goes with the database too.
  void drop_later(const std::string& role) { roles_.push_back(role); }

 private:
  std::string server_, suffix_, name_, host_, port_, super_user_;
  std::vector<std::string> roles_;
};

}  // namespace reeve::fixture
