#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>
#include <thread>
#include <vector>

namespace {

using namespace reeve;

constexpr std::int64_t day = 86'400 * us_per_second;

}  // namespace

TEST(EV2_uuid, text_and_back) {
  const std::string text = "01930000-abcd-7ef0-8123-456789abcdef";
  ASSERT_TRUE(parse_uuid(text));
  EXPECT_EQ(to_string(*parse_uuid(text)), text);
  EXPECT_EQ(to_string(*parse_uuid("01930000-ABCD-7EF0-8123-456789ABCDEF")), text);
  EXPECT_EQ(to_string(system_tenant), "00000000-0000-0000-0000-000000000000");
  for (const auto* bad :
       {"", "01930000-abcd-7ef0-8123-456789abcde", "{01930000-abcd-7ef0-8123}",
        "01930000abcd7ef08123456789abcdef0000", "g1930000-abcd-7ef0-8123-456789abcdef",
        "01930000-abcd-7ef0-8123-456789abcdef ", "0193000-0abcd-7ef0-8123-456789abcdef",
        "-1930000-abcd-7ef0-8123-456789abcdef", "01930000-abcd-7ef0-8123--56789abcdef"}) {
    EXPECT_FALSE(parse_uuid(bad)) << bad;
  }
}

TEST(EV2_uuid, version_7_carries_the_time) {
  const auto before = real_clock().now_us() / 1000;
  const uuid id = real_ids().next();
  const auto after = real_clock().now_us() / 1000;
  std::int64_t ms = 0;
  for (std::size_t i = 0; i < 6; ++i) ms = ms << 8 | id.bytes[i];
  EXPECT_GE(ms, before);
  EXPECT_LE(ms, after + 1000);  // the source runs ahead of the clock when it is asked very fast
  EXPECT_EQ(to_string(id)[14], '7');
  EXPECT_EQ(id.bytes[8] & 0xc0, 0x80);
}

TEST(EV2_uuid, ids_ascend_in_each_thread_and_never_repeat) {
  constexpr std::size_t threads = 4;
  constexpr std::size_t each = 5'000;
  std::vector<std::vector<uuid>> made(threads);
  std::vector<std::thread> workers;
  for (auto& mine : made) {
    workers.emplace_back([&mine] {
      for (std::size_t i = 0; i < each; ++i) mine.push_back(real_ids().next());
    });
  }
  for (auto& worker : workers) worker.join();
  std::set<uuid> all;
  for (const auto& mine : made) {
    EXPECT_TRUE(std::ranges::is_sorted(mine));
    all.insert(mine.begin(), mine.end());
  }
  EXPECT_EQ(all.size(), threads * each);
  EXPECT_LT(*all.rbegin(), real_ids().next());
}

TEST(EV2_uuid, derived_ids_depend_on_space_and_name) {
  const uuid space = *parse_uuid("01930000-0000-7000-8000-000000000001");
  // The first 16 bytes of SHA-256(space, "name"), with version and variant set.
  const std::string bytes(reinterpret_cast<const char*>(space.bytes.data()), 16);
  std::string expected = to_hex(sha256(bytes + "name")).substr(0, 32);
  expected[12] = '8';
  std::string made = to_string(derived_uuid(space, "name"));
  std::erase(made, '-');
  EXPECT_EQ(made.substr(0, 16), expected.substr(0, 16));
  EXPECT_EQ(made.substr(17), expected.substr(17));
  EXPECT_NE(std::string("89ab").find(made[16]), std::string::npos);
  EXPECT_EQ(derived_uuid(space, "name"), derived_uuid(space, "name"));
  EXPECT_NE(derived_uuid(space, "name"), derived_uuid(space, "Name"));
  EXPECT_NE(derived_uuid(space, "name"), derived_uuid(system_tenant, "name"));
}

