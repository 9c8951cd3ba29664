#include "base/local_socket.hpp"

#include "tests/support/temporary_folder.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

using reeve::errc;
using reeve::local_socket;

bool can_connect(const std::string& path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  path.copy(to.sun_path, sizeof to.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool good = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  ::close(fd);
  return good;
}

}  // namespace

TEST(LLM4_local_socket, listens_for_every_user_and_takes_its_name_with_it) {
  const support::temporary_folder folder;
  const auto path = folder.at("s");
  {
    const auto made = local_socket::listen(path);
    ASSERT_TRUE(made) << made.error().detail;
    struct stat about {};
    ASSERT_EQ(::lstat(path.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0666U);
    EXPECT_TRUE(can_connect(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(LLM4_local_socket, takes_the_place_of_an_older_one_who_leaves_it_alone) {
  const support::temporary_folder folder;
  const auto path = folder.at("s");
  auto first = std::make_unique<local_socket>(local_socket::listen(path).value());
  const auto second = local_socket::listen(path);
  ASSERT_TRUE(second);
  first.reset();
  EXPECT_TRUE(can_connect(path)) << "it was not the first one's any more";
}

TEST(LLM4_local_socket, touches_nothing_that_is_no_socket) {
  const support::temporary_folder folder;
  const auto path = folder.at("s");
  std::ofstream(path) << "somebody's";
  const auto refused = local_socket::listen(path);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::conflict);
  EXPECT_TRUE(std::filesystem::is_regular_file(path));
  std::filesystem::remove(path);
  std::filesystem::create_symlink(folder.at("elsewhere"), path);
  EXPECT_EQ(local_socket::listen(path).error().code, errc::conflict);
  EXPECT_TRUE(std::filesystem::is_symlink(path));
}

TEST(LLM4_local_socket, says_when_its_path_is_too_long) {
  const support::temporary_folder folder;
  const auto refused = local_socket::listen(folder.at(std::string(108, 'x')));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::invalid);
  EXPECT_NE(refused.error().detail.find("at most 107 bytes"), std::string::npos);
  EXPECT_EQ(local_socket::listen(folder.at("none/s")).error().code, errc::unavailable);
}
