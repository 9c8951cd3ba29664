// GW3, P19, P20: nobody can hold so much that others are not served.

#include "tests/unit/api/gateway_fixture.hpp"

#include <gtest/gtest.h>

using namespace gateway_fixture;

namespace {

using client_list = std::vector<std::unique_ptr<raw_client>>;

constexpr std::string_view shares_hello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

std::string get(std::string_view path, std::string_view token) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " +
         std::string(token) + "\r\n\r\n";
}

/// A stream that says one thing and then nothing more.
class quiet_stream final : public body_stream {
 public:
  void next(reply_slot<std::string> slot) override {
    if (!std::exchange(said_, true)) return slot.answer(std::string("hello"));
    waiting_ = std::move(slot);
  }
  void cancel() override {}

 private:
  bool said_ = false;
  reply_slot<std::string> waiting_;
};

/// A download that does not end while nobody reads it.
class long_stream final : public body_stream {
 public:
  static constexpr std::int64_t bytes = std::int64_t{1} << 40;
  void next(reply_slot<std::string> slot) override { slot.answer(std::string(256 * 1024, 'x')); }
  void cancel() override {}
};

/// Keeps slots, and answers with a large body, an endless stream or a download.
struct world {
  std::mutex mutex;
  std::vector<responder> slots;
  std::shared_ptr<const std::string> large =
      std::make_shared<const std::string>(std::size_t{64} << 20, 'x');

  void add(std::vector<route>& to, const std::string& pattern, handler handle) {
    to.push_back(simple(method::get, pattern, std::move(handle), api::access::viewer));
  }
  std::vector<route> routes() {
    std::vector<route> made = basic_routes();
    add(made, "/mine",
        [](const request&, const responder& slot) { slot.answer(text_response("mine")); });
    add(made, "/keep", [this](const request&, const responder& slot) {
      const std::lock_guard lock(mutex);
      slots.push_back(slot);
    });
    add(made, "/large", [this](const request&, const responder& slot) {
      response answer;
      answer.body = large;
      slot.answer(std::move(answer));
    });
    add(made, "/stream", [](const request&, const responder& slot) {
      response answer;
      answer.stream = std::make_shared<quiet_stream>();
      slot.answer(std::move(answer));
    });
    made.back().streams = true;
    add(made, "/download", [](const request&, const responder& slot) {
      response answer;
      answer.stream = std::make_shared<long_stream>();
      answer.stream_bytes = long_stream::bytes;
      slot.answer(std::move(answer));
    });
    made.push_back(simple(
        method::post, "/take",
        [](const request&, const responder& slot) { slot.answer(text_response("taken")); },
        api::access::viewer));
    made.back().max_body_bytes = 1 << 20;
    return made;
  }
  bool keeps(std::size_t count) {
    const std::lock_guard lock(mutex);
    return slots.size() == count;
  }
};

raw_client& open_client(client_list& to, const gateway& it, std::string_view bytes) {
  to.push_back(std::make_unique<raw_client>(it.port()));
  to.back()->send(bytes);
  return *to.back();
}

/// The status of what comes; what follows the head is not read.
int status_of_head(raw_client& client) {
  if (!client.read_until("\r\n\r\n")) return 0;
  return std::stoi(client.buffered().substr(9, 3));
}

bool counts_of(const gateway& it, const std::string& line) {
  return it.metrics().find(line) != std::string::npos;
}

}  // namespace

TEST(P20_shares, who_waits_longest_without_a_token_gives_way) {
  world w;
  server_options options;
  options.max_connections = 4;
  options.limits.shares = {100, 100};
  gateway it(w.routes(), options);
  client_list clients;
  EXPECT_EQ(open_client(clients, it, get("/mine", "viewer")).read_answer().status, 200);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(open_client(clients, it, shares_hello).read_answer().status, 200);
  }
  // Each newcomer takes the place of the stranger that waits longest.
  client_list newcomers;
  for (std::size_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(open_client(newcomers, it, get("/mine", "admin")).read_answer().status, 200) << i;
    EXPECT_TRUE(clients[i]->at_end()) << i;
  }
  EXPECT_TRUE(counts_of(it, "reeve_http_evicted_total{token=\"none\"} 3"));
  clients[0]->send(get("/mine", "viewer"));
  EXPECT_EQ(clients[0]->read_answer().status, 200) << "one with a token goes last";
  // Now there are only such: the one that waits longest of them goes.
  raw_client last(it.port());
  last.send(shares_hello);
  EXPECT_EQ(last.read_answer().status, 200);
  EXPECT_TRUE(newcomers[0]->at_end());
  EXPECT_TRUE(counts_of(it, "reeve_http_evicted_total{token=\"shown\"} 1"));
}

