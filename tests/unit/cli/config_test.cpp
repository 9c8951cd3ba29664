// OPS4: where each setting comes from, what is refused and how, and that the page of documentation
// is what the table says.

#include "cli/config.hpp"

#include "cli/arguments.hpp"
#include "cli/config_table.hpp"
#include "tests/support/source_dir.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace reeve;
using namespace reeve::cli;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

/// The settings' variables as a test wants them and no others; afterwards as they were.
class OPS4_configuration : public testing::Test {
 protected:
  OPS4_configuration() {
    std::vector<std::string> names{"POSTGRES_HOST", "POSTGRES_PORT",     "POSTGRES_USER",
                                   "POSTGRES_DB",   "POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE",
                                   "REEVE_CONFIG"};
    for (const auto& s : settings()) {
      names.emplace_back(s.variable);
      names.insert(names.end(), s.older.begin(), s.older.end());
    }
    for (const auto& name : names) {
      const char* value = std::getenv(name.c_str());
      before_[name] = value == nullptr ? std::nullopt : std::optional<std::string>(value);
      ::unsetenv(name.c_str());
    }
  }
  ~OPS4_configuration() override {
    for (const auto& [name, value] : before_) {
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
    }
    for (const auto& path : files_) std::filesystem::remove(path);
  }

  static void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }
  std::string file(const std::string& text) {
    char path[] = "/tmp/reeve-config-XXXXXX";
    ::close(::mkstemp(path));
    std::ofstream(path) << text;
    files_.emplace_back(path);
    return path;
  }
  static std::string origin(const loaded_config& loaded, const std::string& name) {
    for (const auto& row : loaded.rows) {
      if (row.name == name) return row.origin + "=" + row.value;
    }
    return "none";
  }
  static std::string why(const std::map<std::string, std::string>& flags,
                         const std::string& path = "") {
    const auto loaded = load_config(flags, path);
    return loaded ? "accepted" : loaded.error().detail;
  }

 private:
  std::map<std::string, std::optional<std::string>> before_;
  std::vector<std::string> files_;
};

