#include "cli/server_identity.hpp"

#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <future>
#include <gtest/gtest.h>
#include <optional>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

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

TEST_F(P10_server_identity, is_seen_by_others_while_it_is_held_only) {
  EXPECT_FALSE(server_identity::is_held(path));
  EXPECT_FALSE(std::filesystem::exists(path)) << "a look makes nothing";
  {
    const auto held = server_identity::take(path, real_ids());
    EXPECT_TRUE(server_identity::is_held(path));
  }
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_FALSE(server_identity::is_held(path));
}

/// A client or a doctor that asks at the wrong moment must not end a server that starts.
TEST_F(P10_server_identity, is_taken_although_somebody_looks_at_it) {
  const auto id = server_identity::take(path, real_ids())->id();
  const int looker = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(looker, LOCK_SH | LOCK_NB), 0);
  EXPECT_FALSE(server_identity::is_held(path)) << "two who look are no server";
  const int tries = ::inotify_init1(IN_CLOEXEC);
  ASSERT_GE(::inotify_add_watch(tries, path.c_str(), IN_CLOSE_WRITE), 0);
  // However long this thread is kept from letting go.
  auto taken = std::async(std::launch::async, [&] {
    return server_identity::take(path, real_ids(), std::chrono::hours(1));
  });
  // The first try is over, and was in vain.
  char event[1024];
  EXPECT_GT(::read(tries, event, sizeof event), 0);
  ::close(tries);
  ::close(looker);
  const auto held = taken.get();
  ASSERT_TRUE(held) << held.error().detail;
  EXPECT_EQ(held->id(), id);
}

TEST_F(P10_server_identity, that_cannot_be_read_is_refused) {
  std::ofstream(path) << "no id\n";
  EXPECT_EQ(server_identity::take(path, real_ids()).error().code, errc::invalid);
  EXPECT_EQ(server_identity::take(folder + "/no/such", real_ids()).error().code, errc::invalid);
}

}  // namespace
