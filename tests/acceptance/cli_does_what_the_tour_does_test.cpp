// The command line against a running server: what the tour does with curl, and exit codes that
// scripts may rely on.

#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

using nlohmann::json;
using support::server;
using testing::HasSubstr;

namespace {

/// The commands run with the data folder of the server, where they find its address and a token.
struct shell {
  const server& reeve;
  support::finished run(std::vector<std::string> words) const {
    return reeve.command(std::move(words));
  }
  json answer(std::vector<std::string> words, int status = 0) const {
    words.emplace_back("--json");
    const auto done = run(std::move(words));
    EXPECT_EQ(done.status, status) << done.output;
    auto parsed = json::parse(done.output, nullptr, false);
    EXPECT_FALSE(parsed.is_discarded()) << done.output;
    return parsed;
  }
};

class request_file {
 public:
  explicit request_file(const json& body) : folder_(support::work_dir(), "f") {
    std::ofstream(path()) << body.dump();
    namespace fs = std::filesystem;
    fs::permissions(path(), fs::perms::others_read, fs::perm_options::add);
  }
  std::string path() const { return folder_.path() / "request.json"; }

 private:
  support::scratch_dir folder_;
};

}  // namespace

TEST(UI2_cli, launches_waits_and_shows_what_a_run_left) {
  support::server_options options;
  options.docker = support::real_engine();
  server reeve(options);
  const shell sh{reeve};
  const json entry = sh.answer({"allow", "image", support::box_image, "--reason", "the tour"});
  EXPECT_EQ(entry.at("reference"), support::box_image);
  EXPECT_EQ(sh.answer({"allow", "list", "images"}).at("results").size(), 1U);
  const request_file good(support::inline_launch({support::shell_task("hi", "echo hello")}));
  const json run = sh.answer({"runs", "launch", "--file", good.path(), "--wait"});
  EXPECT_EQ(run.at("status"), "success");
  const std::string id = run.at("id");
  EXPECT_EQ(sh.answer({"runs", "show", id}).at("id"), id);
  EXPECT_EQ(sh.answer({"runs", "list", "--status", "success"}).at("results").size(), 1U);
  const auto logs = sh.run({"runs", "logs", run.at("jobs").at(0).at("id")});
  EXPECT_EQ(logs.status, 0);
  EXPECT_EQ(logs.output, "hello\n");
  const auto table = sh.run({"runs", "list"});
  EXPECT_EQ(table.status, 0);
  EXPECT_THAT(table.output, HasSubstr(id));
  EXPECT_THAT(sh.run({"events", "--stream", "run-" + id}).output, HasSubstr("run_finished"));
  const request_file bad(support::inline_launch({support::shell_task("no", "exit 3")}));
  EXPECT_EQ(sh.run({"runs", "launch", "--file", bad.path(), "--wait"}).status, 1);
  const json failed = sh.answer({"jobs", "list", "--status", "failed"}).at("results").at(0);
  const auto shown = sh.run({"jobs", "show", failed.at("id")});
  EXPECT_THAT(shown.output, ::testing::ContainsRegex("exit_code.*\n1 +exited +3 "));
}

TEST(UI2_cli, keeps_directives) {
  server reeve;
  const shell sh{reeve};
  const request_file first({{"name", "nightly"}, {"tasks", {"log_triage"}}});
  const request_file second({{"name", "nightly"}, {"tasks", {"gpu_report"}}});
  const std::string id = sh.answer({"directives", "create", first.path()}).at("id");
  EXPECT_EQ(sh.answer({"directives", "revise", id, second.path()}).at("version"), 2);
  EXPECT_EQ(sh.answer({"directives", "show", id}).at("tasks").at(0).at("kind"), "gpu_report");
  EXPECT_EQ(sh.answer({"directives", "list"}).at("results").size(), 2U);
  EXPECT_EQ(sh.run({"runs", "launch", "--directive", id, "--label", "a=b"}).status, 0);
  EXPECT_EQ(sh.answer({"runs", "list", "--label", "a:b"}).at("results").size(), 1U);
  EXPECT_EQ(sh.run({"directives", "archive", id}).status, 0);
  EXPECT_EQ(sh.run({"runs", "launch", "--directive", id}).status, 4);
}