std::string read(const std::string& path) {
  std::ifstream in(support::source_dir() + "/" + path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

arguments parse(std::vector<std::string> words) {
  words.insert(words.begin(), "reeve");
  std::vector<char*> raw;
  for (auto& word : words) raw.push_back(word.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  auto parsed = parse_arguments(static_cast<int>(raw.size()), raw.data());
  testing::internal::GetCapturedStdout();
  testing::internal::GetCapturedStderr();
  return parsed;
}

}  // namespace

TEST_F(OPS4_configuration, has_defaults_that_the_struct_has_too) {
  const auto loaded = load_config({}, "");
  ASSERT_TRUE(loaded);
  const config plain;
  const auto& c = loaded->values;
  EXPECT_EQ(std::tie(c.listen, c.data, c.database_url, c.writer_url, c.reader_url, c.docker),
            std::tie(plain.listen, plain.data, plain.database_url, plain.writer_url,
                     plain.reader_url, plain.docker));
  EXPECT_EQ(std::tie(c.logs, c.uploads, c.redacted, c.mount_roots, c.log_level, c.log_format),
            std::tie(plain.logs, plain.uploads, plain.redacted, plain.mount_roots, plain.log_level,
                     plain.log_format));
  EXPECT_EQ(
      std::tie(c.allow_plain_http, c.rate_per_s, c.max_connections, c.drain_s),
      std::tie(plain.allow_plain_http, plain.rate_per_s, plain.max_connections, plain.drain_s));
  EXPECT_EQ(std::tie(c.buffered_bytes, c.token_share_percent, c.address_share_percent),
            std::tie(plain.buffered_bytes, plain.token_share_percent, plain.address_share_percent));
  EXPECT_EQ(c.reader_delay_ms, plain.reader_delay_ms);
  EXPECT_EQ(std::get<actors::reconciler_settings>(c.tree).every_s, 30);
  EXPECT_THAT(loaded->warnings, IsEmpty());
}

TEST_F(OPS4_configuration, rises_from_file_to_environment_to_flag) {
  const auto path = file(
      "threads = 3\ndrain_s = 4\nlog_level = \"warn\"\nredacted = false\n"
      "mount_roots = [\"/a\", \"/b\"]\n");
  set("REEVE_DRAIN_S", "5");
  set("REEVE_LOG_LEVEL", "error");
  const auto loaded = load_config({{"log_level", "debug"}}, path);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(origin(*loaded, "threads"), "file=3");
  EXPECT_EQ(origin(*loaded, "drain_s"), "environment REEVE_DRAIN_S=5");
  EXPECT_EQ(origin(*loaded, "log_level"), "flag=debug");
  EXPECT_EQ(origin(*loaded, "data"), "default=./var/data");
  EXPECT_FALSE(loaded->values.redacted);
  EXPECT_THAT(loaded->values.mount_roots, ElementsAre("/a", "/b"));
}

TEST_F(OPS4_configuration, sets_what_an_actor_says_of_itself) {
  set("REEVE_ORPHAN_S", "7");
  const auto loaded = load_config({{"reconcile_s", "3"}, {"threads", "5"}}, "");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  const auto& own = std::get<actors::reconciler_settings>(loaded->values.tree);
  EXPECT_EQ(own.every_s, 3);
  EXPECT_EQ(own.orphan_s, 7);
  EXPECT_EQ(std::get<actors::shared_settings>(loaded->values.tree).threads, 5);
  EXPECT_EQ(why({{"orphan_s", "0"}}), "orphan_s (--orphan-s): 1 to 86400 is needed");
}

/// Whatever is no file of settings must not pass for one without any.
TEST_F(OPS4_configuration, refuses_a_file_that_cannot_be_read) {
  const auto some = file("threads = 3\n");
  const auto folder = std::filesystem::path(some).parent_path().string();
  EXPECT_EQ(why({}, folder),
            "the configuration file " + folder + " is a folder: name a file in it");
  EXPECT_EQ(why({}, some + "/x"),
            "the configuration file " + some + "/x cannot be read: Not a directory");
  EXPECT_THAT(why({}, some + ".none"), HasSubstr("cannot be read: No such file or directory"));
  EXPECT_THAT(why({}, "/proc/self/mem"), HasSubstr("cannot be read: "));
  EXPECT_THAT(why({}, file(std::string((1 << 20) + 1, '\n'))), HasSubstr("more than 1 MiB"));
  EXPECT_EQ(why({}, file(std::string(1 << 20, '\n'))), "accepted");
  if (::geteuid() != 0) {
    ::chmod(some.c_str(), 0);
    EXPECT_THAT(why({}, some), HasSubstr("cannot be read: Permission denied"));
  }
}

TEST_F(OPS4_configuration, may_come_through_a_pipe) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "threads = 3\n", 12), 12);
  ::close(ends[1]);
  const auto loaded = load_config({}, "/dev/fd/" + std::to_string(ends[0]));
  ::close(ends[0]);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(origin(*loaded, "threads"), "file=3");
}

TEST_F(OPS4_configuration, has_each_name_once) {
  std::set<std::string> names, variables;
  for (const auto& s : settings()) {
    EXPECT_TRUE(names.insert(s.name).second) << s.name;
    EXPECT_TRUE(variables.insert(s.variable).second) << s.variable;
  }
}

TEST_F(OPS4_configuration, takes_an_empty_variable_for_an_unset_one) {
  set("REEVE_THREADS", "");
  EXPECT_EQ(why({}), "accepted");
}

TEST_F(OPS4_configuration, accepts_older_names_with_a_warning) {
  set("UPLOADS_DIR", "/old");
  set("CYBER_BRAIN_LOGS", "/older");
  set("DEBUG_REDACTED_MODE", "0");
  auto loaded = load_config({}, "");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->values.uploads, "/old");
  EXPECT_EQ(loaded->values.logs, "/older");
  EXPECT_FALSE(loaded->values.redacted);
  EXPECT_THAT(loaded->warnings, SizeIs(3));
  set("CYBER_BRAIN_UPLOADS", "/newer");
  set("REEVE_LOGS", "/newest");
  loaded = load_config({}, "");
  EXPECT_EQ(loaded->values.uploads, "/newer");
  EXPECT_EQ(loaded->values.logs, "/newest");
  EXPECT_THAT(loaded->warnings, SizeIs(2));
}

