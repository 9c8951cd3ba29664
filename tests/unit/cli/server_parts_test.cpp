// The order in which the parts of a server come and go.

#include "cli/server_parts.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::cli;

class OPS2_parts : public testing::Test {
 protected:
  server_part part(std::string_view name) {
    const auto note = [this, name](const char* what) { said += std::string(name) + what; };
    return {.name = name,
            .open = [note] { return note(".open "), outcome<done>(done{}); },
            .lead = [note] { return note(".lead "), outcome<done>(done{}); },
            .is_up = [this, name] { return name != down; },
            .on_commit = [note](const auto&) { note(".commit "); },
            .drain = [note] { note(".drain "); },
            .close = [note] { note(".close "); }};
  }
  std::string told() { return std::exchange(said, {}); }

  server_parts parts;
  std::string said;
  std::string_view down;
};

}  // namespace

TEST_F(OPS2_parts, come_in_their_order_and_go_in_reverse) {
  parts.add(part("a"));
  parts.add({.name = "quiet"});
  parts.add(part("b"));
  ASSERT_TRUE(parts.open());
  EXPECT_EQ(told(), "a.open b.open ");
  ASSERT_TRUE(parts.lead());
  EXPECT_EQ(told(), "a.lead b.lead ");
  parts.on_commit({});
  EXPECT_EQ(told(), "a.commit b.commit ");
  parts.drain();
  EXPECT_EQ(told(), "b.drain a.drain ");
  parts.close();
  EXPECT_EQ(told(), "b.close a.close ");
}

TEST_F(OPS2_parts, one_that_fails_is_the_last_one) {
  parts.add(part("a"));
  auto bad = part("bad");
  bad.open = bad.lead = [] { return outcome<done>(reject(errc::unavailable, "as told")); };
  parts.add(bad);
  parts.add(part("b"));
  EXPECT_EQ(parts.open().error().detail, "as told");
  EXPECT_EQ(told(), "a.open ");
  EXPECT_EQ(parts.lead().error().detail, "as told");
  EXPECT_EQ(told(), "a.lead ");
}

TEST_F(OPS2_parts, all_have_to_be_up) {
  parts.add(part("a"));
  parts.add({.name = "quiet"});
  parts.add(part("b"));
  EXPECT_TRUE(parts.await_up(std::chrono::milliseconds(0)));
  down = "a";
  const auto late = parts.await_up(std::chrono::milliseconds(3));
  EXPECT_EQ(late.error().code, errc::timed_out);
  EXPECT_EQ(late.error().detail, "did not start in time: a");
}
