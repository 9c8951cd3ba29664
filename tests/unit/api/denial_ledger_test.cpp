#include "api/denial_ledger.hpp"

#include <gtest/gtest.h>

using namespace reeve;
using namespace reeve::api;
using domain::access_denied;

namespace {

class hand_clock final : public clock_port {
 public:
  time_us now_us() override { return 0; }
  std::int64_t mono_us() override { return at; }
  std::int64_t at = 1;
};

struct ledger_box {
  hand_clock clock;
  std::vector<std::pair<uuid, access_denied>> told;
  denial_ledger ledger{
      [this](const uuid& tenant, access_denied e) { told.emplace_back(tenant, std::move(e)); },
      clock};

  void anonymous(std::string peer) {
    denial d;
    d.peer = std::move(peer);
    d.route = "GET /api/runs";
    ledger.note(d);
  }
  void token(const std::string& name, errc code = errc::forbidden) {
    denial d;
    d.code = code;
    d.who = caller{derived_uuid({}, "tenant"), derived_uuid({}, name), "token:" + name,
                   api::role::viewer};
    d.peer = "192.0.2.1";
    ledger.note(d);
  }
  void pass(std::int64_t minutes) {
    for (std::int64_t i = 0; i < minutes; ++i) {
      clock.at += denial_ledger::minute_us;
      ledger.settle();
    }
  }
};

}  // namespace

TEST(ACC3_ledger, the_first_denial_is_told_at_once_and_the_rest_counted_by_the_minute) {
  ledger_box it;
  for (int n = 0; n < 10; ++n) it.token("a");
  ASSERT_EQ(it.told.size(), 1U);
  EXPECT_EQ(it.told[0].first, derived_uuid({}, "tenant"));
  EXPECT_EQ(it.told[0].second, (access_denied{"token:a", "forbidden", 1}));
  it.clock.at += denial_ledger::minute_us - 1;
  it.ledger.settle();
  EXPECT_EQ(it.told.size(), 1U);
  it.clock.at += 1;
  it.ledger.settle();
  ASSERT_EQ(it.told.size(), 2U);
  EXPECT_EQ(it.told[1].second, (access_denied{"token:a", "forbidden", 9}));
  // It goes on: counted, not told at once.
  it.token("a");
  EXPECT_EQ(it.told.size(), 2U);
  it.pass(1);
  EXPECT_EQ(it.told.at(2).second.count, 1);
  // A quiet minute, and the next one is the first again.
  it.pass(1);
  it.token("a");
  ASSERT_EQ(it.told.size(), 4U);
  EXPECT_EQ(it.told[3].second.count, 1);
}

TEST(ACC3_ledger, principals_rules_and_networks_are_counted_apart) {
  ledger_box it;
  it.token("a");
  it.token("b");
  it.token("a", errc::not_allowlisted);
  it.anonymous("192.0.2.7");
  it.anonymous("192.0.2.200");
  it.anonymous("192.0.3.7");
  ASSERT_EQ(it.told.size(), 5U);
  EXPECT_EQ(it.told[2].second, (access_denied{"token:a", "not_allowlisted", 1}));
  EXPECT_EQ(it.told[3].second, (access_denied{"anonymous:192.0.2.0/24", "unauthenticated", 1}));
  EXPECT_EQ(it.told[3].first, system_tenant);
  EXPECT_EQ(it.told[4].second.principal, "anonymous:192.0.3.0/24");
}

TEST(ACC3_ledger, a_flood_from_everywhere_is_a_few_events_and_every_denial_is_counted) {
  ledger_box it;
  std::int64_t sent = 0;
  for (int minute = 0; minute < 10; ++minute) {
    for (int n = 0; n < 20'000; ++n, ++sent) {
      it.anonymous("10." + std::to_string(n / 256 % 256) + "." + std::to_string(n % 256) + ".1");
    }
    for (int n = 0; n < 1000; ++n, ++sent) it.token(std::to_string(n));
    it.pass(1);
  }
  it.ledger.close();
  constexpr auto places = denial_ledger::most_networks + denial_ledger::most_tokens + 2;
  EXPECT_LE(it.told.size(), 11 * places);
  std::int64_t counted = 0;
  bool shared = false;
  for (const auto& [tenant, e] : it.told) {
    counted += e.count;
    shared = shared || e.principal == "anonymous:others";
    if (e.principal.ends_with(":others")) {
      EXPECT_EQ(tenant, system_tenant);
    }
  }
  EXPECT_EQ(counted, sent);
  EXPECT_TRUE(shared);
  // After two quiet minutes there is room again.
  it.pass(2);
  it.told.clear();
  it.anonymous("198.51.100.1");
  ASSERT_EQ(it.told.size(), 1U);
  EXPECT_EQ(it.told[0].second.principal, "anonymous:198.51.100.0/24");
}

TEST(ACC3_ledger, a_stop_tells_what_was_counted) {
  ledger_box it;
  for (int n = 0; n < 3; ++n) it.anonymous("::1");
  it.ledger.close();
  ASSERT_EQ(it.told.size(), 2U);
  EXPECT_EQ(it.told[1].second.count, 2);
  it.ledger.close();
  EXPECT_EQ(it.told.size(), 2U);
}

TEST(ACC3_network, is_all_that_is_kept_of_an_address) {
  const std::pair<const char*, const char*> rows[] = {
      {"192.0.2.77", "192.0.2.0/24"},
      {"::ffff:192.0.2.77", "192.0.2.0/24"},
      {"2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"},
      {"fe80::1%eth0", "fe80::/48"},
      {"::1", "::/48"},
      {"2001:0:0:1::2", "2001::/48"},
      {"2001:0:5::", "2001:0:5::/48"},
      {"1.2.3", "unknown"},
      {"host:80", "unknown"},
      {"", "unknown"},
      {"nonsense", "unknown"},
  };
  for (const auto& [address, network] : rows) EXPECT_EQ(network_of(address), network);
}
