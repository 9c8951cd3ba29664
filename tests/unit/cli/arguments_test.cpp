// UI2: what the command line says to words that it does not know.

#include "cli/arguments.hpp"

#include "cli/near_miss.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace reeve::cli;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

/// What stderr has of `reeve` with these words, which must be refused.
std::string refused(std::vector<std::string> words) {
  words.insert(words.begin(), "reeve");
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const auto parsed = parse_arguments(static_cast<int>(argv.size()), argv.data());
  EXPECT_EQ(parsed.command, "");
  EXPECT_EQ(parsed.exit, exit_usage);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  return testing::internal::GetCapturedStderr();
}

}  // namespace

TEST(UI2_arguments, name_the_command_that_there_is_not) {
  EXPECT_EQ(refused({"nonsense"}),
            "reeve: there is no command `reeve nonsense`: `reeve --help` lists them\n");
  EXPECT_EQ(refused({"runs", "nonsense"}),
            "reeve: there is no command `reeve runs nonsense`: `reeve runs --help` lists them\n");
  EXPECT_EQ(refused({"help", "runs", "nonsense"}), refused({"runs", "nonsense"}));
  EXPECT_EQ(refused({"--json", "nonsense"}), refused({"nonsense"}));
  EXPECT_EQ(refused({}), "reeve: a command is needed: `reeve --help` lists them\n");
  EXPECT_EQ(refused({"jobs"}), "reeve: a command is needed: `reeve jobs --help` lists them\n");
}

TEST(UI2_arguments, suggest_what_was_nearly_written) {
  EXPECT_THAT(refused({"runs", "lanch"}),
              HasSubstr("do you mean `reeve runs launch`? `reeve runs "));
  EXPECT_THAT(refused({"lanch"}), HasSubstr("do you mean `reeve runs launch`? `reeve --help`"));
  EXPECT_THAT(refused({"jbos", "list"}), HasSubstr("do you mean `reeve jobs`?"));
  EXPECT_THAT(refused({"list"}),
              AllOf(HasSubstr("`reeve runs list` or "), HasSubstr(" or `reeve allow list`")));
  EXPECT_THAT(refused({"x"}), Not(HasSubstr("do you mean")));
  EXPECT_THAT(refused({std::string(100'000, 'l')}), Not(HasSubstr("do you mean")));
}

TEST(UI2_arguments, say_whose_fault_they_are_and_where_help_is) {
  for (const auto& words : std::vector<std::vector<std::string>>{{"--limt", "5"},
                                                                 {"runs", "show"},
                                                                 {"runs", "show", "a", "b"},
                                                                 {"runs", "list", "--limit"},
                                                                 {"runs", "list", "--limt", "5"},
                                                                 {"runs", "list", "-o", "xml"},
                                                                 {"config", "shw"}}) {
    const auto told = refused(words);
    EXPECT_THAT(told, AllOf(StartsWith("reeve: "), EndsWith(" --help`\n"))) << words.back();
  }
  EXPECT_THAT(refused({"--limt", "5"}), HasSubstr("--limt"));
  EXPECT_THAT(refused({"a\x1b]0;b"}), AllOf(HasSubstr("a?]0;b"), Not(HasSubstr("\x1b"))));
}

TEST(UI2_near_miss, counts_slips_and_takes_the_nearest) {
  EXPECT_EQ(distance_of("", "abc"), 3U);
  EXPECT_EQ(distance_of("abc", "abc"), 0U);
  EXPECT_EQ(distance_of("lanch", "launch"), 1U);
  EXPECT_EQ(distance_of("jbos", "jobs"), 1U) << "neighbours that are exchanged are one slip";
  EXPECT_EQ(distance_of("kitten", "sitting"), 3U);
  EXPECT_THAT(nearest_of("rus", {"runs", "jobs", "rust"}), ElementsAre("runs", "rust"));
  EXPECT_THAT(nearest_of("runs", {"runs", "rust"}), ElementsAre("runs"));
  EXPECT_THAT(nearest_of("ab", {"abc"}), IsEmpty()) << "too short to say";
  EXPECT_THAT(nearest_of("abcdefghi", {"abcdef"}), IsEmpty());
}
