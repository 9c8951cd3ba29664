#include "tests/unit/api/routes/routes_world.hpp"

#include <gtest/gtest.h>

using namespace routes_fixture;

namespace {

using phase = output_source::phase;

/// A run of one job, and a client that follows it.
struct followed_job {
  followed_job() {
    const auto made = it.ask("operator", "POST /api/runs/launch", "{}");
    run = parse_uuid(made.at("id")).value();
    job = made.at("jobs/0/id");
  }
  ~followed_job() {
    if (stream) stream->cancel();
  }
  answer open(const std::string& query = "", const std::string& fields = "",
              const std::string& token = "viewer") {
    if (stream) stream->cancel();
    auto got = it.ask(token, "GET /api/jobs/" + job + "/logs/stream" + query, "", fields);
    stream = got.stream;
    is_over = false;
    return got;
  }
  /// What the client has by now, of everything that can be had without waiting.
  std::string read() {
    for (int i = 0; i < 1000; ++i) {
      if (!is_asked && !is_over && stream) {
        is_asked = true;
        stream->next(reply_slot<std::string>([this](outcome<std::string> chunk) {
          is_asked = false;
          is_over = !chunk || chunk->empty();
          is_cut = !chunk;
          if (chunk) text += *chunk;
        }));
      }
      if (is_asked) break;
    }
    return std::exchange(text, {});
  }
  /// The same a while later.
  std::string read_later(int seconds = 2) {
    it.clock.ahead_us += seconds * us_per_second;
    it.logs.heartbeat();
    return read();
  }
  /// Now, and then again after so many seconds each.
  std::string read_on(const std::vector<int>& later) {
    auto all = read();
    for (const int seconds : later) all += read_later(seconds);
    return all;
  }
  void begin(const std::string& container = "c1") { it.commands.begin(run, container); }
  void end(const std::string& log, bool truncated = false) {
    it.commands.end(run, domain::end_reason::completed, log, truncated);
  }
  static std::string line(int number, const std::string& text, const std::string& id = "") {
    const auto n = std::to_string(number);
    return "id: " + (id.empty() ? "1-" + n : id) +
           "\nevent: line\ndata: {\"attempt\":1,\"line\":" + n + ",\"text\":\"" + text + "\"}\n\n";
  }
  static constexpr const char* end_event = "event: end\ndata: {\"status\":\"success\"";

  world it;
  uuid run;
  std::string job, text;
  std::shared_ptr<body_stream> stream;
  bool is_asked = false, is_over = false, is_cut = false;
};

}  // namespace

TEST(RUN14_log_stream, of_a_job_that_has_ended_is_what_is_stored) {
  followed_job j;
  j.begin();
  j.end("one\ntwo");
  const auto got = j.open();
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.content_type, "text/event-stream");
  EXPECT_EQ(got.header("Cache-Control"), "no-store");
  const auto text = j.read_on({2});
  EXPECT_TRUE(text.starts_with(j.line(1, "one") + j.line(2, "two") + j.end_event)) << text;
  EXPECT_TRUE(j.is_over);
  EXPECT_TRUE(j.it.outputs.asked.empty()) << "the engine is not asked";
  // Who comes back gets the rest.
  j.open("", "Last-Event-ID: 1-1\r\n");
  EXPECT_TRUE(j.read_on({2}).starts_with(j.line(2, "two") + j.end_event));
  j.open("?after=1-2-70");
  EXPECT_TRUE(j.read_on({2}).starts_with(j.end_event));
}

