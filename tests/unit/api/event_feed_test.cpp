#include "api/event_feed.hpp"

#include "tests/unit/api/routes/routes_reads.hpp"

#include <atomic>
#include <chrono>
#include <future>
#include <gtest/gtest.h>
#include <map>
#include <thread>

using namespace routes_fixture;
using api::event_feed;
using api::feed_filter;

namespace {

class feed_clock final : public clock_port {
 public:
  time_us now_us() override { return 0; }
  std::int64_t mono_us() override { return at; }
  std::atomic<std::int64_t> at{0};
};

const uuid one_tenant = derived_uuid({}, "one");
const uuid two_tenant = derived_uuid({}, "two");

domain::event_record event(domain::position at, const std::string& type = "thing_done",
                           std::size_t bytes = 0) {
  domain::event_record e;
  e.position = at;
  e.type = type;
  e.stream = "thing-" + std::to_string(at % 2);
  e.tenant = at % 3 == 0 ? two_tenant : one_tenant;
  e.payload = "{\"a\":\"" + std::string(bytes, 'x') + "\"}";
  return e;
}

/// One subscriber that pulls: `open` while a call waits for its answer.
struct reader {
  explicit reader(std::shared_ptr<api::body_stream> from) : stream(std::move(from)) {}

  void pull() {
    open = true;
    stream->next(reply_slot<std::string>([this](outcome<std::string> chunk) {
      open = false;
      if (!chunk || chunk->empty()) {
        ended = true;
        cut = !chunk;
      } else {
        largest = std::max(largest, chunk->size());
        text += *chunk;
      }
    }));
  }
  void pull_all() {
    do pull();
    while (!open && !ended);
  }
  std::vector<domain::position> ids() const {
    std::vector<domain::position> all;
    for (auto at = text.find("id: "); at != text.npos; at = text.find("\nid: ", at + 1)) {
      all.push_back(std::stoll(text.substr(text.find(' ', at) + 1, 20)));
    }
    return all;
  }

  std::shared_ptr<api::body_stream> stream;
  bool open = false, ended = false, cut = false;
  std::string text;
  std::size_t largest = 0;
};

struct feed_box {
  /// As the journal does it: the head moves first, then the events are published.
  void commit(const domain::event_record& e) {
    reads.log.push_back(e);
    feed.publish({&e, 1});
  }
  void commit_to(domain::position last, std::size_t bytes = 0) {
    while (reads.head() < last) commit(event(reads.head() + 1, "thing_done", bytes));
  }
  memory_reads reads;
  feed_clock clock;
  event_feed feed{reads, clock};
};

std::vector<domain::position> range(domain::position first, domain::position last) {
  std::vector<domain::position> all;
  for (; first <= last; ++first) all.push_back(first);
  return all;
}

}  // namespace

TEST(EV10_feed, an_event_is_id_type_and_json) {
  feed_box it;
  reader r(it.feed.subscribe({}, 0));
  r.pull();
  EXPECT_TRUE(r.open);
  it.commit(event(1));
  EXPECT_EQ(r.text, "id: 1\nevent: thing_done\ndata: " +
                        codec::event_json(event(1), domain::event_reader::member) + "\n\n");
}

