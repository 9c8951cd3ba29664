// Tenants and tokens: what is made, what is revoked, and the admin that always stays.

#include "domain/access/access.hpp"

#include "tests/unit/domain/aggregate_steps.hpp"

namespace {

using namespace reeve;
using namespace reeve::domain;
using steps::code_of;
using steps::id_of;
using steps::take;

access_state tenant_with(std::initializer_list<token_created> tokens = {}) {
  access_state a;
  take(a, decide(a, create_tenant{id_of(1), "house", id_of(9)}));
  for (const auto& t : tokens) take(a, decide(a, create_token{t}));
  return a;
}

token_created token(int id, token_role role, const std::string& name = "t") {
  return {id_of(id), name, role, {}};
}

TEST(ACC1_tenant, is_made_once_with_a_name_and_a_default_directive) {
  const auto a = tenant_with();
  EXPECT_EQ(a.tenant, id_of(1));
  EXPECT_EQ(a.name, "house");
  EXPECT_EQ(a.default_directive, id_of(9));
  EXPECT_EQ(a.created_position, 10);
  EXPECT_EQ(code_of(decide(a, create_tenant{id_of(1), "house", id_of(9)})), errc::conflict);
  for (const std::string bad : {"", "two words", "-x"}) {
    EXPECT_EQ(steps::pointer_of(decide(access_state{}, create_tenant{id_of(1), bad, id_of(9)})),
              "/name");
  }
}

TEST(ACC1_token, says_who_made_it_and_when) {
  const auto a = tenant_with({token(2, token_role::operator_)});
  const auto* t = a.find(id_of(2));
  ASSERT_NE(t, nullptr);
  EXPECT_TRUE(t->is_active);
  EXPECT_EQ(t->what.role, token_role::operator_);
  EXPECT_EQ(t->created_by, steps::writer);
  EXPECT_EQ(t->created_at, 2000);
  EXPECT_FALSE(t->revoked_at);
  EXPECT_EQ(a.find(id_of(3)), nullptr);
}

TEST(ACC1_token, needs_a_tenant_a_name_and_an_id_of_its_own) {
  EXPECT_EQ(code_of(decide(access_state{}, create_token{token(2, token_role::admin)})),
            errc::not_found);
  const auto a = tenant_with({token(2, token_role::admin)});
  EXPECT_EQ(code_of(decide(a, create_token{token(2, token_role::viewer)})), errc::conflict);
  EXPECT_EQ(steps::pointer_of(decide(a, create_token{token(3, token_role::viewer, "two words")})),
            "/name");
  EXPECT_EQ(steps::pointer_of(decide(a, create_token{token(3, token_role::viewer, "")})), "/name");
}

TEST(ACC1_token, are_at_most_a_thousand_active_ones_in_a_tenant) {
  auto a = tenant_with();
  for (std::size_t i = 0; i < max_tokens; ++i) {
    take(a, decide(a, create_token{token(static_cast<int>(i), token_role::viewer)}));
  }
  EXPECT_EQ(code_of(decide(a, create_token{token(5000, token_role::viewer)})), errc::conflict);
  take(a, decide(a, revoke_token{id_of(0)}));
  take(a, decide(a, create_token{token(5000, token_role::viewer)}));
  EXPECT_EQ(code_of(decide(a, create_token{token(5001, token_role::viewer)})), errc::conflict);
}

/// A tenant that makes a token a day and revokes it came to its end after three years.
TEST(ACC1_token, that_were_revoked_never_fill_a_tenant) {
  auto a = tenant_with({token(9000, token_role::admin)});
  for (int i = 0; i < 3000; ++i) {
    take(a, decide(a, create_token{token(i, token_role::viewer)}));
    take(a, decide(a, revoke_token{id_of(i)}));
  }
  EXPECT_EQ(a.active_tokens, 1U);
  EXPECT_EQ(a.tokens.size(), 3001U);
  EXPECT_FALSE(a.find(id_of(0))->is_active);
}

TEST(ACC1_revoke, ends_a_token_once) {
  auto a = tenant_with({token(2, token_role::admin), token(3, token_role::viewer)});
  EXPECT_EQ(code_of(decide(a, revoke_token{id_of(4)})), errc::not_found);
  take(a, decide(a, revoke_token{id_of(3)}));
  EXPECT_FALSE(a.find(id_of(3))->is_active);
  EXPECT_EQ(a.find(id_of(3))->revoked_at, 4000);
  EXPECT_TRUE(a.find(id_of(2))->is_active);
  EXPECT_TRUE(decide(a, revoke_token{id_of(3)})->empty());
}

TEST(ACC2_token, of_an_auditor_is_made_in_the_system_tenant_alone) {
  const auto a = tenant_with();
  const auto refused = decide(a, create_token{token(2, token_role::auditor)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::forbidden);
  EXPECT_EQ(refused.error().field, "/role");
  access_state system;
  take(system, decide(system, create_tenant{system_tenant, "system", id_of(9)}));
  take(system, decide(system, create_token{token(2, token_role::auditor)}));
  EXPECT_EQ(system.find(id_of(2))->what.role, token_role::auditor);
}

TEST(ACC1_revoke, keeps_the_last_active_admin) {
  auto a = tenant_with(
      {token(2, token_role::admin), token(3, token_role::admin), token(4, token_role::operator_)});
  take(a, decide(a, revoke_token{id_of(2)}));
  EXPECT_EQ(code_of(decide(a, revoke_token{id_of(3)})), errc::conflict);
  EXPECT_TRUE(decide(a, revoke_token{id_of(2)})->empty()) << "revoked already";
  take(a, decide(a, revoke_token{id_of(4)}));
  take(a, decide(a, create_token{token(5, token_role::admin)}));
  take(a, decide(a, revoke_token{id_of(3)}));
  EXPECT_EQ(code_of(decide(a, revoke_token{id_of(5)})), errc::conflict);
}

}  // namespace
