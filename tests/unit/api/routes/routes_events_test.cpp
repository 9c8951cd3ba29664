#include "api/routes/views.hpp"
#include "tests/unit/api/routes/routes_world.hpp"

#include <cctype>
#include <gtest/gtest.h>

using namespace routes_fixture;

namespace {

/// The positions of a page, in its order.
std::string positions(const answer& page) {
  std::string all;
  for (int i = 0;; ++i) {
    const auto at = page.at("results/" + std::to_string(i) + "/position");
    if (at.empty()) return all;
    all += (all.empty() ? "" : " ") + at;
  }
}

/// Events 1 and 3 are of the tenant, 2 and 4 of the other one: the fixture's first ones.
struct four_events {
  answer ask(const std::string& query, const std::string& token = "viewer") {
    return it.ask(token, "GET /api/events" + query);
  }
  world it;
};

}  // namespace

TEST(EV10_events, a_tenant_sees_its_own_and_the_auditor_all) {
  four_events e;
  ASSERT_EQ(e.it.reads.head(), 4);
  EXPECT_EQ(positions(e.ask("")), "1 2");
  EXPECT_EQ(positions(e.ask("", "admin")), "1 2");
  EXPECT_EQ(positions(e.ask("", "stranger")), "3 4");
  EXPECT_EQ(positions(e.ask("", "auditor")), "1 2 3 4");
  const auto other = "?tenant=" + to_string(named("other"));
  EXPECT_EQ(positions(e.ask(other, "auditor")), "3 4");
  EXPECT_EQ(e.ask(other, "admin").status, 404);
  EXPECT_EQ(positions(e.ask("?tenant=" + to_string(named("tenant")), "admin")), "1 2");
  EXPECT_EQ(e.ask("/3").status, 404);
  EXPECT_EQ(e.ask("/3", "auditor").at("position"), "3");
  EXPECT_EQ(e.ask("/1").at("type"), "directive_created");
  EXPECT_EQ(e.ask("/1").at("payload/spec/name"), "default");
  for (const char* path : {"/0", "/5", "/-1", "/x", "/9999999999999999999"}) {
    EXPECT_EQ(e.ask(path, "auditor").status, 404) << path;
  }
}

TEST(EV10_events, are_filtered) {
  four_events e;
  const auto run = e.it.ask("operator", "POST /api/runs/launch", "{}");
  const auto at = run.at("position");
  const auto& record = e.it.reads.log.back();
  const std::string queries[] = {"?type=run_launched",
                                 "?stream=run-" + run.at("id"),
                                 "?principal=" + record.meta.principal,
                                 "?correlation_id=" + to_string(record.meta.correlation_id),
                                 "?after=4",
                                 "?from=" + run.at("created_at"),
                                 "?after=2&limit=1"};
  for (const auto& query : queries) {
    EXPECT_EQ(positions(e.ask(query)), at) << query;
  }
  EXPECT_EQ(positions(e.ask("?to=" + run.at("created_at"))), "1 2");
  EXPECT_EQ(positions(e.ask("?before=2")), "1");
  EXPECT_EQ(positions(e.ask("?order=desc")), "5 2 1");
}

TEST(EV10_events, pages_have_no_gap_in_either_direction) {
  four_events e;
  for (const auto& [order, wanted] : {std::pair("asc", "1 2 3 4"), std::pair("desc", "4 3 2 1")}) {
    std::string all;
    std::string next;
    for (int i = 0; i < 4; ++i) {
      const auto page =
          e.ask("?limit=1&order=" + std::string(order) + (next.empty() ? "" : "&cursor=" + next),
                "auditor");
      all += (all.empty() ? "" : " ") + positions(page);
      next = page.at("next");
      EXPECT_EQ(page.at("head"), "4");
    }
    EXPECT_EQ(all, wanted);
    EXPECT_EQ(next, "null");
  }
}

TEST(GW3_events, a_page_may_be_empty_and_not_the_last_one) {
  four_events e;
  e.it.reads.most_walked = 1;
  const std::string list = "?type=directive_created";
  std::string found;
  std::string next;
  int pages = 0;
  do {
    const auto page = e.ask(list + (next.empty() ? "" : "&cursor=" + next), "auditor");
    found += positions(page) + ";";
    next = page.at("next");
  } while (next != "null" && ++pages < 9);
  EXPECT_EQ(found, "1;;3;;");
}

