// P22: what a call to the outside may be sent to.

#include "adapters/pinned_address.hpp"

#include <arpa/inet.h>
#include <cstring>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace {

using namespace reeve;
using namespace reeve::adapters;

bool is_host(const char* text) {
  sockaddr_storage where{};
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  if (::inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
    std::memcpy(&where, &v4, sizeof v4);
  } else {
    EXPECT_EQ(::inet_pton(AF_INET6, text, &v6.sin6_addr), 1) << text;
    std::memcpy(&where, &v6, sizeof v6);
  }
  return is_host_address(reinterpret_cast<const sockaddr&>(where));
}

TEST(P22_addresses, are_those_of_hosts) {
  for (const char* text :
       {"127.0.0.1", "10.0.0.1", "172.17.0.1", "192.168.1.1", "8.8.8.8", "169.253.1.1",
        "223.255.255.255", "::1", "fd00::1", "2001:db8::1", "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(is_host(text)) << text;
  }
  for (const char* text :
       {"0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.0.1", "224.0.0.1", "239.1.1.1",
        "240.0.0.1", "255.255.255.255", "::", "fe80::1", "fec0::1", "ff02::1",
        "::ffff:169.254.169.254", "::ffff:0.0.0.0", "::ffff:224.0.0.1"}) {
    EXPECT_FALSE(is_host(text)) << text;
  }
  sockaddr local{};
  local.sa_family = AF_UNIX;
  EXPECT_FALSE(is_host_address(local));
}

TEST(P22_addresses, are_looked_up_and_pinned) {
  const auto here = pin_address("127.0.0.1", 80);
  ASSERT_TRUE(here) << here.error().detail;
  EXPECT_EQ(here->text, "127.0.0.1");
  EXPECT_TRUE(here->is_loopback());
  EXPECT_TRUE(*here == *pin_address("127.0.0.1", 80));
  EXPECT_FALSE(*here == *pin_address("127.0.0.1", 81)) << "its port is a part of it";
  EXPECT_FALSE(*here == *pin_address("127.0.0.2", 80));
  const auto v6 = pin_address("::1", 80);
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->text, "::1");
  EXPECT_TRUE(v6->is_loopback());
  EXPECT_FALSE(pin_address("10.1.2.3", 80)->is_loopback());
  const auto metadata = pin_address("169.254.169.254", 80);
  ASSERT_FALSE(metadata);
  EXPECT_EQ(metadata.error().code, errc::invalid);
  EXPECT_EQ(pin_address("0", 80).error().code, errc::invalid) << "a short spelling of 0.0.0.0";
  EXPECT_EQ(pin_address("2852039166", 80).error().code, errc::invalid)
      << "a number that is 169.254.169.254";
  EXPECT_EQ(pin_address("no such host", 80).error().code, errc::unavailable);
}

}  // namespace
