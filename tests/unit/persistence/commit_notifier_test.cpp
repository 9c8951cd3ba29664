// Other processes are woken after commits: soon, rarely, and with the newest head (DESIGN, The
// journal 12).

#include "persistence/commit_notifier.hpp"

#include "tests/support/environment.hpp"
#include "tests/unit/persistence/journal_fixture.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;
using std::chrono::steady_clock;

class listener : public pqxx::notification_receiver {
 public:
  explicit listener(pqxx::connection& connection)
      : pqxx::notification_receiver(connection, commit_channel) {}
  void operator()(const std::string& payload, int) override {
    heads.push_back(std::stoll(payload));
  }

  /// Until the head was told; false after 20 s.
  bool await(domain::position head) {
    const auto until = steady_clock::now() + std::chrono::seconds(20) * support::time_factor();
    while (heads.empty() || heads.back() < head) {
      if (steady_clock::now() > until) return false;
      conn().await_notification(0, 50'000);
    }
    return true;
  }
  std::vector<domain::position> heads;
};

class DESIGN_notifier : public ::testing::Test {
 protected:
  DESIGN_notifier() : connection(db.reader_url()), heard(connection) {}
  commit_notifier_options options() const {
    commit_notifier_options o;
    o.url = db.writer_url();
    o.retry = std::chrono::milliseconds(20);
    return o;
  }
  int sessions() const {
    return db
        .root(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'reeve-notifier'"
            " AND datname = current_database()")[0][0]
        .as<int>();
  }
  test_database db;
  pqxx::connection connection;
  listener heard;
};

TEST_F(DESIGN_notifier, a_burst_is_told_by_its_first_and_its_last_head_and_few_between) {
  commit_notifier notifier(options());
  notifier.notify(1);
  ASSERT_TRUE(heard.await(1)) << "the leading edge";
  const auto began = steady_clock::now();
  domain::position head = 1;
  while (steady_clock::now() - began < std::chrono::milliseconds(300)) notifier.notify(++head);
  ASSERT_TRUE(heard.await(head)) << "the trailing edge";
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - began);
  EXPECT_EQ(heard.heads.back(), head);
  EXPECT_LE(heard.heads.size(), static_cast<std::size_t>(took.count() / 10 + 2));
  EXPECT_TRUE(std::is_sorted(heard.heads.begin(), heard.heads.end()));
  EXPECT_GT(head, 1000) << "it was no burst";
}

TEST_F(DESIGN_notifier, it_tells_the_heads_of_a_journal) {
  commit_notifier notifier(options());
  auto config = journal_on(db.writer_url());
  config.on_commit = [&](const commit_notice& notice) {
    notifier.notify(notice.events.back().position);
  };
  journal log(config);
  ASSERT_TRUE(log.open());
  const auto made = append_one(log, append_to(fresh_stream(), 0, real_ids().next()));
  ASSERT_TRUE(made);
  EXPECT_TRUE(heard.await(made->last_position));
  EXPECT_EQ(heard.heads.back(), made->last_position);
}

TEST_F(DESIGN_notifier, an_older_head_is_not_told_again) {
  commit_notifier notifier(options());
  notifier.notify(5);
  ASSERT_TRUE(heard.await(5));
  notifier.notify(4);
  notifier.notify(6);
  ASSERT_TRUE(heard.await(6));
  EXPECT_EQ(heard.heads, (std::vector<domain::position>{5, 6}));
}

TEST_F(DESIGN_notifier, it_comes_back_after_its_connection_was_lost) {
  commit_notifier notifier(options());
  notifier.notify(1);
  ASSERT_TRUE(heard.await(1));
  db.root(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ="
      " 'reeve-notifier' AND datname = current_database()");
  ASSERT_TRUE(eventually([&] { return sessions() == 0; }));
  notifier.notify(2);
  EXPECT_TRUE(heard.await(2));
}

TEST_F(DESIGN_notifier, without_a_database_it_neither_blocks_nor_keeps) {
  auto nowhere = options();
  nowhere.url = "host=/nowhere dbname=x";
  commit_notifier notifier(nowhere);
  for (domain::position head = 1; head <= 100'000; ++head) notifier.notify(head);
  EXPECT_TRUE(heard.heads.empty());
}

}  // namespace
