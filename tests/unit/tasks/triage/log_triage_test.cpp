// RUN8, RUN6, RUN13: the triage of logs.
#include "tasks/triage/log_triage.hpp"

#include "base/utf8.hpp"
#include "tasks/triage/log_score.hpp"
#include "tasks/triage/log_template.hpp"
#include "tasks/triage/log_triage_markdown.hpp"
#include "tests/support/source_dir.hpp"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace reeve::tasks;

constexpr reeve::time_us triage_now = 1'795'172'400'000'000;  // 2026-11-20T11:00:00Z

triage_options at_eleven() {
  triage_options options;
  options.now = triage_now;
  return options;
}

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

std::string sample(const std::string& name) {
  auto text = slurp(support::source_dir() + "/tests/unit/data/logs/" + name);
  EXPECT_FALSE(text.empty()) << name;
  return text;
}

void add_text(log_triage& triage, std::size_t source, const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) triage.add(source, line);
}

triage_report triage_of(const std::string& text, triage_options options = at_eleven(),
                        std::optional<triage_baseline> baseline = std::nullopt) {
  log_triage triage(options, reeve::redactor(), std::move(baseline));
  const auto source = triage.open("web", log_source_kind::container);
  add_text(triage, *source, text);
  return triage.finish();
}

const triage_finding* find(const triage_report& report, std::string_view part) {
  for (const auto& one : report.findings) {
    if (one.text.find(part) != one.text.npos) return &one;
  }
  return nullptr;
}

std::string all_text(const triage_report& report) {
  std::string all = to_markdown(report);
  for (const auto& one : report.findings) all += one.text + one.example;
  for (const auto& one : report.templates) all += one.text;
  for (const auto& one : report.sources) all += one.name + one.problem.value_or("");
  return all;
}

}  // namespace

TEST(RUN8_triage, samples_are_ranked_by_how_bad_they_are) {
  log_triage triage(at_eleven(), reeve::redactor(), std::nullopt);
  for (const auto* name : {"shop.log", "mailer.jsonl", "host.log"}) {
    const auto source = triage.open(name, log_source_kind::file);
    ASSERT_TRUE(source);
    add_text(triage, *source, sample(name));
  }
  const auto report = triage.finish();
  ASSERT_GE(report.findings.size(), 10U);
  EXPECT_EQ(report.findings[0].severity, log_severity::fatal);
  EXPECT_EQ(report.findings[1].severity, log_severity::fatal);
  EXPECT_EQ(report.findings[0].rank, 1);
  EXPECT_TRUE(std::is_sorted(report.findings.begin(), report.findings.end(), ranks_before));
  const auto* payment = find(report, "SocketTimeoutException");
  ASSERT_NE(payment, nullptr);
  EXPECT_EQ(payment->severity, log_severity::error);
  EXPECT_EQ(payment->example_lines, 7);
  const auto* order = find(report, "accepted for customer");
  ASSERT_NE(order, nullptr);
  EXPECT_EQ(order->text, "info INFO order <num> accepted for customer <num> in <duration>");
  EXPECT_EQ(order->first_seen.has_value() && order->last_seen.has_value(), true);
  EXPECT_LT(order->first_seen->at, order->last_seen->at);
  EXPECT_EQ(find(report, "KeyError")->severity, log_severity::error);
  EXPECT_EQ(find(report, "relay denied")->sources.at(0).source, "mailer.jsonl");
  EXPECT_EQ(report.totals.records + 18, report.totals.lines) << "18 lines continue others";
  EXPECT_EQ(all_text(report).find("Spr1ng-Onion"), std::string::npos);
  EXPECT_FALSE(report.truncated);
}

