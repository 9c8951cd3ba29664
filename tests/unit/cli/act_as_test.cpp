// Root that works on the server's folder does it as the server's user, and cannot come back.

#include "cli/act_as.hpp"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace reeve;

constexpr uid_t somebody = 65534;

struct folder {
  folder() {
    char name[] = "/tmp/reeve-act-as.XXXXXX";
    if (::mkdtemp(name) != nullptr) path = name;
  }
  ~folder() { std::filesystem::remove(path); }
  std::string path;
};

/// What a child process answers as its status; its privileges are its own.
template <class Check>
int in_a_child(Check check) {
  const auto child = ::fork();
  if (child == 0) ::_exit(check());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(OPS1_commands, of_root_act_as_the_owner_of_the_folder) {
  ASSERT_EQ(::geteuid(), 0U) << "this test needs root";
  const folder data;
  ASSERT_EQ(::chown(data.path.c_str(), somebody, somebody), 0);
  EXPECT_EQ(in_a_child([&] {
              if (!cli::act_as_owner_of(data.path)) return 1;
              if (::getuid() != somebody || ::geteuid() != somebody) return 2;
              if (::getgid() == 0 || ::getegid() == 0) return 3;
              gid_t groups[64];
              const int count = ::getgroups(64, groups);
              for (int i = 0; i < count; ++i) {
                if (groups[i] == 0) return 4;
              }
              return ::setuid(0) == 0 || ::setgid(0) == 0 ? 5 : 0;
            }),
            0);
}

TEST(OPS1_commands, of_root_stay_root_where_the_folder_is_roots_or_missing) {
  const folder own;
  EXPECT_EQ(in_a_child([&] {
              if (!cli::act_as_owner_of(own.path)) return 1;
              if (!cli::act_as_owner_of(own.path + "/none")) return 2;
              return ::geteuid() == 0 ? 0 : 3;
            }),
            0);
}

}  // namespace