TEST(EV10_events, are_of_the_range_that_was_asked_for_on_every_page) {
  four_events e;
  const auto page = [&](const std::string& query) { return positions(e.ask(query, "auditor")); };
  const auto next = e.ask("?limit=1", "auditor").at("next");
  EXPECT_EQ(page("?cursor=" + next), "2 3 4");
  EXPECT_EQ(page("?after=3&cursor=" + next), "4") << "the narrower bound holds";
  EXPECT_EQ(page("?after=0&cursor=" + next), "2 3 4");
  EXPECT_EQ(page("?before=3&cursor=" + next), "2");
  const auto down = e.ask("?limit=1&order=desc", "auditor").at("next");
  EXPECT_EQ(page("?order=desc&before=2&cursor=" + down), "1") << "the narrower bound holds";
  EXPECT_EQ(page("?order=desc&before=9&cursor=" + down), "3 2 1");
  EXPECT_EQ(page("?order=desc&after=2&cursor=" + down), "3");
}

TEST(EV10_events, a_cursor_goes_on_with_its_own_list_only) {
  four_events e;
  const std::string list = "?type=directive_created";
  const auto next = e.ask(list + "&limit=1", "auditor").at("next");
  const auto go_on = [&](const std::string& query) {
    return e.ask(query + "&cursor=" + next, "auditor");
  };
  EXPECT_EQ(positions(go_on(list)), "3");
  EXPECT_EQ(positions(go_on(list + "&limit=7&order=asc")), "3") << "it is the same list";
  const auto tenant = "&tenant=" + to_string(named("tenant"));
  for (const std::string& other :
       {std::string("?limit=1"), std::string("?type=tenant_created"), list + "&order=desc",
        list + "&stream=a", list + "&principal=a", list + tenant,
        list + "&from=2000-01-01T00:00:00Z", list + "&to=2100-01-01T00:00:00Z",
        list + "&correlation_id=" + to_string(named("a"))}) {
    const auto got = go_on(other);
    EXPECT_EQ(got.status, 422) << other;
    EXPECT_EQ(got.at("errors/0/pointer"), "/query/cursor") << other;
  }
  for (const char* none : {"3", "MTIz", "AAAAAAAAAAAz"}) {
    const auto got = e.ask(list + "&cursor=" + none, "auditor");
    EXPECT_EQ(got.at("errors/0/pointer"), "/query/cursor") << none;
  }
}

TEST(EV10_events, a_cursor_goes_on_however_its_list_is_spelled) {
  four_events e;
  const auto id = to_string(e.it.reads.log[0].meta.correlation_id);
  e.it.reads.log[2].meta.correlation_id = e.it.reads.log[0].meta.correlation_id;
  std::string loud = id;
  for (char& c : loud) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const std::pair<std::string, std::string> spellings[] = {
      {"correlation_id=" + loud, "correlation_id=" + id},
      {"from=1970-01-01T00:00:01Z", "from=1970-01-01T01:00:01.000000%2B01:00"},
      {"to=2100-01-01T00:00:00.0Z", "to=2100-01-01T00:00:00z"}};
  for (const auto& [one, other] : spellings) {
    const auto next = e.ask("?limit=1&" + one, "auditor").at("next");
    const auto page = e.ask("?limit=1&" + other + "&cursor=" + next, "auditor");
    EXPECT_EQ(page.status, 200) << other << page.body;
    EXPECT_NE(positions(page), "") << other;
  }
}

TEST(EV10_events, a_plus_that_became_a_space_is_told) {
  four_events e;
  for (const std::string name : {"from", "to"}) {
    const auto got = e.ask("?" + name + "=1970-01-01T01:00:01+01:00", "auditor");
    EXPECT_EQ(got.status, 422) << got.body;
    EXPECT_EQ(got.at("errors/0/pointer"), "/query/" + name);
    EXPECT_NE(got.at("errors/0/detail").find("%2B"), std::string::npos) << got.body;
  }
}

TEST(EV10_events, nothing_is_before_the_first_one) {
  four_events e;
  for (const char* query : {"?before=0", "?before=1", "?before=0&order=desc"}) {
    const auto got = e.ask(query, "auditor");
    EXPECT_EQ(got.status, 200) << query;
    EXPECT_EQ(got.at("results"), "[]") << query;
    EXPECT_EQ(got.at("next"), "null") << query;
  }
}

TEST(EV10_events, a_place_beyond_the_head_is_named_as_it_was_sent) {
  four_events e;
  const auto next = e.ask("?limit=3", "auditor").at("next");
  EXPECT_EQ(e.ask("?after=5", "auditor").at("errors/0/pointer"), "/query/after");
  EXPECT_EQ(e.ask("?after=5&cursor=" + next, "auditor").at("errors/0/pointer"), "/query/after");
  // As in an older database that was put in the log's place.
  e.it.reads.log.resize(2);
  for (const char* after : {"", "&after=1"}) {
    const auto got = e.ask("?cursor=" + next + after, "auditor");
    EXPECT_EQ(got.status, 422) << after;
    EXPECT_EQ(got.at("code"), "position_ahead") << after;
    EXPECT_EQ(got.at("errors/0/pointer"), "/query/cursor") << after;
  }
}