TEST(RUN8_triage, novelty_against_the_last_successful_run) {
  const auto first = triage_of(
      "ERROR user bob was refused by policy\nERROR user eve was refused by policy\n"
      "INFO started\nWARN cache is cold\n");
  EXPECT_EQ(first.findings[0].novelty, triage_novelty::no_baseline);
  EXPECT_EQ(first.findings[0].score.novelty, 0);
  std::string text = "ERROR user carol was refused by policy\nINFO started\nERROR disk is gone\n";
  for (int i = 0; i < 40; ++i) text += "INFO started\n";
  const auto second = triage_of(text, at_eleven(), baseline_of(first, "run-1"));
  EXPECT_EQ(second.baseline_run, "run-1");
  const auto* refused = find(second, "refused by policy");
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(refused->novelty, triage_novelty::known) << "one line alone shows no <*>";
  EXPECT_EQ(refused->baseline_count, 2);
  EXPECT_EQ(refused->id, find(first, "refused by policy")->id);
  EXPECT_EQ(find(second, "disk is gone")->novelty, triage_novelty::fresh);
  EXPECT_EQ(second.findings[0].text, "error ERROR disk is gone");
  EXPECT_EQ(second.totals.new_templates, 1);
  EXPECT_EQ(second.totals.missing_templates, 1);
  const auto third = triage_of(text, at_eleven(), baseline_of(second, "run-2"));
  EXPECT_EQ(third.totals.new_templates, 0);
  EXPECT_EQ(find(third, "INFO started")->novelty, triage_novelty::known);
}

TEST(RUN8_triage, more_frequent_than_the_window_lets_expect) {
  auto options = at_eleven();
  options.since = triage_now - 3600 * reeve::us_per_second;
  std::string few;
  std::string many;
  for (int i = 0; i < 10; ++i) few += "ERROR link lost\n";
  for (int i = 0; i < 60; ++i) many += "ERROR link lost\n";
  const auto first = triage_of(few, options);
  EXPECT_EQ(first.window_s, 3600);
  EXPECT_EQ(first.findings[0].rate_per_hour, 10);
  EXPECT_EQ(triage_of(many, options, baseline_of(first, "r")).findings[0].novelty,
            triage_novelty::more_frequent);
  EXPECT_EQ(triage_of(few, options, baseline_of(first, "r")).findings[0].novelty,
            triage_novelty::known);
  options.since = triage_now - 6 * 3600 * reeve::us_per_second;
  EXPECT_EQ(triage_of(many, options, baseline_of(first, "r")).findings[0].novelty,
            triage_novelty::known)
      << "six times the window, six times the lines";
}

TEST(RUN8_score, parts_and_order) {
  using enum triage_novelty;
  const auto total = [](log_severity s, triage_novelty n, std::int64_t c) {
    return score_of(s, n, c).total;
  };
  EXPECT_EQ(score_of(log_severity::fatal, fresh, 1).total, 81);
  EXPECT_GT(total(log_severity::warning, fresh, 1), total(log_severity::error, known, 1));
  EXPECT_GT(total(log_severity::error, known, 1), total(log_severity::info, fresh, 1));
  EXPECT_GT(total(log_severity::error, more_frequent, 9), total(log_severity::error, known, 9));
  EXPECT_GT(total(log_severity::error, known, 900), total(log_severity::error, known, 9));
  EXPECT_LE(total(log_severity::fatal, fresh, std::int64_t{1} << 60), 100);
  EXPECT_LT(total(log_severity::debug, known, 1'000'000), total(log_severity::error, known, 1));
  EXPECT_TRUE(is_more_frequent(5, 0.5));
  EXPECT_FALSE(is_more_frequent(4, 0.1));
  EXPECT_FALSE(is_more_frequent(150, 100));
}

TEST(RUN6_triage, only_what_is_new_since) {
  auto options = at_eleven();
  options.since = triage_now - 60 * reeve::us_per_second;
  const auto report = triage_of(
      "2026-11-20T10:00:00Z ERROR old\n    at old.frame(1)\n2026-11-20T10:59:30Z ERROR fresh\n"
      "    at fresh.frame(1)\n",
      options);
  EXPECT_EQ(find(report, "old"), nullptr);
  ASSERT_NE(find(report, "fresh"), nullptr);
  EXPECT_EQ(report.sources[0].older_lines, 2);
  EXPECT_EQ(report.totals.lines, 2);
}

