// UI2: lists, events, downloads and streams of a client: page by page, and what breaks off.

#include "cli/output.hpp"
#include "tests/unit/cli/client_case.hpp"

#include <gmock/gmock.h>

namespace {

using namespace reeve;
using namespace reeve::cli;
using namespace client_peer;
using testing::HasSubstr;
using testing::SizeIs;

}  // namespace

TEST_F(UI2_client, lists_page_by_page_in_three_forms) {
  const auto pages = [] {
    return std::deque<std::string>{
        http(200, R"({"next":"a/b","results":[{"id":"1","name":"één","version":1}]})"),
        http(200, "{\"next\":null,\"results\":[{\"id\":\"22\",\"name\":\"x\\u001b[31m\"}]}")};
  };
  peer table(pages());
  auto e = run(table, directives, {"list"});
  EXPECT_EQ(e.code, exit_ok);
  EXPECT_EQ(e.out,
            "id  name    version  is_default  is_archived  updated_at\n"
            "1   één     1\n"
            "22  x?[31m\n");
  EXPECT_THAT(table.requests()[1], HasSubstr("GET /api/directives?limit=49&cursor=a%2Fb HTTP"));

  client_.json = true;
  peer json(pages());
  e = run(json, directives, {"list"});
  EXPECT_EQ(e.out,
            "{\"next\":null,\"results\":[{\"id\":\"1\",\"name\":\"één\",\"version\":1},"
            "{\"id\":\"22\",\"name\":\"x\\u001b[31m\"}]}\n");

  client_.output = "ndjson";
  peer rows(pages());
  e = run(rows, directives, {"list", "--limit", "2"});
  EXPECT_EQ(e.out,
            "{\"id\":\"1\",\"name\":\"één\",\"version\":1}\n"
            "{\"id\":\"22\",\"name\":\"x\\u001b[31m\"}\n");
}

TEST_F(UI2_client, encodes_what_goes_into_a_path) {
  peer p({problem(404, "not_found"), problem(404, "not_found")});
  run(p, runs, {"artifacts", "../x", "a b?c"});
  run(p, runs, {"cancel", "x/../../y"});
  EXPECT_THAT(p.requests()[0], HasSubstr("GET /api/jobs/..%2Fx/artifacts/a%20b%3Fc HTTP"));
  EXPECT_THAT(p.requests()[1], HasSubstr("POST /api/runs/x%2F..%2F..%2Fy/cancel HTTP"));
}

TEST_F(UI2_client, writes_a_download_as_it_is) {
  const std::string bytes("line\n\0\x1b[0m\xff", 11);
  peer p({http(200, bytes), problem(404, "not_found"), problem(404, "not_found")});
  EXPECT_EQ(run(p, runs, {"logs", "j"}).out, bytes);
  const auto e = run(p, runs, {"logs", "j"});
  EXPECT_EQ(e.code, exit_not_found);
  EXPECT_EQ(e.out, "");
  EXPECT_THAT(e.err, HasSubstr("the detail"));
}

TEST_F(UI2_client, writes_the_output_of_each_job_of_a_run) {
  peer p({problem(404, "not_found"),
          http(200, R"({"jobs":[{"id":"j1","name":"one"},{"id":"j2","name":"two"}]})"),
          http(200, "first\n"), http(200, "")});
  const auto e = run(p, runs, {"logs", "r"});
  EXPECT_EQ(e.code, exit_ok);
  EXPECT_EQ(e.out, "==> one, job j1 <==\nfirst\n\n==> two, job j2 <==\n");
  EXPECT_EQ(e.err, "");
  ASSERT_THAT(p.requests(), SizeIs(4));
  EXPECT_THAT(p.requests()[1], HasSubstr("GET /api/runs/r HTTP"));
  EXPECT_THAT(p.requests()[3], HasSubstr("GET /api/jobs/j2/logs HTTP"));
}

/// A run that could not be asked for is not absent.
TEST_F(UI2_client, says_why_the_jobs_of_a_run_cannot_be_had) {
  for (const auto& [status, code] :
       {std::pair{404, exit_not_found}, {403, exit_refused}, {503, exit_unreachable}}) {
    peer p({problem(404, "not_found"), problem(status, "some_code")});
    const auto e = run(p, runs, {"logs", "r"});
    EXPECT_EQ(e.code, code) << status;
    EXPECT_EQ(e.out, "");
    EXPECT_THAT(e.err, HasSubstr("the detail"));
    EXPECT_THAT(p.requests(), SizeIs(2));
  }
}

