// RUN8: a level counts where it is one, whoever wrote it, and words of prose do not.
#include "tasks/triage/log_level.hpp"

#include "tasks/triage/log_reader.hpp"
#include "tasks/triage/log_structured.hpp"

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace reeve::tasks;

struct level_case {
  std::string severity;
  std::string line;
};

std::vector<log_record> level_records(const std::vector<std::string>& lines) {
  record_reader reader(4096);
  std::vector<log_record> done;
  for (const auto& line : lines) reader.add(line, std::nullopt, done);
  reader.finish(done);
  return done;
}

class RUN8_level : public testing::TestWithParam<level_case> {};

TEST_P(RUN8_level, is_read_as_its_writer_meant_it) {
  const auto records = level_records({GetParam().line});
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(reeve::domain::name_of(records[0].severity), GetParam().severity) << GetParam().line;
}

INSTANTIATE_TEST_SUITE_P(
    prose, RUN8_level,
    testing::Values(level_case{"error", "Unhandled exception. Stack trace: at Foo.Bar()"},
                    level_case{"error", "Job crashed. Trace: 0xdeadbeef"},
                    level_case{"error", "Build failed, debug: see build.log"},
                    level_case{"error", "Login failed, info: bad password for app"},
                    level_case{"error", "Login failed, INFO: bad password for app"},
                    level_case{"error", "Backup failed. Notice: disk sdb is gone"},
                    level_case{"error", "Backup failed [info] disk sdb is gone"},
                    level_case{"fatal", "fatal error: concurrent map writes"},
                    level_case{"fatal", "PHP Fatal error:  Uncaught Exception: boom"},
                    level_case{"info", "INFO all errors were fixed"},
                    level_case{"unknown", "the user sent an INFO packet of DEBUG type"},
                    level_case{"unknown", "see the log: it is long"}));

INSTANTIATE_TEST_SUITE_P(
    heads, RUN8_level,
    testing::Values(
        level_case{"warning", "2023-01-01T10:00:00.000000Z\twarn\txdsproxy\tended: Unavailable"},
        level_case{"info", "2023-01-01T10:00:00.000Z\tinfo\tads\tno failed pushes"},
        level_case{"warning", "[2018/10/31 19:24:43] [ warn] [engine] service will stop"},
        level_case{"info",
                   "2024-05-01T10:00:00.000Z [6f1e2a3b-12ab-4cde-9f00-aabbccddeeff] "
                   "[http-nio-8080-exec-12] INFO com.acme.Foo - error rate is low"},
        level_case{"info",
                   "- 1117838570 2005.06.03 R02-M1-N0-C:J12-U11 "
                   "2005-06-03-15.42.50.675872 R02-M1-N0-C:J12-U11 RAS KERNEL INFO parity "
                   "error corrected"},
        level_case{"info", "2016-09-28 04:30:30, Info                  CBS    Failed to find it"},
        level_case{"debug", "03-17 16:13:38.811  1702  2395 D WindowManager: error token"},
        level_case{"error", "E/AndroidRuntime( 1702): it ended"},
        level_case{"error", "2016-01-01T00:00:00.000+0000 E NETWORK  [conn7] socket"},
        level_case{"warning", "[W 10:00:00.000 NotebookApp] no failed kernels"},
        level_case{"warning", "1:M 01 Jan 2023 10:00:00.000 # Server initialized"},
        level_case{"notice", "1:M 01 Jan 2023 10:00:00.000 * no error"},
        level_case{"error", "[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 7:tid 8] gone"},
        level_case{"error", "[2023-01-01 10:00:00] local.ERROR: gone"},
        level_case{"warning", "[2023-01-01 10:00:00,000: WARNING/MainProcess] slow"},
        level_case{"error", "[10:00:00 ERR] gone"}, level_case{"warning", "WARNING:root:slow"},
        level_case{"info", "2023-01-01 10:00:00.000 UTC [7] LOG:  no error"},
        level_case{"info", "2023-01-01 10:00:00.000 UTC [7] STATEMENT:  select error"},
        level_case{"warning", "gcc: warning: it failed before"},
        level_case{"info", "2023-01-01T00:00:00Z 0 [Note] [MY-010116] no error"},
        level_case{"error", "fail: App.Worker[0]"}, level_case{"debug", "trce: App.Worker[0]"}));

