// What reeve-init counts of what a command has on disk, what it refuses to watch, and what it says
// of memory: the program itself as PID 1 of its own namespace, with the rights that it has in a
// container.

#include "tests/support/temporary_folder.hpp"
#include "tests/unit/adapters/docker/init_program.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <grp.h>
#include <linux/magic.h>
#include <sched.h>
#include <sstream>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr uid_t nobody = 65534;
constexpr std::int64_t limit_bytes = 3 << 20;

/// Memory is not watched.
fs::path folder_on_disk() {
  for (const fs::path& folder : {fs::temp_directory_path(), fs::path("/var/tmp")}) {
    struct statfs about {};
    if (::statfs(folder.c_str(), &about) == 0 && about.f_type != TMPFS_MAGIC) return folder;
  }
  return "/";
}

struct ended {
  int code = -1;
  std::string said;
};

class P11_disk_init : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::geteuid(), 0U) << "this test needs root, for namespaces of its own";
    fs::permissions(root_, fs::perms(0755));
    for (const char* folder : {"box/state", "box/out", "beside"}) {
      fs::create_directories(root_ / folder);
      ASSERT_EQ(::chown((root_ / folder).c_str(), nobody, nobody), 0);
    }
    std::ofstream(root_ / "init", std::ios::binary) << init_fixture::program();
    fs::permissions(root_ / "init", fs::perms(0755));
  }

  fs::path at(const std::string& below) const { return root_ / below; }
  fs::path out() const { return at("box/out"); }

  /// Runs `script` there; `prepare` before, as root and in the namespace of its mounts.
  ended run(
      const std::string& script, const std::function<void()>& prepare = [] {}) {
    return run(out(), out(), script, prepare);
  }
  ended run(
      const fs::path& watched, const fs::path& folder, const std::string& script,
      const std::function<void()>& prepare = [] {}) {
    fs::remove(at("box/state/started"));
    const pid_t outer = ::fork();
    if (outer == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::unshare(CLONE_NEWNS | CLONE_NEWPID) != 0) ::_exit(99);
      if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(98);
      prepare();
      const pid_t inner = ::fork();
      if (inner == 0) become(watched, folder, script);
      int status = 0;
      ::waitpid(inner, &status, 0);
      ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 97);
    }
    int status = 0;
    ::waitpid(outer, &status, 0);
    std::ostringstream said;
    said << std::ifstream(at("said")).rdbuf();
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, said.str()};
  }

 private:
  [[noreturn]] void become(const fs::path& watched, const fs::path& folder,
                           const std::string& script) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::mount("proc", "/proc", "proc", 0, nullptr) != 0) ::_exit(96);
    const int said = ::open(at("said").c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
    ::dup2(said, STDOUT_FILENO);
    ::dup2(said, STDERR_FILENO);
    const bool moved = ::chdir(folder.c_str()) == 0 && ::setgroups(0, nullptr) == 0 &&
                       ::setgid(nobody) == 0 && ::setuid(nobody) == 0;
    if (!moved) ::_exit(95);
    const std::string init = at("init"), marker = at("box/state/started");
    const std::string disk = "disk=" + std::to_string(limit_bytes),
                      watch = "watch=" + watched.string();
    ::execl(init.c_str(), init.c_str(), marker.c_str(), disk.c_str(), watch.c_str(), "--",
            "/bin/sh", "-c", script.c_str(), nullptr);
    ::_exit(94);
  }

  const support::temporary_folder folder_{folder_on_disk()};
  const fs::path root_ = folder_.path();
};

const std::string over = "reeve-init: ended at its limit of 3145728 bytes on disk\n";

std::string mebibytes(int count, const std::string& file) {
  return "head -c " + std::to_string(count) + "048576 /dev/zero > " + file + "; ";
}

/// Until the clock that the start is taken from has gone on from its last change.
void let_go_by(const fs::path& folder) {
  struct stat about {};
  timespec now{};
  ASSERT_EQ(::stat(folder.c_str(), &about), 0);
  do {
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  } while (now.tv_sec < about.st_ctim.tv_sec ||
           (now.tv_sec == about.st_ctim.tv_sec && now.tv_nsec <= about.st_ctim.tv_nsec));
}

/// Where the shared library with this function lies.
fs::path library_of(const void* function) {
  Dl_info about{};
  return ::dladdr(function, &about) != 0 ? fs::canonical(about.dli_fname) : fs::path{};
}

/// Starts a process that has nothing of a copy of that library but its map, `count` times.
std::string map_deleted(const fs::path& library, int count) {
  return "i=0; while [ $i -lt " + std::to_string(count) + " ]; do cp " + library.string() +
         " l$i; LD_PRELOAD=$PWD/l$i sleep 9 & "
         "while [ -d /proc/$! ] && ! grep -qs /l$i /proc/$!/maps; do sleep 0.01; done; "
         "rm l$i; i=$((i+1)); done; ";
}

