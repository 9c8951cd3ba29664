#include "api/log_search.hpp"
#include "tests/unit/api/routes/routes_world.hpp"

#include <gtest/gtest.h>
#include <set>
#include <string>
#include <vector>

using namespace routes_fixture;

namespace {

/// Runs of one job each, the oldest first, whose output is that text.
struct finished_runs {
  explicit finished_runs(const std::vector<std::string>& logs) {
    for (const auto& log : logs) {
      const auto made = it.ask("operator", "POST /api/runs/launch", "{}");
      runs.push_back(made.at("id"));
      jobs.push_back(made.at("jobs/0/id"));
      it.commands.finish(parse_uuid(runs.back()).value(), domain::end_reason::completed, log);
    }
  }
  answer ask(const std::string& query, const std::string& token = "viewer") {
    return it.ask(token, "GET /api/logs?" + query);
  }
  /// "run:line:text" of every page, with how many there were.
  std::vector<std::string> all(const std::string& query, int& pages) {
    std::vector<std::string> found;
    std::string cursor;
    for (pages = 0; pages < 1000;) {
      const auto got = ask(query + (cursor.empty() ? "" : "&cursor=" + cursor));
      EXPECT_EQ(got.status, 200) << got.body;
      ++pages;
      const auto doc = codec::decode_text<log_search_document>(got.body, document_limits());
      if (!doc) {
        ADD_FAILURE() << doc.error().detail << doc.error().field;
        break;
      }
      for (const auto& one : doc->results) {
        const auto run = std::find(runs.begin(), runs.end(), to_string(one.run_id)) - runs.begin();
        EXPECT_EQ(to_string(one.job_id), jobs[static_cast<std::size_t>(run)]);
        EXPECT_EQ(one.attempt, 1);
        found.push_back(std::to_string(run) + ":" + std::to_string(one.line) + ":" + one.text);
      }
      if (!doc->next) return found;
      cursor = *doc->next;
    }
    ADD_FAILURE() << "the search does not end";
    return found;
  }
  std::vector<std::string> all(const std::string& query) {
    int pages = 0;
    return all(query, pages);
  }

  world it;
  std::vector<std::string> runs, jobs;
};

using found = std::vector<std::string>;

}  // namespace

TEST(RUN14_logs, are_searched_over_runs_newest_first) {
  finished_runs r({"an Error here\nfine\nError\n", "nothing\n", "", "x\nx\nlast error"});
  EXPECT_EQ(r.all("q=Error"), (found{"0:1:an Error here", "0:3:Error"}));
  EXPECT_EQ(r.all("q=ERROR&ignore_case=true"),
            (found{"3:3:last error", "0:1:an Error here", "0:3:Error"}));
  EXPECT_EQ(r.all("q=an%20Error"), (found{"0:1:an Error here"}));
  EXPECT_EQ(r.all("q=absent"), found{});
  const auto got = r.ask("q=last");
  EXPECT_EQ(got.at("results/0/directive_name"), "d");
  EXPECT_EQ(got.at("results/0/is_cut"), "false");
  EXPECT_EQ(got.at("next"), "null");
  // All of what is stored was looked through.
  EXPECT_EQ(got.at("searched_bytes"), std::to_string(25 + 8 + 14));
}

TEST(RUN14_logs, are_narrowed_to_a_run_or_a_job) {
  finished_runs r({"match\n", "match\n"});
  EXPECT_EQ(r.all("q=match&run=" + r.runs[0]), found{"0:1:match"});
  EXPECT_EQ(r.all("q=match&job=" + r.jobs[1]), found{"1:1:match"});
  EXPECT_EQ(r.all("q=match&run=" + r.runs[0] + "&job=" + r.jobs[1]), found{});
}