TEST(UI2_exit_codes, say_what_went_wrong) {
  server reeve;
  const shell sh{reeve};
  EXPECT_EQ(sh.run({"version"}).status, 0);
  EXPECT_EQ(sh.run({"help"}).status, 0);
  // 2: usage, also what the server calls invalid.
  EXPECT_EQ(sh.run({}).status, 2);
  EXPECT_EQ(sh.run({"paint"}).status, 2);
  EXPECT_EQ(sh.run({"runs", "launch", "--colour", "red"}).status, 2);
  // A child's standard input is /dev/null: as behind a pipe whose beginning failed.
  const auto nothing = sh.run({"runs", "launch", "--file", "-"});
  EXPECT_EQ(nothing.status, 2);
  EXPECT_THAT(nothing.output, HasSubstr("--file: standard input is empty"));
  EXPECT_EQ(support::must_get(reeve.api(), "/api/runs").at("results").size(), 0U);
  const auto invalid = sh.run({"runs", "launch", "--task", "paint"});
  EXPECT_EQ(invalid.status, 2);
  EXPECT_THAT(invalid.output, HasSubstr("/tasks/0"));
  // 3: not found.
  EXPECT_EQ(sh.run({"runs", "show", "0190a000-0000-7000-8000-000000000000"}).status, 3);
  EXPECT_EQ(sh.run({"runs", "logs", "mine"}).status, 3);
  // 4: refused, with what would help.
  const request_file unlisted(support::inline_launch({support::box_task("a", {"true"})}));
  const auto refused = sh.run({"runs", "launch", "--file", unlisted.path()});
  EXPECT_EQ(refused.status, 4);
  EXPECT_THAT(refused.output, HasSubstr("reeve allow image"));
  // 5: nobody there.
  const auto away = sh.run({"runs", "list", "--url", "http://127.0.0.1:1"});
  EXPECT_EQ(away.status, 5);
  EXPECT_THAT(away.output, HasSubstr("127.0.0.1:1"));
}

TEST(UI2_exit_codes, 5_is_for_a_reader_that_is_gone) {
  const server reeve;
  int channel[2];
  ASSERT_EQ(::pipe(channel), 0);
  ::close(channel[0]);
  // The pipe's descriptor is the child's as well; the message still goes where it is read.
  const auto into_pipe = [&](const std::string& words) {
    support::process_options child;
    child.command = {"/bin/sh", "-c",
                     "exec " + support::server_program().string() + " " + words + " >&" +
                         std::to_string(channel[1])};
    child.set = {{"REEVE_DATA", reeve.data()}, {"DATABASE_URL", reeve.database_url()}};
    return support::run_to_end(child, std::chrono::seconds(20));
  };
  for (const char* words : {"runs list", "config show", "verify", "token reset", "help"}) {
    const auto done = into_pipe(words);
    EXPECT_EQ(done.status, 5) << words;
    EXPECT_THAT(done.output, HasSubstr("could not be written")) << words;
  }
  const auto kept = into_pipe("doctor");
  EXPECT_TRUE(kept.status == 5 || kept.status == 1) << kept.status;
  EXPECT_THAT(kept.output, HasSubstr("could not be written"));
  ::close(channel[1]);
  EXPECT_FALSE(std::filesystem::exists(reeve.data() / "token-reset"));
  const auto made = support::must_get(reeve.api(), "/api/events?type=token_created").at("results");
  for (const json& one : made) EXPECT_NE(one.at("principal"), "system:token-reset") << one;
}

TEST(UI2_exit_codes, 4_is_for_a_token_that_may_not) {
  support::server_options options;
  server reeve(options);
  const std::string token = support::new_token(reeve.api(), "viewer");
  support::process_options child;
  child.command = {support::server_program(),
                   "runs",
                   "launch",
                   "--task",
                   "task2",
                   "--url",
                   "http://127.0.0.1:" + std::to_string(reeve.address().port)};
  child.set = {{"REEVE_TOKEN", token}};
  EXPECT_EQ(support::run_to_end(child, std::chrono::seconds(20)).status, 4);
  child.set = {{"REEVE_TOKEN", "rv_wrong"}};
  EXPECT_EQ(support::run_to_end(child, std::chrono::seconds(20)).status, 4);
  EXPECT_EQ(support::must_get(reeve.api(), "/api/runs").at("results").size(), 0U);
}

TEST(UI2_doctor, names_what_it_looked_at_and_what_to_do) {
  server reeve;
  const shell sh{reeve};
  const auto done = sh.run({"doctor", "--json"});
  const json report = json::parse(done.output);
  EXPECT_EQ(done.status == 0, report.at("ok").get<bool>());
  std::vector<std::string> names;
  for (const json& check : report.at("checks")) {
    names.push_back(check.at("name"));
    EXPECT_TRUE(check.at("verdict") == "ok" || !check.at("fix").get<std::string>().empty())
        << check;
  }
  for (const char* name : {"database", "engine", "cgroups", "markers", "clock", "port",
                           "data folder", "language models"}) {
    EXPECT_THAT(names, testing::Contains(name));
  }
  EXPECT_THAT(done.output, testing::Not(HasSubstr(reeve.token())));
}

TEST(OPS4_config, says_where_each_value_comes_from_and_no_secret) {
  server reeve;
  const shell sh{reeve};
  const json shown = sh.answer({"config", "show"});
  bool found = false;
  for (const json& setting : shown.at("settings")) {
    if (setting.at("name") == "data") {
      EXPECT_EQ(setting.at("value"), reeve.data().string());
      EXPECT_THAT(setting.at("origin").get<std::string>(), HasSubstr("REEVE_DATA"));
      found = true;
    }
    if (setting.at("name") == "database_url") {
      EXPECT_NE(setting.at("value"), reeve.database_url());
    }
  }
  EXPECT_TRUE(found);
}
