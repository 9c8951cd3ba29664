// Which run "last_success" means.

#include "tests/unit/persistence/read_store_fixture.hpp"

namespace {

using namespace read_store_fixture;

class last_successes : public read_store_case {};

TEST_F(last_successes, RUN6_the_last_success_is_never_a_simulated_one) {
  const auto directive = real_ids().next(), run = real_ids().next();
  const auto last = [&] {
    return answer_of<std::optional<read_port::last_success>>(
        [&](auto slot) { reads->last_successful_run(tenant, directive, slot); });
  };
  EXPECT_FALSE(last()->has_value());
  write_version(directive, 1, own_tasks);
  const auto at = write_run(run, "success", "{}", directive);
  write_run(real_ids().next(), "success", "{}", directive, true);
  write_run(real_ids().next(), "failed", "{}", directive);
  const auto found = last();
  ASSERT_TRUE(found && found->has_value());
  EXPECT_EQ((*found)->run, run);
  EXPECT_EQ((*found)->created_position, at);
  EXPECT_EQ((*found)->started_at_us, 7);
  // Of two the one that was launched last, even if the clock went back in between.
  const auto later = real_ids().next();
  write_run(later, "success", "{}", directive);
  db.root("UPDATE reeve_read.runs SET started_at_us = 5 WHERE id = '" + to_string(later) + "'");
  EXPECT_EQ((*last())->run, later);
}

/// A launch with other tasks names the directive as well, and so does a retry of it.
TEST_F(last_successes, RUN6_the_last_success_is_one_of_the_directives_own_tasks) {
  const auto directive = real_ids().next(), second = real_ids().next();
  const auto last = [&](const uuid& of) {
    const auto found = answer_of<std::optional<read_port::last_success>>(
        [&](auto slot) { reads->last_successful_run(tenant, of, slot); });
    EXPECT_TRUE(found);
    return found && *found ? (*found)->run : uuid{};
  };
  const auto success = [&](const char* snapshot) {
    const auto run = real_ids().next();
    write_run(run, "success", "{}", directive, false, snapshot);
    return run;
  };
  write_version(directive, 1, R"({"tasks":[{"kind":"a","since":null}],"version":1})");
  write_version(second, 1, R"({"tasks":[{"kind":"b"}],"version":1})");
  success(R"({"tasks":[{"kind":"b"}],"version":1})");
  EXPECT_EQ(last(directive), uuid{}) << "nothing of its own yet";
  const auto own = success(R"({"tasks":[{"kind":"a"}],"version":1})");
  success(R"({"tasks":[{"kind":"b"}],"version":1})");
  success(R"({"tasks":[{"kind":"a"},{"kind":"a"}],"version":1})");
  success(R"({"tasks":[{"kind":"a","since":"last_success"}],"version":1})");
  success(R"({"tasks":[{"kind":"a"}],"version":2})");
  EXPECT_EQ(last(directive), own);
  EXPECT_EQ(last(second), uuid{});
  write_version(directive, 2, R"({"tasks":[{"kind":"c"}],"version":2})");
  EXPECT_EQ(last(directive), own) << "as the run's version had them";
  const auto newer = success(R"({"tasks":[{"kind":"c"}],"version":2})");
  success(R"({"tasks":[{"kind":"a"}],"version":2})");
  EXPECT_EQ(last(directive), newer);
}

}  // namespace