TEST(EV2_time, formats_and_parses_edges) {
  const std::vector<std::pair<time_us, std::string>> pairs = {
      {0, "1970-01-01T00:00:00.000000Z"},
      {-1, "1969-12-31T23:59:59.999999Z"},
      {951'782'400 * us_per_second, "2000-02-29T00:00:00.000000Z"},
      {-2'203'891'200 * us_per_second, "1900-03-01T00:00:00.000000Z"},
      {1'795'234'800'000'123, "2026-11-21T04:20:00.000123Z"},
      {-62'135'596'800 * us_per_second, "0001-01-01T00:00:00.000000Z"},
      {253'402'300'799'999'999, "9999-12-31T23:59:59.999999Z"},
  };
  for (const auto& [at, text] : pairs) {
    EXPECT_EQ(format_time(at), text);
    EXPECT_EQ(parse_time(text), at) << text;
  }
  EXPECT_EQ(format_time(INT64_MAX), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_time(INT64_MIN), "0001-01-01T00:00:00.000000Z");
  for (time_us at = pairs[5].first; at < pairs[6].first; at += 997 * day + 12'345'678'901) {
    ASSERT_EQ(parse_time(format_time(at)), at);
  }
}

TEST(EV2_time, reads_offsets_fractions_and_leap_seconds) {
  const time_us noon = *parse_time("2024-02-29T12:00:00Z");
  for (const auto* same : {"2024-02-29T12:00:00.0Z", "2024-02-29t12:00:00z",
                           "2024-02-29T14:30:00+02:30", "2024-02-28T12:01:00-23:59",
                           "2024-02-29T12:00:00-00:00", "2024-02-29T12:00:00.000000999+00:00"}) {
    EXPECT_EQ(parse_time(same), noon) << same;
  }
  EXPECT_EQ(parse_time("2024-02-29T12:00:00.5Z"), noon + 500'000);
  EXPECT_EQ(parse_time("2024-02-29T12:00:00.123456789Z"), noon + 123'456);
  EXPECT_EQ(parse_time("2016-12-31T23:59:60Z"), parse_time("2017-01-01T00:00:00Z"));
  EXPECT_EQ(parse_time("2016-12-31T15:59:60.5-08:00"), parse_time("2017-01-01T00:00:00.5Z"));
}

TEST(EV2_time, refuses_everything_else) {
  for (const auto* bad : {"",
                          "2024",
                          "2024-02-29",
                          "2024-02-29T12:00:00",
                          "2023-02-29T12:00:00Z",
                          "1900-02-29T00:00:00Z",
                          "2024-13-01T00:00:00Z",
                          "2024-00-01T00:00:00Z",
                          "2024-01-32T00:00:00Z",
                          "2024-01-00T00:00:00Z",
                          "2024-01-01T24:00:00Z",
                          "2024-01-01T00:60:00Z",
                          "2024-01-01T00:00:61Z",
                          "2024-01-01T12:00:60Z",
                          "2024-01-01T00:00:00.Z",
                          "2024-01-01T00:00:00.1234567890Z",
                          "2024-01-01T00:00:00,5Z",
                          "2024-01-01 00:00:00Z",
                          "2024-01-01T00:00:00+24:00",
                          "2024-01-01T00:00:00+00:60",
                          "2024-01-01T00:00:00+0000",
                          "2024-01-01T00:00:00+00",
                          "2024-01-01T00:00:00Z ",
                          " 2024-01-01T00:00:00Z",
                          "+024-01-01T00:00:00Z",
                          "2024-1-01T00:00:00Z",
                          "10000-01-01T00:00:00Z",
                          "0000-12-31T23:59:59Z",
                          "0001-01-01T00:00:00+00:01",
                          "9999-12-31T23:59:59-00:01",
                          "2024-01-01T00:00:-1Z"}) {
    EXPECT_FALSE(parse_time(bad)) << bad;
  }
}

TEST(EV2_time, the_monotonic_clock_does_not_go_back) {
  std::int64_t last = real_clock().mono_us();
  for (int i = 0; i < 1'000; ++i) {
    const auto now = real_clock().mono_us();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(EV6_digest, sha256_vectors) {
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::string two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  EXPECT_EQ(to_hex(sha256(two_blocks)),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  sha256_hasher hasher;
  for (int i = 0; i < 1'000; ++i) hasher.update(std::string(1'000, 'a'));
  EXPECT_EQ(to_hex(hasher.finish()),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  hasher.update("a");
  hasher.update("");
  hasher.update("bc");
  sha256_hasher moved = std::move(hasher);
  EXPECT_EQ(moved.finish(), sha256("abc"));
  EXPECT_EQ(moved.finish(), sha256(""));
}

TEST(EV6_digest, text_forms) {
  const std::string bytes("\x00\xff\x10 a", 5);
  EXPECT_EQ(to_hex(bytes), "00ff102061");
  EXPECT_EQ(from_hex("00FF102061"), bytes);
  EXPECT_EQ(from_hex(""), "");
  for (const auto* bad : {"0", "0g", "0x10", " 00", "00 "}) EXPECT_FALSE(from_hex(bad)) << bad;
  EXPECT_EQ(digest_from_hex(to_hex(sha256("x"))), sha256("x"));
  EXPECT_FALSE(digest_from_hex(std::string(62, '0')));
  EXPECT_FALSE(digest_from_hex(std::string(63, '0') + "g"));
  EXPECT_FALSE(digest_from_hex(std::string(66, '0')));
  // RFC 4648 section 10, without padding.
  const std::vector<std::pair<std::string, std::string>> vectors = {
      {"", ""},        {"f", "Zg"},        {"fo", "Zm8"},
      {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"\xfb\xff", "-_8"}};
  for (const auto& [plain, text] : vectors) {
    EXPECT_EQ(to_base64url(plain), text);
    EXPECT_EQ(from_base64url(text), plain);
  }
  for (const auto* bad : {"Z", "Zg==", "Zh", "Z g", "+/8", "Zm9vY", "Zg\n"}) {
    EXPECT_FALSE(from_base64url(bad)) << bad;
  }
}

TEST(EV6_digest, compares_in_constant_time) {
  EXPECT_TRUE(equal_constant_time("", ""));
  EXPECT_TRUE(equal_constant_time("secret", "secret"));
  EXPECT_FALSE(equal_constant_time("secret", "secreT"));
  EXPECT_FALSE(equal_constant_time("secret", "secret "));
  EXPECT_FALSE(equal_constant_time("secret", ""));
}
