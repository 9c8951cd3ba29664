// LLM3, GW2, GW3: how a page of sums is walked, without a database.

#include "persistence/llm_usage_sql.hpp"

#include "codec/codec.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using domain::llm_grouping;
using domain::llm_sums;

uuid named(std::string_view name) {
  return derived_uuid({}, name);
}

llm_usage_query by(llm_grouping what) {
  llm_usage_query query;
  query.tenant = named("tenant");
  query.by = what;
  return query;
}

/// The part of the statement that is walked: its conditions and its order.
std::string walk_of(const llm_usage_query& query, const std::string& behind = {}) {
  const auto sql = compose_usage(query, behind, 10).value().sql;
  const auto from = sql.find(" WHERE t.tenant");
  return sql.substr(from, sql.find(") w GROUP BY") - from);
}

std::string fits_of(const llm_usage_query& query) {
  const auto sql = compose_usage(query, {}, 10).value().sql;
  const auto to = sql.find(" AS fits");
  return sql.substr(sql.find("t.over_budget_calls, ") + 21,
                    to - sql.find("t.over_budget_calls, ") - 21);
}

TEST(GW3_usage, walks_the_index_of_its_grouping) {
  EXPECT_EQ(walk_of(by(llm_grouping::day)),
            " WHERE t.tenant = $1::uuid ORDER BY t.day DESC, t.job_id DESC, t.model_name DESC"
            " LIMIT $2::bigint");
  EXPECT_EQ(walk_of(by(llm_grouping::model)),
            " WHERE t.tenant = $1::uuid ORDER BY t.model_name, t.day, t.job_id LIMIT $2::bigint");
  EXPECT_EQ(walk_of(by(llm_grouping::run)),
            " WHERE t.tenant = $1::uuid ORDER BY t.run_id DESC, t.day DESC, t.job_id DESC,"
            " t.model_name DESC LIMIT $2::bigint");
  EXPECT_EQ(walk_of(by(llm_grouping::directive)),
            " WHERE t.tenant = $1::uuid ORDER BY t.directive_id, t.day, t.job_id, t.model_name"
            " LIMIT $2::bigint");
}

TEST(GW3_usage, looks_at_what_does_not_fit_but_for_the_key_and_a_run) {
  auto query = by(llm_grouping::day);
  EXPECT_EQ(fits_of(query), "true");
  query.model = "m";
  query.from_day = 3;
  query.to_day = 5;
  EXPECT_EQ(fits_of(query), "(t.model_name = $2::text)");
  EXPECT_NE(walk_of(query).find("t.day >= $3::bigint AND t.day < $4::bigint"), std::string::npos);
  query.by = llm_grouping::model;
  EXPECT_EQ(fits_of(query), "(t.day >= $3::bigint AND t.day < $4::bigint)");
  query.run = named("run");
  EXPECT_NE(walk_of(query).find("t.run_id = $2::uuid"), std::string::npos);
  query.directive = named("directive");
  EXPECT_NE(fits_of(query).find("t.directive_id = $3::uuid"), std::string::npos);
  const auto params = compose_usage(query, {}, 10)->params;
  EXPECT_EQ(params, (std::vector<std::string>{to_string(query.tenant), to_string(*query.run),
                                              to_string(*query.directive), "m", "3", "5", "10"}));
}

TEST(GW2_usage, goes_on_behind_a_group_or_a_line) {
  const auto query = by(llm_grouping::model);
  EXPECT_NE(walk_of(query, "m").find("AND (t.model_name) > ($2::text)"), std::string::npos);
  const auto line = "m 7 " + to_string(named("job"));
  EXPECT_NE(walk_of(query, line)
                .find("AND (t.model_name, t.day, t.job_id) > ($2::text, $3::bigint,"
                      " $4::uuid)"),
            std::string::npos);
  EXPECT_NE(walk_of(by(llm_grouping::day), "7").find("AND (t.day) < ($2::bigint)"),
            std::string::npos);
}

TEST(GW2_usage, takes_no_cursor_of_another_list) {
  auto query = by(llm_grouping::day);
  const auto cursor = usage_cursor(query, "7");
  query.cursor = cursor;
  query.limit = 3;
  EXPECT_TRUE(compose_usage(query, {}, 1)) << "the size of a page is no part of the list";
  const auto pointer = [&cursor](llm_usage_query other) {
    other.cursor = cursor;
    const auto composed = compose_usage(other, {}, 1);
    return composed ? std::string("accepted") : composed.error().field;
  };
  auto other = by(llm_grouping::run);
  EXPECT_EQ(pointer(other), "/cursor");
  other = by(llm_grouping::day);
  other.tenant = named("other");
  EXPECT_EQ(pointer(other), "/cursor");
  other = by(llm_grouping::day);
  other.model = "m";
  EXPECT_EQ(pointer(other), "/cursor");
  other = by(llm_grouping::day);
  other.to_day = 3;
  EXPECT_EQ(pointer(other), "/cursor");
  for (const std::string place : {"seven", "7 x m", "7 7", " ", "7 7 7 7"}) {
    query.cursor = usage_cursor(query, place);
    EXPECT_EQ(compose_usage(query, {}, 1).error().field, "/cursor") << place;
  }
  query.cursor.clear();
  for (const int limit : {0, 501, -1}) {
    query.limit = limit;
    EXPECT_EQ(compose_usage(query, {}, 1).error().field, "/limit");
  }
}