TEST_F(UI2_client, tells_a_cut_answer_from_a_whole_one) {
  peer p({"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\nhalf",
          "HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n{\"id\":1}"});
  EXPECT_EQ(run(p, runs, {"logs", "j"}).code, exit_unreachable);
  EXPECT_EQ(run(p, runs, {"show", "r"}).code, exit_unreachable);
}

TEST_F(UI2_client, goes_on_over_empty_pages) {
  const auto empty = http(200, R"({"head":9,"next":"n1","results":[]})");
  peer list({empty, http(200, R"({"next":"n2","results":[{"id":"1"}]})"), empty,
             http(200, R"({"next":null,"results":[]})")});
  client_.json = true;
  auto e = run(list, runs, {"list", "--status", "failed"});
  EXPECT_EQ(e.code, exit_ok) << e.err;
  EXPECT_EQ(e.out, "{\"next\":null,\"results\":[{\"id\":\"1\"}]}\n");
  ASSERT_THAT(list.requests(), SizeIs(4));
  EXPECT_THAT(list.requests()[2], HasSubstr("limit=49&status=failed&cursor=n2 HTTP"));

  peer newest({empty, http(200, R"({"head":9,"next":"n2","results":[{"position":5}]})"),
               http(200, R"({"head":9,"next":null,"results":[]})")});
  e = run(newest, events, {"--type", "x"});
  EXPECT_EQ(e.out, "{\"read_to\":9,\"results\":[{\"position\":5}]}\n");
  peer onward({empty, http(200, R"({"head":9,"next":"n2","results":[{"position":5}]})"), empty,
               http(200, R"({"head":9,"next":null,"results":[]})")});
  e = run(onward, events, {"--type", "x", "--after", "1"});
  EXPECT_EQ(e.out, "{\"read_to\":9,\"results\":[{\"position\":5}]}\n");
}

TEST_F(UI2_client, RUN14_searches_what_jobs_printed) {
  peer p({http(200, R"({"next":"n1","results":[],"searched_bytes":67108864})"),
          http(200, R"({"next":null,"results":[{"job_id":"j","job_name":"build","attempt":1,)"
                    R"("line":7,"text":"an \u001berror"}],"searched_bytes":9})")});
  auto e = run(p, logs,
               {"search", "an error", "--run", "r", "--since", "2026-11-21T00:00:00+01:00",
                "--ignore-case"});
  EXPECT_EQ(e.code, exit_ok) << e.err;
  EXPECT_EQ(e.out,
            "job_id  job_name  attempt  line  text\nj       build     1        7     an ?error\n");
  ASSERT_THAT(p.requests(), SizeIs(2));
  EXPECT_THAT(p.requests()[0],
              HasSubstr("GET /api/logs?limit=50&q=an%20error&run=r&since="
                        "2026-11-21T00%3A00%3A00%2B01%3A00&ignore_case=true HTTP"));
  EXPECT_THAT(p.requests()[1], HasSubstr("&cursor=n1 HTTP"));
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{}, {"search"}, {"find", "x"}, {"search", "x", "--colour"}}) {
    EXPECT_EQ(run(p, logs, words).code, exit_usage);
  }
}

TEST_F(UI2_client, RUN14_follows_what_a_job_prints_until_it_has_ended) {
  const std::string head = "HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\n\r\n";
  const auto line = [](const std::string& members) {
    return "event: line\ndata: {\"attempt\":1," + members + "}\n\n";
  };
  peer p({head + "id: 1-1-10\n" + line(R"("line":1,"text":"one")") + "id: 1-2-20\nevent: li",
          head + line(R"("line":2,"is_ended":false,"text":"t")") + "id: 1-2-20\n" +
              line(R"("line":2,"text":"wo")") + "event: gap\ndata: {\"attempt\":1}\n\n" +
              "event: end\ndata: {\"status\":\"success\"}\n\n" +
              line(R"("line":3,"text":"nobody reads this")")});
  const auto e = run(p, jobs, {"logs", "j", "--follow", "--attempt", "1"});
  EXPECT_EQ(e.code, exit_ok) << e.err;
  EXPECT_EQ(e.out, "one\ntwo\n");
  EXPECT_THAT(e.err, HasSubstr("some of the output may be missing here"));
  EXPECT_THAT(p.requests()[0], HasSubstr("GET /api/jobs/j/logs/stream?after=&attempt=1 HTTP"));
  EXPECT_THAT(p.requests()[1], HasSubstr("?after=1-1-10&attempt=1 HTTP"));
  peer whole({http(200, "all of it")});
  EXPECT_EQ(run(whole, jobs, {"logs", "j", "--attempt", "2"}).out, "all of it");
  EXPECT_THAT(whole.requests()[0], HasSubstr("GET /api/jobs/j/logs?attempt=2 HTTP"));
}

