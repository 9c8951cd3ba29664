#include "cli/server_identity.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <optional>
#include <stdlib.h>

namespace {

using namespace reeve;
using cli::server_identity;

class P10_server_identity : public ::testing::Test {
 protected:
  P10_server_identity() {
    auto pattern = (std::filesystem::temp_directory_path() / "reeve-identity-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder = pattern;
    path = folder + "/server-id";
  }
  ~P10_server_identity() override { std::filesystem::remove_all(folder); }

  std::string folder, path;
};

TEST_F(P10_server_identity, stays_the_same_and_is_held_by_one_at_a_time) {
  std::optional<server_identity> first;
  {
    auto taken = server_identity::take(path, real_ids());
    ASSERT_TRUE(taken) << taken.error().detail;
    first.emplace(std::move(*taken));
  }
  const auto id = first->id();
  EXPECT_NE(id, uuid{});
  EXPECT_EQ(server_identity::take(path, real_ids()).error().code, errc::conflict);
  first.reset();
  const auto again = server_identity::take(path, real_ids());
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(again->id(), id);
}

/// Two servers with one id would each take the other's lease for its own.
TEST_F(P10_server_identity, is_another_one_in_a_copy_of_the_folder) {
  const auto id = server_identity::take(path, real_ids())->id();
  const auto copy = folder + "/copy";
  std::filesystem::create_directory(copy);
  std::filesystem::copy(path, copy + "/server-id");
  const auto other = server_identity::take(copy + "/server-id", real_ids());
  ASSERT_TRUE(other) << other.error().detail;
  EXPECT_NE(other->id(), id);
  EXPECT_EQ(server_identity::take(path, real_ids())->id(), id);
}

TEST_F(P10_server_identity, that_cannot_be_read_is_refused) {
  std::ofstream(path) << "no id\n";
  EXPECT_EQ(server_identity::take(path, real_ids()).error().code, errc::invalid);
  EXPECT_EQ(server_identity::take(folder + "/no/such", real_ids()).error().code, errc::invalid);
}

}  // namespace
