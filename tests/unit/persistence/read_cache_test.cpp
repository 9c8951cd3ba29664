// Documents in memory: bounded, and never older than an acknowledged write.

#include "persistence/read_cache.hpp"

#include "base/ids.hpp"
#include "persistence/projection.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;

TEST(read_cache_bounds, the_least_recently_used_go_and_a_touched_fill_is_dropped) {
  read_cache cache(16 * 1024);
  const auto tenant = real_ids().next();
  const auto body = [](std::size_t n) {
    return document{std::make_shared<const std::string>(n, 'x'), "\"e\""};
  };
  const auto fill = [&](const std::string& subject, std::size_t n) {
    const auto ticket = cache.begin_fill(subject);
    cache.end_fill(ticket, subject, rendering::plain, body(n));
  };
  for (int i = 0; i < 100; ++i) {
    fill(subject_of("run", tenant, std::to_string(i)), 1000);
    EXPECT_LE(cache.bytes(), 16U * 1024);
  }
  EXPECT_TRUE(cache.find(subject_of("run", tenant, "99"), rendering::plain));
  EXPECT_FALSE(cache.find(subject_of("run", tenant, "0"), rendering::plain));
  fill("large", 8000);
  EXPECT_FALSE(cache.find("large", rendering::plain)) << "one document takes a quarter at most";
  const auto id = to_string(real_ids().next());
  const auto subject = subject_of("image", tenant, id);
  const auto first = cache.begin_fill(subject), second = cache.begin_fill(subject);
  const projection_row row{&projection_named("image_allowlist"),
                           {to_string(tenant), id, "1", "true", "1", "{}"}};
  cache.touch({&row, 1});
  const auto third = cache.begin_fill(subject);
  for (const auto ticket : {first, second}) {
    cache.end_fill(ticket, subject, rendering::plain, body(1));
    EXPECT_FALSE(cache.find(subject, rendering::plain));
  }
  cache.end_fill(third, subject, rendering::plain, body(1));
  EXPECT_TRUE(cache.find(subject, rendering::plain));
}

}  // namespace
