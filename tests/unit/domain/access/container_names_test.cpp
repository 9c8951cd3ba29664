#include "domain/access/container_names.hpp"

#include "tests/unit/domain/aggregate_steps.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::domain;
using steps::id_of;

TEST(RUN7_container_name, is_the_same_for_the_same_attempt) {
  const auto house = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057");
  EXPECT_EQ(container_name_of(house, id_of(3), 2),
            "reeve-b302099a8057-" + to_string(id_of(3)) + "-a2");
  EXPECT_NE(container_name_of(house, id_of(3), 2), container_name_of(house, id_of(3), 3));
  EXPECT_LE(container_name_of(house, id_of(3), 11).size(), 64U) << "also a host name has 64";
  EXPECT_EQ(tenant_part_of(container_name_of(house, id_of(3), 2)), "b302099a8057");
  for (const char* other : {"", "reeve-", "reeve-spare-0190b3f2-7d3e", "b302099a8057", "reeve-box",
                            "reeve-b302099a8057", "reeve-B302099A8057-x"}) {
    EXPECT_EQ(tenant_part_of(other), "") << other;
  }
}

}  // namespace