TEST(RUN6_triage, structured_lines_have_their_time_inside) {
  auto options = at_eleven();
  options.since = triage_now - 60 * reeve::us_per_second;
  const auto report = triage_of(
      "{\"level\":\"error\",\"time\":1795172330000,\"msg\":\"old one\"}\n"
      "{\"level\":\"error\",\"ts\":\"2026-11-20T10:59:30Z\",\"msg\":\"new one\"}\n"
      "time=2026-11-20T10:50:00Z level=error msg=\"another old one\"\n",
      options);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].text, "error new one");
  EXPECT_EQ(report.findings[0].first_seen->at, triage_now - 30 * reeve::us_per_second);
}

TEST(RUN8_triage, says_where_and_when_a_finding_is) {
  auto options = at_eleven();
  options.since = triage_now - 3600 * reeve::us_per_second;
  log_triage triage(options, reeve::redactor(), std::nullopt);
  const auto web = *triage.open("web", log_source_kind::container);
  const auto db = *triage.open("db", log_source_kind::file);
  add_text(triage, web,
           "2026-11-20T01:00:00Z ERROR disk 1 is full\n"  // older: counted as a line, not read
           "2026-11-20T10:30:00Z ERROR disk 2 is full\n"
           "2026-11-20T10:31:00Z INFO served\n"
           "2026-11-20T10:32:00Z ERROR disk 3 is full\n"
           "  with a line below it\n");
  triage.add(db, "2026-11-20T10:20:00Z ERROR disk 4 is full");
  const auto report = triage.finish();
  const auto* full = find(report, "is full");
  ASSERT_NE(full, nullptr);
  EXPECT_EQ(full->count, 3);
  ASSERT_EQ(full->sources.size(), 2U);
  EXPECT_EQ(full->sources[0].source, "web");
  EXPECT_EQ(full->sources[0].first_line, 2);
  EXPECT_EQ(full->sources[0].last_line, 4);
  EXPECT_EQ(reeve::format_time(full->sources[0].first_seen->at), "2026-11-20T10:30:00.000000Z");
  EXPECT_EQ(reeve::format_time(full->sources[0].last_seen->at), "2026-11-20T10:32:00.000000Z");
  EXPECT_EQ(full->sources[1].first_line, 1);
  EXPECT_EQ(full->sources[1].last_line, 1);
  EXPECT_EQ(reeve::format_time(full->first_seen->at), "2026-11-20T10:20:00.000000Z");
  EXPECT_EQ(reeve::format_time(full->last_seen->at), "2026-11-20T10:32:00.000000Z");
  const auto text = to_markdown(report);
  EXPECT_NE(text.find("` web `: 2, lines 2 to 4"), text.npos) << text;
  EXPECT_NE(text.find("` db `: 1, line 1"), text.npos) << text;
}

TEST(RUN8_triage, says_what_changed_and_what_is_gone) {
  const auto before = triage_of(
      "2026-11-20T10:00:00Z ERROR cannot reach db-1\n"
      "2026-11-20T10:00:01Z ERROR cannot reach db-2\n"
      "2026-11-20T10:00:02Z INFO a quiet day\n"
      "2026-11-20T10:00:03Z ERROR tape on fire\n");
  std::string text = "2026-11-20T10:00:00Z INFO other\n";
  for (int i = 0; i < 12; ++i) text += "2026-11-20T10:00:01Z ERROR cannot reach db-3\n";
  const auto report = triage_of(text, at_eleven(), reeve::tasks::baseline_of(before, "r"));
  const auto* reach = find(report, "cannot reach");
  ASSERT_NE(reach, nullptr);
  EXPECT_EQ(reach->rate_change, 6.0) << "over a window of an hour each";
  EXPECT_EQ(find(report, "other")->rate_change, std::nullopt);
  ASSERT_EQ(report.missing.size(), 2U);
  EXPECT_EQ(report.missing[0].text, "error ERROR tape on fire");
  EXPECT_EQ(report.missing[1].text, "info INFO a quiet day");
  EXPECT_EQ(report.totals.missing_templates, 2);
  const auto shown = to_markdown(report);
  EXPECT_NE(shown.find("now 6 times as often"), shown.npos) << shown;
  EXPECT_NE(shown.find("1 time before: ` error ERROR tape on fire `"), shown.npos) << shown;
}

