// A token's text is taken apart as it was put together, and every other text is none.
#include "domain/access/token_text.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::domain;

const uuid id = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057");
const std::string digits = "01890a5dac96774bbcceb302099a8057";

TEST(ACC1_token_text, is_taken_apart_as_it_was_put_together) {
  const auto text = token_text(id, "a_secret-with_marks");
  EXPECT_EQ(text, "rv_" + digits + "_a_secret-with_marks");
  const auto parts = parts_of_token(text);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->id, id);
  EXPECT_EQ(parts->secret, "a_secret-with_marks");
}

TEST(ACC1_token_text, of_another_form_is_none) {
  for (const auto& text :
       {std::string(), std::string("rv_"), std::string("rv_0_x"), "rx_" + digits + "_x",
        "rv_" + digits, "rv_" + digits + "_", "rv_" + digits + "x_",
        "rv_g" + digits.substr(1) + "_x", "rv_" + digits + "_" + std::string(300, 'x')}) {
    EXPECT_FALSE(parts_of_token(text)) << text;
  }
}

}  // namespace