TEST_F(OPS4_configuration, makes_a_login_of_the_parts) {
  set("POSTGRES_HOST", "db");
  set("POSTGRES_USER", "o'wner");
  set("POSTGRES_PASSWORD_FILE", file("se cret\r\n"));
  auto loaded = load_config({}, "");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->values.database_url,
            "host='db' port=5432 user='o\\'wner' dbname='reeve' password='se cret'");
  EXPECT_EQ(origin(*loaded, "database_url"), "environment POSTGRES_*=[redacted]");
  set("POSTGRES_PORT", "5432 sslmode=disable");
  EXPECT_THAT(why({}), HasSubstr("POSTGRES_PORT): a port"));
  ::unsetenv("POSTGRES_PORT");
  set("POSTGRES_PASSWORD_FILE", "/nowhere");
  EXPECT_THAT(why({}), HasSubstr("POSTGRES_PASSWORD_FILE): a file"));
  set("DATABASE_URL", "postgresql://whole");
  loaded = load_config({}, "");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->values.database_url, "postgresql://whole");
}

TEST_F(OPS4_configuration, shows_no_secret_and_takes_none_from_flags) {
  set("REEVE_WRITER_URL", "postgresql://w:hunter2@h/d");
  const auto loaded = load_config({{"reader_url", "postgresql://r:hunter2@h/d"}}, "");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->values.reader_url, "");
  for (const auto& row : loaded->rows) EXPECT_THAT(row.value, Not(HasSubstr("hunter2")));
  for (const auto& s : settings()) {
    EXPECT_FALSE(s.is_secret && !s.flag.empty()) << s.name;
  }
}

TEST_F(OPS4_configuration, warns_of_a_login_in_a_file_that_others_may_read) {
  const auto path = file("database_url = \"host=h password=p\"\n");
  ::chmod(path.c_str(), 0644);
  EXPECT_THAT(load_config({}, path)->warnings, ElementsAre(HasSubstr("chmod 600")));
  ::chmod(path.c_str(), 0600);
  EXPECT_THAT(load_config({}, path)->warnings, IsEmpty());
}

TEST_F(OPS4_configuration, names_setting_origin_and_what_is_allowed) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"listen", "9595"},
      {"listen", "example.org:80"},
      {"listen", "127.0.0.1:65536"},
      {"listen", "127.0.0.1:"},
      {"listen", "::1:80"},
      {"data", ""},
      {"docker", "tcp://h:1"},
      {"docker", "unix://rel"},
      {"redacted", "maybe"},
      {"mount_roots", "/a:b"},
      {"log_level", "loud"},
      {"log_format", ""},
      {"threads", "0"},
      {"threads", "65"},
      {"threads", "2x"},
      {"rate_per_s", "99999999999999999999"},
      {"drain_s", "-1"},
      {"job_log_bytes", "1023"}};
  for (const auto& [name, value] : wrong) {
    EXPECT_THAT(why({{name, value}}), AllOf(HasSubstr(name + " (--"), HasSubstr(" is needed")))
        << value;
  }
  set("REEVE_THREADS", "none");
  EXPECT_EQ(why({}), "threads (environment REEVE_THREADS): 1 to 64 is needed");
  ::unsetenv("REEVE_THREADS");
  const auto path = file("threads = 65\n");
  EXPECT_EQ(why({}, path), "threads (file " + path + "): 1 to 64 is needed");
}

TEST_F(OPS4_configuration, refuses_unknown_keys_and_broken_files) {
  EXPECT_THAT(why({}, file("thread = 2\n")), HasSubstr("there is no setting thread"));
  EXPECT_THAT(why({}, file("data = \"x\"\nlisten = \n")), HasSubstr("line 2"));
  EXPECT_THAT(why({}, file("[data]\nx = 1\n")), HasSubstr("data"));
  EXPECT_THAT(why({}, "/nowhere/reeve.toml"), HasSubstr("/nowhere/reeve.toml"));
}