TEST(RUN14_log_stream, shows_lines_as_they_come_and_ends_with_the_job) {
  followed_job j;
  j.open();
  EXPECT_EQ(j.read_on({2}), "") << "nothing runs";
  j.begin();
  EXPECT_EQ(j.read_later(), "");
  ASSERT_EQ(j.it.outputs.asked.size(), 1U);
  const auto& output = j.it.outputs.asked[0];
  EXPECT_EQ(output.what.execution, "c1");
  EXPECT_EQ(output.what.tenant, named("tenant"));
  output.tell({{1, 1'000'000'000, false, true, "one"}, {2, 2'000'000'000, true, true, "two"}});
  EXPECT_EQ(j.read(),
            "id: 1-1-1000000000\nevent: line\ndata: {\"attempt\":1,\"line\":1,\"stream\":"
            "\"stdout\",\"at\":\"1970-01-01T00:00:01.000000Z\",\"text\":\"one\"}\n\n"
            "id: 1-2-2000000000\nevent: line\ndata: {\"attempt\":1,\"line\":2,\"stream\":"
            "\"stderr\",\"at\":\"1970-01-01T00:00:02.000000Z\",\"text\":\"two\"}\n\n");
  output.tell({{3, 3, false, false, "ha"}, {3, 4, false, true, "lf"}});
  const auto half = j.read();
  EXPECT_TRUE(half.starts_with("event: line\n")) << "a piece has no id: " << half;
  EXPECT_NE(half.find("\"is_ended\":false"), std::string::npos);
  EXPECT_NE(half.find("id: 1-3-4\n"), std::string::npos);
  output.end(phase::over);
  EXPECT_EQ(j.read(), "") << "what it printed is over, and the job is not";
  j.end("one\ntwo\nhalf\n");
  const auto rest = j.read_later();
  EXPECT_TRUE(rest.starts_with(j.end_event)) << "nothing comes twice: " << rest;
  EXPECT_TRUE(j.is_over);
}

/// Engines do not tell a follower of a last line without an end.
TEST(RUN14_log_stream, ends_with_what_only_the_stored_output_has) {
  followed_job j;
  j.begin();
  j.open();
  EXPECT_EQ(j.read(), "");
  ASSERT_EQ(j.it.outputs.asked.size(), 1U);
  j.it.outputs.asked[0].tell({{1, 10, false, true, "one"}});
  EXPECT_NE(j.read(), "");
  j.it.outputs.asked[0].end(phase::over);
  EXPECT_EQ(j.read_later(6), "");
  EXPECT_EQ(j.it.outputs.asked.size(), 1U) << "it is over, and not asked for once more";
  j.end("one\ntail");
  const auto rest = j.read_later();
  EXPECT_NE(rest.find("\"text\":\"tail\""), std::string::npos) << rest;
  EXPECT_NE(rest.find(j.end_event), std::string::npos) << rest;
}

TEST(RUN14_log_stream, goes_on_with_what_is_stored_where_the_live_one_broke_off) {
  followed_job j;
  j.begin();
  j.open();
  EXPECT_EQ(j.read(), "");
  ASSERT_EQ(j.it.outputs.asked.size(), 1U);
  j.it.outputs.asked[0].tell({{1, 10, false, true, "one"}});
  EXPECT_NE(j.read(), "");
  j.it.outputs.asked[0].end(phase::broken);
  EXPECT_EQ(j.read_on({1}), "");
  EXPECT_EQ(j.it.outputs.asked.size(), 1U) << "not at once again";
  EXPECT_EQ(j.read_later(6), "");
  ASSERT_EQ(j.it.outputs.asked.size(), 2U);
  EXPECT_EQ(j.it.outputs.asked[1].what.after, (output_place{1, 1, 10}));
  // This one says nothing any more, and the attempt ends.
  j.end("one\ntwo\n");
  EXPECT_EQ(j.read_later(), "") << "it has a moment to say the rest";
  const auto text = j.read_on({6, 2, 2});
  EXPECT_TRUE(text.starts_with(": still here\n\n" + j.line(2, "two") + j.end_event)) << text;
  EXPECT_TRUE(j.it.outputs.asked[1].of.expired());
}

