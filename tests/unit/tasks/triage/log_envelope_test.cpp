// RUN8: what collectors wrap around lines is taken off before anything is read from them.
#include "tasks/triage/log_envelope.hpp"

#include "tasks/triage/log_json.hpp"
#include "tasks/triage/log_opener.hpp"
#include "tasks/triage/log_reader.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace reeve::tasks;
using enum log_severity;

constexpr reeve::time_us now = 1'795'172'400'000'000;  // 2026-11-20T11:00:00Z

std::vector<log_record> records_of(const std::vector<std::string>& lines) {
  record_reader reader(4096);
  std::vector<log_record> done;
  for (const auto& line : lines) reader.add(line, std::nullopt, done);
  reader.finish(done);
  return done;
}

std::vector<std::string> texts_of(const std::vector<std::string>& lines) {
  std::vector<std::string> texts;
  for (const auto& one : records_of(lines)) {
    texts.push_back(std::string(reeve::domain::name_of(one.severity)) + " " + one.text);
  }
  return texts;
}

using texts = std::vector<std::string>;

struct envelope_case {
  std::string line;
  std::string body;
  std::string lane;
  std::string tag;
};

}  // namespace

class RUN8_envelope : public testing::TestWithParam<envelope_case> {};

TEST_P(RUN8_envelope, is_taken_off) {
  const auto made = take_envelope(GetParam().line, now);
  ASSERT_TRUE(made) << GetParam().line;
  EXPECT_EQ(made->text(), GetParam().body);
  EXPECT_EQ(made->lane, GetParam().lane);
  EXPECT_EQ(made->tag, GetParam().tag);
}

INSTANTIATE_TEST_SUITE_P(
    forms, RUN8_envelope,
    testing::Values(
        envelope_case{"2018-10-31T19:24:49.101379699Z stdout F \tat a.B", "\tat a.B", "stdout", ""},
        envelope_case{"2018-10-31T19:24:49.1+02:00 stderr P part", "part", "stderr", ""},
        envelope_case{"2018-10-31T19:24:49.1Z stdout F ", "", "stdout", ""},
        envelope_case{R"({"log":"a \"b\"\n","stream":"stderr","time":"2026-11-20T08:00:00Z"})",
                      "a \"b\"", "stderr", ""},
        envelope_case{R"({"stream":"stdout","log":"no newline","kubernetes":{"pod":"x"}})",
                      "no newline", "stdout", ""},
        envelope_case{"Nov 20 08:00:00 host-3 sshd(pam_unix)[71]: x: y", "x: y",
                      "host-3 sshd(pam_unix)[71]", "sshd(pam_unix)"},
        envelope_case{"Nov  2 08:00:00 h kernel: [ 8.1] up", "[ 8.1] up", "h kernel", "kernel"},
        envelope_case{"<11>Nov 20 08:00:00 h app: x", "x", "h app", "app"},
        envelope_case{"<14>app[7]: x", "x", "app[7]", "app"},
        envelope_case{"<14>just text", "just text", "", ""},
        envelope_case{"2026-11-20T08:00:00+01:00 h app[7]: x", "x", "h app[7]", "app"},
        envelope_case{R"(<34>1 2026-11-20T08:00:00Z h su 7 ID47 [a@1 b="]\"c"][d e="f"] no)", "no",
                      "h su 7", "su"},
        envelope_case{"<34>1 2026-11-20T08:00:00Z h su - - - \xEF\xBB\xBFyes", "yes", "h su -",
                      "su"},
        envelope_case{R"({"PRIORITY":"3","MESSAGE":"gone","_SYSTEMD_UNIT":"a.service"})", "gone",
                      "a.service", "a.service"},
        envelope_case{R"({"MESSAGE":[104,105,255],"_PID":"7","SYSLOG_IDENTIFIER":"x"})", "hi\xFF",
                      "7", "x"}));

TEST(RUN8_envelopes, are_taken_off_only_where_the_form_fits) {
  for (const auto* line :
       {"2026-11-20T08:00:00Z INFO main: x", "stdout F x", "2026-11-20T08:00:00Z worker job: done",
        "Nov 20 08:00:00 ERROR app: x", "Nov 20 08:00:00 host last message repeated 2 times",
        "Nov 20 08:00:00", R"({"log":"x","level":"error"})", R"({"log":"x","stream":"left"})",
        R"({"MESSAGE":"shouted","level":"info"})", "<999>app: x", "<b>bold</b>", "", "{", "<1"}) {
    EXPECT_FALSE(take_envelope(line, now)) << line;
  }
}

