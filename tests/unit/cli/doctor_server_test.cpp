// The doctor sends the folder's token to the server that leads with the folder, and to nobody else.

#include "cli/doctor.hpp"
#include "cli/server_identity.hpp"
#include "tests/unit/cli/client_peer.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace {

using namespace reeve::cli;
using namespace client_peer;
using testing::HasSubstr;
using testing::SizeIs;

constexpr auto docker =
    R"({"available":true,"engine":"docker","version":"20.10.1","api_version":"1.41"})";

}  // namespace

/// It led when it was looked for, and has left since.
TEST(ACC1_doctor, sends_no_token_where_a_server_has_left) {
  std::string data = std::filesystem::temp_directory_path() / "reeve-doctor-XXXXXX";
  ASSERT_NE(::mkdtemp(data.data()), nullptr);
  const auto server = server_identity::take(data + "/server-id", reeve::real_ids());
  ASSERT_TRUE(server);
  std::ofstream(data + "/token") << "from-the-folder\n";
  peer there({http(200, docker), http(200, docker)});
  std::ofstream(data + "/endpoint") << there.url() << "\n";
  loaded_config config;
  config.values.data = data;
  config.rows.push_back({"docker", "--docker", "REEVE_DOCKER", "auto", "default", ""});
  EXPECT_TRUE(engine_of_server(config, there.url()));
  ASSERT_THAT(there.requests(), SizeIs(1));
  EXPECT_THAT(there.requests()[0], HasSubstr("Bearer from-the-folder\r\n"));
  std::filesystem::remove(data + "/endpoint");
  EXPECT_FALSE(engine_of_server(config, there.url()));
  EXPECT_THAT(there.requests(), SizeIs(1));
  std::filesystem::remove_all(data);
}
