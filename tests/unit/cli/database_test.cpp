// OPS4: a command that works on the database says why it cannot get in.

#include "cli/database.hpp"

#include "cli/commands.hpp"
#include "tests/unit/persistence/refusing_server.hpp"

#include <filesystem>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::cli;
using testing::HasSubstr;

loaded_config on(const refusing_server::door& at) {
  loaded_config config;
  config.values.data = (std::filesystem::temp_directory_path() / "reeve-nowhere").string();
  config.values.database_url = "postgresql://somebody:hunter2@127.0.0.1:" + at.port() + "/orders";
  return config;
}

}  // namespace

TEST(OPS4_database, that_keeps_a_command_out_is_told_by_every_one) {
  using command = std::function<int(const loaded_config&)>;
  const std::vector<std::pair<const char*, command>> commands{
      {"migrate", migrate},
      {"accept-database", accept_database},
      {"verify", [](const auto& c) { return verify(c, {}); }},
      {"replay", [](const auto& c) { return replay(c, {}); }},
      {"rebuild", [](const auto& c) { return rebuild(c, {}); }},
      {"export", [](const auto& c) { return export_log(c, {}); }}};
  const refusing_server::door refusing(refusing_server::refusal("28P01")),
      missing(refusing_server::refusal("3D000")), closed("", false);
  for (const auto& [name, run] : commands) {
    for (const auto& [at, why] : {std::pair(&refusing, "the password is wrong"),
                                  std::pair(&missing, "there is no such database"),
                                  std::pair(&closed, "Connection refused")}) {
      testing::internal::CaptureStderr();
      EXPECT_EQ(run(on(*at)), exit_unreachable) << name;
      const auto told = testing::internal::GetCapturedStderr();
      EXPECT_THAT(told, HasSubstr("(host 127.0.0.1, port " + at->port() + ", user somebody)"));
      EXPECT_THAT(told, HasSubstr(why)) << name;
      EXPECT_THAT(told, testing::Not(HasSubstr("hunter2"))) << name;
    }
  }
}

TEST(OPS4_database, whose_url_cannot_be_taken_apart_is_told_by_its_variable) {
  loaded_config config;
  config.values.database_url = "postgresql://somebody:hunter2/a@127.0.0.1/orders";
  testing::internal::CaptureStderr();
  EXPECT_EQ(verify(config, {}), exit_usage);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "reeve: DATABASE_URL: its host and port cannot be told apart; in a URL's password "
            "write @ as %40, / as %2F and % as %25\n");
}