TEST(RUN8_envelopes, come_off_before_json_klog_and_prose_are_judged) {
  const auto of = [](const std::string& line) { return texts_of({line}); };
  EXPECT_EQ(of(R"(2018-10-31T19:24:49.1Z stdout F {"level":"info","msg":"retry failed"})"),
            texts{"info retry failed"});
  EXPECT_EQ(of("2018-10-31T19:24:49.2Z stderr F E1031 19:24:50.1   1 le.go:325] lease lost"),
            texts{"error le.go:325] lease lost"});
  EXPECT_EQ(of("Oct 01 20:58:05 n kubelet[7]: I1001 20:58:05.2   7 log.go:1] error count 3"),
            texts{"info kubelet: log.go:1] error count 3"});
  EXPECT_EQ(of(R"({"log":"{\"level\":\"warn\",\"msg\":\"x\"}\n","stream":"stdout"})"),
            texts{"warning x"});
  EXPECT_EQ(of("<11>Nov 20 08:00:00 h app: all is well"), texts{"error app: all is well"});
  EXPECT_EQ(of(R"({"MESSAGE":"failed to start","PRIORITY":"6","_TRANSPORT":"journal"})"),
            texts{"info failed to start"});
  EXPECT_EQ(of(R"({"MESSAGE":"failed to start","PRIORITY":"6","_TRANSPORT":"stdout"})"),
            texts{"error failed to start"})
      << "what a service prints is info for the journal, whatever it says";
  EXPECT_EQ(of(R"({"MESSAGE":"ERROR x","PRIORITY":"6","_TRANSPORT":"syslog"})"),
            texts{"error ERROR x"});
}

TEST(RUN8_envelopes, of_a_trace_make_one_record) {
  const auto cri = records_of({"2018-10-31T19:24:51.1Z stderr F java.io.IOException: full",
                               "2018-10-31T19:24:51.1Z stderr F \tat a.B.c(B.java:1)",
                               "2018-10-31T19:24:51.2Z stdout F INFO served",
                               "2018-10-31T19:24:51.3Z stderr F Caused by: a.B: gone"});
  ASSERT_EQ(cri.size(), 2U);
  EXPECT_EQ(cri[0].lines + cri[1].lines, 4);
  EXPECT_EQ(texts_of({"Apr 13 13:35:52 h app[9]: Traceback (most recent call last):",
                      "Apr 13 13:35:52 h web[1]: GET /",
                      "Apr 13 13:35:52 h app[9]:   File \"/srv/app.py\", line 3, in <module>",
                      "Apr 13 13:35:52 h app[9]: ValueError: bad port"}),
            (texts{"error app: ValueError: bad port", "unknown web: GET /"}));
}

TEST(RUN8_envelopes, that_are_partial_are_joined) {
  EXPECT_EQ(texts_of({"2018-10-31T19:24:49.1Z stdout P {\"level\":\"err",
                      "2018-10-31T19:24:49.1Z stderr F WARN between",
                      "2018-10-31T19:24:49.2Z stdout P or\",\"msg\":\"pay",
                      "2018-10-31T19:24:49.3Z stdout F ment rejected\"}"}),
            (texts{"warning WARN between", "error payment rejected"}));
  const std::string half(16 * 1024, 'x');
  const auto docker = records_of({R"({"log":")" + half + R"(","stream":"stdout"})",
                                  R"({"log":"ERROR end\n","stream":"stdout"})"});
  ASSERT_EQ(docker.size(), 1U);
  EXPECT_EQ(texts_of({"2018-10-31T19:24:49.1Z stdout P never ends"}),
            (texts{"unknown never ends"}));
}

TEST(RUN8_envelopes, of_the_journal_in_its_export_format) {
  const std::string size("\x0A\0\0\0\0\0\0\0", 8);  // ten bytes, and itself a newline
  std::string text =
      "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795161600000000\nPRIORITY=3\n"
      "SYSLOG_IDENTIFIER=app\n_PID=7\nMESSAGE=disk is full\n_TRANSPORT=journal\n\n"
      "__CURSOR=s=2\nPRIORITY=6\nMESSAGE\n" +
      size + "one\ntwo=22\n_PID=7\n\n__CURSOR=s=3\nMESSAGE=last\n";
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  const auto found = records_of(lines);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].text, "app: disk is full");
  EXPECT_EQ(found[0].severity, error);
  EXPECT_EQ(found[0].at, 1'795'161'600'000'000);
  EXPECT_EQ(found[1].text, "one");
  EXPECT_EQ(found[1].lines, 2);
  EXPECT_EQ(found[1].severity, log_severity::info);
  EXPECT_EQ(found[2].text, "last");
}