/// The kernel's files are played by files that the command may write.
class RUN5_memory_init : public P11_disk_init {
 protected:
  ended run_counting(const std::string& file, const std::string& script) {
    return run(out(), out(), "kills=/sys/fs/cgroup/" + file + "; " + script, [&] {
      if (::mount("none", "/sys/fs/cgroup", "tmpfs", 0, nullptr) != 0) ::_exit(89);
      if (file.empty()) return;
      const auto path = fs::path("/sys/fs/cgroup") / file;
      fs::create_directories(path.parent_path());
      std::ofstream(path) << "low 0\noom 3\noom_kill 2\noom_group_kill 9\n";
      if (::chown(path.c_str(), nobody, nobody) != 0) ::_exit(88);
    });
  }
};

const std::string starved = "reeve-init: the kernel killed a process for want of memory\n";
const std::string one_more = "echo 'oom_kill 3' > $kills; ";

}  // namespace

TEST_F(P11_disk_init, counts_what_is_named_and_what_is_deleted_and_open) {
  EXPECT_EQ(run(mebibytes(2, "f") + "sleep 0.4").code, 0);
  EXPECT_EQ(run(mebibytes(2, "f") + mebibytes(2, "g") + "sleep 9").code, 194);
  fs::remove(out() / "f");
  fs::remove(out() / "g");
  EXPECT_EQ(run("exec 3>f; rm f; head -c 2048576 /dev/zero >&3; sleep 0.4").code, 0);
  EXPECT_EQ(run("exec 3>f; rm f; head -c 3500000 /dev/zero >&3; sleep 9").code, 194);
}

TEST_F(P11_disk_init, counts_what_is_deleted_and_only_mapped) {
  // About 2 MB: one is within the bound, and so is each while it has a name.
  const auto library = library_of(reinterpret_cast<const void*>(&std::fputs));
  ASSERT_TRUE(fs::exists(library)) << library;
  ASSERT_GT(fs::file_size(library), 1'100'000U);
  ASSERT_LT(fs::file_size(library), 3'000'000U);
  EXPECT_EQ(run(map_deleted(library, 1) + "sleep 0.4").code, 0);
  // A process more with the same map changes nothing.
  EXPECT_EQ(run(map_deleted(library, 1) + "sleep 0.4; (sleep 9) & sleep 0.4").code, 0);
  const auto many = run(map_deleted(library, 3) + "sleep 9");
  EXPECT_EQ(many.code, 194) << many.said;
  EXPECT_THAT(many.said, HasSubstr(over));
}

/// Their sizes are not told, and each could be as large as a file may be.
TEST_F(P11_disk_init, lets_nobody_map_more_than_a_few_that_are_deleted) {
  const auto small =
      library_of(reinterpret_cast<const void*>(&std::fputs)).replace_filename("libdl.so.2");
  ASSERT_TRUE(fs::exists(small)) << small;
  EXPECT_EQ(run(map_deleted(small, 10) + "sleep 0.4").code, 0);
  EXPECT_EQ(run(map_deleted(small, 40) + "sleep 9").code, 194);
}

TEST_F(P11_disk_init, ends_what_hides_in_a_folder_that_nobody_may_list) {
  const auto drop = out() / "drop";
  fs::create_directory(drop);
  fs::permissions(drop, fs::perms(01733));
  let_go_by(drop);
  EXPECT_EQ(run("sleep 0.4").code, 0) << "nobody wrote there";
  const auto written = run("echo > drop/x; sleep 9");
  EXPECT_EQ(written.code, 194);
  EXPECT_THAT(written.said, HasSubstr("may be written to and not listed was changed: drop\n"));
  EXPECT_THAT(written.said, HasSubstr(over));
  fs::permissions(drop, fs::perms(0700));
  EXPECT_EQ(run("sleep 0.4").code, 0) << "the command cannot write there either";
  fs::remove_all(drop);
  const auto own = run("mkdir h; chmod 300 h; sleep 9");
  EXPECT_EQ(own.code, 194);
  EXPECT_THAT(own.said, HasSubstr("of the command's own cannot be looked into: h\n"));
}

TEST_F(P11_disk_init, goes_down_as_deep_as_a_command_does) {
  const std::string down = "i=0; while [ $i -lt 160 ]; do mkdir a z; cd a; i=$((i+1)); done; ";
  const auto small = run(down + "sleep 0.6");
  EXPECT_EQ(small.code, 0) << small.said;
  fs::remove_all(out() / "a");
  fs::remove_all(out() / "z");
  // On the way back up, behind the folders that stayed open.
  const auto large = run(down + mebibytes(1, "../z/f") + mebibytes(1, "../../z/f") + "sleep 9");
  EXPECT_EQ(large.code, 194);
  EXPECT_THAT(large.said, HasSubstr(over));
}

