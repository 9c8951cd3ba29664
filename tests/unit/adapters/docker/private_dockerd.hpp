#pragma once
// A container engine that a test owns, may freeze and may kill. It lies below a temporary
// directory and dies with the test.

#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace private_engine {

inline bool poll_until(const std::function<bool()>& ready, int seconds = 30) {
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (!ready()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

class dockerd {
 public:
  dockerd() {
    std::string pattern = (std::filesystem::temp_directory_path() / "reeve-de-XXXXXX").string();
    if (mkdtemp(pattern.data())) dir_ = pattern;
  }
  ~dockerd() {
    stop();
    unmount_leftovers();
    std::error_code ignored;
    std::filesystem::remove_all(dir_, ignored);
  }
  dockerd(const dockerd&) = delete;
  dockerd& operator=(const dockerd&) = delete;

  std::string socket() const { return dir_ + "/e.sock"; }

  /// True once the engine accepts connections.
  bool start() {
    std::vector<std::string> words{"dockerd",
                                   "--data-root",
                                   dir_ + "/data",
                                   "--exec-root",
                                   dir_ + "/exec",
                                   "-H",
                                   "unix://" + socket(),
                                   "-p",
                                   dir_ + "/pid",
                                   "--bridge=none",
                                   "--iptables=false",
                                   "--ip-forward=false",
                                   "--ip-masq=false",
                                   "--live-restore"};
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    auto log = dir_ + "/log";
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGTERM);
      if (!std::freopen(log.c_str(), "a", stderr)) _exit(1);
      dup2(STDERR_FILENO, STDOUT_FILENO);
      execvp(argv[0], argv.data());
      _exit(127);
    }
    return poll_until([this] { return accepts(); });
  }
  void signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);
  }
  /// As a crash: the engine and its containerd are gone, what they ran goes on.
  void crash() {
    signal(SIGKILL);
    reap();
    auto containerd_file = dir_ + "/exec/containerd/containerd.pid";
    std::ifstream file{containerd_file};
    pid_t containerd = 0;
    if (file >> containerd && containerd > 1) {
      ::kill(containerd, SIGKILL);
      poll_until([&] { return !alive(containerd); });
    }
    // A new engine takes a zombie for a containerd that still runs, and waits for it in vain.
    std::filesystem::remove(containerd_file);
    std::filesystem::remove(dir_ + "/pid");
    std::filesystem::remove(socket());
  }
  void stop() {
    signal(SIGCONT);
    signal(SIGTERM);
    reap();
  }

 private:
  bool accepts() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket().c_str(), sizeof address.sun_path - 1);
    int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return good;
  }
  /// A zombie counts as gone: it is not our child, so nobody here can reap it.
  static bool alive(pid_t pid) {
    std::ifstream stat{"/proc/" + std::to_string(pid) + "/stat"};
    std::string number, name, state;
    return static_cast<bool>(stat >> number >> name >> state) && state != "Z";
  }
  /// After a crash the engine forgets mounts of its first life.
  void unmount_leftovers() const {
    std::ifstream mounts{"/proc/self/mounts"};
    std::vector<std::string> ours;
    for (std::string device, at, rest; mounts >> device >> at && std::getline(mounts, rest);) {
      if (at.starts_with(dir_ + "/")) ours.push_back(at);
    }
    for (auto at = ours.rbegin(); at != ours.rend(); ++at) umount2(at->c_str(), MNT_DETACH);
  }
  void reap() {
    if (pid_ <= 0) return;
    bool ended = poll_until([this] { return waitpid(pid_, nullptr, WNOHANG) != 0; });
    if (!ended) {
      ::kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    pid_ = 0;
  }

  std::string dir_;
  pid_t pid_ = 0;
};

}  // namespace private_engine