TEST(EV10_events, bad_filters_are_named) {
  four_events e;
  for (const char* query : {"after=x", "before=-1", "from=monday", "to=1", "order=up", "limit=0",
                            "limit=501", "correlation_id=7", "cursor=a", "who=me"}) {
    const auto got = e.ask("?" + std::string(query));
    EXPECT_EQ(got.status, 422) << query;
    const std::string name(query, std::string_view(query).find('='));
    EXPECT_EQ(got.at("errors/0/pointer"), "/query/" + name);
  }
  EXPECT_EQ(e.ask("?tenant=x", "auditor").status, 422);
}

TEST(EV10_events, the_stream_goes_on_where_the_client_was) {
  four_events e;
  const auto first_chunk = [&](const std::string& query, const std::string& fields) {
    const auto got = e.it.ask("auditor", "GET /api/events/stream" + query, "", fields);
    EXPECT_EQ(got.status, 200) << got.body;
    EXPECT_EQ(got.content_type, "text/event-stream");
    std::string text;
    got.stream->next(reply_slot<std::string>(
        [&](outcome<std::string> chunk) { text = chunk ? *chunk : "cut"; }));
    got.stream->cancel();
    return text.substr(0, text.find('\n'));
  };
  EXPECT_EQ(first_chunk("?after=0", ""), "id: 1");
  EXPECT_EQ(first_chunk("?after=0", "Last-Event-ID: 2\r\n"), "id: 3");
  EXPECT_EQ(first_chunk("", ""), "cut") << "nothing happened until it was";
  for (const char* fields : {"Last-Event-ID: x\r\n", "Last-Event-ID: 5\r\n"}) {
    const auto got = e.it.ask("auditor", "GET /api/events/stream", "", fields);
    EXPECT_EQ(got.status, 422) << fields;
    EXPECT_EQ(got.at("errors/0/pointer"), "/headers/Last-Event-ID");
  }
  EXPECT_EQ(e.ask("/stream?after=5").at("code"), "position_ahead");
  EXPECT_EQ(e.ask("/stream?tenant=" + to_string(named("other")), "admin").status, 404);
}

/// Each is shown of a token what the routes of tokens show him; the hash of its secret is for the
/// auditor, who checks the log as it is.
TEST(P17_events, show_of_tokens_what_the_routes_of_tokens_show) {
  four_events e;
  const auto made =
      e.it.ask("admin", "POST /api/tokens", R"({"name":"night-robot","role":"operator"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string id = made.at("id");
  e.it.ask("admin", "POST /api/tokens/" + id + "/revoke");
  const auto hash =
      codec::parse_strict(e.it.reads.log[4].payload)->root().find("secret_hash")->text();
  const auto hash_text = hash.substr(1, hash.size() - 2);
  ASSERT_EQ(hash_text.size(), 64U);
  const auto streamed = [&](const std::string& who) {
    const auto got = e.it.ask(who, "GET /api/events/stream?after=4");
    std::string text;
    got.stream->next(reply_slot<std::string>(
        [&](outcome<std::string> chunk) { text = chunk ? *chunk : "refused"; }));
    got.stream->cancel();
    return text;
  };
  const struct {
    const char* who;
    bool name, hash;
  } sights[] = {{"viewer", false, false},
                {"operator", false, false},
                {"admin", true, false},
                {"auditor", true, true}};
  for (const auto& [who, name, has_hash] : sights) {
    for (const auto& told :
         {e.ask("?after=4", who).body, e.ask("?type=token_created", who).body,
          e.ask("?order=desc&limit=2", who).body, e.ask("/5", who).body, streamed(who)}) {
      EXPECT_EQ(told.find("night-robot") != told.npos, name) << who << told;
      EXPECT_EQ(told.find(hash_text) != told.npos, has_hash) << who << told;
      EXPECT_NE(told.find(id), told.npos) << who << told;
    }
    EXPECT_EQ(e.ask("/5", who).at("is_partial"), has_hash ? "" : "true") << who;
    EXPECT_EQ(e.ask("/5", who).at("payload/role"), name ? "operator" : "") << who;
    EXPECT_EQ(e.ask("/6", who).at("type"), "token_revoked");
    EXPECT_EQ(e.ask("/6", who).at("payload/id"), id) << who;
    EXPECT_EQ(e.ask("/6", who).at("is_partial"), "") << who << ": nothing of it is left out";
  }
  const auto document = codec::decode_text<event_view>(e.ask("/5").body);
  ASSERT_TRUE(document) << document.error().detail;
  EXPECT_TRUE(document->is_partial);
}