TEST_F(UI2_client, RUN14_reads_one_stream_of_an_output) {
  peer p({http(200, "of it"), problem(409, "conflict"), http(200, "of it"),
          http(200, R"({"next":null,"results":[],"searched_bytes":9})")});
  EXPECT_EQ(run(p, jobs, {"logs", "j", "--stream", "stderr", "--attempt", "2"}).out, "of it");
  EXPECT_EQ(run(p, jobs, {"logs", "j", "--stream", "stderr"}).code, exit_refused);
  EXPECT_EQ(run(p, runs, {"logs", "j", "--stream", "stdout"}).out, "of it");
  EXPECT_EQ(run(p, logs, {"search", "x", "--stream", "stderr"}).code, exit_ok);
  ASSERT_THAT(p.requests(), SizeIs(4));
  EXPECT_THAT(p.requests()[0], HasSubstr("GET /api/jobs/j/logs?attempt=2&stream=stderr HTTP"));
  EXPECT_THAT(p.requests()[1], HasSubstr("GET /api/jobs/j/logs?stream=stderr HTTP"));
  EXPECT_THAT(p.requests()[2], HasSubstr("GET /api/jobs/j/logs?stream=stdout HTTP"));
  EXPECT_THAT(p.requests()[3], HasSubstr("&q=x&stream=stderr HTTP"));
  const std::string head = "HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\n\r\n";
  peer follow({head + "event: streams_unknown\ndata: {\"attempt\":1,\"streams\":\"unknown\"}\n\n" +
               "event: end\ndata: {\"status\":\"success\"}\n\n"});
  const auto e = run(follow, jobs, {"logs", "j", "--follow", "--stream", "stderr"});
  EXPECT_EQ(e.code, exit_ok) << e.err;
  EXPECT_EQ(e.out, "");
  EXPECT_THAT(e.err, HasSubstr("it is not known which line is of which stream"));
  EXPECT_THAT(follow.requests()[0], HasSubstr("/logs/stream?after=&stream=stderr HTTP"));
}

TEST_F(UI2_client, reads_the_newest_events_in_their_order) {
  client_.json = true;
  peer p({http(200, R"({"head":9,"next":"c8","results":[{"position":9},{"position":8}]})"),
          http(200, R"({"head":9,"next":null,"results":[{"position":3}]})")});
  const auto e = run(p, events, {"--type", "run_launched"});
  EXPECT_EQ(e.out,
            "{\"read_to\":9,\"results\":[{\"position\":3},{\"position\":8},{\"position\":9}]}\n");
  EXPECT_THAT(p.requests()[0], HasSubstr("?limit=50&type=run_launched&order=desc HTTP"));
  EXPECT_THAT(p.requests()[1], HasSubstr("?limit=48&type=run_launched&order=desc&cursor=c8 HTTP"));
}

TEST_F(UI2_client, says_up_to_where_events_were_read) {
  client_.json = true;
  const auto page =
      http(200, R"({"head":9,"next":"c5","results":[{"position":4},{"position":5}]})");
  peer p({page, http(200, R"({"head":9,"next":"c6","results":[{"position":6}]})")});
  const auto e = run(p, events, {"--after", "3", "--limit", "3"});
  EXPECT_THAT(e.out, testing::StartsWith("{\"read_to\":6,")) << "a position, for --after";
  EXPECT_THAT(p.requests()[0], HasSubstr("?limit=3&after=3 HTTP"));
  EXPECT_THAT(p.requests()[1], HasSubstr("?limit=1&after=3&cursor=c5 HTTP"));
}

TEST_F(UI2_client, goes_on_after_a_stream_that_broke_off) {
  client_.json = true;
  const std::string head = "HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\n\r\n";
  peer p({head + ": still here\n\nid: 5\nevent: t\ndata: {\"position\":5}\n\nid: 6\ndata: {\"pos",
          problem(503, "unavailable"), head + "id: 6\ndata: {\"position\":6}\n\n",
          problem(401, "unauthenticated")});
  const auto e = run(p, events, {"--follow", "--after", "4", "--stream", "run-1"});
  EXPECT_EQ(e.code, exit_refused);
  EXPECT_THAT(e.out, testing::StartsWith("{\"position\":5}\n{\"position\":6}\n"));
  ASSERT_THAT(p.requests(), SizeIs(4));
  EXPECT_THAT(p.requests()[0], HasSubstr("GET /api/events/stream?after=4&stream=run-1 HTTP"));
  EXPECT_THAT(p.requests()[2], HasSubstr("GET /api/events/stream?after=5&stream=run-1 HTTP"));
  EXPECT_THAT(p.requests()[3], HasSubstr("GET /api/events/stream?after=6&stream=run-1 HTTP"));
}