/// Two histories under one number are told apart: what a client saw of the one that was given up is
/// no place in the other.
TEST(EV10_feed, ids_tell_a_log_that_was_accepted_from_the_one_before) {
  feed_box it;
  EXPECT_EQ(*it.feed.position_of("7"), 7);
  it.feed.set_branches({{2, "0a1b2c3d"}, {9, "4e5f6a7b"}});
  reader live(it.feed.subscribe({}, 0));
  live.pull();
  it.commit(event(1));
  EXPECT_EQ(live.text.find("id: 1\n"), 0U) << live.text;
  live.pull();
  it.commit(event(2));
  EXPECT_NE(live.text.find("id: 2-0a1b2c3d\n"), live.text.npos) << live.text;
  EXPECT_EQ(*it.feed.position_of("1"), 1) << "what both have";
  EXPECT_EQ(*it.feed.position_of("5-0a1b2c3d"), 5);
  EXPECT_EQ(*it.feed.position_of("9-4e5f6a7b"), 9) << "accepted twice";
  for (const char* other :
       {"1-ffffffff", "2", "5", "5-ffffffff", "5-4e5f6a7b", "9", "9-0a1b2c3d"}) {
    EXPECT_EQ(it.feed.position_of(other).error().code, errc::position_given_up) << other;
  }
  for (const char* bad :
       {"", "x", "-0a1b2c3d", "1.5", "5-", "5-abc", "5-0a1b2c3d-", "5-0A1B2C3D"}) {
    EXPECT_EQ(it.feed.position_of(bad).error().code, errc::invalid) << bad;
  }
}

TEST(EV10_feed, history_and_live_meet_without_gap) {
  feed_box it;
  for (domain::position i = 1; i <= 300; ++i) it.reads.log.push_back(event(i));
  reader r(it.feed.subscribe({}, 0));
  it.reads.hold = true;
  r.pull();
  // Commits while the page of history is under way.
  it.commit_to(320);
  ASSERT_EQ(it.reads.held.size(), 1U);
  it.reads.hold = false;
  it.reads.held.front()();
  it.commit_to(330);
  r.pull_all();
  it.commit_to(340);
  r.pull_all();
  EXPECT_EQ(r.ids(), range(1, 340));
}

TEST(EV10_feed, a_first_event_is_not_lost_between_head_and_ring) {
  feed_box it;
  it.reads.log.push_back(event(1));
  reader r(it.feed.subscribe({}, 1));
  // The head has moved, the ring has not heard of it yet.
  it.reads.log.push_back(event(2));
  r.pull();
  EXPECT_EQ(r.ids(), range(2, 2));
  const auto second = event(2);
  it.feed.publish({&second, 1});
  r.pull();
  EXPECT_TRUE(r.open) << "and it is not told twice";
}

