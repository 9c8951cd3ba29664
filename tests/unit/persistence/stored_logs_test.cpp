// RUN14: which output is stored, page by page, against a real PostgreSQL.

#include "tests/unit/persistence/read_store_fixture.hpp"

#include <set>

namespace {

using namespace read_store_fixture;

class RUN14_stored_logs : public read_store_case {
 protected:
  void write_log(const uuid& job, const std::string& name, const std::string& bytes) {
    write("blob_refs", {to_string(tenant), to_string(job), name, "\\x" + to_hex(sha256(bytes)),
                        std::to_string(bytes.size()), "{position}"});
  }
  outcome<stored_log_page> page(stored_log_query query) {
    if (query.tenant == uuid{}) query.tenant = tenant;
    return answer_of<stored_log_page>([&](auto slot) { reads->stored_logs(query, slot); });
  }
  /// Of those whose `member` is this.
  template <class Member, class Value>
  outcome<stored_log_page> page_of(Member stored_log_query::*member, Value value) {
    stored_log_query query;
    query.*member = value;
    return page(query);
  }
};

TEST_F(RUN14_stored_logs, come_newest_first_with_what_they_belong_to) {
  const auto first = real_ids().next(), second = real_ids().next(), directive = real_ids().next();
  const auto old = real_ids().next(), job = real_ids().next(), silent = real_ids().next();
  write_run(first, "success", "{}");
  write_job(old, first, 0, R"({"name":"old"})");
  write_log(old, "log-1", "one");
  write_run(second, "success", "{}", directive);
  write_job(job, second, 0, R"({"name":"new"})");
  write_job(silent, second, 1, R"({"name":"silent"})");
  for (const char* attempt : {"log-9", "log-10"}) write_log(job, attempt, attempt);
  write_log(job, "artifact-log-3", "no output");
  write_log(silent, "log-1", "");
  const auto all = page({});
  ASSERT_TRUE(all) << all.error().detail;
  EXPECT_FALSE(all->next);
  ASSERT_EQ(all->logs.size(), 3U);
  EXPECT_EQ(all->logs[0].job, job);
  EXPECT_EQ(all->logs[0].run, second);
  EXPECT_EQ(all->logs[0].attempt, 10) << "by number, not by name";
  EXPECT_EQ(all->logs[0].job_name, "new");
  EXPECT_EQ(all->logs[0].directive_name, "d");
  EXPECT_EQ(all->logs[0].sha256, sha256("log-10"));
  EXPECT_EQ(all->logs[0].bytes, 6);
  EXPECT_EQ(all->logs[1].attempt, 9);
  EXPECT_EQ(all->logs[2].job, old);
  EXPECT_EQ(page_of(&stored_log_query::run, first)->logs.size(), 1U);
  EXPECT_EQ(page_of(&stored_log_query::job, job)->logs.size(), 2U);
  EXPECT_EQ(page_of(&stored_log_query::directive, directive)->logs.size(), 2U);
  EXPECT_TRUE(page_of(&stored_log_query::directive, first)->logs.empty());
  EXPECT_TRUE(page_of(&stored_log_query::tenant, real_ids().next())->logs.empty());
  const auto& middle = all->logs[1];
  const auto rest =
      page_of(&stored_log_query::from, stored_log_place{middle.created_position, job, 9});
  ASSERT_EQ(rest->logs.size(), 2U) << "that one and what is behind it";
  EXPECT_EQ(rest->logs[0].attempt, 9);
  EXPECT_EQ(page_of(&stored_log_query::from, stored_log_place{middle.created_position, job, 0})
                ->logs.size(),
            1U);
}

TEST_F(RUN14_stored_logs, are_told_by_when_they_were_stored) {
  const auto run = real_ids().next(), job = real_ids().next();
  write_run(run, "running", "{}");
  write_job(job, run, 0, R"({"name":"j"})");
  write_log(job, "log-1", "one");
  const auto stamp = [&](const char* of) {
    const auto rows = db.root(
        "SELECT recorded_at_us FROM reeve.events WHERE position ="
        " (SELECT created_position FROM reeve_read.blob_refs WHERE name = '" +
        std::string(of) + "')");
    return rows[0][0].as<std::int64_t>();
  };
  const auto at = stamp("log-1");
  ASSERT_TRUE(eventually([&] { return real_clock().now_us() > at; }));
  write_log(job, "log-2", "two");
  const auto later = stamp("log-2");
  ASSERT_GT(later, at);
  EXPECT_EQ(page_of(&stored_log_query::since_us, at)->logs.size(), 2U);
  EXPECT_EQ(page_of(&stored_log_query::since_us, at + 1)->logs.size(), 1U);
  EXPECT_EQ(page_of(&stored_log_query::until_us, later)->logs.size(), 1U);
  stored_log_query nothing_between;
  nothing_between.since_us = nothing_between.until_us = at;
  EXPECT_EQ(page(nothing_between)->logs.size(), 0U);
  EXPECT_EQ(page_of(&stored_log_query::since_us, later + 1)->logs.size(), 0U);
}

TEST_F(RUN14_stored_logs, say_whose_their_lines_are_where_that_is_known) {
  const auto run = real_ids().next(), job = real_ids().next();
  write_run(run, "success", "{}");
  write_job(job, run, 0, R"({"name":"j"})");
  for (const char* attempt : {"log-1", "log-2", "log-3", "log-12"}) write_log(job, attempt, "text");
  write_log(job, "stdout-2", "text");
  write_log(job, "stderr-3", "text");
  write_log(job, "streams-12", "marks");
  const auto all = page({});
  ASSERT_TRUE(all) << all.error().detail;
  ASSERT_EQ(all->logs.size(), 4U) << "none comes twice";
  EXPECT_EQ(all->logs[0].streams,
            (domain::log_streams{0, 0, domain::blob_ref{sha256("marks"), 5, false}}));
  EXPECT_EQ(all->logs[1].streams, (domain::log_streams{0, 4, {}}));
  EXPECT_EQ(all->logs[2].streams, (domain::log_streams{4, 0, {}}));
  EXPECT_FALSE(all->logs[3].streams) << "the marks of attempt 12 are not those of attempt 1";
}

TEST_F(RUN14_stored_logs, a_page_walks_so_many_jobs_only) {
  const auto run = real_ids().next();
  write_run(run, "success", "{}");
  db.root(
      "INSERT INTO reeve_read.jobs (tenant, id, run_id, ordinal, task, created_position, status,"
      " is_quarantined, last_position, doc) SELECT '" +
      to_string(tenant) + "'::uuid, gen_random_uuid(), '" + to_string(run) +
      "'::uuid, i, 'container', 1 + i / 7, 'success', false, 1, '{\"name\":\"j\"}'"
      " FROM generate_series(1, 1200) AS i");
  db.root(
      "INSERT INTO reeve_read.blob_refs (tenant, job_id, name, sha256, bytes, created_position)"
      " SELECT tenant, id, 'log-1', '\\x" +
      to_hex(sha256("x")) + "'::bytea, 1, 1 FROM reeve_read.jobs WHERE ordinal % 100 = 0");
  std::set<uuid> found;
  stored_log_query query;
  for (int pages = 1; pages <= 3; ++pages) {
    const auto one = page(query);
    ASSERT_TRUE(one) << one.error().detail;
    for (const auto& log : one->logs) EXPECT_TRUE(found.insert(log.job).second);
    EXPECT_EQ(one->next.has_value(), pages < 3) << pages;
    query.from = one->next;
  }
  EXPECT_EQ(found.size(), 12U);
}

}  // namespace
