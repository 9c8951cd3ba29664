// RUN8: messages of several lines before their trace, and JSON over several lines, are one record.
#include "tasks/triage/log_reader.hpp"
#include "tasks/triage/log_triage.hpp"

#include <algorithm>
#include <cstdint>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace {

using namespace reeve::tasks;

using said = std::vector<std::string>;

/// "severity lines text" of each record.
said message_records(const std::vector<std::string>& lines) {
  record_reader reader(4096);
  std::vector<log_record> done;
  for (const auto& line : lines) reader.add(line, std::nullopt, done);
  reader.finish(done);
  said found;
  for (const auto& one : done) {
    found.push_back(std::string(reeve::domain::name_of(one.severity)) + " " +
                    std::to_string(one.lines) + " " + one.text);
  }
  return found;
}

const std::string dated_error = "2026-11-20T08:00:00Z ERROR x";
const std::string dated_info = "2026-11-20T08:00:01Z INFO next";

TEST(RUN8_message, has_lines_of_its_own_before_its_trace) {
  EXPECT_EQ(message_records({dated_error, "second line of message",
                             "java.lang.IllegalStateException: gone", "\tat a.B.c(B.java:1)",
                             "Caused by: java.io.IOException: disk", "\t... 3 more", dated_info}),
            (said{"error 6 " + dated_error + " | Caused by: java.io.IOException: disk",
                  "info 1 " + dated_info}));
  EXPECT_EQ(message_records({dated_error, "a", "", "b failed", "  c", "d",
                             "Traceback (most recent call last):", "  File \"a.py\", line 1",
                             "KeyError: 1", dated_info}),
            (said{"error 8 " + dated_error + " | KeyError: 1", "info 1 " + dated_info}));
  EXPECT_EQ(message_records({dated_error, "java.lang.IllegalStateException: two", "lines of it",
                             "\tat a.B.c(B.java:1)", dated_info}),
            (said{"error 4 " + dated_error + " | java.lang.IllegalStateException: two",
                  "info 1 " + dated_info}));
  EXPECT_EQ(message_records({"2026-11-20T08:00:00Z WARN x", "more of it",
                             "java.io.IOException: gone", "\tat a.B.c(B.java:1)"}),
            (said{"warning 4 2026-11-20T08:00:00Z WARN x | java.io.IOException: gone"}));
}

TEST(RUN8_message, takes_no_line_where_no_trace_follows) {
  EXPECT_EQ(
      message_records({dated_error, "one", "two", dated_info}),
      (said{"error 1 " + dated_error, "unknown 1 one", "unknown 1 two", "info 1 " + dated_info}));
  EXPECT_EQ(message_records({dated_error, "one"}),
            (said{"error 1 " + dated_error, "unknown 1 one"}));
  EXPECT_EQ(message_records({dated_error, "one", "java.io.IOException: b", dated_info}).size(), 4U);
  EXPECT_EQ(message_records({dated_error, "1", "2", "3", "4", "5", "java.io.IOException: b",
                             "\tat a.B.c(B.java:1)"})
                .size(),
            7U)
      << "more than four lines";
}

TEST(RUN8_message, that_waits_to_be_given_out_is_given_in_order) {
  line_folder folder;
  std::vector<std::int64_t> given;
  std::int64_t number = 0;
  const auto add = [&](const std::string& text) {
    log_line line;
    line.text = text;
    line.number = ++number;
    if (const auto done = folder.add(line)) given.push_back(done->number);
  };
  // Five records end with the sixth line; from then on some wait, and each further line ends one.
  add("2026-11-21 10:00:00 WARN first");
  for (int i = 0; i < 4; ++i) add("and more of it");
  for (int i = 0; i < 200; ++i) add("2026-11-21 10:00:01 INFO further");
  EXPECT_LT(given.size(), 205U);
  while (const auto done = folder.finish()) given.push_back(done->number);
  ASSERT_EQ(given.size(), 205U);
  for (std::size_t i = 0; i < given.size(); ++i) {
    EXPECT_EQ(given[i], static_cast<std::int64_t>(i) + 1);
  }
}

TEST(RUN8_message, takes_no_dated_line_no_level_and_nothing_worse) {
  const std::vector<std::string> trace = {"java.io.IOException: b", "\tat a.B.c(B.java:1)"};
  const auto with = [&](const std::string& first, const std::string& second) {
    return message_records({first, second, trace[0], trace[1]});
  };
  EXPECT_EQ(with(dated_error, dated_info).front(), "error 1 " + dated_error);
  EXPECT_EQ(with(dated_error, "WARN y").front(), "error 1 " + dated_error);
  EXPECT_EQ(with(dated_error, "{\"level\":\"info\",\"msg\":\"y\"}").front(),
            "error 1 " + dated_error);
  EXPECT_EQ(with(dated_error, "Out of memory: Killed process 7").front(), "error 1 " + dated_error);
  EXPECT_EQ(with(dated_error, "Exception in thread \"a\" java.io.IOException: c").front(),
            "error 1 " + dated_error);
  EXPECT_EQ(with("2026-11-20T08:00:00Z WARN x", "it failed").front(),
            "warning 1 2026-11-20T08:00:00Z WARN x");
  EXPECT_EQ(with(dated_info, "more").front(), "info 1 " + dated_info);
  EXPECT_EQ(with("ERROR without a time", "more").front(), "error 1 ERROR without a time");
  EXPECT_EQ(message_records({"2026-11-20T08:00:00Z WARN x", "more",
                             "java.lang.OutOfMemoryError: heap", "\tat a.B.c(B.java:1)"})
                .front(),
            "warning 1 2026-11-20T08:00:00Z WARN x");
}