TEST(P20_shares, half_a_head_is_no_place_to_stay) {
  world w;
  server_options options;
  options.max_connections = 2;
  options.limits.shares = {100, 100};
  gateway it(w.routes(), options);
  client_list clients;
  for (int i = 0; i < 2; ++i) open_client(clients, it, "GET /hello HTTP/1.1\r\nHo");
  ASSERT_TRUE(eventually([&] { return it.server().connections() == 2; }));
  EXPECT_TRUE(it.alive());
  EXPECT_TRUE(clients[0]->at_end());
}

TEST(P20_shares, an_address_has_its_share_of_the_connections) {
  world w;
  server_options options;
  options.max_connections = 8;
  options.limits.shares = {100, 50};
  gateway it(w.routes(), options);
  client_list clients;
  for (std::size_t i = 0; i < 4; ++i) {
    open_client(clients, it, get("/keep", "viewer"));
    ASSERT_TRUE(eventually([&] { return w.keeps(i + 1); }));
  }
  raw_client extra(it.port());
  const answer refused = extra.read_answer();
  EXPECT_EQ(refused.status, 429);
  EXPECT_TRUE(refused.has("Retry-After: 1\r\n"));
  EXPECT_NE(refused.body.find("this address has too many connections"), std::string::npos);
  w.slots[0].answer(text_response("done"));
  EXPECT_EQ(clients[0]->read_answer().status, 200);
  EXPECT_TRUE(it.alive()) << "who waits gives way to one of the same address";
  EXPECT_TRUE(clients[0]->at_end());
}

TEST(P20_shares, a_token_has_its_share_of_the_connections) {
  world w;
  server_options options;
  options.max_connections = 8;
  options.limits.shares = {25, 100};
  gateway it(w.routes(), options);
  client_list clients;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(open_client(clients, it, get("/mine", "viewer")).read_answer().status, 200);
  }
  raw_client extra(it.port());
  extra.send(get("/mine", "viewer"));
  const answer refused = extra.read_answer();
  EXPECT_EQ(refused.status, 429);
  EXPECT_TRUE(refused.has("Retry-After: 1\r\n"));
  EXPECT_TRUE(refused.has("Connection: close\r\n"));
  EXPECT_EQ(it.ask(get("/mine", "admin")).status, 200);
  // A connection is its last token's.
  clients[0]->send(get("/mine", "operator"));
  EXPECT_EQ(clients[0]->read_answer().status, 200);
  EXPECT_EQ(it.ask(get("/mine", "viewer")).status, 200);
  EXPECT_TRUE(counts_of(
      it, "reeve_http_shed_total{caller=\"viewer\",limit=\"token\",what=\"connections\"} 1"));
}

TEST(P20_shares, a_token_has_its_share_of_streams_and_of_downloads) {
  for (const char* path : {"/stream", "/download"}) {
    world w;
    server_options options;
    options.max_streams = options.max_downloads = 4;
    options.limits.shares = {50, 100};
    gateway it(w.routes(), options);
    client_list clients;
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(status_of_head(open_client(clients, it, get(path, "viewer"))), 200) << path;
    }
    const answer refused = it.ask(get(path, "viewer"));
    EXPECT_EQ(refused.status, 429) << path;
    EXPECT_TRUE(refused.has("Retry-After: 1\r\n"));
    const char* other = std::string_view(path) == "/stream" ? "/download" : "/stream";
    EXPECT_EQ(status_of_head(open_client(clients, it, get(other, "viewer"))), 200) << other;
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(status_of_head(open_client(clients, it, get(path, "admin"))), 200) << path;
    }
    EXPECT_EQ(it.ask(get(path, "operator")).status, 503) << path;
    clients.clear();
    EXPECT_TRUE(eventually([&] { return it.server().connections() == 0; }));
    EXPECT_EQ(status_of_head(open_client(clients, it, get(path, "viewer"))), 200) << path;
  }
}