TEST(RUN14_log_stream, says_where_lines_may_be_missing) {
  followed_job j;
  j.begin();
  j.open("", "Last-Event-ID: 1-7-70\r\n");
  EXPECT_EQ(j.read(), "");
  ASSERT_EQ(j.it.outputs.asked.size(), 1U);
  EXPECT_EQ(j.it.outputs.asked[0].what.after, (output_place{1, 7, 70}));
  api::output_line gap;
  gap.is_gap = true;
  j.it.outputs.asked[0].tell({gap,
                              {7, 75, false, true, "seven"},
                              {8, 80, false, true, "eight"},
                              gap,
                              {9, 90, false, true, "nine"}});
  const auto text = j.read();
  const std::string told = "event: gap\ndata: {\"attempt\":1}\n\n";
  EXPECT_TRUE(text.starts_with(told + "id: 1-7-75\n")) << text;
  EXPECT_EQ(text.find(told, 1), text.find(told + "id: 1-9-90\n")) << "each where it is";
}

/// Numbers behind a gap are too low for what is stored.
TEST(RUN14_log_stream, says_that_lines_may_come_twice_from_what_is_stored_behind_a_gap) {
  followed_job j;
  j.begin();
  j.open();
  EXPECT_EQ(j.read(), "");
  ASSERT_EQ(j.it.outputs.asked.size(), 1U);
  api::output_line gap;
  gap.is_gap = true;
  j.it.outputs.asked[0].tell({{1, 10, false, true, "one"}, gap, {2, 90, false, true, "three"}});
  EXPECT_NE(j.read(), "");
  j.it.outputs.asked[0].end(phase::over);
  EXPECT_EQ(j.read_later(6), "");
  j.end("one\ntwo\nthree\n");
  const auto rest = j.read_later();
  EXPECT_TRUE(rest.starts_with("event: gap\ndata: {\"attempt\":1}\n\n")) << rest;
}

TEST(P15_log_stream, shows_nothing_live_of_an_attempt_whose_secret_cannot_be_had) {
  followed_job j;
  j.begin();
  j.it.outputs.refusal = reject(errc::not_found, "a secret is gone");
  j.open();
  EXPECT_EQ(j.read_on({20}), ": still here\n\n");
  j.it.outputs.refusal.reset();
  EXPECT_EQ(j.read_later(20), ": still here\n\n");
  EXPECT_TRUE(j.it.outputs.asked.empty()) << "it is not asked for again";
  j.end("stored\n");
  const auto text = j.read_on({2, 2, 2});
  EXPECT_TRUE(text.starts_with(j.line(1, "stored") + j.end_event)) << text;
}

TEST(RUN14_log_stream, stops_what_it_follows_when_the_client_goes_or_his_token_does) {
  followed_job j;
  j.begin();
  j.open();
  EXPECT_EQ(j.read(), "");
  ASSERT_EQ(j.it.outputs.asked.size(), 1U);
  j.stream->cancel();
  EXPECT_TRUE(j.it.outputs.asked[0].of.expired());
  j.open();
  EXPECT_EQ(j.read(), "");
  ASSERT_EQ(j.it.outputs.asked.size(), 2U);
  j.it.logs.end_of(named("operator"));
  EXPECT_FALSE(j.it.outputs.asked[1].of.expired());
  j.it.logs.end_of(named("viewer"));
  EXPECT_TRUE(j.it.outputs.asked[1].of.expired());
  EXPECT_TRUE(j.is_over && j.is_cut);
}

TEST(RUN14_log_stream, says_that_it_is_there_while_nothing_is_printed) {
  followed_job j;
  j.begin();
  j.open();
  EXPECT_EQ(j.read_on({2}), "");
  EXPECT_EQ(j.read_later(16), ": still here\n\n");
}

