#include "tests/unit/api/gateway_fixture.hpp"

#include <gtest/gtest.h>
#include <stdexcept>

using namespace gateway_fixture;

namespace {

/// A stream that the test feeds: chunks wait until they are pulled, or a pull waits for a chunk.
class fed_stream final : public body_stream {
 public:
  void next(reply_slot<std::string> slot) override {
    const std::lock_guard lock(mutex_);
    ++pulls;
    if (chunks_.empty()) {
      waiting_ = slot;
      return;
    }
    const std::string chunk = chunks_.front();
    chunks_.erase(chunks_.begin());
    slot.answer(chunk);
  }
  void cancel() override { cancelled = true; }

  void feed(const std::string& chunk) {
    const std::lock_guard lock(mutex_);
    if (waiting_) {
      std::exchange(waiting_, {}).answer(chunk);
    } else {
      chunks_.push_back(chunk);
    }
  }
  void fail() {
    const std::lock_guard lock(mutex_);
    std::exchange(waiting_, {}).answer(reject(errc::internal, "broken"));
  }
  std::atomic<bool> cancelled{false};
  std::atomic<int> pulls{0};

 private:
  std::mutex mutex_;
  std::vector<std::string> chunks_;
  reply_slot<std::string> waiting_;
};

class thrown_stream final : public body_stream {
 public:
  void next(reply_slot<std::string>) override { throw std::runtime_error("no"); }
  void cancel() override {}
};

std::vector<route> stream_routes(std::shared_ptr<body_stream> from,
                                 std::optional<std::int64_t> bytes = {}) {
  std::vector<route> made = basic_routes();
  made.push_back(
      simple(method::get, "/stream", [from, bytes](const request&, const responder& slot) {
        response answer;
        answer.content_type = "text/event-stream";
        answer.stream = from;
        answer.stream_bytes = bytes;
        slot.answer(std::move(answer));
      }));
  made.back().streams = true;
  return made;
}

constexpr std::string_view get_stream = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view stream_hello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

}  // namespace

