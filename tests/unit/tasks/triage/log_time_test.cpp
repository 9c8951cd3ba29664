// RUN6, RUN8: the forms in which logs write their times, and what is none.
#include "tasks/triage/log_time.hpp"

#include "tasks/triage/log_since.hpp"
#include "tasks/triage/log_time_head.hpp"

#include <chrono>
#include <gtest/gtest.h>
#include <string>

namespace {

using namespace reeve::tasks;

constexpr reeve::time_us forms_now = 1'795'172'400'000'000;  // 2026-11-20T11:00:00Z

/// To the second where there is no fraction; "?" is for a zone that is not said.
std::string time_in(std::string_view line) {
  std::string room;
  const auto found = time_of_raw_line(line, forms_now, room);
  if (!found) return "none";
  auto text = reeve::format_time(found->at).substr(0, 26);
  if (text.ends_with(".000000")) text.resize(19);
  return text + (found->zoned ? "Z" : "?");
}

TEST(RUN8_time_forms, a_level_or_a_bracket_may_stand_in_front) {
  for (const auto* line :
       {"ERROR 2026-06-25 14:54:28 lost", "error: 2026-06-25 14:54:28 lost",
        "[ERROR] 2026-06-25 14:54:28 lost", "[main] 2026-06-25 14:54:28 lost",
        "[main] ERROR 2026-06-25 14:54:28 lost", "ERROR [http-nio-1] 2026-06-25 14:54:28 lost",
        "[WARN ] [7] 2026-06-25 14:54:28 lost", "INFO:     2026-06-25 14:54:28 - lost",
        "ERROR - 2026-06-25 14:54:28 - lost", "ERROR | 2026-06-25 14:54:28 | lost",
        "INFO:app.main:2026-06-25 14:54:28:lost", "E 2026-06-25 14:54:28 lost",
        "[E 2026-06-25 14:54:28 ServerApp] lost", "ERROR\t2026-06-25 14:54:28\tlost",
        "ERROR [2026-06-25 14:54:28] lost", "ERROR Jun 25, 2026 2:54:28 PM lost",
        "<11>ERROR 2026-06-25 14:54:28 lost", "app-1  | 2026-06-25 14:54:28 lost",
        "app-1  | [ERROR] 2026-06-25 14:54:28 lost"}) {
    EXPECT_EQ(time_in(line), "2026-06-25T14:54:28?") << line;
  }
  EXPECT_EQ(time_in("ERROR 2026-06-25 14:54:28,123 lost"), "2026-06-25T14:54:28.123000?");
  EXPECT_EQ(time_in("[ERROR] 2026-06-25T14:54:28Z lost"), "2026-06-25T14:54:28Z");
  EXPECT_EQ(time_in("app-1  | 2026-06-25T14:54:28.5Z lost"), "2026-06-25T14:54:28.500000Z");
  EXPECT_EQ(time_in("app-1  | 1782399268.123 lost"), "2026-06-25T14:54:28.123000Z");
  EXPECT_EQ(time_in(R"(app-1  | {"ts":1782399268,"msg":"lost"})"), "2026-06-25T14:54:28Z");
  EXPECT_EQ(time_in("[pod/a/b] E0625 14:54:28.123456 1 a.go:1] lost"),
            "2026-06-25T14:54:28.123456?");
  EXPECT_EQ(time_in("E, [2026-06-25T14:54:28.123456 #1] ERROR -- : lost"),
            "2026-06-25T14:54:28.123456?");
  EXPECT_EQ(time_in("A, [2026-06-25T14:54:28.123456 #1]   ANY -- : lost"),
            "2026-06-25T14:54:28.123456?");
  EXPECT_EQ(time_in("[ERROR] [1782399268.123456789] [node]: lost"), "2026-06-25T14:54:28.123456Z");
}

TEST(RUN8_time_forms, dates_and_clocks_of_many_loggers) {
  for (const auto* line :
       {"[2026-06-25, 14:54:28 UTC] {subprocess.py:93} INFO - lost", "20260625T145428Z lost",
        "1782399268\tERROR\tlost", "1.782399268e+09\terror\tlost",
        "Thu Jun 25 2026 16:54:28 GMT+0200 lost", "[25/Jun/2026 14:54:28 +0000] ERROR lost"}) {
    EXPECT_EQ(time_in(line), "2026-06-25T14:54:28Z") << line;
  }
  EXPECT_EQ(time_in("1782399268.123\tERROR lost"), "2026-06-25T14:54:28.123000Z");
  EXPECT_EQ(time_in("1.782399268123e+09\terror\tlost"), "2026-06-25T14:54:28.123000Z");
  EXPECT_EQ(time_in("1.782e+09\terror\tlost"), "2026-06-21T00:00:00Z");
  for (const auto* line :
       {"20260625 14:54:28 lost", "25 Jun 2026 14:54:28 lost", "25-JUN-2026 14:54:28 * lost",
        "25.06.2026 14:54:28 lost", "2026.06.25 14:54:28 lost", "E20260625 14:54:28 1 a.cc:1] lost",
        "Jun 25 2026 14:54:28: %ASA-3-1: lost", "[25/Jun/2026 14:54:28] ERROR lost",
        "10.0.0.1 - - [25/Jun/2026 14:54:28] \"GET /\"", "<2026-06-25 14:54:28> lost"}) {
    EXPECT_EQ(time_in(line), "2026-06-25T14:54:28?") << line;
  }
  EXPECT_EQ(time_in("25 Jun 2026 14:54:28,123 lost"), "2026-06-25T14:54:28.123000?");
  EXPECT_EQ(time_in("5 Jun 2026 14:54:28 lost"), "2026-06-05T14:54:28?");
}

TEST(RUN8_time_forms, a_line_with_minutes_alone_may_be_of_the_end_of_its_minute) {
  for (const auto* line :
       {"2026-06-25 14:54 lost", "[2026-06-25 14:54] lost", "ERROR 2026-06-25T14:54 lost",
        "25.06.2026 14:54 lost", "6/25/2026 2:54 PM lost"}) {
    EXPECT_EQ(time_in(line), "2026-06-25T14:54:00?") << line;
    EXPECT_EQ(time_of_line(line, forms_now)->unsure_us, 59'999'999) << line;
  }
  EXPECT_EQ(time_in("2026-06-25T14:54Z lost"), "2026-06-25T14:54:00Z");
  EXPECT_EQ(time_of_line("2026-06-25 14:54:28 lost", forms_now)->unsure_us, 0);
  for (const auto* none : {"Jun 25 14:54 lost", "2026-06-25 14:5 lost", "2026-06-25 14:541 lost",
                           "2026-06-25 14:60 lost", "2026-06-25 14:54:2 lost"}) {
    EXPECT_EQ(time_in(none), "none") << none;
  }
}

TEST(RUN8_time_forms, halves_of_days_and_american_dates) {
  EXPECT_EQ(time_in("Jun 25, 2026 2:54:28 PM com.x.Y start"), "2026-06-25T14:54:28?");
  EXPECT_EQ(time_in("Jun 25, 2026, 2:54:28\xE2\x80\xAFPM com.x.Y start"), "2026-06-25T14:54:28?");
  EXPECT_EQ(time_in("Jun 25, 2026 12:00:00 AM x"), "2026-06-25T00:00:00?");
  EXPECT_EQ(time_in("Jun 25, 2026 12:59:59 PM x"), "2026-06-25T12:59:59?");
  EXPECT_EQ(time_in("Jun 25, 2026 11:59:59 PM x"), "2026-06-25T23:59:59?");
  EXPECT_EQ(time_in("Jun 25, 2026 1:00:00 AM x"), "2026-06-25T01:00:00?");
  EXPECT_EQ(time_in("2026-06-25 02:54:28.5 PM x"), "2026-06-25T14:54:28.500000?");
  EXPECT_EQ(time_in("2026-06-25 02:54:28 PMD x"), "2026-06-25T02:54:28?") << "a word";
  EXPECT_EQ(time_in("2026-06-25 14:54:28 PM x"), "2026-06-25T14:54:28?");
  EXPECT_EQ(time_in("2026-06-25 00:54:28 PM x"), "2026-06-25T00:54:28?");
  EXPECT_EQ(time_in("7/16/2021 11:46:59 AM-0600 ERROR lost"), "2021-07-16T17:46:59Z");
  EXPECT_EQ(time_in("7/6/2021 1:46:59 PM lost"), "2021-07-06T13:46:59?");
  EXPECT_EQ(time_in("####<May 18, 2018 11:58:08 AM CST> <Error> lost"), "2018-05-18T11:58:08?");
  EXPECT_EQ(time_in("####<May 18, 2018 11:58:08 AM UTC> <Error> lost"), "2018-05-18T11:58:08Z");
  EXPECT_EQ(time_in("<May 18, 2018 12:58:08 AM EST> <Error> lost"), "2018-05-18T05:58:08Z");
  for (const auto* none :
       {"7/16/2021 11:46:59 lost", "07/06/2021 11:46 lost", "16/7/2021 11:46:59 AM lost",
        "7/16/2021 11:46:59 am lost", "7/16/2021 0:46:59 AM lost", "7/16/2021 13:46:59 PM lost"}) {
    EXPECT_EQ(time_in(none), "none") << none;
  }
}

TEST(RUN8_time_forms, a_zone_is_one_only_where_it_is_no_word_and_no_number) {
  const std::string clock = "2026-06-25 14:54:28";
  for (const auto* rest :
       {" MET the requirements", " MET. Then more", " MET", " EST 9 left", " WEST wing lost",
        " WET Floor", " EST-based x", " -12 items", " +05 x", " -1234 items", " +0100ms", " +1500",
        "+1500", "-11:30:00 was open", "Zulu", " +02x", "+02x", " +02:", " ESTATE"}) {
    const bool is = std::string_view(rest) == " MET" || std::string_view(rest) == " EST 9 left";
    EXPECT_EQ(time_in(clock + rest).ends_with('Z'), is) << rest;
    EXPECT_NE(time_in(clock + rest), "none") << rest;
  }
  for (const auto* rest :
       {" EST", " EST [7] ERROR:  x", " EST: x", "EST] x", " EST> x", " EST, x", " EST | x",
        " EST - x", " EST ERROR x", " EST LOG:  x", " EST user@db x", " EST app[7]: x", "-05 x",
        "-0500 x", "-05:00 x", " -0500 x", " -05:00 x", " -0500: x"}) {
    EXPECT_EQ(time_in(clock + rest), "2026-06-25T19:54:28Z") << rest;
  }
  for (const auto* rest :
       {" EST postgres shop 7 LOG:  x", " EST myhost sshd[7]: x", " -05 [73] LOG:  x", " -05 | x",
        " -05 user@db x", " -05 ERROR x", " -05 postgres shop LOG:  x"}) {
    EXPECT_EQ(time_in(clock + rest), "2026-06-25T19:54:28Z") << rest;
  }
  EXPECT_EQ(time_in("Thu Jun 25 14:54:28 -05 2026"), "2026-06-25T19:54:28Z");
  EXPECT_EQ(time_in(clock + "+00:00Z [INFO] x"), "2026-06-25T14:54:28Z");
  EXPECT_EQ(time_in(clock + "+00:00Zulu"), "2026-06-25T14:54:28?");
  EXPECT_EQ(time_in(clock + "+01:00Z"), "2026-06-25T14:54:28?");
  EXPECT_EQ(time_in(clock + " CEST the rest"), "2026-06-25T12:54:28Z") << "no word";
  EXPECT_EQ(time_in(clock + " +0545 x"), "2026-06-25T09:09:28Z");
  EXPECT_EQ(time_in("Thu Jun 25 14:54:28 MET 2026 x"), "2026-06-25T13:54:28Z");
}

TEST(RUN8_time_forms, cells_of_tables_are_none) {
  for (const auto* none :
       {"1 | 2026-06-25 14:54:28 | x", "1  | 2026-06-25 14:54:28 ERROR x", "12.5 | 1782399268",
        "alice | 2026-06-25 14:54:28 | 7", "alice  | 2026-06-25 14:54:28+00 |",
        "a | 2026-06-25 14:54", "alice | bob | 2026-06-25 14:54:28 x",
        "[main] alice | 2026-06-25 14:54:28 x",
        "alice | 2026-06-25 14:54:28 | 7 | error was it | x",
        "info | alice | 2026-06-25 14:54:28 | x", R"(1 | {"ts":1782399268,"msg":"lost"})"}) {
    EXPECT_EQ(time_in(none), "none") << none;
  }
  for (const auto* line :
       {"app-1  | 2026-06-25 14:54:28 | INFO     | lost", "app-1  | 2026-06-25 14:54:28|E|lost",
        "3scale  | 2026-06-25 14:54:28 lost", "app-1  | [2026-06-25 14:54:28] | x",
        "web-1  | 2026-06-25 14:54:28 | my.db | ERROR | lost", "web-1  | 2026-06-25T14:54:28 ",
        "web-1  | 2026-06-25 14:54:28 | 7 | my.db | WARNING | lost",
        "INFO | app | 2026-06-25 14:54:28,000 | lost", "[INFO] app | 2026-06-25 14:54:28 | lost"}) {
    EXPECT_EQ(time_in(line), "2026-06-25T14:54:28?") << line;
  }
}

TEST(RUN8_time_forms, behind_a_level_that_is_a_word_of_prose_are_none) {
  for (const auto* none :
       {"error 2026-06-25 14:54:28 was a bad day", "Error 2026-06-25 14:54:28 was a bad day",
        "note 2026-06-25T14:54:28Z as the end", "Success Jun 25 14:54:28 again",
        "[main] error 2026-06-25 14:54:28 was a bad day",
        "ERROR error 2026-06-25 14:54:28 again"}) {
    EXPECT_EQ(time_in(none), "none") << none;
  }
  EXPECT_EQ(time_in("info 2026-06-25T14:54:28.000Z x"), "2026-06-25T14:54:28Z") << "winston";
  EXPECT_EQ(time_in("info 2026-06-25T14:54:28 x"), "none");
  for (const auto* line : {"error: 2026-06-25 14:54:28 x", "error - 2026-06-25 14:54:28 x",
                           "error | 2026-06-25 14:54:28 x", "Error\t2026-06-25 14:54:28\tx",
                           "info   2026-06-25 14:54:28 x", "error [2026-06-25 14:54:28] x",
                           "error 2016-01-02 10:00:00 was bad [25/Jun/2026:14:54:28] x",
                           "Jun 25 14:54:28 h app[1]: error 2016-01-02T10:00:00Z was a bad day"}) {
    EXPECT_EQ(time_in(line), "2026-06-25T14:54:28?") << line;
  }
}

TEST(RUN8_time_forms, in_json_under_the_names_that_collectors_give) {
  const auto* const expected = "2026-06-25T14:54:28Z";
  for (const auto* line :
       {R"({"date":1782399268.0,"log":"lost"})", R"({"eventTime":"2026-06-25T14:54:28Z","x":1})",
        R"({"date":"2026-06-25","timestamp":"2026-06-25T14:54:28Z","msg":"x"})",
        R"({"date":1782399268.0,"time":"0.012","msg":"x"})",
        R"({"instant":{"epochSecond":1782399268,"nanoOfSecond":1},"message":"x"})",
        R"({"timeMillis":1782399268000,"message":"x"})",
        R"({"time":"0.012","ts":1782399268,"msg":"x"})"}) {
    EXPECT_EQ(time_in(line), expected) << line;
  }
  EXPECT_EQ(time_in(R"({"date":"2026-06-25","msg":"x"})"), "none");
}

TEST(RUN8_time_forms, of_what_a_message_speaks_are_none) {
  for (const auto* none : {"error 2026",
                           "ERROR 2026 rows",
                           "ERROR",
                           "[ERROR]",
                           "[ERROR] ",
                           "ERROR:",
                           "E, [",
                           "E, [x",
                           "ERROR backup of 2026-06-25 14:54:28 failed",
                           "job of 2026-06-25 14:54:28 failed",
                           "[main] started 2026-06-25 14:54:28",
                           "main 2026-06-25 14:54:28",
                           "see 2026-06-25T14:54:28Z",
                           "app-1 | started at 2026-06-25T14:54:28Z",
                           "  2026-06-25 14:54:28 indented",
                           "| 2026-06-25 14:54:28 | row",
                           "ERROR 1782399268 is no user",
                           "[main] 1782399268 jobs",
                           "[1] [1782399268] jobs",
                           "ERROR 1.782399268e+09 is much",
                           "2026-02-31 14:54:28 x",
                           "2026-02-29 14:54:28 x",
                           "31 Apr 2026 14:54:28 x",
                           "Feb 30 14:54:28 x",
                           "2026-06-25 24:00:00 x",
                           "2026-06/25 14:54:28 x",
                           "20261325T145428Z x",
                           "20260625T146028Z x",
                           "1.782e+08\tx",
                           "1.782e+9x\tx",
                           "3.14159 x",
                           "0.782e+09\tx",
                           "####",
                           "####<",
                           "####2026-06-25 14:54:28"}) {
    EXPECT_EQ(time_in(none), "none") << none;
  }
  EXPECT_EQ(time_in("2024-02-29 14:54:28 x"), "2024-02-29T14:54:28?");
  EXPECT_EQ(time_in("Feb 29 14:54:28 host x"), "2024-02-29T14:54:28?") << "the last that there was";
}

/// A local time may lie in the next year already.
TEST(RUN8_time_forms, without_a_year_are_of_the_next_one_just_before_it_begins) {
  constexpr reeve::time_us eve = 1'798'758'000'000'000;  // 2026-12-31T23:00:00Z
  for (const auto* line :
       {"Jan  1 00:30:00 host app: lost", "01-01 00:30:00.000 lost", "E0101 00:30:00.000 lost"}) {
    const auto found = time_of_line(line, eve);
    ASSERT_TRUE(found) << line;
    EXPECT_EQ(reeve::format_time(found->at).substr(0, 19), "2027-01-01T00:30:00") << line;
  }
  EXPECT_EQ(reeve::format_time(time_of_line("Dec 31 22:30:00 host x", eve)->at).substr(0, 19),
            "2026-12-31T22:30:00");
}

TEST(RUN8_time_forms, of_very_long_lines_cost_no_more_than_their_heads) {
  for (const std::string_view piece : {"a", "[a] ", "ERROR ", "ERROR:a", "[", "a | ", "ERROR: ",
                                       "1", "1.", "E, [", " ", "\t", "-", "####<", "<1"}) {
    std::string line;
    while (line.size() < 64'000) line += piece;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 1'000; ++i) {
      EXPECT_FALSE(time_of_line(line, forms_now)) << piece;
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2)) << piece;
    EXPECT_LE(head_part_of(line).size, 260U) << piece;
  }
  const std::string wide(300, 'x');
  EXPECT_EQ(time_in("[" + wide + "] 2026-06-25 14:54:28 x"), "none");
  EXPECT_EQ(time_in(wide + " | 2026-06-25 14:54:28 x"), "none");
}

}  // namespace
