// Which members of an event are shown to whom.

#include "domain/event_sight.hpp"

#include <gtest/gtest.h>
#include <string>

namespace {

using namespace reeve;
using namespace reeve::domain;

using names = std::vector<std::string_view>;

TEST(P17_event_sight, of_tokens_rises_with_the_role) {
  using enum event_reader;
  EXPECT_EQ(members_seen("token_created", member), names{"id"});
  EXPECT_EQ(members_seen("token_created", admin), (names{"id", "name", "role"}));
  EXPECT_EQ(members_seen("token_created", auditor), std::nullopt);
  EXPECT_EQ(members_seen("token_revoked", member), names{"id"});
  EXPECT_EQ(members_seen("tenant_created", member), (names{"id", "name", "default_directive"}));
}

TEST(P17_event_sight, of_everything_else_is_whole) {
  for (const char* type : {"run_launched", "image_allowed", "access_denied", "leader_elected"}) {
    EXPECT_EQ(members_seen(type, event_reader::member), std::nullopt) << type;
  }
}

TEST(P17_event_sight, follows_the_role_of_a_token) {
  EXPECT_EQ(reader_of(token_role::viewer), event_reader::member);
  EXPECT_EQ(reader_of(token_role::operator_), event_reader::member);
  EXPECT_EQ(reader_of(token_role::node), event_reader::member);
  EXPECT_EQ(reader_of(token_role::admin), event_reader::admin);
  EXPECT_EQ(reader_of(token_role::auditor), event_reader::auditor);
}

}  // namespace