TEST(RUN8_triage, another_day_another_unit_or_a_longer_list_is_nothing_new) {
  const auto before = triage_of(
      "[Sun Nov 15 04:47:44 2026] [error] child in error state 6\n"
      "ERROR backup took 950ms for 12 KB\n"
      "ERROR lost blk_1 blk_-2\n");
  const auto report = triage_of(
      "[Mon Nov 16 14:07:04 2026] [error] child in error state 7\n"
      "ERROR backup took 1.5 s for 1.2 MiB\n"
      "ERROR lost blk_3 blk_4 blk_-5\n",
      at_eleven(), reeve::tasks::baseline_of(before, "r"));
  ASSERT_EQ(report.findings.size(), 3U);
  for (const auto& one : report.findings) {
    EXPECT_EQ(one.novelty, reeve::tasks::triage_novelty::known) << one.text;
  }
}

TEST(RUN8_triage, what_a_carriage_return_writes_over_is_a_line_of_its_own) {
  log_triage triage(at_eleven(), reeve::redactor(), std::nullopt);
  const auto source = *triage.open("web", log_source_kind::container);
  triage.add(source, "\rloading 10%\rERROR disk full\rloading 20%\rloading 30%\r");
  const auto report = triage.finish();
  ASSERT_EQ(report.findings.size(), 2U);
  EXPECT_EQ(report.findings[0].text, "error ERROR disk full");
  EXPECT_EQ(report.findings[1].text, "unknown loading <num>%");
  EXPECT_EQ(report.findings[1].count, 3);
  EXPECT_EQ(report.totals.lines, 1);
}

