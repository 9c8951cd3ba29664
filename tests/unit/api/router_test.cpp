#include "api/router.hpp"

#include "api/uri.hpp"

#include <gtest/gtest.h>

using namespace reeve;
using namespace reeve::api;

namespace {

route route_to(method verb, std::string pattern, api::access needs = api::access::viewer) {
  route made;
  made.method = verb;
  made.pattern = std::move(pattern);
  made.needs = needs;
  made.handle = [](const request&, const responder&) {};
  return made;
}

router table(std::vector<route> rows) {
  return router::make(std::move(rows)).value();
}

}  // namespace

TEST(GW2_router, literals_win_over_parameters) {
  const router it =
      table({route_to(method::get, "/api/runs/{id}"), route_to(method::get, "/api/runs/stream"),
             route_to(method::get, "/api/runs/{run}/jobs/{job}")});
  EXPECT_EQ(it.find(method::get, "/api/runs/stream").index, 1U);
  const auto one = it.find(method::get, "/api/runs/7");
  EXPECT_EQ(one.index, 0U);
  ASSERT_EQ(one.params.size(), 1U);
  EXPECT_EQ(one.params[0].first, "id");
  EXPECT_EQ(one.params[0].second, "7");
  // The literal branch has no child, so the parameter's is taken.
  const auto deep = it.find(method::get, "/api/runs/stream/jobs/2");
  EXPECT_EQ(deep.index, 2U);
  ASSERT_EQ(deep.params.size(), 2U);
  EXPECT_EQ(deep.params[0].first, "run");
  EXPECT_EQ(deep.params[0].second, "stream");
}

TEST(GW2_router, tells_unknown_paths_from_unknown_methods) {
  const router it =
      table({route_to(method::get, "/a", api::access::viewer),
             route_to(method::delete_, "/a", api::access::admin), route_to(method::post, "/a/b")});
  EXPECT_FALSE(it.find(method::get, "/b").path_known);
  EXPECT_FALSE(it.find(method::get, "/a//b").path_known);
  EXPECT_FALSE(it.find(method::get, "/a/").path_known);
  EXPECT_FALSE(it.find(method::get, "").path_known);
  const auto found = it.find(method::post, "/a");
  EXPECT_TRUE(found.path_known);
  EXPECT_FALSE(found.index);
  EXPECT_EQ(found.allow, "GET, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(found.lowest, api::access::viewer);
  EXPECT_FALSE(it.find(std::nullopt, "/a").index);
}

TEST(GW2_router, head_is_answered_by_get) {
  const router it = table({route_to(method::get, "/a/{x}")});
  const auto found = it.find(method::head, "/a/1");
  EXPECT_EQ(found.index, 0U);
  EXPECT_EQ(found.params.size(), 1U);
}

TEST(GW2_router, refuses_duplicates_and_malformed_patterns_at_start) {
  const auto refused = [](std::vector<route> rows) {
    const auto made = router::make(std::move(rows));
    return made.ok() ? std::string() : made.error().detail;
  };
  EXPECT_EQ(refused({route_to(method::get, "/a/{x}"), route_to(method::get, "/a/{y}")}),
            "the route stands twice: GET /a/{y}");
  EXPECT_EQ(refused({route_to(method::get, "/a/{x}"), route_to(method::post, "/a/{y}")}), "");
  for (const char* pattern : {"", "a", "/a/", "/a//b", "/{}", "/a{b}", "/{a}/{a}", "/{a"}) {
    EXPECT_NE(refused({route_to(method::get, pattern)}), "") << pattern;
  }
  route unhandled = route_to(method::get, "/a");
  unhandled.handle = nullptr;
  EXPECT_NE(refused({unhandled}), "");
}

TEST(P23_uri, decodes_strictly) {
  EXPECT_EQ(decode_path("/a%20b/c/").value(), "/a b/c");
  EXPECT_EQ(decode_path("/").value(), "/");
  EXPECT_EQ(decode_path("/%C3%A9").value(), "/\xc3\xa9");
  for (const char* path :
       {"/%",          "/%2",
        "/%zz",        "/%00",
        "/a%2fb",      "/a%2Fb",
        "/a%5Cb",      "/%0a",
        "/%7f",        "/%ff",
        "/..",         "/a/../b",
        "/a/%2e%2e/b", "/.",
        "/a/%2E",      "/a\"b",
        "/a{b}",       "/a\\b",
        "/a|b",        "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25"}) {
    const auto made = decode_path(path);
    ASSERT_FALSE(made.ok()) << path;
    EXPECT_EQ(made.error().code, errc::bad_request) << path;
  }
  EXPECT_EQ(decode_path("/%252e").value(), "/%2e");
}

TEST(GW2_uri, takes_queries_apart) {
  const auto pairs = decode_query("a=1&b=x%26y+z&&c").value();
  ASSERT_EQ(pairs.size(), 3U);
  EXPECT_EQ(pairs[1], (std::pair<std::string, std::string>("b", "x&y z")));
  EXPECT_EQ(pairs[2], (std::pair<std::string, std::string>("c", "")));
  EXPECT_TRUE(decode_query("")->empty());
}

TEST(GW2_uri, refuses_bad_queries) {
  EXPECT_EQ(decode_query("a=%").error().code, errc::bad_request);
  EXPECT_EQ(decode_query("a=%00").error().code, errc::bad_request);
  EXPECT_EQ(decode_query("a=%ff").error().code, errc::bad_request);
  const auto twice = decode_query("limit=1&limit=2");
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().code, errc::invalid);
  EXPECT_EQ(twice.error().field, "/query/limit");
  EXPECT_EQ(decode_query("a=1&%61=2").error().code, errc::invalid);
  std::string many;
  for (std::size_t i = 0; i <= max_query_pairs; ++i) many += "p" + std::to_string(i) + "=1&";
  EXPECT_EQ(decode_query(many).error().code, errc::invalid);
  EXPECT_EQ(query_pointer("a/b"), "/query");
}