TEST(RUN14_log_stream, what_is_wrong_is_told_and_what_is_not_there_is_not_there) {
  followed_job j;
  j.begin();
  EXPECT_EQ(j.open("", "", "stranger").status, 404);
  EXPECT_EQ(j.open("?attempt=2").status, 404);
  EXPECT_EQ(j.open("?after=2-1").status, 404);
  EXPECT_EQ(j.it.ask("viewer", "GET /api/jobs/slurm:17/logs/stream").status, 404);
  for (const auto& [query, fields, pointer] :
       {std::tuple("?attempt=x", "", "/query/attempt"),
        std::tuple("?attempt=0", "", "/query/attempt"),
        std::tuple("?attempt=00&after=1-1", "", "/query/attempt"),
        std::tuple("?attempt=-1", "", "/query/attempt"), std::tuple("?after=7", "", "/query/after"),
        std::tuple("?after=0-1", "", "/query/after"), std::tuple("?after=1-x", "", "/query/after"),
        std::tuple("", "Last-Event-ID: abc\r\n", "/headers/Last-Event-ID"),
        std::tuple("?colour=red", "", "/query/colour")}) {
    const auto got = j.open(query, fields);
    EXPECT_EQ(got.status, 422) << query << fields;
    EXPECT_EQ(got.at("errors/0/pointer"), pointer) << got.body;
  }
}

TEST(RUN14_log_stream, tells_the_stream_of_what_is_stored_where_it_is_known) {
  followed_job j;
  const std::string log = "one\ntwo\n[reeve: 7 bytes left out]\nfour";
  j.it.reads.know_streams(named("tenant"), log, "oero");
  j.begin();
  j.end(log, true);
  const auto of = [&](int number, const std::string& stream, const std::string& text) {
    auto line = j.line(number, text);
    if (!stream.empty()) line.replace(line.find(",\"text\""), 0, ",\"stream\":\"" + stream + "\"");
    return line;
  };
  j.open();
  const auto all = j.read_on({2});
  const auto mark = of(3, "", "[reeve: 7 bytes left out]");
  EXPECT_TRUE(all.starts_with(of(1, "stdout", "one") + of(2, "stderr", "two") + mark +
                              of(4, "stdout", "four") + j.end_event))
      << all;
  j.open("?stream=stderr");
  const auto err = j.read_on({2});
  EXPECT_TRUE(err.starts_with(of(2, "stderr", "two") + mark + j.end_event)) << err;
  j.open("?stream=stdout", "Last-Event-ID: 1-3\r\n");
  const auto rest = j.read_on({2});
  EXPECT_TRUE(rest.starts_with(mark + of(4, "stdout", "four") + j.end_event)) << rest;
}

TEST(RUN14_log_stream, gives_one_stream_of_an_attempt_that_runs) {
  followed_job j;
  j.begin();
  j.open("?stream=stderr");
  EXPECT_EQ(j.read(), "");
  ASSERT_EQ(j.it.outputs.asked.size(), 1U);
  const auto& output = j.it.outputs.asked[0];
  output.tell({{1, 10, false, true, "one"}, {2, 20, true, true, "two"}, {3, 30, true, true, "3"}});
  const auto text = j.read();
  EXPECT_EQ(text.find("one"), std::string::npos);
  EXPECT_TRUE(text.starts_with("id: 1-2-20\n")) << text;
  EXPECT_NE(text.find("id: 1-3-30\n"), std::string::npos);
  output.tell({{4, 40, false, true, "four"}});
  EXPECT_EQ(j.read(), "");
  output.end(phase::over);
  j.it.reads.know_streams(named("tenant"), "one\ntwo\n3\nfour\n", "oeeo");
  j.end("one\ntwo\n3\nfour\n");
  const auto rest = j.read_on({2, 2});
  EXPECT_TRUE(rest.starts_with(j.end_event)) << "nothing comes twice: " << rest;
}

TEST(RUN14_log_stream, guesses_no_stream_of_an_older_log) {
  followed_job j;
  j.begin();
  j.end("one\ntwo\n");
  j.open("?stream=stderr");
  const auto text = j.read_on({2, 2});
  EXPECT_TRUE(
      text.starts_with("event: streams_unknown\ndata: {\"attempt\":1,\"streams\":"
                       "\"unknown\"}\n\n" +
                       std::string(j.end_event)))
      << text;
  const auto wrong = j.open("?stream=both");
  EXPECT_EQ(wrong.status, 422);
  EXPECT_EQ(wrong.at("errors/0/pointer"), "/query/stream");
}