TEST(RUN8_triage, limits_are_kept_and_told) {
  auto options = at_eleven();
  options.max_lines = 10;
  options.max_findings = 3;
  std::string text;
  for (char c = 'a'; c < 'z'; ++c) text += std::string("ERROR kind ") + c + "\n";
  const auto report = triage_of(text, options);
  EXPECT_EQ(report.totals.lines, 10);
  EXPECT_EQ(report.findings.size(), 3U);
  EXPECT_EQ(report.templates.size(), 10U);
  EXPECT_TRUE(report.truncated);
  EXPECT_EQ(report.sources[0].skipped_lines, 15);
  EXPECT_EQ(report.limits.met, std::vector<std::string>{"lines"});
  EXPECT_NE(to_markdown(report).find("At most 10 lines are read."), std::string::npos);
  options = at_eleven();
  options.max_sources = 1;
  log_triage triage(options, reeve::redactor(), std::nullopt);
  EXPECT_TRUE(triage.open("a", log_source_kind::container));
  EXPECT_FALSE(triage.open("b", log_source_kind::container));
  EXPECT_TRUE(triage.finish().truncated);
  options.max_bytes = 10;
  EXPECT_EQ(triage_of("0123456789\n", options).limits.met, std::vector<std::string>{"bytes"});
  EXPECT_TRUE(triage_of("0123456789\n", options).truncated);
  EXPECT_EQ(triage_options().max_lines, 10'000'000);
  EXPECT_EQ(triage_options().max_bytes, std::int64_t{4} << 30);
  const auto wide = triage_of("ERROR " + std::string(50'000, 'x') + "\n");
  EXPECT_LE(wide.findings.at(0).example.size(), 300U);
  EXPECT_LE(wide.findings.at(0).text.size(), 700U);
}

TEST(RUN8_triage, lines_of_several_sources_and_channels_come_in_their_order) {
  log_triage triage(at_eleven(), reeve::redactor(), std::nullopt);
  const auto web = triage.open("web", log_source_kind::container);
  triage.add(*web, "ERROR disk sda is full", std::nullopt, log_channel::out);
  triage.add(*web, "java.io.IOException: no space", std::nullopt, log_channel::out);
  triage.add(*web, "ERROR disk sda is full", std::nullopt, log_channel::err);
  std::vector<std::size_t> more;
  for (int i = 0; i < 20; ++i) {
    // Opening a source moves the ones that wait for more lines.
    more.push_back(*triage.open("job-" + std::to_string(i), log_source_kind::file));
    triage.add(more.back(), "ERROR disk sda is full");
    triage.add(*web, "  at a.B.c(B.java:1)", std::nullopt, log_channel::out);
  }
  triage.close(more[0]);
  triage.add(more[1], "ERROR disk sda is full");
  const auto report = triage.finish();
  ASSERT_EQ(report.totals.lines, 3 + 40 + 1);
  ASSERT_EQ(report.totals.records, 1 + 1 + 20 + 1) << "the trace is one record";
  std::int64_t counted = 0;
  for (const auto& one : report.findings) counted += one.count;
  EXPECT_EQ(counted, report.totals.records);
  const auto plain = std::find_if(report.findings.begin(), report.findings.end(), [](auto& one) {
    return one.example == "ERROR disk sda is full";
  });
  ASSERT_NE(plain, report.findings.end());
  EXPECT_EQ(plain->count, 22);
  EXPECT_EQ(plain->sources.front().source, "job-1");
  EXPECT_EQ(plain->sources.front().count, 2);
}

TEST(RUN13_triage, secrets_reach_neither_templates_nor_examples) {
  auto rules = reeve::redactor::make({{"db", "hunter2\nsecond line of it"}}, false);
  ASSERT_TRUE(rules.ok());
  log_triage triage(at_eleven(), *rules, std::nullopt);
  const auto source = *triage.open("web", log_source_kind::container);
  for (const auto* line : {"ERROR login with hunter2", "second line of it failed",
                           "ERROR token=Zq81Zq81 x", "ERROR pass\x1B[0mword=Zq82Zq82 y"}) {
    triage.add(source, line);
  }
  triage.close(source, false, "could not read: password=Zq83Zq83");
  const auto all = all_text(triage.finish());
  for (const auto* secret : {"hunter2", "second line", "Zq81", "Zq82", "Zq83"}) {
    EXPECT_EQ(all.find(secret), all.npos) << secret << "\n" << all;
  }
  EXPECT_NE(all.find("[redacted:db]"), all.npos);
}

TEST(RUN8_triage, deterministic_and_utf8_for_any_bytes) {
  std::mt19937 random(13);
  std::string text;
  for (int i = 0; i < 60'000; ++i) text.push_back(static_cast<char>(random() % 256));
  auto naughty = slurp(support::source_dir() + "/../shared/corpora/blns/blns.txt");
  if (naughty.empty()) naughty = "`` [x](http://e.test) <b> | # h\n\xF0\x9F\x98\x80 \xFF\xFE\n";
  text += naughty;
  const auto a = triage_of(text);
  const auto b = triage_of(text);
  EXPECT_EQ(all_text(a), all_text(b));
  EXPECT_EQ(reeve::first_invalid_utf8(all_text(a)), std::string_view::npos);
  for (const auto& one : a.findings) {
    EXPECT_EQ(one.example.find('\n'), one.example.npos);
    EXPECT_EQ(one.id, template_id(one.text));
  }
}

TEST(RUN8_markdown, log_content_stays_in_code) {
  EXPECT_EQ(markdown_code("a`b``c"), "``` a`b``c ```");
  EXPECT_EQ(markdown_block("x ```` y"), "`````text\nx ```` y\n`````\n");
  const auto report = triage_of("ERROR ``` [click](http://evil.test) <img src=x> | # head\n");
  const auto text = to_markdown(report);
  std::istringstream lines(text);
  std::string fence;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      fence = fence.empty() ? line.substr(0, line.find_first_not_of('`')) : "";
      continue;
    }
    if (fence.empty()) {
      EXPECT_EQ(line.find("evil"), line.npos) << line;
    }
  }
  EXPECT_TRUE(fence.empty());
  EXPECT_NE(text.find("evil"), text.npos);
  EXPECT_NE(to_markdown(triage_of("")).find("nothing to read"), std::string::npos);
}
