#include "persistence/scram.hpp"

#include "base/digest.hpp"
#include "tests/unit/persistence/bare_cluster.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>

namespace {

using reeve::persistence::scram_verifier;

TEST(P24_scram, equals_what_postgresql_makes_of_a_password) {
  reeve::fixture::bare_database db;
  // The database's suffix keeps its roles apart from those of other tests in the cluster; it drops
  // them at its end.
  const auto role = db.make_role("scram");
  for (const std::string password : {"test", "pQ-4_xW0dEEr7nDq9o1bVQfyhT3sYk2u", "it's"}) {
    pqxx::connection connection(db.owner_url());
    pqxx::nontransaction tx(connection);
    tx.exec("SET password_encryption = 'scram-sha-256'");
    tx.exec("ALTER ROLE " + role + " PASSWORD " + tx.quote(password));
    const auto kept =
        tx.exec1("SELECT rolpassword FROM pg_authid WHERE rolname = " + tx.quote(role))[0]
            .as<std::string>();
    // SCRAM-SHA-256$4096:<salt>$<stored key>:<server key>
    const auto colon = kept.find(':');
    auto salt = kept.substr(colon + 1, kept.find('$', colon) - colon - 1);
    std::replace(salt.begin(), salt.end(), '+', '-');
    std::replace(salt.begin(), salt.end(), '/', '_');
    salt.erase(salt.find_last_not_of('=') + 1);
    EXPECT_EQ(scram_verifier(password, *reeve::from_base64url(salt)), kept);
    EXPECT_NE(scram_verifier(password + "x", *reeve::from_base64url(salt)), kept);
  }
}

TEST(P24_scram, a_password_longer_than_a_block_is_hashed_first) {
  // RFC 2104, section 2.
  const std::string longer(65, 'a');
  const auto hashed = reeve::sha256(longer);
  EXPECT_EQ(scram_verifier(longer, "salt", 1), scram_verifier(reeve::as_view(hashed), "salt", 1));
}

}  // namespace