TEST(P20_shares, answers_that_nobody_takes_are_bounded) {
  world w;
  server_options options;
  options.max_buffered_bytes = 1 << 20;
  gateway it(w.routes(), options);
  client_list clients;
  EXPECT_EQ(status_of_head(open_client(clients, it, get("/large", "viewer"))), 200);
  for (int i = 0; i < 3; ++i) {
    const answer refused = it.ask(get("/large", "viewer"));
    EXPECT_EQ(refused.status, 429);
    EXPECT_NE(refused.body.find("\"code\":\"rate_limited\""), std::string::npos);
  }
  EXPECT_EQ(it.ask(get("/mine", "viewer")).status, 200) << "small ones are not counted";
  EXPECT_EQ(it.ask(get("/large", "admin")).status, 429) << "the address has its share as well";
  EXPECT_TRUE(
      counts_of(it, "reeve_http_shed_total{caller=\"viewer\",limit=\"token\",what=\"bytes\"} 3"));
  EXPECT_TRUE(
      counts_of(it, "reeve_http_shed_total{caller=\"admin\",limit=\"address\",what=\"bytes\"} 1"));
  clients.clear();
  EXPECT_TRUE(eventually([&] { return it.server().connections() == 0; }));
  EXPECT_EQ(status_of_head(open_client(clients, it, get("/large", "viewer"))), 200);
}

TEST(P20_shares, bodies_that_do_not_come_are_bounded) {
  world w;
  server_options options;
  options.max_buffered_bytes = 1 << 20;
  options.limits.shares = {25, 100};
  gateway it(w.routes(), options);
  const auto post = [](std::string_view token, std::string_view framing) {
    return "POST /take HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
           std::string(framing) + "Authorization: Bearer " + std::string(token) + "\r\n\r\n";
  };
  client_list clients;
  open_client(clients, it, post("operator", "Content-Length: 300000\r\n") + "{");
  ASSERT_TRUE(eventually([&] { return it.server().connections() == 1; }));
  // The next one is answered behind the first, so the first one's body has begun.
  EXPECT_EQ(it.ask(get("/mine", "operator")).status, 200);
  for (const char* framing : {"Content-Length: 300000\r\n", "Transfer-Encoding: chunked\r\n"}) {
    const answer refused = it.ask(post("operator", framing));
    EXPECT_EQ(refused.status, 429) << framing;
    EXPECT_TRUE(refused.has("Connection: close\r\n"));
  }
  EXPECT_EQ(it.ask(post("operator", "Content-Length: 2\r\n") + "{}").body, "taken");
  EXPECT_EQ(it.ask(post("admin", "Content-Length: 20000\r\n") + std::string(20000, ' ')).body,
            "taken");
}

TEST(P20_shares, a_token_has_its_share_of_the_handlers) {
  world w;
  server_options options;
  options.limits.in_flight = 4;
  options.limits.shares = {50, 100};
  gateway it(w.routes(), options);
  client_list clients;
  for (std::size_t i = 0; i < 2; ++i) {
    open_client(clients, it, get("/keep", "viewer"));
    ASSERT_TRUE(eventually([&] { return w.keeps(i + 1); }));
  }
  EXPECT_EQ(it.ask(get("/mine", "viewer")).status, 429);
  EXPECT_EQ(it.ask(get("/mine", "admin")).status, 200);
  w.slots.clear();
  for (auto& one : clients) EXPECT_EQ(one->read_answer().status, 503);
  EXPECT_EQ(it.ask(get("/mine", "viewer")).status, 200);
}

TEST(P19_shares, a_trickling_reader_is_dropped_and_a_fast_one_is_not) {
  world w;
  server_options options;
  options.write_timeout = milliseconds(2000);
  options.min_answer_rate = 1 << 20;
  gateway it(w.routes(), options);
  raw_client fast(it.port());
  fast.send(get("/large", "admin"));
  EXPECT_EQ(fast.read_answer().body.size(), w.large->size());
  raw_client slow(it.port());
  slow.send(get("/large", "viewer"));
  // About 200 KiB a second: there is never a second in which nothing is taken.
  const auto begun = steady_clock::now();
  bool open = true;
  while (open && steady_clock::now() - begun < std::chrono::seconds(30)) {
    open = slow.read_some();
    slow.buffered().clear();
    ::poll(nullptr, 0, 80);
  }
  EXPECT_FALSE(open);
  EXPECT_TRUE(counts_of(it, "reeve_http_slow_total{part=\"answer\"} 1"));
}