TEST(RUN8_envelopes, of_one_line_with_many_lines_hold_its_speaker_once) {
  std::string message;
  for (int i = 0; i < 16'000; ++i) message += "\\n";
  const std::string name(32'000, 'A');
  std::string bytes = "[65";
  for (int i = 0; i < 8'000; ++i) bytes += ",10";
  const std::vector<std::string> hostile = {
      R"({"PRIORITY":"3","_PID":")" + name + R"(","MESSAGE":")" + message + "\"}",
      R"({"PRIORITY":"3","SYSLOG_IDENTIFIER":")" + name + R"(","MESSAGE":")" + message + "\"}",
      R"({"PRIORITY":"3","_PID":")" + name + R"(","MESSAGE":)" + bytes + "]}",
      "<34>1 2026-11-20T08:00:00Z " + name + " su 7 ID - x",
      "<34>1 2026-11-20T08:00:00Z h su " + name + " ID - x"};
  for (const auto& line : hostile) {
    ASSERT_LE(line.size(), max_opened_bytes);
    envelope_opener opener;
    std::size_t held = 0;
    for (const auto& one : opener.open(line, std::nullopt)) {
      EXPECT_LE(one.lane.size(), envelope_opener::max_lane_bytes + 32);
      held += sizeof(one) + one.text.capacity() + one.lane.capacity() + one.tag.capacity();
    }
    EXPECT_LE(held, line.size() + 1024) << line.substr(0, 60);
    std::size_t made = 0;
    for (const auto& one : records_of({line, line})) {
      made += sizeof(one) + one.text.size() + one.example.size() + one.cause.size();
    }
    EXPECT_LE(made, 2 * line.size()) << line.substr(0, 60);
  }
}

TEST(RUN8_envelopes, have_at_most_so_many_lines_and_lose_none_of_their_words) {
  std::string message = "begin";
  for (int i = 0; i < 20'000; ++i) message += "\\nx";
  const auto found = records_of({R"({"PRIORITY":"6","MESSAGE":")" + message + "\"}"});
  std::int64_t lines = 0;
  std::size_t bytes = 0;
  for (const auto& one : found) {
    lines += one.lines;
    bytes += one.text.size();
  }
  EXPECT_EQ(lines, static_cast<std::int64_t>(record_reader::max_message_lines) + 1);
  EXPECT_LE(bytes, max_opened_bytes);
  EXPECT_EQ(found.at(0).text, "begin");
}

TEST(RUN8_envelopes, of_speakers_with_long_names_stay_apart) {
  const auto line = [](const std::string& end, const std::string& text) {
    return "<34>1 2026-11-20T08:00:00Z h su " + std::string(400, 'p') + end + " ID - " + text;
  };
  const auto found = records_of(
      {line("1", "ERROR one"), line("2", "ERROR two"), line("1", "    at a.B.c(B.java:1)")});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].lines, 2);
  EXPECT_EQ(found[1].lines, 1);
}

TEST(RUN8_envelopes, that_are_no_export_of_the_journal_come_as_their_lines) {
  const std::string size("\x10\0\0\0\0\0\0\0", 8);   // sixteen bytes
  const std::string large("\0\0\x01\0\0\0\0\0", 8);  // 64 KiB
  const std::vector<std::vector<std::string>> none = {
      {"__CURSOR=x"},
      {"__CURSOR=x", "ERROR=disk full", "PATH=/srv"},
      {"__CURSOR=x", "ERROR=disk full", ""},
      {"__CURSOR=x", "ERROR=disk full", "ERROR and so on"},
      {"__CURSOR=x", "ERROR=disk full", "__CURSOR=y", "ERROR=again"},
      {"__CURSOR=x", "MESSAGE", "ERROR disk full", "ERROR again"},
      {"__CURSOR=x", "MESSAGE", size + "ERROR"},
      {"__CURSOR=x", "MESSAGE=a", "FATAL", large + "ERROR", "ERROR again"},
      {"__CURSOR=x", "MESSAGE=a", "FATAL", size + "ERROR", "_PID=7", ""},
      {"__CURSOR=x", "MESSAGE", "short", "_PID=7", "ERROR end"}};
  for (const auto& lines : none) {
    envelope_opener opener;
    std::vector<std::string> found;
    const auto take = [&](auto opened) {
      for (const auto& one : opened) found.push_back(one.text);
    };
    for (const auto& line : lines) take(opener.open(line, std::nullopt));
    take(opener.finish());
    EXPECT_EQ(found, lines) << lines.back();
  }
}

