#include "tests/unit/api/gateway_fixture.hpp"

#include <gtest/gtest.h>

using namespace gateway_fixture;

namespace {

constexpr std::string_view get_hello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

constexpr std::string_view get_keep =
    "GET /keep HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer viewer\r\n\r\n";

bool counts(const gateway& it, const std::string& line) {
  return it.metrics().find(line) != std::string::npos;
}

/// GET /keep keeps its slot.
struct kept_slots {
  std::mutex mutex;
  std::vector<responder> slots;

  std::vector<route> routes() {
    std::vector<route> made = basic_routes();
    const auto keep = [this](const request&, const responder& slot) {
      const std::lock_guard lock(mutex);
      slots.push_back(slot);
    };
    made.push_back(simple(method::get, "/keep", keep, api::access::viewer));
    return made;
  }
  bool has(std::size_t count) {
    const std::lock_guard lock(mutex);
    return slots.size() == count;
  }
};

}  // namespace

TEST(P19_limits, a_slow_head_is_408) {
  server_options options;
  options.head_timeout = milliseconds(100);
  gateway it(basic_routes(), options);
  raw_client client(it.port());
  client.send("GET /hello HTTP/1.1\r\nHo");
  EXPECT_TRUE(client.read_all().starts_with("HTTP/1.1 408 "));
  // Bytes now and then do not help: the time is that of the whole head.
  raw_client dripping(it.port());
  bool open = true;
  const auto begun = steady_clock::now();
  while (open && steady_clock::now() - begun < std::chrono::seconds(20)) {
    open = dripping.send("a") && !dripping.read_some(milliseconds(20));
  }
  EXPECT_FALSE(open);
}

TEST(P19_limits, a_silent_connection_is_closed_without_a_word) {
  server_options options;
  options.head_timeout = options.idle_timeout = milliseconds(100);
  gateway it(basic_routes(), options);
  raw_client silent(it.port());
  EXPECT_TRUE(silent.at_end());
  raw_client idle(it.port());
  idle.send(get_hello);
  EXPECT_EQ(idle.read_answer().status, 200);
  EXPECT_TRUE(idle.at_end());
}

TEST(P19_limits, a_slow_body_is_408) {
  server_options options;
  options.body_grace = milliseconds(100);
  gateway it(basic_routes(), options);
  raw_client client(it.port());
  client.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Content-Length: 100\r\n\r\n{");
  EXPECT_TRUE(client.read_all().starts_with("HTTP/1.1 408 "));
}

TEST(P19_limits, a_client_that_reads_nothing_is_dropped) {
  server_options options;
  options.write_timeout = milliseconds(200);
  std::vector<route> routes = basic_routes();
  const auto large = std::make_shared<const std::string>(64 * 1024 * 1024, 'x');
  routes.push_back(simple(method::get, "/large", [large](const request&, const responder& slot) {
    response made;
    made.body = large;
    slot.answer(made);
  }));
  gateway it(std::move(routes), options);
  raw_client client(it.port());
  client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return it.server().connections() == 1; }));
  EXPECT_TRUE(eventually([&] { return it.server().connections() == 0; }));
}

TEST(P20_limits, one_connection_too_many_gets_503_at_once_if_nobody_waits) {
  kept_slots kept;
  server_options options;
  options.max_connections = 3;
  options.limits.shares = {100, 100};
  gateway it(kept.routes(), options);
  std::vector<std::unique_ptr<raw_client>> clients;
  for (std::size_t i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<raw_client>(it.port()));
    clients.back()->send(get_keep);
    ASSERT_TRUE(eventually([&] { return kept.has(i + 1); }));
  }
  raw_client extra(it.port());
  const answer got = extra.read_answer();
  EXPECT_EQ(got.status, 503);
  EXPECT_TRUE(got.has("Retry-After: 1\r\n"));
  EXPECT_TRUE(got.has("Connection: close\r\n"));
  EXPECT_TRUE(eventually([&] {
    return counts(it, "reeve_http_shed_total{caller=\"none\",limit=\"all\",what=\"conn");
  }));
  kept.slots[2].answer(text_response("done"));
  EXPECT_EQ(clients[2]->read_answer().body, "done");
  clients.pop_back();
  EXPECT_TRUE(eventually([&] { return it.server().connections() == 2; }));
  EXPECT_TRUE(it.alive());
}

TEST(P20_limits, handlers_beyond_the_limit_are_503) {
  kept_slots kept;
  server_options options;
  options.limits.in_flight = 2;
  options.limits.shares = {100, 100};
  gateway it(kept.routes(), options);
  raw_client first(it.port()), second(it.port());
  first.send(get_keep);
  second.send(get_keep);
  ASSERT_TRUE(eventually([&] { return kept.has(2); }));
  const answer refused = it.ask(get_keep);
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.has("Retry-After: 1\r\n"));
  EXPECT_EQ(it.ask("POST /echo HTTP/1.1\r\nHost: a\r\n\r\n").status, 503);
  for (const std::string who : {"viewer", "none"}) {
    EXPECT_TRUE(counts(
        it, "reeve_http_shed_total{caller=\"" + who + "\",limit=\"all\",what=\"requests\"} 1"))
        << who;
  }
  // A probe is still answered.
  EXPECT_TRUE(it.alive());
  kept.slots.clear();
  EXPECT_EQ(first.read_answer().status, 503);
  EXPECT_EQ(second.read_answer().status, 503);
  EXPECT_TRUE(it.alive());
}

