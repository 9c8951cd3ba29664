#include "persistence/read_sql.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;

list_query jobs_of(std::string_view run) {
  list_query query;
  query.what = collection::jobs;
  query.tenant = derived_uuid({}, "tenant");
  query.equals = {{"run_id", to_string(derived_uuid({}, run))}};
  return query;
}

TEST(GW2_cursors, are_of_one_list) {
  const auto list = jobs_of("a");
  const list_place place{7, to_string(derived_uuid({}, "job"))};
  std::vector<list_query> others(6, list);
  others[0].what = collection::runs;
  others[1] = jobs_of("b");
  others[2].equals.clear();
  others[3].equals.emplace_back("status", "failed");
  others[4].newest_first = false;
  others[5].tenant = derived_uuid({}, "other");
  for (std::size_t i = 0; i < others.size(); ++i) {
    others[i].cursor = cursor_of(list, place);
    EXPECT_FALSE(parse_cursor(others[i])) << i;
    if (others[i].what == collection::runs) continue;
    EXPECT_EQ(compose_list(others[i], {}).error().field, "/cursor") << i;
  }
  auto same = list;
  same.limit = 3;
  same.cursor = cursor_of(list, place);
  const auto found = parse_cursor(same);
  ASSERT_TRUE(found) << "the size of a page is no part of the list";
  EXPECT_EQ(found->created_position, 7);
  EXPECT_EQ(found->id, place.id);
  EXPECT_TRUE(compose_list(same, {}));
}

TEST(GW2_cursors, are_bound_to_what_was_asked_and_not_to_what_was_found_for_it) {
  list_query list;
  list.since = "last_success";
  list.created_after = 7;
  auto next = list;
  next.cursor = cursor_of(list, {9, to_string(derived_uuid({}, "run"))});
  next.created_after = 8;
  EXPECT_TRUE(parse_cursor(next)) << "a run succeeded between the pages";
  next.since = "2026-01-01T00:00:00Z";
  EXPECT_FALSE(parse_cursor(next));
  auto labelled = list;
  labelled.labels = {{"a", "b:c"}};
  auto other = list;
  other.labels = {{"a:b", "c"}};
  other.cursor = cursor_of(labelled, {9, to_string(derived_uuid({}, "run"))});
  EXPECT_FALSE(parse_cursor(other));
}

TEST(GW2_cursors, of_checkpoints_are_the_same_for_everybody) {
  list_query list;
  list.what = collection::checkpoints;
  auto other = list;
  other.tenant = derived_uuid({}, "other");
  other.cursor = cursor_of(list, {9, "9"});
  EXPECT_TRUE(parse_cursor(other));
  other.cursor = cursor_of(list, {9, "nine"});
  EXPECT_FALSE(parse_cursor(other)) << "an id that the collection cannot have";
}

/// The part of a list's statement that is walked, whatever fits.
std::string walk_of(const list_query& query) {
  const auto sql = compose_list(query, {}).value().sql;
  const auto from = sql.find(" AS fits FROM ");
  return sql.substr(from, sql.find(" ORDER BY ", from) - from);
}

TEST(GW3_walks, are_along_an_index_and_the_rest_is_looked_at_row_by_row) {
  list_query runs;
  EXPECT_FALSE(walks_far(runs));
  EXPECT_EQ(walk_of(runs), " AS fits FROM reeve_read.runs t WHERE t.tenant = $1::uuid");
  runs.equals = {{"status", "failed"}};
  EXPECT_TRUE(walks_far(runs)) << "no index has it";
  EXPECT_EQ(walk_of(runs), " AS fits FROM reeve_read.runs t WHERE t.tenant = $1::uuid");
  runs.equals = {{"status", "running"}};
  EXPECT_FALSE(walks_far(runs));
  EXPECT_EQ(walk_of(runs),
            " AS fits FROM reeve_read.runs t WHERE t.tenant = $1::uuid"
            " AND t.status = 'running'::text")
      << "the value itself, so that the index of such rows is used";
  const auto directive = to_string(derived_uuid({}, "directive"));
  runs.equals = {{"directive_id", directive}};
  EXPECT_FALSE(walks_far(runs));
  EXPECT_EQ(walk_of(runs),
            " AS fits FROM reeve_read.runs t WHERE t.tenant = $1::uuid"
            " AND t.directive_id = $2::uuid");
  // Of two only one: along it, nothing is walked that the other index would have left out for ever.
  runs.equals = {{"directive_id", directive}, {"status", "pending"}};
  EXPECT_TRUE(walks_far(runs));
  EXPECT_EQ(walk_of(runs),
            " AS fits FROM reeve_read.runs t WHERE t.tenant = $1::uuid"
            " AND t.status = 'pending'::text");
  EXPECT_FALSE(walks_far(jobs_of("a")));
}

TEST(GW3_walks, are_along_the_first_label) {
  list_query runs;
  runs.labels = {{"team", "a"}};
  EXPECT_FALSE(walks_far(runs));
  EXPECT_NE(walk_of(runs).find("l.key = $2::text AND l.value = $3::text"), std::string::npos);
  runs.labels.emplace_back("stage", "b");
  EXPECT_TRUE(walks_far(runs));
  EXPECT_EQ(walk_of(runs).find("$5::text"), std::string::npos);
  runs.labels.pop_back();
  runs.equals = {{"status", "running"}};
  EXPECT_TRUE(walks_far(runs));
  EXPECT_EQ(walk_of(runs).find(" JOIN "), std::string::npos) << "before a label goes what is rare";
  event_query events;
  EXPECT_FALSE(walks_far(events));
  events.stream = "run-1";
  EXPECT_FALSE(walks_far(events));
  events.type = "run_launched";
  EXPECT_TRUE(walks_far(events));
}

}  // namespace