TEST(RUN14_logs, of_another_tenant_are_not_there) {
  finished_runs r({"match\n"});
  for (const auto& query :
       {std::string("q=match"), "q=match&run=" + r.runs[0], "q=match&job=" + r.jobs[0]}) {
    const auto got = r.ask(query, "stranger");
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.at("results"), "[]") << query;
    EXPECT_EQ(got.at("searched_bytes"), "0");
  }
  // A place is none of another tenant's list either.
  finished_runs two({"match\nmatch\n"});
  const auto cursor = two.ask("q=match&limit=1").at("next");
  EXPECT_EQ(two.ask("q=match&limit=1&cursor=" + cursor, "stranger").status, 422);
}

TEST(RUN14_logs, pages_go_on_where_the_last_one_ended) {
  std::vector<std::string> logs;
  found expected;
  for (int run = 0; run < 7; ++run) {
    std::string log;
    for (int line = 1; line <= 5; ++line) {
      log += line % 2 == run % 2 ? "match\n" : "other\n";
    }
    logs.push_back(log);
  }
  for (int run = 6; run >= 0; --run) {
    for (int line = 1; line <= 5; ++line) {
      if (line % 2 == run % 2)
        expected.push_back(std::to_string(run) + ":" + std::to_string(line) + ":match");
    }
  }
  finished_runs r(logs);
  for (const int limit : {1, 2, 3, 500}) {
    int pages = 0;
    EXPECT_EQ(r.all("q=match&limit=" + std::to_string(limit), pages), expected) << limit;
    const auto least = static_cast<int>(expected.size()) / limit;
    EXPECT_LE(pages, least + 1) << limit;
  }
}

TEST(RUN14_logs, one_request_looks_through_so_much_only) {
  // The same output several times is one blob, and as much to look through.
  std::string log(20 << 20, 'x');
  for (std::size_t at = 100; at < log.size(); at += 100) log[at] = '\n';
  log += "\nneedle";
  finished_runs r({log, log, log, log, log});
  const auto got = r.ask("q=needle&limit=500");
  const auto searched = std::stoll(got.at("searched_bytes"));
  EXPECT_GE(searched, 256 << 10) << "every request comes further";
  EXPECT_LT(searched, (64 << 20) + (256 << 10));
  EXPECT_NE(got.at("next"), "null");
  int pages = 0;
  const auto line = std::to_string(std::count(log.begin(), log.end(), '\n') + 1);
  found expected;
  for (const char* run : {"4", "3", "2", "1", "0"})
    expected.push_back(run + (":" + line) + ":needle");
  EXPECT_EQ(r.all("q=needle", pages), expected);
  EXPECT_GE(pages, 2);
}

TEST(RUN14_logs, a_page_has_so_many_bytes_of_lines_only) {
  std::string log;
  for (int i = 0; i < 2000; ++i) log += "match" + std::string(3000, 'y') + "\n";
  finished_runs r({log});
  const auto got = r.ask("q=match&limit=500");
  EXPECT_EQ(got.status, 200);
  EXPECT_LT(got.body.size(), 1200U << 10);
  EXPECT_EQ(got.at("results/0/is_cut"), "true");
  EXPECT_EQ(r.all("q=match&limit=500").size(), 2000U);
}

TEST(RUN14_logs, a_log_that_is_gone_is_passed_over) {
  finished_runs r({"match one\n", "match two\n", "match three\n"});
  r.it.reads.blobs.erase({named("tenant"), to_hex(sha256("match two\n"))});
  EXPECT_EQ(r.all("q=match"), (found{"2:1:match three", "0:1:match one"}));
}