TEST(RUN8_trace, of_ruby_has_frames_without_indentation) {
  for (const auto* frame : {"app/a.rb:10:in 'Foo#bar'", "app/a.rb:10:in `block in bar'"}) {
    EXPECT_EQ(message_records({"ERROR boom (RuntimeError)", frame, frame, "ready"}),
              (said{"error 3 ERROR boom (RuntimeError)", "unknown 1 ready"}));
  }
  EXPECT_EQ(message_records({dated_error, "more", "RuntimeError: boom", "app/a.rb:10:in 'bar'"}),
            said{"error 4 " + dated_error + " | RuntimeError: boom"});
  for (const auto* other : {"app/a.rb:10:in 'bar': boom (RuntimeError)", "a.rb:x:in 'bar'",
                            "see a.rb:10:in 'bar'", ":10:in 'bar'", "it is 'bar'"}) {
    EXPECT_EQ(message_records({"ERROR boom", other}).size(), 2U) << other;
  }
}

TEST(RUN8_object, over_several_lines_is_read_as_one) {
  EXPECT_EQ(message_records({"{", "  \"level\": \"error\",", "  \"msg\": \"it broke\",",
                             "  \"more\": {", "    \"n\": [1,", "      2]", "  }", "}", "{",
                             "  \"level\": \"info\",", "  \"msg\": \"served\"", "},", "ready"}),
            (said{"error 8 it broke", "info 4 served", "unknown 1 ready"}));
  EXPECT_EQ(message_records({"INFO body:", "{", "\t\"n\": 1", "}"}),
            (said{"info 1 INFO body:", "unknown 3 { \"n\": 1 }"}));
}

TEST(RUN8_object, that_is_none_or_has_no_end_swallows_nothing) {
  const std::vector<std::vector<std::string>> others = {
      {"{"},
      {"{", "}"},
      {"{", "  x = 1;", "}"},
      {"{", "  \"a\": 1,", "  }", "}"},
      {"{", "  \"a\": 1,", "ERROR gone", "  \"b\": 2", "}"},
      {"{", "  \"a\": 1"},
      {"{", "  \"a\": 1", dated_error, "}"},
      {"{", "{", "  \"a\": \"b\"", "ERROR gone"}};
  for (const auto& lines : others) {
    const auto found = message_records(lines);
    std::int64_t count = 0;
    bool has_error = false;
    for (const auto& one : found) {
      count += std::stoll(one.substr(one.find(' ') + 1));
      has_error = has_error || one.starts_with("error ");
    }
    EXPECT_EQ(count, static_cast<std::int64_t>(lines.size())) << lines.back();
    const bool wants = std::any_of(lines.begin(), lines.end(),
                                   [](const auto& one) { return one.find("ERROR") != one.npos; });
    EXPECT_EQ(has_error, wants) << lines.back();
  }
}

TEST(RUN8_object, of_too_many_lines_or_bytes_comes_as_its_lines) {
  std::vector<std::string> many = {"{", "  \"level\": \"error\","};
  for (int i = 0; i < 600; ++i) many.push_back("  \"a\": 1,");
  std::vector<std::string> wide = {"{", "  \"level\": \"error\","};
  for (int i = 0; i < 40; ++i) wide.push_back("  \"a\": \"" + std::string(4000, 'x') + "\",");
  for (auto* lines : {&many, &wide}) {
    lines->insert(lines->end(), {"  \"b\": 1", "}", "ERROR behind"});
    const auto found = message_records(*lines);
    EXPECT_EQ(found.back(), "error 1 ERROR behind");
    std::int64_t count = 0;
    for (const auto& one : found) count += std::stoll(one.substr(one.find(' ') + 1));
    EXPECT_EQ(count, static_cast<std::int64_t>(lines->size()));
  }
}

TEST(RUN8_object, is_whole_though_the_other_channel_speaks_in_between) {
  triage_options options;
  options.now = 1'795'172'400'000'000;
  log_triage triage(options, reeve::redactor(), std::nullopt);
  const auto source = *triage.open("web", log_source_kind::container);
  const auto say = [&](log_channel channel, std::string_view line) {
    triage.add(source, line, options.now, channel);
  };
  say(log_channel::err, "{");
  say(log_channel::out, "{");
  say(log_channel::err, "  \"level\": \"error\",");
  say(log_channel::out, "  \"level\": \"info\",");
  say(log_channel::err, "  \"msg\": \"it broke\"");
  say(log_channel::out, "  \"msg\": \"served\"");
  say(log_channel::err, "}");
  say(log_channel::out, "}");
  const auto report = triage.finish();
  ASSERT_EQ(report.findings.size(), 2U);
  EXPECT_EQ(report.findings[0].text, "error it broke");
  EXPECT_EQ(report.findings[0].example_lines, 4);
  EXPECT_EQ(report.findings[1].text, "info served");
}

}  // namespace
