#include "api/header_values.hpp"

#include "api/rate_limit.hpp"
#include "api/response_head.hpp"

#include <gtest/gtest.h>

using namespace reeve;
using namespace reeve::api;

TEST(P21_headers, bearer_tokens_are_one_word) {
  EXPECT_EQ(bearer_token("Bearer abc.DEF-1_2~3+/=="), "abc.DEF-1_2~3+/==");
  EXPECT_EQ(bearer_token("bEARER a"), "a");
  for (const char* value : {"", "Bearer", "Bearer ", "Bearer  a", "Bearer a b", "Basic a",
                            "Bearera", "Bearer =", "Bearer a=b", "Bearer a,b", "Bearer \xc3\xa9"}) {
    EXPECT_EQ(bearer_token(value), "") << value;
  }
  EXPECT_EQ(bearer_token("Bearer " + std::string(4097, 'a')), "");
}

TEST(GW2_headers, idempotency_keys_have_a_pattern) {
  EXPECT_EQ(idempotency_key("01a1-_.:~Z"), "01a1-_.:~Z");
  EXPECT_EQ(idempotency_key("\"quoted\""), "quoted");
  for (const char* value : {"", "\"\"", "a b", "a/b", "a\"", "\xc3\xa9"}) {
    EXPECT_FALSE(idempotency_key(value)) << value;
  }
  EXPECT_TRUE(idempotency_key(std::string(128, 'a')));
  EXPECT_FALSE(idempotency_key(std::string(129, 'a')));
}