TEST(RUN8_envelopes, of_an_export_without_an_end_are_given_back_within_limits) {
  const std::string large("\0\0\x03\0\0\0\0\0", 8);
  for (const std::string& wide : {std::string(), std::string(1'000, 'x')}) {
    for (const bool binary : {false, true}) {
      envelope_opener opener;
      std::size_t given = 0;
      std::size_t most = 0;
      std::size_t count = 0;
      const auto open = [&](const std::string& line) {
        const auto opened = opener.open(line, reeve::time_us{now});
        most = std::max(most, opened.size());
        given += opened.size();
        for (const auto& one : opened) EXPECT_EQ(one.at, now);
        ++count;
      };
      open("__CURSOR=x");
      open("MESSAGE=y");
      if (binary) open("FOO");
      if (binary) open(large);
      for (int i = 0; i < 10'000; ++i) open("ERROR=" + wide);
      given += opener.finish().size();
      EXPECT_EQ(given, count);
      EXPECT_LE(most, envelope_opener::max_entry_lines + 1);
    }
  }
}

TEST(RUN8_envelopes, of_the_journal_may_have_been_redacted) {
  const std::string size("\x40\0\0\0\0\0\0\0", 8);
  const auto found = texts_of({"__CURSOR=x", "PRIORITY=3", "ENVIRON", size + "A=[redacted:key]",
                               "B=2", "_PID=7", "MESSAGE", size + "it broke", "_UID=0", ""});
  EXPECT_EQ(found, texts{"error it broke"});
}

TEST(RUN8_envelopes, have_the_time_where_the_line_inside_has_none) {
  const auto at = [](std::string_view line) {
    const auto found = time_of_record(line, now);
    return found ? reeve::format_time(found->at) : std::string("none");
  };
  EXPECT_EQ(at(R"({"log":"x\n","stream":"stdout","time":"2026-11-20T08:00:00Z"})"),
            "2026-11-20T08:00:00.000000Z");
  EXPECT_EQ(at(R"({"MESSAGE":"x","PRIORITY":"6","__REALTIME_TIMESTAMP":"1795161600000001"})"),
            "2026-11-20T08:00:00.000001Z");
  EXPECT_EQ(at("<34>1 2026-11-20T08:00:00Z h su 7 ID x"), "2026-11-20T08:00:00.000000Z");
  EXPECT_EQ(at("<11>app: 2026-11-20T08:00:00Z x"), "2026-11-20T08:00:00.000000Z");
  EXPECT_EQ(at("__REALTIME_TIMESTAMP=1795161600000000"), "2026-11-20T08:00:00.000000Z");
}

TEST(RUN8_envelopes, and_any_bytes_are_bounded) {
  std::mt19937 random(11);
  const std::vector<std::string> pieces = {"{\"log\":\"",
                                           "\",\"stream\":\"stdout\"}",
                                           "2018-10-31T19:24:49.1Z stdout P ",
                                           "<34>1 ",
                                           "__CURSOR=",
                                           "MESSAGE",
                                           "\"MESSAGE\":",
                                           "[",
                                           "\\",
                                           "Nov 20 08:00:00 h a[1]: ",
                                           "\xFF",
                                           "}"};
  record_reader reader(4096);
  std::vector<log_record> done;
  for (int i = 0; i < 20'000; ++i) {
    std::string line;
    for (auto n = random() % 6; n > 0; --n) line += pieces[random() % pieces.size()];
    reader.add(line, std::nullopt, done);
  }
  const std::string wide(100'000, 'x');
  for (int i = 0; i < 20; ++i) {
    reader.add("2018-10-31T19:24:49.1Z stdout P " + wide, std::nullopt, done);
  }
  reader.finish(done);
  for (const auto& one : done) {
    EXPECT_LE(one.text.size(), 2 * max_opened_bytes);
    EXPECT_LE(one.example.size(), 5000U);
  }
}

TEST(RUN8_json, members_are_walked_and_texts_unescaped) {
  json_walk walk(R"( {"a":"x\"}", "b" : [1,{"}":2}],"c":-1.5e3,"d":null} )");
  std::string seen;
  while (const auto member = walk.next()) {
    seen += std::string(member->key) + "=" + std::string(member->raw) + ";";
  }
  EXPECT_EQ(seen, R"(a=x\"};b=[1,{"}":2}];c=-1.5e3;d=null;)");
  EXPECT_TRUE(walk.complete());
  EXPECT_EQ(json_text(R"(\u00e9\ud83d\ude00\ud83d\n\/)", 100),
            "\xC3\xA9\xF0\x9F\x98\x80\xEF\xBF\xBD\n/");
  for (const auto* broken : {"", "x", "{", "{\"a\"", "{\"a\":", "{\"a\":\"", "{\"a\":1",
                             "{\"a\":[}", "{\"a\":1}x", "{,}", "{\"a\":1 2}", "{\"a\":\"\\"}) {
    json_walk one(broken);
    while (one.next()) {
    }
    EXPECT_FALSE(one.complete()) << broken;
  }
}