TEST_F(OPS4_configuration, listens_beyond_loopback_only_when_that_is_permitted) {
  for (const char* far : {"0.0.0.0:9595", "[::]:9595", "10.0.0.1:0"}) {
    EXPECT_THAT(why({{"listen", far}}), HasSubstr("REEVE_ALLOW_PLAIN_HTTP=true")) << far;
    EXPECT_EQ(why({{"listen", far}, {"allow_plain_http", "true"}}), "accepted") << far;
  }
  for (const char* near : {"127.0.0.1:0", "127.8.9.1:80", "[::1]:80", "localhost:80"}) {
    EXPECT_EQ(why({{"listen", near}}), "accepted") << near;
  }
  EXPECT_EQ(load_config({{"listen", "localhost:80"}}, "")->values.listen, "127.0.0.1:80");
}

TEST_F(OPS4_configuration, is_documented_as_it_is) {
  EXPECT_EQ(read("docs/configuration.md"), config_markdown())
      << "reeve config markdown >docs/configuration.md";
}

TEST_F(OPS4_configuration, comes_from_the_flags_of_the_command_line) {
  const auto a = parse({"serve", "--data", "/d", "--listen", "127.0.0.1:1", "--threads", "4"});
  EXPECT_EQ(a.command, "serve");
  EXPECT_EQ(a.settings.at("data"), "/d");
  EXPECT_EQ(a.settings.at("listen"), "127.0.0.1:1");
  EXPECT_EQ(a.settings.at("threads"), "4");
  for (const char* flag : {"--database-url", "--writer-url", "--token"}) {
    EXPECT_EQ(parse({"serve", flag, "x"}).exit, exit_usage) << flag;
  }
}

TEST(UI2_arguments, reach_the_commands_in_one_form) {
  const auto a = parse({"runs", "launch", "--label=a=b", "--task", "log_triage", "--wait", "--task",
                        "gpu_report", "--json", "--url", "http://h"});
  EXPECT_THAT(a.words, ElementsAre("launch", "--task", "log_triage", "--task", "gpu_report",
                                   "--label", "a=b", "--wait"));
  EXPECT_TRUE(a.client.json);
  EXPECT_EQ(a.client.url, "http://h");
  EXPECT_THAT(parse({"events", "--follow", "--after", "7"}).words,
              ElementsAre("--after", "7", "--follow"));
  EXPECT_THAT(parse({"jobs", "discard", "a", "--reason", "why"}).words,
              ElementsAre("discard", "a", "--reason", "why"));
  EXPECT_THAT(parse({"tokens", "create", "ann", "--role", "operator"}).words,
              ElementsAre("create", "ann", "--role", "operator"));
  EXPECT_THAT(parse({"tokens", "list", "--active"}).words, ElementsAre("list", "--active"));
  EXPECT_THAT(parse({"token", "reset", "--system"}).words, ElementsAre("reset", "--system"));
  EXPECT_THAT(parse({"allow", "remove", "images", "list"}).words,
              ElementsAre("remove", "images", "list"));
  EXPECT_TRUE(parse({"runs", "list", "-o", "ndjson"}).client.json);
  EXPECT_EQ(parse({"verify", "--from", "-", "--json"}).verify.from, "-");
  EXPECT_EQ(parse({"migrate", "--database", "host=/tmp"}).database, "host=/tmp");
  EXPECT_EQ(parse({"config", "markdown"}).action, "markdown");
}

TEST(UI2_arguments, end_with_usage_when_they_do_not_fit) {
  const std::vector<std::vector<std::string>> wrong{{},
                                                    {"fly"},
                                                    {"runs"},
                                                    {"runs", "fly"},
                                                    {"runs", "show"},
                                                    {"runs", "show", "a", "b"},
                                                    {"runs", "list", "--wait"},
                                                    {"runs", "list", "-o", "xml"},
                                                    {"jobs", "retry"},
                                                    {"token"},
                                                    {"config", "edit"},
                                                    {"serve", "extra"},
                                                    {"help", "fly"}};
  for (const auto& words : wrong) {
    const auto a = parse(words);
    EXPECT_EQ(a.exit, exit_usage) << testing::PrintToString(words);
    EXPECT_EQ(a.command, "") << testing::PrintToString(words);
  }
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"--help"}, {"help"}, {"help", "runs", "launch"}, {"version"}, {"--version"}}) {
    const auto a = parse(words);
    EXPECT_EQ(a.exit, exit_ok) << testing::PrintToString(words);
    EXPECT_EQ(a.command, "") << testing::PrintToString(words);
  }
}