TEST(GW4_headers, traceparents_are_read_as_version_00) {
  const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_EQ(traceparent_of(good), good);
  EXPECT_EQ(traceparent_of("01" + good.substr(2)), good);
  EXPECT_EQ(traceparent_of("fe" + good.substr(2) + "-what-comes-later"), good);
  for (const std::string& bad :
       {good + "-x", "01" + good.substr(2) + "x", "ff" + good.substr(2), "0g" + good.substr(2),
        good.substr(0, 54), std::string(),
        std::string("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
        std::string("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"),
        std::string("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        std::string("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x")}) {
    EXPECT_FALSE(traceparent_of(bad)) << bad;
  }
}

TEST(GW4_headers, a_traceresponse_stays_in_the_callers_trace) {
  const std::string given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";
  const auto answer = traceresponse_to(given, "01930000-0000-7000-8123-456789abcdef");
  EXPECT_EQ(answer, "00-0af7651916cd43dd8448eb211c80319c-8123456789abcdef-03");
}

TEST(EV10_headers, positions_are_plain_numbers) {
  EXPECT_EQ(parse_position("0"), 0);
  EXPECT_EQ(parse_position("9223372036854775807"), INT64_MAX);
  for (const char* value : {"", "-1", "+1", " 1", "1 ", "1.0", "9223372036854775808", "0x1"}) {
    EXPECT_FALSE(parse_position(value)) << value;
  }
}

TEST(GW3_headers, etags_are_compared_weakly) {
  EXPECT_TRUE(valid_etag_list("*"));
  EXPECT_TRUE(valid_etag_list("\"a\", W/\"b\""));
  for (const char* value : {"", ",", " , ,", "a", "\"a", "\"a\" \"b\"", "W/a", "*, \"a\"", "*,",
                            "\"a\",b", "\"a\",\"b"}) {
    EXPECT_FALSE(valid_etag_list(value)) << value;
  }
  EXPECT_TRUE(etag_listed("\"a\", W/\"b\"", "\"b\""));
  EXPECT_TRUE(etag_listed("*", "\"b\""));
  EXPECT_FALSE(etag_listed("\"a\"", "\"b\""));
}

/// RFC 9110 section 5.6.1: a list may have empty elements, and they count for nothing.
TEST(GW2_headers, empty_elements_of_a_list_of_tags_are_skipped) {
  for (const char* list : {", \"a\"", "\"a\",", "\"b\",,\"a\"", ",\t, \"a\" , ,"}) {
    EXPECT_TRUE(valid_etag_list(list)) << list;
    EXPECT_TRUE(etag_listed(list, "\"a\"")) << list;
    EXPECT_TRUE(etag_matches(list, "\"a\"")) << list;
    EXPECT_FALSE(etag_listed(list, "\"c\"")) << list;
    EXPECT_FALSE(etag_matches(list, "\"c\"")) << list;
  }
}

TEST(GW2_headers, a_comma_inside_the_quotes_is_part_of_the_tag) {
  const char* list = "\"a,b\", \"c\"";
  EXPECT_TRUE(valid_etag_list(list));
  EXPECT_TRUE(etag_matches(list, "\"a,b\""));
  EXPECT_TRUE(etag_matches(list, "\"c\""));
  EXPECT_FALSE(etag_matches(list, "\"a\""));
}

TEST(GW2_headers, if_match_is_compared_strongly) {
  EXPECT_TRUE(etag_matches("*", "\"b\""));
  EXPECT_TRUE(etag_matches("\"a\", \"b\"", "\"b\""));
  EXPECT_FALSE(etag_matches("\"a\"", "\"b\""));
  EXPECT_FALSE(etag_matches("W/\"b\"", "\"b\""));
  EXPECT_FALSE(etag_matches("W/\"b\"", "W/\"b\"")) << "a weak tag is equal to none";
  EXPECT_TRUE(etag_matches("W/\"b\", \"b\"", "\"b\""));
}

TEST(GW2_headers, content_encodings_other_than_identity_are_told_apart) {
  for (const char* plain : {"", "identity", "Identity", "identity, identity"}) {
    EXPECT_TRUE(is_identity(plain)) << plain;
  }
  for (const char* coded : {"gzip", "identity, gzip", "br", "x-identity", "aws-chunked"}) {
    EXPECT_FALSE(is_identity(coded)) << coded;
  }
}

TEST(GW2_headers, accept_admits_ranges) {
  for (const char* value : {"", "*/*", "application/json", "application/*", "Text/html, */*;q=0.1",
                            "application/json; q=0.5", "APPLICATION/JSON", ", application/json",
                            "text/html, , */*", ", ,", "text/html;a=\", \", */*"}) {
    EXPECT_TRUE(accepts(value, "application/json")) << value;
  }
  for (const char* value :
       {"text/html", "application/json;q=0", "*/*;q=0.0", "application/xml", "app/*",
        "application/jsonx", "text/*", ", text/html", "text/html;a=\", application/json\""}) {
    EXPECT_FALSE(accepts(value, "application/json")) << value;
  }
}

/// RFC 9110 section 5.6.4: a quote with a backslash before it ends nothing in a parameter.
TEST(GW2_headers, an_escaped_quote_is_part_of_a_parameter) {
  for (const char* value :
       {R"(text/html;a="x\"y", application/json)", R"(text/html;a="x\\", application/json)",
        R"(text/html;a="\",", application/json)", R"(application/json;a="\";q=0")"}) {
    EXPECT_TRUE(accepts(value, "application/json")) << value;
  }
  for (const char* value :
       {R"(text/html;a="\", application/json")", R"(text/html;a="x\\\", application/json")",
        R"(text/html, a="\)", R"(application/json;a="\"";q=0)"}) {
    EXPECT_FALSE(accepts(value, "application/json")) << value;
  }
  EXPECT_TRUE(is_media_type(R"(application/json;a="\";charset=latin1")", "application/json"));
  EXPECT_FALSE(is_media_type(R"(application/json;a="\"";charset=latin1)", "application/json"));
  // An entity tag has no escapes.
  EXPECT_TRUE(valid_etag_list(R"("a\", "b")"));
  EXPECT_TRUE(etag_matches(R"("a\", "b")", "\"b\""));
  EXPECT_TRUE(etag_listed(R"("a\", "b")", R"("a\")"));
}

/// RFC 9110 section 12.5.1, in whichever order they stand.
TEST(GW2_headers, the_closest_range_of_accept_decides) {
  for (const char* value :
       {"application/json;q=0, */*", "*/*, application/json;q=0", "application/*;q=0, */*",
        "application/json;q=0, application/*, */*", "*/*, application/*;q=0.0, text/html"}) {
    EXPECT_FALSE(accepts(value, "application/json")) << value;
  }
  for (const char* value :
       {"*/*;q=0, application/json", "application/json, */*;q=0", "application/*;q=0.1, */*;q=0",
        "application/*;q=0, application/json;q=0.1", "text/html;q=0, */*",
        "application/json;v=2;q=0, application/json"}) {
    EXPECT_TRUE(accepts(value, "application/json")) << value;
  }
}

TEST(GW2_headers, media_types_have_no_foreign_charset) {
  for (const char* value : {"application/json", "Application/JSON; charset=UTF-8",
                            "application/json;charset=\"utf-8\"", "application/json; v=1"}) {
    EXPECT_TRUE(is_media_type(value, "application/json")) << value;
  }
  for (const char* value :
       {"", "text/plain", "application/json; charset=latin1", "application/jsonp", "text/json"}) {
    EXPECT_FALSE(is_media_type(value, "application/json")) << value;
  }
}

TEST(P18_headers, ours_have_no_line_ends) {
  EXPECT_TRUE(safe_header("ETag", "\"a b\""));
  EXPECT_FALSE(safe_header("E Tag", "a"));
  EXPECT_FALSE(safe_header("", "a"));
  EXPECT_FALSE(safe_header("A", "a\r\nB: c"));
  EXPECT_FALSE(safe_header("A", std::string_view("a\0b", 3)));
}

TEST(GW3_headers, dates_are_in_english_and_utc) {
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(GW3_rate_limit, refills_with_time_and_stays_bounded) {
  rate_limiter it(10, 2, 100);
  const uuid who = derived_uuid({}, "a");
  EXPECT_TRUE(it.take(who, 0));
  EXPECT_TRUE(it.take(who, 0));
  EXPECT_FALSE(it.take(who, 0));
  EXPECT_FALSE(it.take(who, 99'000));
  EXPECT_TRUE(it.take(who, 201'000));
  EXPECT_TRUE(it.take(derived_uuid({}, "b"), 201'000));
  // A clock that goes back gives nothing and takes nothing.
  EXPECT_TRUE(it.take(who, 401'000));
  EXPECT_TRUE(it.take(who, 1'000));
  for (int i = 0; i < 1000; ++i) it.take(derived_uuid({}, std::to_string(i)), 401'000);
  EXPECT_LE(it.callers(), 100U);
  rate_limiter off(0, 1);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(off.take(who, 0));
}