TEST(LLM3_spent, is_asked_along_an_index) {
  llm_spent_query query;
  query.tenant = named("tenant");
  query.from_day = 20'000;
  const auto where = [&query] {
    const auto sql = compose_spent(query).sql;
    return sql.substr(sql.find(" FROM "));
  };
  const std::string all = " FROM reeve_read.llm_days WHERE tenant = $1::uuid AND day >= $2::bigint";
  EXPECT_EQ(where(), all);
  query.model = "m";
  EXPECT_EQ(where(), all + " AND model_name = $3::text");
  query.directive = named("directive");
  EXPECT_EQ(where(), all + " AND directive_id = $3::uuid AND model_name = $4::text");
  EXPECT_EQ(compose_spent(query).params,
            (std::vector<std::string>{to_string(query.tenant), "20000", to_string(*query.directive),
                                      "m"}));
}

usage_part part(const std::string& key, std::int64_t calls, std::int64_t lines = 1) {
  return {key, lines, {calls, 0, 0, 0, 0, 0}};
}

TEST(LLM3_walk, adds_up_a_group_over_several_steps) {
  usage_walk walk(10, 0);
  EXPECT_EQ(walk.take({{part("a", 1), part("b", 2)}, "b 1 j"}, 0), "b 1 j");
  EXPECT_EQ(walk.take({{part("b", 3), part("none", 9, 0), part("c", 4)}, ""}, 0), std::nullopt);
  ASSERT_EQ(walk.groups().size(), 3U);
  EXPECT_EQ(walk.groups()[1].sums.calls, 5);
  EXPECT_EQ(walk.groups()[2].key, "c");
  EXPECT_EQ(walk.next(), "");
  for (const auto& group : walk.groups()) EXPECT_FALSE(group.is_partial);
}

TEST(LLM3_walk, ends_a_full_page_behind_its_last_whole_group) {
  usage_walk walk(2, 0);
  EXPECT_EQ(walk.take({{part("a", 1), part("b", 2)}, "b 1 j"}, 0), "b 1 j")
      << "more of b may come, and whether there is another one is not known";
  EXPECT_EQ(walk.take({{part("b", 3), part("none", 0, 0), part("c", 4)}, "c 1 j"}, 0),
            std::nullopt);
  ASSERT_EQ(walk.groups().size(), 2U);
  EXPECT_EQ(walk.groups()[1].sums.calls, 5);
  EXPECT_FALSE(walk.groups()[1].is_partial);
  EXPECT_EQ(walk.next(), "b");
}

TEST(GW3_walk, looks_at_so_many_lines_only_and_says_that_a_group_goes_on) {
  usage_walk walk(500, 0);
  std::int64_t lines = 0;
  int steps = 0;
  for (std::optional<std::string> behind = ""; behind; ++steps) {
    ASSERT_LE(walk.step_lines(), usage_walk::largest_step);
    ASSERT_GT(walk.step_lines(), 0);
    lines += walk.step_lines();
    behind = walk.take({{part("a", 1)}, "a 1 j" + std::to_string(steps)}, 0);
  }
  EXPECT_EQ(lines, usage_walk::most_lines);
  ASSERT_EQ(walk.groups().size(), 1U);
  EXPECT_EQ(walk.groups()[0].sums.calls, steps);
  EXPECT_TRUE(walk.groups()[0].is_partial);
  EXPECT_EQ(walk.next(), "a 1 j" + std::to_string(steps - 1));
}

TEST(GW3_walk, looks_for_so_long_only) {
  usage_walk late(10, 5);
  EXPECT_EQ(late.take({{part("a", 1)}, "a 1 j"}, 5 + usage_walk::most_us), std::nullopt);
  EXPECT_EQ(late.next(), "a 1 j");
  usage_walk nothing(10, 0);
  EXPECT_EQ(nothing.take({{part("a", 0, 0)}, "a 1 j"}, usage_walk::most_us), std::nullopt);
  EXPECT_TRUE(nothing.groups().empty());
  EXPECT_EQ(nothing.next(), "a 1 j") << "empty, and not the last one";
  usage_walk ended(10, 0);
  EXPECT_EQ(ended.take({{part("a", 1), part("b", 0, 0)}, "b 1 j"}, usage_walk::most_us),
            std::nullopt);
  EXPECT_FALSE(ended.groups()[0].is_partial) << "it was over before the page ended";
}

TEST(LLM3_groups, are_shown_by_what_they_are_of) {
  const llm_sums sums{1, 2, 3, 5, 7, 1};
  const auto shown = [&sums](llm_grouping what, const std::string& key) {
    const auto text = render_usage_group(what, {key, sums, false});
    const auto d = codec::decode_text<domain::llm_usage_document>(text);
    EXPECT_TRUE(d) << text;
    EXPECT_EQ(d->total_tokens, 5);
    EXPECT_EQ(d->cost_micros, 7);
    EXPECT_EQ(d->over_budget_calls, 1);
    return *d;
  };
  EXPECT_EQ(shown(llm_grouping::day, "20787").day, "2026-11-30");
  EXPECT_EQ(shown(llm_grouping::day, "0").day, "1970-01-01");
  EXPECT_EQ(shown(llm_grouping::model, "org/m:1").model_name, "org/m:1");
  EXPECT_EQ(shown(llm_grouping::run, to_string(named("run"))).run_id, named("run"));
  EXPECT_EQ(shown(llm_grouping::directive, to_string(named("d"))).directive_id, named("d"));
  EXPECT_FALSE(shown(llm_grouping::run, to_string(uuid{})).run_id) << "calls of no job";
  const auto none = shown(llm_grouping::directive, to_string(uuid{}));
  EXPECT_FALSE(none.directive_id || none.day || none.run_id || none.model_name);
}

}  // namespace