/// As of a subvolume: another device, and no mount.
TEST_F(P11_disk_init, leaves_a_tree_at_mounts_and_not_where_the_device_changes) {
  const auto overlay = [&] {
    for (const char* folder : {"low", "up", "merged"}) fs::create_directories(at(folder));
    for (const char* folder : {"low", "up"}) {
      if (::mount("none", at(folder).c_str(), "tmpfs", 0, nullptr) != 0) ::_exit(93);
    }
    fs::create_directories(at("up/u"));
    fs::create_directories(at("up/w"));
    const std::string layers = "lowerdir=" + at("low").string() +
                               ",upperdir=" + at("up/u").string() +
                               ",workdir=" + at("up/w").string();
    if (::mount("none", at("merged").c_str(), "overlay", 0, layers.c_str()) != 0) ::_exit(92);
    fs::permissions(at("merged"), fs::perms(0777));
  };
  const auto merged = at("merged");
  const std::string devices = "true > f; [ $(stat -c %d f) != $(stat -c %d .) ] || exit 7; ";
  EXPECT_EQ(run(merged, merged, devices + "sleep 0.4", overlay).code, 0);
  EXPECT_EQ(
      run(merged, merged, devices + mebibytes(2, "f") + mebibytes(2, "g") + "sleep 9", overlay)
          .code,
      194);
  const auto same_disk = [&] {
    fs::create_directories(at("tree/mnt"));
    if (::mount(at("beside").c_str(), at("tree/mnt").c_str(), nullptr, MS_BIND, nullptr) != 0) {
      ::_exit(91);
    }
  };
  EXPECT_EQ(
      run(at("tree"), at("beside"), mebibytes(2, "f") + mebibytes(2, "g") + "sleep 0.4", same_disk)
          .code,
      0);
}

TEST_F(P11_disk_init, refuses_what_it_cannot_watch_and_names_it) {
  fs::create_directories(out() / "real/below");
  fs::create_symlink("real", out() / "link");
  std::ofstream(out() / "file") << "x";
  for (const char* path : {"link", "link/below", "file", "gone"}) {
    const auto refused = run(out() / path, out(), "echo ran");
    EXPECT_EQ(refused.code, 125) << path;
    EXPECT_THAT(refused.said, HasSubstr("cannot watch"));
    EXPECT_THAT(refused.said, HasSubstr((out() / path).string()));
    EXPECT_THAT(refused.said, testing::Not(HasSubstr("ran\n")));
  }
  EXPECT_EQ(run(out() / "real/below", out(), "true").code, 0);
  fs::permissions(out() / "real", fs::perms(0700));
  EXPECT_EQ(run(out() / "real/below", out(), "true").code, 0) << "nor can the command go there";
  const auto covered = run(out(), out(), "true", [&] {
    if (::mount(at("beside").c_str(), out().c_str(), nullptr, MS_BIND, nullptr) != 0) ::_exit(90);
  });
  EXPECT_EQ(covered.code, 125) << "it lies over what is beside the marker's folder";
  EXPECT_THAT(covered.said, HasSubstr("something is mounted below " + at("box").string()));
}

TEST_F(P11_disk_init, is_not_kept_from_looking) {
  const auto blind =
      run("prlimit --pid 1 --nofile=0:0; " + mebibytes(2, "f") + mebibytes(2, "g") + "sleep 9");
  EXPECT_EQ(blind.code, 194);
  EXPECT_THAT(blind.said, HasSubstr("parts were missed by each look"));
}

TEST_F(RUN5_memory_init, says_what_the_kernel_counted_since_the_start) {
  for (const std::string file : {"memory.events", "memory/memory.oom_control"}) {
    SCOPED_TRACE(file);
    const auto killed = run_counting(file, one_more + "kill -9 $$");
    EXPECT_EQ(killed.code, 137);
    EXPECT_EQ(killed.said, starved);
    EXPECT_EQ(run_counting(file, one_more + "exit 3").said, starved);
    EXPECT_EQ(run_counting(file, one_more).said, "") << "of what succeeded";
    EXPECT_EQ(run_counting(file, "kill -9 $$").said, "") << "it killed nothing";
  }
}

TEST_F(RUN5_memory_init, says_nothing_where_the_kernel_does_not_tell) {
  const auto without = run_counting("", "kill -9 $$");
  EXPECT_EQ(without.code, 137);
  EXPECT_EQ(without.said, "");
  const auto later =
      run_counting("other/file", "cp $kills $(dirname $kills)/../memory.events; exit 3");
  EXPECT_EQ(later.code, 3);
  EXPECT_EQ(later.said, "") << "it did not tell at the start";
}