TEST(EV10_feed, a_slow_subscriber_falls_back_to_the_log) {
  feed_box it;
  reader slow(it.feed.subscribe({}, 0));
  it.commit_to(3);
  slow.pull();
  it.commit_to(10'000);  // the ring holds 8,192
  const std::size_t before = it.reads.event_reads;
  slow.pull_all();
  EXPECT_GT(it.reads.event_reads, before);
  EXPECT_EQ(slow.ids(), range(1, 10'000));
}

TEST(EV10_feed, memory_and_chunks_are_bounded_by_bytes) {
  feed_box it;
  const std::size_t large = 60 * 1024;
  it.commit_to(400, large);  // 24 MB; the ring holds 16 MiB and counts each twice
  reader r(it.feed.subscribe({}, 0));
  r.pull_all();
  EXPECT_EQ(r.ids(), range(1, 400));
  EXPECT_LT(r.largest, 256U * 1024);
  EXPECT_GT(it.reads.event_reads, 1U);
}

TEST(EV10_feed, history_goes_on_over_pages_on_which_nothing_fits) {
  feed_box it;
  it.reads.most_walked = 7;
  for (domain::position i = 1; i <= 60; ++i) {
    it.reads.log.push_back(event(i, i % 20 == 0 ? "rare" : "thing_done"));
  }
  feed_filter filter;
  filter.type = "rare";
  reader r(it.feed.subscribe(filter, 0));
  r.pull_all();
  EXPECT_EQ(r.ids(), (std::vector<domain::position>{20, 40, 60}));
  EXPECT_TRUE(r.open) << "it waits for what comes";
  it.commit(event(61, "rare"));
  EXPECT_EQ(r.ids().back(), 61);
}

TEST(EV10_feed, filters_hold_in_history_and_live) {
  feed_box it;
  it.commit_to(30);
  feed_box behind;
  for (domain::position i = 1; i <= 30; ++i) behind.reads.log.push_back(event(i));
  for (auto* box : {&it, &behind}) {
    feed_filter filter;
    filter.tenant = two_tenant;
    filter.stream = "thing-0";
    reader r(box->feed.subscribe(filter, 0));
    r.pull_all();
    box->commit_to(36);
    r.pull_all();
    EXPECT_EQ(r.ids(), (std::vector<domain::position>{6, 12, 18, 24, 30, 36}));
  }
}

/// Rendered once for each kind of reader, from the ring and from the log alike.
TEST(P17_feed, everybody_is_shown_his_part_of_an_event) {
  const std::string hash(64, 'a');
  auto made = event(1, "token_created");
  made.payload = R"({"id":")" + to_string(derived_uuid({}, "token")) +
                 R"(","name":"night-robot","role":"admin","secret_hash":")" + hash + R"("})";
  feed_box live, behind;
  behind.reads.log.push_back(made);
  live.commit(made);
  for (auto* box : {&live, &behind}) {
    using enum domain::event_reader;
    std::map<domain::event_reader, std::string> told;
    for (const auto who : {auditor, admin, member, auditor}) {
      feed_filter filter;
      filter.reader = who;
      reader r(box->feed.subscribe(filter, 0));
      r.pull_all();
      ASSERT_EQ(r.ids(), range(1, 1));
      told[who] = r.text;
    }
    const auto has = [&told](domain::event_reader who, std::string_view text) {
      return told[who].find(text) != std::string::npos;
    };
    EXPECT_TRUE(has(auditor, hash) && has(auditor, "night-robot") && !has(auditor, "is_partial"));
    EXPECT_TRUE(!has(admin, hash) && has(admin, "night-robot") && has(admin, "is_partial"));
    EXPECT_TRUE(!has(member, hash) && !has(member, "night-robot") && has(member, "is_partial"));
  }
}

TEST(GW5_feed, silence_becomes_a_comment) {
  feed_box it;
  reader r(it.feed.subscribe({}, 0));
  r.pull();
  it.clock.at = 14'999'999;
  it.feed.heartbeat();
  EXPECT_EQ(r.text, "");
  it.clock.at = 15'000'000;
  it.feed.heartbeat();
  EXPECT_EQ(r.text, ": still here\n\n");
  r.pull();
  it.feed.heartbeat();
  EXPECT_TRUE(r.open) << "silence is counted anew";
  it.commit_to(1);
  EXPECT_EQ(r.ids(), range(1, 1));
}

TEST(P21_feed, a_revoked_token_hears_no_more) {
  feed_box it;
  const uuid token = derived_uuid({}, "token");
  reader revoked(it.feed.subscribe({}, 0, token));
  reader other(it.feed.subscribe({}, 0, derived_uuid({}, "another")));
  revoked.pull();
  other.pull();
  auto e = event(1, "token_revoked");
  e.payload = "{\"id\":\"" + to_string(token) + "\"}";
  it.commit(e);
  EXPECT_TRUE(revoked.ended);
  EXPECT_FALSE(other.ended);
  EXPECT_TRUE(revoked.cut) << "it does not look whole";
  revoked.ended = revoked.cut = false;
  revoked.pull();
  EXPECT_TRUE(revoked.ended && revoked.cut);
}

TEST(GW5_feed, a_client_that_went_leaves_nothing_behind) {
  feed_box it;
  for (int i = 0; i < 1000; ++i) {
    reader gone(it.feed.subscribe({}, 0));
    gone.pull();
    gone.stream->cancel();
    EXPECT_TRUE(gone.ended);
  }
  EXPECT_LE(it.feed.places(), 1U);
  it.feed.heartbeat();
  EXPECT_EQ(it.feed.places(), 0U);
}