TEST(GW5_stream, is_chunked_and_the_connection_goes_on) {
  const auto from = std::make_shared<fed_stream>();
  gateway it(stream_routes(from));
  raw_client client(it.port());
  client.send(get_stream);
  ASSERT_TRUE(client.read_until("\r\n\r\n"));
  EXPECT_NE(client.buffered().find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(client.buffered().find("Content-Length"), std::string::npos);
  client.buffered().clear();
  from->feed("id: 1\n\n");
  ASSERT_TRUE(client.read_until("7\r\nid: 1\n\n\r\n"));
  // A request that is pipelined behind a running stream waits for its end.
  client.send(stream_hello);
  from->feed("id: 22\n\n");
  ASSERT_TRUE(client.read_until("8\r\nid: 22\n\n\r\n"));
  from->feed("");
  ASSERT_TRUE(client.read_until("\r\n0\r\n\r\n"));
  client.buffered().erase(0, client.buffered().find("\r\n0\r\n\r\n") + 7);
  EXPECT_EQ(client.read_answer().body, "hello");
  EXPECT_FALSE(from->cancelled);
}

TEST(GW5_stream, is_cancelled_when_the_client_closes) {
  const auto from = std::make_shared<fed_stream>();
  gateway it(stream_routes(from));
  auto client = std::make_unique<raw_client>(it.port());
  client->send(get_stream);
  ASSERT_TRUE(client->read_until("\r\n\r\n"));
  ASSERT_TRUE(eventually([&] { return from->pulls == 1; }));
  client.reset();
  EXPECT_TRUE(eventually([&] { return from->cancelled.load(); }));
  EXPECT_TRUE(eventually([&] { return it.server().connections() == 0; }));
  from->feed("nobody listens");
  EXPECT_TRUE(it.alive());
}

TEST(GW5_stream, of_known_length_has_it_and_may_not_differ) {
  for (const auto& [chunk, whole] :
       {std::pair("abcde", true), std::pair("abcdef", false), std::pair("abcd", false)}) {
    const auto from = std::make_shared<fed_stream>();
    from->feed(chunk);
    from->feed("");
    gateway it(stream_routes(from, 5));
    raw_client client(it.port());
    client.send(get_stream);
    const answer got = client.read_answer();
    EXPECT_TRUE(got.has("Content-Length: 5\r\n"));
    EXPECT_EQ(got.body == "abcde", whole);
    client.send(stream_hello);
    EXPECT_EQ(client.read_answer().status == 200, whole);
    EXPECT_EQ(from->cancelled, !whole);
  }
}

TEST(GW5_stream, that_fails_or_throws_ends_without_a_last_chunk) {
  const auto from = std::make_shared<fed_stream>();
  gateway failing(stream_routes(from));
  raw_client client(failing.port());
  client.send(get_stream);
  ASSERT_TRUE(eventually([&] { return from->pulls == 1; }));
  from->fail();
  EXPECT_FALSE(client.read_all().ends_with("0\r\n\r\n"));
  gateway throwing(stream_routes(std::make_shared<thrown_stream>()));
  EXPECT_FALSE(throwing.exchange(get_stream).ends_with("0\r\n\r\n"));
  EXPECT_TRUE(throwing.alive());
}

TEST(GW5_stream, is_pulled_no_faster_than_the_client_reads) {
  const auto from = std::make_shared<fed_stream>();
  constexpr int chunks = 400;
  for (int i = 0; i < chunks; ++i) from->feed(std::string(256 * 1024, 'x'));
  from->feed("");
  gateway it(stream_routes(from));
  raw_client client(it.port());
  client.send(get_stream);
  ASSERT_TRUE(client.read_until("\r\n\r\n"));
  // Sockets' buffers hold a few MiB at most; the pulls stand still while nothing is read.
  int before = -1;
  EXPECT_TRUE(eventually([&] { return std::exchange(before, from->pulls) == from->pulls; }));
  EXPECT_LT(from->pulls, chunks / 2);
  EXPECT_TRUE(it.alive());
  std::size_t bytes = 0;
  while (!client.buffered().ends_with("0\r\n\r\n")) {
    bytes += std::exchange(client.buffered(), {}).size();
    ASSERT_TRUE(client.read_some());
  }
  EXPECT_GT(bytes, 256U * 1024 * (chunks - 1));
}

TEST(GW5_stream, for_one_dot_zero_ends_with_the_connection) {
  const auto from = std::make_shared<fed_stream>();
  from->feed("abc");
  from->feed("");
  gateway it(stream_routes(from));
  const std::string got = it.exchange("GET /stream HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(got.ends_with("\r\n\r\nabc")) << got;
  EXPECT_EQ(got.find("chunked"), std::string::npos);
}

TEST(GW5_stream, head_opens_none_and_too_many_are_503) {
  const auto from = std::make_shared<fed_stream>();
  server_options options;
  options.max_streams = 1;
  gateway it(stream_routes(from), options);
  EXPECT_EQ(it.ask("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n", true).status, 200);
  EXPECT_TRUE(from->cancelled);
  EXPECT_EQ(from->pulls, 0);
  raw_client first(it.port());
  first.send(get_stream);
  ASSERT_TRUE(first.read_until("\r\n\r\n"));
  EXPECT_EQ(it.ask(get_stream).status, 503);
}

TEST(P27_stream, that_is_no_stream_of_events_looks_cut_when_the_server_stops) {
  const auto from = std::make_shared<fed_stream>();
  auto routes = basic_routes();
  routes.push_back(simple(method::get, "/stream", [from](const request&, const responder& slot) {
    auto answer = text_response("");
    answer.body.reset();
    answer.stream = from;
    slot.answer(std::move(answer));
  }));
  gateway it(std::move(routes));
  raw_client client(it.port());
  client.send(get_stream);
  from->feed("half");
  ASSERT_TRUE(client.read_until("half"));
  it.server().begin_drain();
  auto rest = client.read_all();
  rest.erase(0, rest.find("half"));
  EXPECT_EQ(rest.find("0\r\n\r\n"), rest.npos) << rest;
  EXPECT_EQ(rest.find("stopping"), rest.npos) << "it is no text of the stream";
  client.close();
  it.join();
}

TEST(P27_stream, that_a_drain_or_a_stop_cuts_does_not_look_whole) {
  const auto from = std::make_shared<fed_stream>();
  gateway it(stream_routes(from));
  raw_client client(it.port());
  client.send(get_stream);
  ASSERT_TRUE(eventually([&] { return from->pulls == 1; }));
  from->feed("id: 1\n\n");
  ASSERT_TRUE(eventually([&] { return from->pulls == 2; }));
  it.server().begin_drain();
  EXPECT_TRUE(
      client.read_all().ends_with("7\r\nid: 1\n\n\r\n1a\r\n: the server is stopping\n\n\r\n"))
      << "all of it, why it ends, and no last chunk";
  EXPECT_TRUE(from->cancelled);
  client.close();
  it.join();

  const auto cut = std::make_shared<fed_stream>();
  gateway other(stream_routes(cut));
  raw_client second(other.port());
  second.send(get_stream);
  ASSERT_TRUE(eventually([&] { return cut->pulls == 1; }));
  other.destroy_server();
  EXPECT_TRUE(cut->cancelled);
  EXPECT_FALSE(second.read_all().ends_with("0\r\n\r\n"));
  cut->feed("too late");
}

TEST(P27_stream, of_one_dot_zero_that_is_cut_is_reset) {
  enum class way { drain, stop, failure };
  for (const way how : {way::drain, way::stop, way::failure}) {
    const auto from = std::make_shared<fed_stream>();
    gateway it(stream_routes(from));
    raw_client client(it.port());
    client.send("GET /stream HTTP/1.0\r\n\r\n");
    ASSERT_TRUE(eventually([&] { return from->pulls == 1; }));
    from->feed("abc");
    ASSERT_TRUE(client.read_until("abc"));
    ASSERT_TRUE(eventually([&] { return from->pulls == 2; }));
    if (how == way::drain) it.server().begin_drain();
    if (how == way::stop) it.destroy_server();
    if (how == way::failure) from->fail();
    client.read_all();
    EXPECT_TRUE(client.was_reset()) << static_cast<int>(how);
    EXPECT_TRUE(from->cancelled);
    if (how == way::drain) it.join();
  }
  const auto whole = std::make_shared<fed_stream>();
  whole->feed("abc");
  whole->feed("");
  gateway it(stream_routes(whole));
  raw_client client(it.port());
  client.send("GET /stream HTTP/1.0\r\n\r\n");
  client.read_all();
  EXPECT_FALSE(client.was_reset());
}

TEST(P27_stream, of_known_length_that_a_drain_cuts_is_too_short) {
  const auto from = std::make_shared<fed_stream>();
  from->feed("abc");
  gateway it(stream_routes(from, 5));
  raw_client client(it.port());
  client.send(get_stream);
  ASSERT_TRUE(client.read_until("abc"));
  ASSERT_TRUE(eventually([&] { return from->pulls == 2; }));
  it.server().begin_drain();
  EXPECT_TRUE(client.read_all().ends_with("\r\n\r\nabc"));
  EXPECT_TRUE(from->cancelled);
  it.join();
}