INSTANTIATE_TEST_SUITE_P(
    requests, RUN8_level,
    testing::Values(
        level_case{"error", "INFO:     127.0.0.1:53124 - \"GET /orders HTTP/1.1\" 500 Internal"},
        level_case{"info", "INFO:     127.0.0.1:53124 - \"GET /error HTTP/1.1\" 200 OK"},
        level_case{"warning", "WARN slow \"GET / HTTP/1.1\" 200 OK"},
        level_case{"error",
                   "Feb  6 12:14:14 lb haproxy[143]: 10.0.1.2:333 "
                   "[06/Feb/2009:12:14:14.655] web app/s1 10/0/30/-1/+109 503 2750 - - "
                   "---- 1/1/1/1/0 0/0 \"GET /index.html HTTP/1.1\""},
        level_case{"info",
                   "Feb  6 12:14:14 lb haproxy[143]: 10.0.1.2:333 "
                   "[06/Feb/2009:12:14:14.655] web app/s1 10/0/30/69/109 200 2750 - - "
                   "---- 1/1/1/1/0 0/0 \"GET /failed.html HTTP/1.1\""},
        level_case{"error", "[GIN] 2023/01/01 - 10:00:00 | 502 | 1ms | 10.0.0.1 | GET \"/x\""},
        level_case{"error", "at=info method=GET path=/ status=503 bytes=0"},
        level_case{"info", R"({"http_referer":"https://g.example.com/?l=error","status":200,)"
                           R"("request":"POST /api/ds/query HTTP/2.0"})"},
        level_case{"error", R"({"method":"GET","path":"/","status":502})"},
        level_case{"unknown", R"({"url":"https://g.example.com/?level=error","n":1})"}));

INSTANTIATE_TEST_SUITE_P(
    members, RUN8_level,
    testing::Values(
        level_case{"info", R"({"error_severity":"LOG","message":"checkpoint complete"})"},
        level_case{"fatal", R"({"error_severity":"FATAL","message":"role gone"})"},
        level_case{"error", R"({"log":{"level":"error","logger":"app"},"message":"x"})"},
        level_case{"error", R"({"t":{"$date":"x"},"s":"E","c":"NETWORK","ctx":"main","msg":"x"})"},
        level_case{"debug", R"({"s":"D2","c":"NETWORK","msg":"it failed"})"},
        level_case{"unknown", R"({"s":"E","msg":"x"})"},
        level_case{"error", R"({"version":"1.1","short_message":"backend down","level":3})"},
        level_case{"error", R"({"PRIORITY":"3","MESSAGE":"unit gone"})"},
        level_case{"info", R"({"EventId":13,"LogLevel":"Information","Message":"error page"})"},
        level_case{"error", R"({"LogLevel":4,"Message":"x"})"},
        level_case{"error", R"({"severityText":"ERROR","severityNumber":17,"body":"gone"})"},
        level_case{"warning", R"({"severityNumber":13,"body":{"stringValue":"gone"}})"},
        level_case{"info", R"({"@t":"2023-01-01T00:00:00Z","@mt":"it failed {X}"})"},
        level_case{"fatal", R"({"@t":"2023-01-01T00:00:00Z","@mt":"x","@l":"Fatal"})"},
        level_case{"warning", R"({"levelno":30,"msg":"x"})"},
        level_case{"info", R"({"level":30,"msg":"failed"})"},
        level_case{"error", R"({"level":400,"level_name":"ERROR","message":"x"})"},
        level_case{"warning", R"({"LEVEL":"WARN","MSG":"x"})"},
        level_case{"info", R"({"fields":{"message":"no, failed"},"level":"INFO"})"},
        level_case{"error", R"({"record":{"level":{"name":"ERROR","no":40}},"text":"x"})"},
        level_case{"error", R"({"msg":"request done","error":"EOF"})"},
        level_case{"error", R"({"msg":"x","err":{"type":"Error","message":"no route"}})"},
        level_case{"unknown", R"({"msg":"fine","error":null,"exception":false})"},
        level_case{"info", R"({"log":"{\"level\":\"info\",\"msg\":\"it failed\"}"})"}));

TEST(RUN8_levels, of_a_column_need_something_before_it) {
  for (const std::size_t blanks : {0, 8, 9, 30, 400}) {
    // The byte before the line would do as the end of a time.
    const auto text = "7" + std::string(blanks, ' ') + "error  text";
    EXPECT_FALSE(level_of_head(std::string_view(text).substr(1))) << blanks;
  }
  EXPECT_EQ(level_of_head("10:00:00          error  text"), log_severity::error);
}

TEST(RUN8_structured, json_is_read_before_it_is_cut) {
  const auto wide =
      R"({"url":")" + std::string(20'000, 'e') + R"(error","level":"info","msg":"ok"})";
  const auto records = level_records({wide});
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].text, "ok");
  EXPECT_EQ(records[0].severity, log_severity::info);
  EXPECT_EQ(level_records({"{" + std::string(60'000, 'e') + " \"x\": }"}).at(0).text.size(), 4096U)
      << "no JSON: cut as any other line";
  const auto cut = read_json_line(R"({"level":"info","msg":"so long that it was c)");
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->level, log_severity::info);
  EXPECT_FALSE(read_json_line(R"({"msg":"so long that it was c)"));
}

TEST(RUN8_structured, messages_and_errors_are_found_where_loggers_put_them) {
  const auto text = [](const std::string& line) { return level_records({line}).at(0).text; };
  EXPECT_EQ(text(R"({"t":{"$date":"x"},"s":"E","c":"N","msg":"rejected"})"), "rejected");
  EXPECT_EQ(text(R"({"@t":"2023-01-01T00:00:00Z","@mt":"Order {Id}"})"), "Order {Id}");
  EXPECT_EQ(text(R"({"severityText":"ERROR","body":{"stringValue":"otel gone"}})"), "otel gone");
  EXPECT_EQ(text(R"({"level":"error","event":"x","message":"y"})"), "y");
  EXPECT_EQ(text(R"({"msg":"x","err":{"type":"Error","message":"no route","stack":"at a"}})"),
            "x error: Error: no route");
  EXPECT_EQ(
      text(R"({"msg":"x","exc_info":"Traceback (most recent call last):\n  a\nKeyError: 1"})"),
      "x error: KeyError: 1");
  EXPECT_EQ(text(R"j({"msg":"x","Exception":"System.Boom: y\n   at A.B"})j"),
            "x error: System.Boom: y");
  EXPECT_EQ(text("level=error msg=\"it \\\"broke\\\"\" err=\"no route\""),
            "it \"broke\" error: no route");
}

TEST(RUN8_record, the_message_of_a_dotnet_line_is_the_line_below) {
  const auto records = level_records({"fail: App.Worker[0]", "      Order 17 could not be paid",
                                      "      System.BoomException: y", "         at A.B()",
                                      "fail: App.Worker[0]", "      Mailbox is full",
                                      "2023-01-01 10:00:00 info: App.Worker[14]", "      tick"});
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].text,
            "fail: App.Worker[0] Order 17 could not be paid | System.BoomException: y");
  EXPECT_EQ(records[0].lines, 4);
  EXPECT_EQ(records[1].text, "fail: App.Worker[0] Mailbox is full");
  EXPECT_EQ(records[2].severity, log_severity::info);
}

}  // namespace
