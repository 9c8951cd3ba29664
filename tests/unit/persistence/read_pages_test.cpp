// GW3, P20: what one page of a list may take, against a real PostgreSQL.

#include "persistence/projection.hpp"
#include "persistence/read_store.hpp"
#include "tests/support/environment.hpp"
#include "tests/unit/persistence/journal_fixture.hpp"

#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;
using ::testing::HasSubstr;

class GW3_pages : public ::testing::Test {
 protected:
  GW3_pages() : tenant(real_ids().next()) {
    read_store_config config;
    config.url = db.reader_url();
    reads = std::make_unique<read_store>(config);
  }
  /// `rows`: position, status and doc of each, with where they come from.
  void insert_runs(const std::string& rows) {
    db.root(
        "INSERT INTO reeve_read.runs (tenant, id, directive_name, is_simulated, created_at_us,"
        " last_position, snapshot, created_position, status, doc) SELECT '" +
        to_string(tenant) + "'::uuid, gen_random_uuid(), 'd', false, 1, 1, '{}', " + rows);
  }
  template <class T, class Call>
  outcome<T> answer_of(Call call) {
    auto promise = std::make_shared<std::promise<outcome<T>>>();
    auto future = promise->get_future();
    call(reply_slot<T>([promise](outcome<T> answer) { promise->set_value(std::move(answer)); }));
    if (future.wait_for(std::chrono::seconds(20) * support::time_factor()) !=
        std::future_status::ready) {
      return reject(errc::timed_out, "no answer");
    }
    return future.get();
  }
  outcome<document> list(list_query query) {
    query.tenant = tenant;
    return answer_of<document>([&](auto slot) { reads->list(query, slot); });
  }
  outcome<event_page> events(event_query query) {
    return answer_of<event_page>([&](auto slot) { reads->events(query, slot); });
  }

  test_database db;
  uuid tenant;
  std::unique_ptr<read_store> reads;
};

/// 60,000 runs that fit nothing, and before them one that does.
TEST_F(GW3_pages, a_page_looks_at_so_many_rows_only_and_the_next_one_goes_on) {
  insert_runs("1, 'failed', '{\"n\":\"rare\"}' FROM generate_series(1, 1) AS i");
  insert_runs("1 + i, 'success', '{\"n\":' || i || '}' FROM generate_series(1, 60000) AS i");
  db.root("ANALYZE reeve_read.runs");
  list_query query;
  query.equals = {{"status", "failed"}};
  std::string found;
  int pages = 0;
  for (; pages < 400; ++pages) {
    const auto page = list(query);
    ASSERT_TRUE(page) << page.error().detail;
    const std::string& body = *page->body;
    const auto next = body.find(R"("next":")");
    found += body.substr(0, body.find("],"));
    if (next == std::string::npos) break;
    EXPECT_THAT(body, HasSubstr(R"({"results":[],"next":")"));
    query.cursor = body.substr(next + 8, body.size() - next - 10);
  }
  EXPECT_GE(pages, 1) << "no page looks at all of them";
  EXPECT_LT(pages, 400);
  EXPECT_THAT(found, HasSubstr(R"({"n":"rare"})"));
  // From the other end it is the first one, and what fits everywhere fills a page at once.
  query = {};
  query.equals = {{"status", "failed"}};
  query.newest_first = false;
  query.limit = 1;
  EXPECT_THAT(*list(query)->body, HasSubstr(R"({"results":[{"n":"rare"}],"next":")"));
  query.equals = {{"status", "success"}};
  query.limit = 3;
  EXPECT_THAT(*list(query)->body, HasSubstr(R"([{"n":1},{"n":2},{"n":3}],"next":")"));
}

TEST_F(GW3_pages, a_page_ends_where_it_has_its_bytes) {
  constexpr std::size_t doc_bytes = 300 * 1024;
  insert_runs("1 + i, 'success', '{\"n\":\"' || repeat(i::text, " + std::to_string(doc_bytes) +
              ") || '\"}' FROM generate_series(0, 7) AS i");
  for (const bool is_filtered : {false, true}) {
    list_query query;
    if (is_filtered) query.equals = {{"status", "success"}};
    std::string order;
    for (int pages = 0; pages < 8; ++pages) {
      const auto page = list(query);
      ASSERT_TRUE(page) << page.error().detail;
      const std::string& body = *page->body;
      EXPECT_LT(body.size(), most_page_bytes + 2 * doc_bytes);
      for (auto at = body.find("\"n\":\""); at != std::string::npos;
           at = body.find("\"n\":\"", at + doc_bytes)) {
        order += body[at + 5];
      }
      const auto next = body.rfind(R"("next":")");
      if (next == std::string::npos) break;
      query.cursor = body.substr(next + 8, body.size() - next - 10);
    }
    EXPECT_EQ(order, "76543210");
  }
}

/// What an index is said to serve, it has in front, or is there for alone.
TEST_F(GW3_pages, what_is_walked_by_a_filter_has_an_index_of_it) {
  for (const auto* of : projections()) {
    for (const auto& one : of->indexed) {
      const std::string column(one.column);
      const auto found =
          one.value.empty()
              ? "indexdef LIKE '%(tenant, " + column + ",%'"
              : "indexdef LIKE '%(tenant, created_position, id) WHERE %" + column + "%'";
      EXPECT_FALSE(db.root("SELECT 1 FROM pg_indexes WHERE schemaname = 'reeve_read' AND tablename"
                           " = '" +
                           std::string(of->name) + "' AND " + found)
                       .empty())
          << of->name << " by " << column << " " << one.value;
    }
  }
}

TEST_F(GW3_pages, of_events_go_on_where_nothing_fits) {
  journal log(journal_on(db.writer_url()));
  ASSERT_TRUE(log.open());
  const auto stream = fresh_stream();
  for (int i = 0; i < 40; ++i) {
    auto request = append_to(stream, i, tenant, "{\"n\":\"" + std::string(40'000, 'x') + "\"}");
    request.events[0].type = i == 30 ? "rare" : "often";
    ASSERT_TRUE(append_one(log, request));
  }
  event_query query;
  query.tenant = tenant;
  query.type = "rare";
  ASSERT_EQ(events(query)->events.size(), 1U);
  EXPECT_FALSE(events(query)->next) << "fewer than a page looks at";
  query.type = "often";
  std::size_t seen = 0;
  for (int pages = 0; pages < 9; ++pages) {
    const auto page = events(query);
    ASSERT_TRUE(page);
    EXPECT_LT(page->events.size(), 30U) << "a page has a MiB";
    seen += page->events.size();
    if (!page->next) break;
    EXPECT_EQ(*page->next, page->events.back().at);
    query.after = *page->next;
  }
  EXPECT_EQ(seen, 39U);
  query.after = 0;
  query.most_bytes = 1;
  EXPECT_EQ(events(query)->events.size(), 1U) << "one however large";
}

}  // namespace