TEST(EV10_feed, a_log_that_cannot_be_read_ends_the_stream) {
  feed_box it;
  it.reads.log.push_back(event(1));
  it.reads.hold = true;
  reader r(it.feed.subscribe({}, 0));
  r.pull();
  it.reads.held.clear();  // dropped unanswered
  EXPECT_TRUE(r.ended);
}

TEST(EV10_feed, threads_see_every_position_once) {
  feed_box it;
  constexpr domain::position last = 3000;
  constexpr int readers = 4;
  // The log is written before the threads start: what races here is ring, wake-ups and pulls.
  for (domain::position i = 1; i <= last; ++i) it.reads.log.push_back(event(i));
  std::vector<std::thread> threads;
  std::vector<std::vector<domain::position>> seen(readers);
  for (auto& mine : seen) {
    threads.emplace_back([&it, &mine] {
      const auto stream = it.feed.subscribe({}, last / 2);
      while (mine.empty() || mine.back() < last) {
        const auto promise = std::make_shared<std::promise<std::string>>();
        stream->next(reply_slot<std::string>(
            [promise](outcome<std::string> chunk) { promise->set_value(chunk ? *chunk : ""); }));
        auto answer = promise->get_future();
        if (answer.wait_for(std::chrono::seconds(10)) != std::future_status::ready) break;
        const auto text = answer.get();
        for (auto at = text.find("id: "); at != text.npos; at = text.find("\nid: ", at + 1)) {
          mine.push_back(std::stoll(text.substr(text.find(' ', at) + 1, 20)));
        }
        if (text.empty()) break;
      }
    });
  }
  for (domain::position i = last / 2 + 1; i <= last; ++i) {
    const auto e = event(i);
    it.feed.publish({&e, 1});
  }
  for (auto& one : threads) one.join();
  for (const auto& mine : seen) EXPECT_EQ(mine, range(last / 2 + 1, last));
}

TEST(EV10_feed, nothing_is_rendered_where_it_is_published) {
  feed_box it;
  std::vector<std::function<void()>> handed_over;
  it.feed.wake_on([&](std::function<void()> work) { handed_over.push_back(std::move(work)); });
  it.commit(event(1));
  EXPECT_TRUE(handed_over.empty()) << "nobody is there";
  reader one(it.feed.subscribe({}, 1));
  reader two(it.feed.subscribe({}, 1));
  one.pull();
  two.pull();
  it.commit_to(200);
  // Woken once for all that has come since, and for both.
  ASSERT_EQ(handed_over.size(), 1U);
  EXPECT_TRUE(one.open && two.open);
  handed_over.front()();
  one.pull_all();
  two.pull_all();
  EXPECT_EQ(one.ids(), range(2, 200));
  EXPECT_EQ(two.text, one.text);
  it.commit(event(201));
  ASSERT_EQ(handed_over.size(), 2U);
  // Without a gateway nobody is woken elsewhere.
  it.feed.wake_on({});
  it.commit(event(202));
  EXPECT_EQ(handed_over.size(), 2U);
  EXPECT_EQ(one.ids(), range(2, 202));
}

TEST(ACC1_feed, a_revoked_token_ends_its_streams_before_anybody_is_woken) {
  feed_box it;
  std::vector<std::function<void()>> handed_over;
  it.feed.wake_on([&](std::function<void()> work) { handed_over.push_back(std::move(work)); });
  const uuid token = derived_uuid({}, "token");
  reader its(it.feed.subscribe({}, 0, token));
  reader other(it.feed.subscribe({}, 0, derived_uuid({}, "other")));
  its.pull();
  other.pull();
  auto revoked = event(1, "token_revoked");
  revoked.payload = "{\"id\":\"" + to_string(token) + "\"}";
  it.commit(revoked);
  EXPECT_TRUE(its.ended);
  EXPECT_FALSE(other.ended);
  ASSERT_EQ(handed_over.size(), 1U);
  handed_over.front()();
  EXPECT_EQ(other.ids(), range(1, 1));
  EXPECT_TRUE(its.text.empty());
}
