#include "api/shares.hpp"

#include "api/http_address.hpp"

#include <gtest/gtest.h>
#include <thread>
#include <vector>

using namespace reeve;
using namespace reeve::api;

namespace {

const uuid ann = derived_uuid({}, "ann");
const uuid bob = derived_uuid({}, "bob");

}  // namespace

TEST(GW3_shares, a_token_an_address_and_all_have_their_limits) {
  share_ledger ledger({6, 2, 4});
  std::vector<share> held(8);
  const auto take = [&](std::size_t at, std::optional<uuid> token, std::string_view address) {
    return ledger.take({token, address}, 1, held[at]);
  };
  EXPECT_EQ(take(0, ann, "a"), share_verdict::granted);
  EXPECT_EQ(take(1, ann, "b"), share_verdict::granted);
  EXPECT_EQ(take(2, ann, "c"), share_verdict::token_is_full);
  EXPECT_EQ(take(2, bob, "a"), share_verdict::granted);
  EXPECT_EQ(take(3, bob, "a"), share_verdict::granted);
  EXPECT_EQ(take(4, {}, "a"), share_verdict::granted);
  EXPECT_EQ(take(5, {}, "a"), share_verdict::address_is_full);
  EXPECT_EQ(take(5, {}, "d"), share_verdict::granted);
  EXPECT_EQ(take(6, {}, "e"), share_verdict::all_is_full);
  EXPECT_EQ(ledger.held(), 6U);
  held[0].release();
  held[0].release();
  EXPECT_EQ(take(6, ann, "e"), share_verdict::granted);
  EXPECT_FALSE(held[7]);
}

TEST(GW3_shares, what_is_given_back_is_forgotten) {
  share_ledger ledger({10, 10, 10});
  {
    share first, second;
    ASSERT_EQ(ledger.take({ann, "a"}, 3, first), share_verdict::granted);
    ASSERT_EQ(ledger.take({{}, "a"}, 4, second), share_verdict::granted);
    EXPECT_EQ(ledger.held(), 7U);
    EXPECT_EQ(ledger.holders(), 2U);
    share moved(std::move(first));
    EXPECT_FALSE(first);
    second = std::move(moved);
    EXPECT_EQ(ledger.held(), 3U) << "what it held before is given back";
  }
  EXPECT_EQ(ledger.held(), 0U);
  EXPECT_EQ(ledger.holders(), 0U);
}

TEST(GW3_shares, a_refusal_takes_nothing_and_leaves_what_is_held) {
  share_ledger ledger({1, 1, 1});
  share held;
  ASSERT_EQ(ledger.take({ann, "a"}, 1, held), share_verdict::granted);
  EXPECT_EQ(ledger.take({ann, "a"}, 1, held), share_verdict::token_is_full);
  EXPECT_TRUE(held);
  EXPECT_EQ(ledger.held(), 1U);
}

TEST(GW3_shares, who_holds_less_than_his_share_may_have_one_that_is_larger) {
  share_ledger ledger({100, 10, 100});
  share large, next, other;
  EXPECT_EQ(ledger.take({ann, "a"}, 50, large), share_verdict::granted);
  EXPECT_EQ(ledger.take({ann, "a"}, 1, next), share_verdict::token_is_full);
  EXPECT_EQ(ledger.take({bob, "a"}, 1, other), share_verdict::granted);
}

TEST(GW3_shares, outlive_their_ledger_and_come_back_from_any_thread) {
  share held;
  {
    share_ledger ledger({1000, 1000, 1000});
    ASSERT_EQ(ledger.take({ann, "a"}, 1, held), share_verdict::granted);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&ledger] {
        for (int k = 0; k < 1000; ++k) {
          share one;
          EXPECT_EQ(ledger.take({bob, "b"}, 2, one), share_verdict::granted);
        }
      });
    }
    for (auto& one : threads) one.join();
    EXPECT_EQ(ledger.held(), 1U);
  }
  held.release();
  EXPECT_FALSE(held);
}

TEST(GW3_shares, are_percents_rounded_up) {
  const auto of = limits_of(1024, {25, 75});
  EXPECT_EQ(of.all, 1024U);
  EXPECT_EQ(of.of_token, 256U);
  EXPECT_EQ(of.of_address, 768U);
  EXPECT_EQ(limits_of(2, {1, 1}).of_token, 1U);
  EXPECT_EQ(limits_of(10, {25, 100}).of_token, 3U);
  EXPECT_EQ(limits_of(10, {25, 100}).of_address, share_limits::none);
  EXPECT_EQ(limits_of(3, {25, 75}).of_address, share_limits::none);
  EXPECT_EQ(limits_of(share_limits::none, {100, 100}).of_token, share_limits::none);
}

TEST(GW3_shares, of_ipv6_belong_to_a_whole_64) {
  EXPECT_EQ(share_key_of("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(share_key_of("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(share_key_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(share_key_of("2001:db8:1:2::1"), share_key_of("2001:db8:1:2:ffff::"));
  EXPECT_NE(share_key_of("2001:db8:1:3::1"), share_key_of("2001:db8:1:2::1"));
  EXPECT_EQ(share_key_of("fe80::1%eth0"), "fe80::/64");
  EXPECT_EQ(share_key_of(""), "unknown");
  EXPECT_EQ(share_key_of("192.0.2"), "unknown");
}

TEST(GW3_shares, of_ones_own_are_429_and_everybodys_503) {
  EXPECT_EQ(refusal_of(share_verdict::token_is_full, "streams").code, errc::rate_limited);
  EXPECT_EQ(refusal_of(share_verdict::token_is_full, "streams").detail,
            "this token has too many streams at a time");
  EXPECT_EQ(refusal_of(share_verdict::address_is_full, "streams").code, errc::rate_limited);
  EXPECT_EQ(refusal_of(share_verdict::all_is_full, "streams").code, errc::overloaded);
  EXPECT_EQ(name_of(share_verdict::all_is_full), "all");
}