TEST(RUN14_logs, are_searched_in_one_of_their_streams) {
  finished_runs r({"match old\n"});
  const auto add = [&](const std::string& log, const std::string& letters) {
    r.it.reads.know_streams(named("tenant"), log, letters);
    const auto made = r.it.ask("operator", "POST /api/runs/launch", "{}");
    r.runs.push_back(made.at("id"));
    r.jobs.push_back(made.at("jobs/0/id"));
    r.it.commands.finish(parse_uuid(r.runs.back()).value(), domain::end_reason::completed, log);
  };
  add("match a\nmatch b\nother\nmatch c", "oeeo");
  add("match\n", "e");
  EXPECT_EQ(r.all("q=match&stream=stdout"), (found{"1:1:match a", "1:4:match c"}));
  for (const int limit : {1, 500}) {
    EXPECT_EQ(r.all("q=match&stream=stderr&limit=" + std::to_string(limit)),
              (found{"2:1:match", "1:2:match b"}));
  }
  EXPECT_EQ(r.ask("q=match&stream=stderr").at("unknown_streams"), "1") << "nobody guesses";
  EXPECT_EQ(r.ask("q=match").at("unknown_streams"), "null");
  EXPECT_EQ(r.all("q=match").size(), 5U);
  const auto cursor = r.ask("q=match&stream=stderr&limit=1").at("next");
  EXPECT_EQ(r.ask("q=match&limit=1&cursor=" + cursor).status, 422) << "it is another list";
}

/// More lines than one piece of the marks has.
TEST(RUN14_logs, are_searched_in_one_stream_of_very_many_lines) {
  std::string log, letters;
  found expected;
  const auto add = [&](const char* text, char letter) {
    log += text;
    letters += letter;
  };
  for (int i = 1; i <= 1'300'000; ++i) {
    if (i % 100'000 != 0) {
      add("\n", i % 3 == 0 ? 'e' : 'o');
      continue;
    }
    const bool is_err = i % 200'000 == 0;
    add("match\n", is_err ? 'e' : 'o');
    if (is_err) expected.push_back("0:" + std::to_string(i) + ":match");
  }
  finished_runs r({});
  r.it.reads.know_streams(named("tenant"), log, letters);
  const auto made = r.it.ask("operator", "POST /api/runs/launch", "{}");
  r.runs.push_back(made.at("id"));
  r.jobs.push_back(made.at("jobs/0/id"));
  r.it.commands.finish(parse_uuid(r.runs[0]).value(), domain::end_reason::completed, log);
  EXPECT_EQ(r.all("q=match&stream=stderr"), expected);
  EXPECT_EQ(r.all("q=match&stream=stderr&limit=1"), expected);
}

TEST(GW2_logs, what_is_wrong_with_a_search_is_named) {
  finished_runs r({"match\nmatch\n"});
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"", "/query/q"},
      {"q=", "/query/q"},
      {"q=" + std::string(257, 'a'), "/query/q"},
      {"q=a%0Ab", "/query/q"},
      {"q=a&ignore_case=yes", "/query/ignore_case"},
      {"q=a&run=7", "/query/run"},
      {"q=a&job=7", "/query/job"},
      {"q=a&directive=x", "/query/directive"},
      {"q=a&since=yesterday", "/query/since"},
      {"q=a&until=1", "/query/until"},
      {"q=a&limit=0", "/query/limit"},
      {"q=a&limit=501", "/query/limit"},
      {"q=a&cursor=abc", "/query/cursor"},
      {"q=other&cursor=" + r.ask("q=match&limit=1").at("next"), "/query/cursor"},
      {"q=a&stream=both", "/query/stream"},
      {"q=a&colour=red", "/query/colour"}};
  for (const auto& [query, field] : wrong) {
    const auto got = r.ask(query);
    EXPECT_EQ(got.status, 422) << query;
    EXPECT_EQ(got.at("errors/0/pointer"), field) << query << got.body;
  }
}

TEST(GW2_logs, places_come_back_as_they_were_given) {
  const log_search_place place{{7, named("job"), 3}, {100, 5, true, false}};
  EXPECT_EQ(parse_log_search_place(to_string(place)), place);
  const auto job = to_string(named("job"));
  for (const std::string& text : std::vector<std::string>{{},
                                                          "7:" + job + ":3",
                                                          "7:x:3:1.1.0",
                                                          "x:" + job + ":3:1.1.0",
                                                          "7:" + job + ":-3:1.1.0",
                                                          "7:" + job + ":3:1.1",
                                                          "7:" + job + ":3::1.1.0"}) {
    EXPECT_FALSE(parse_log_search_place(text)) << text;
  }
}