TEST(GW3_limits, a_handler_without_an_answer_is_504_and_the_late_one_is_counted) {
  kept_slots kept;
  server_options options;
  options.handler_timeout = milliseconds(100);
  gateway it(kept.routes(), options);
  raw_client client(it.port());
  client.send(std::string(get_keep) + std::string(get_hello));
  EXPECT_EQ(client.read_answer().status, 504);
  EXPECT_EQ(client.read_answer().body, "hello");
  kept.slots[0].answer(text_response("late"));
  EXPECT_TRUE(eventually([&] { return counts(it, "reeve_http_late_answers_total 1"); }));
  client.send(get_hello);
  EXPECT_EQ(client.read_answer().body, "hello");
}

TEST(GW3_limits, tokens_have_a_rate) {
  server_options options;
  options.limits.requests_per_s = 0.001;
  options.limits.burst = 3;
  std::vector<route> routes = basic_routes();
  routes.push_back(simple(
      method::get, "/mine",
      [](const request&, const responder& slot) { slot.answer(text_response("x")); },
      api::access::viewer));
  gateway it(std::move(routes), options);
  const auto ask = [&](const std::string& token) {
    return it.ask("GET /mine HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token + "\r\n\r\n");
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask("viewer").status, 200);
  const answer refused = ask("viewer");
  EXPECT_EQ(refused.status, 429);
  EXPECT_TRUE(refused.has("Retry-After: 1\r\n"));
  EXPECT_EQ(ask("admin").status, 200);
  EXPECT_TRUE(
      counts(it, "reeve_http_shed_total{caller=\"viewer\",limit=\"token\",what=\"rate\"} 1"));
}

TEST(GW3_limits, a_connection_ends_after_its_requests) {
  server_options options;
  options.max_requests_per_connection = 2;
  gateway it(basic_routes(), options);
  raw_client client(it.port());
  client.send(std::string(get_hello) + std::string(get_hello) + std::string(get_hello));
  EXPECT_FALSE(client.read_answer().has("Connection: close"));
  EXPECT_TRUE(client.read_answer().has("Connection: close"));
  EXPECT_TRUE(client.at_end());
}

TEST(P27_limits, a_drain_finishes_what_is_in_flight_and_ends) {
  kept_slots kept;
  gateway it(kept.routes());
  raw_client busy(it.port()), idle(it.port());
  idle.send(get_hello);
  ASSERT_EQ(idle.read_answer().status, 200);
  busy.send(get_keep);
  ASSERT_TRUE(eventually([&] { return kept.has(1); }));
  EXPECT_FALSE(it.server().draining());
  it.server().begin_drain();
  EXPECT_TRUE(it.server().draining());
  EXPECT_TRUE(idle.at_end());
  EXPECT_TRUE(eventually([&] { return !raw_client(it.port()).connected(); }));
  kept.slots[0].answer(text_response("done"));
  EXPECT_EQ(busy.read_answer().body, "done");
  busy.close();
  it.join();
}

TEST(P27_limits, whoever_waits_when_a_drain_is_cut_short_is_told_so) {
  kept_slots kept;
  gateway it(kept.routes());
  raw_client asked(it.port()), body(it.port()), head(it.port());
  asked.send(get_keep);
  body.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Content-Length: 9\r\n\r\nx");
  head.send("GET /hel");
  ASSERT_TRUE(eventually([&] { return kept.has(1); }));
  ASSERT_TRUE(it.alive());
  it.server().begin_drain();
  it.server().cut_short();
  for (raw_client* one : {&asked, &body, &head}) {
    const answer got = one->read_answer();
    EXPECT_EQ(got.status, 503) << got.head;
    EXPECT_TRUE(got.has("Connection: close\r\n"));
    EXPECT_TRUE(got.has("Retry-After: 1\r\n"));
    EXPECT_NE(got.body.find("the server is stopping"), std::string::npos) << got.body;
    EXPECT_TRUE(one->at_end());
    one->close();
  }
  it.join();
  kept.slots[0].answer(text_response("too late"));
}

TEST(GW4_limits, requests_are_counted_by_pattern) {
  std::vector<route> routes = basic_routes();
  routes.push_back(
      simple(method::get, "/thing/{id}", [](const request& asked, const responder& slot) {
        slot.answer(text_response(std::string(asked.param("id"))));
      }));
  gateway it(std::move(routes));
  EXPECT_EQ(it.ask("GET /thing/marker-1 HTTP/1.1\r\nHost: a\r\n\r\n").body, "marker-1");
  it.exchange("broken\r\n\r\n");
  const std::string text = it.metrics();
  EXPECT_NE(
      text.find("reeve_http_requests_total{class=\"2xx\",method=\"GET\",route=\"/thing/{id}\"} 1"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("reeve_http_refused_total 1"), std::string::npos);
  EXPECT_EQ(text.find("marker-1"), std::string::npos);
}
