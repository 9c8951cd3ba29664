// The way that reeve-init gives a command to the server's language models: the program itself, with
// this test at both ends of it.

#include "tests/support/eventually.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/adapters/docker/init_program.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;

/// One end of a line; closed when it goes.
class relay_end {
 public:
  explicit relay_end(int fd) : fd_(fd) {
    const timeval patience{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  relay_end(relay_end&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  relay_end(const relay_end&) = delete;
  relay_end& operator=(const relay_end&) = delete;
  ~relay_end() { close(); }

  bool is_open() const { return fd_ >= 0; }
  bool say(const std::string& text) const {
    for (std::size_t at = 0; at < text.size();) {
      const auto put = ::send(fd_, text.data() + at, text.size() - at, MSG_NOSIGNAL);
      if (put <= 0) return false;
      at += static_cast<std::size_t>(put);
    }
    return true;
  }
  void say_no_more() const { ::shutdown(fd_, SHUT_WR); }
  /// Everything until the end, or `most` bytes of it.
  std::string hear(std::size_t most = SIZE_MAX) const {
    std::string all, piece(65536, '\0');
    while (all.size() < most) {
      const auto got = ::recv(fd_, piece.data(), std::min(piece.size(), most - all.size()), 0);
      if (got <= 0) break;
      all.append(piece, 0, static_cast<std::size_t>(got));
    }
    return all;
  }
  /// That the other end closed it and said nothing, and not that nothing came in time.
  bool hears_the_end() const {
    char byte = 0;
    const auto got = ::recv(fd_, &byte, 1, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }
  /// That the other end is closed altogether.
  bool is_left() const {
    pollfd asked{fd_, 0, 0};
    return ::poll(&asked, 1, 20000) == 1 && (asked.revents & POLLHUP) != 0;
  }
  /// So that what it takes tells of the other end's.
  void bound_own_buffers() const {
    const int most = 65536;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &most, sizeof most);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &most, sizeof most);
  }
  /// Bytes that it takes while nobody reads, 64 MiB at most.
  std::size_t say_until_full() const {
    const std::string piece(65536, 'f');
    pollfd asked{fd_, POLLOUT, 0};
    std::size_t all = 0;
    while (all < (64U << 20) && ::poll(&asked, 1, 500) == 1) {
      const auto put = ::send(fd_, piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (put > 0) all += static_cast<std::size_t>(put);
    }
    return all;
  }
  /// Closes it so that the other end hears of it at once.
  void break_off() {
    const linger none{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

relay_end connect_to_port(int port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return relay_end(fd);
  ::close(fd);
  return relay_end(-1);
}

class LLM4_init : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_.path() / "box/state");
    // Where a file may be made in spite of what protects the marker.
    fs::create_directories(folder_.path() / "out");
    std::ofstream(folder_.at("init"), std::ios::binary) << init_fixture::program();
    fs::permissions(folder_.at("init"), fs::perms(0755));
  }
  void TearDown() override {
    if (init_ > 0) {
      ::kill(init_, SIGKILL);
      ::waitpid(init_, nullptr, 0);
    }
    if (server_ >= 0) ::close(server_);
    if (input_ >= 0) ::close(input_);
  }

  std::string socket_path() const { return folder_.at("s"); }

  void listen() {
    server_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    ASSERT_LT(socket_path().size(), sizeof at.sun_path);
    socket_path().copy(at.sun_path, sizeof at.sun_path - 1);
    ASSERT_EQ(::bind(server_, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    ASSERT_EQ(::listen(server_, 128), 0);
    const timeval patience{20, 0};
    ::setsockopt(server_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  relay_end accept() const { return relay_end(::accept4(server_, nullptr, nullptr, SOCK_CLOEXEC)); }

  /// Begins it with this option; the command tells the URL and lasts until its input ends. With at
  /// most so many descriptors for each process; 0: as many as this one.
  void begin(const std::string& option, rlim_t most_descriptors = 0) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    init_ = ::fork();
    if (init_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const rlimit limit{most_descriptors, most_descriptors};
      if (most_descriptors > 0) ::setrlimit(RLIMIT_NOFILE, &limit);
      ::dup2(ends[0], STDIN_FILENO);
      const auto init = folder_.at("init"), marker = folder_.at("box/state/started");
      const auto script =
          "echo \"$REEVE_LLM_URL\" > '" + folder_.at("out/url") + "'; read x; exit 7";
      ::execl(init.c_str(), init.c_str(), marker.c_str(), option.c_str(), "--", "/bin/sh", "-c",
              script.c_str(), nullptr);
      ::_exit(94);
    }
    ::close(ends[0]);
    input_ = ends[1];
  }
  void serve() {
    listen();
    begin("llm=" + socket_path());
    EXPECT_TRUE(support::eventually([this] { return url().ends_with("/llm/v1\n"); })) << url();
  }
  std::string url() const {
    std::ostringstream text;
    text << std::ifstream(folder_.at("out/url")).rdbuf();
    return text.str();
  }
  int port() const {
    return std::atoi(url().substr(std::string("http://127.0.0.1:").size()).c_str());
  }
  relay_end connect() const { return connect_to_port(port()); }

  int end() {
    ::close(std::exchange(input_, -1));
    return wait();
  }
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(init_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  /// The process beside the command; 0: there is none.
  pid_t relay() const {
    const auto own = "/proc/" + std::to_string(init_) + "/task/" + std::to_string(init_);
    std::ifstream children(own + "/children");
    for (pid_t one = 0; children >> one;) {
      std::string name;
      std::ifstream("/proc/" + std::to_string(one) + "/comm") >> name;
      if (name == "reeve-llm") return one;
    }
    return 0;
  }

  const support::temporary_folder folder_;
  pid_t init_ = 0;
  int server_ = -1;
  int input_ = -1;
};

}  // namespace

TEST_F(LLM4_init, hands_bytes_on_and_the_end_of_either_side) {
  serve();
  const auto client = connect();
  ASSERT_TRUE(client.say("ask"));
  client.say_no_more();
  auto server = accept();
  EXPECT_EQ(server.hear(), "ask");
  ASSERT_TRUE(server.say("answer")) << "the client reads on";
  server.close();
  EXPECT_EQ(client.hear(), "answer");
  const auto other = connect();
  const auto there = accept();
  ASSERT_TRUE(there.say("early"));
  EXPECT_EQ(other.hear(5), "early");
  EXPECT_EQ(end(), 7);
}

TEST_F(LLM4_init, carries_much_both_ways_at_once) {
  serve();
  const auto client = connect();
  const auto server = accept();
  const std::string up(3 << 20, 'u'), down(3 << 20, 'd');
  std::thread asks([&] { client.say(up); });
  std::thread answers([&] { server.say(down); });
  std::string got;
  std::thread hears([&] { got = server.hear(up.size()); });
  EXPECT_EQ(client.hear(down.size()), down);
  for (auto* one : {&asks, &answers, &hears}) one->join();
  EXPECT_EQ(got, up);
}

TEST_F(LLM4_init, lets_a_client_hear_the_answer_while_it_still_sends) {
  serve();
  const auto client = connect();
  std::thread answers([this] {
    auto server = accept();
    EXPECT_EQ(server.hear(1), "u");
    EXPECT_TRUE(server.say("refused"));
    server.close();
  });
  EXPECT_TRUE(client.say(std::string(8 << 20, 'u'))) << "what nobody reads is taken";
  answers.join();
  EXPECT_EQ(client.hear(), "refused");
  EXPECT_TRUE(support::eventually([&] { return !client.say("z"); })) << "not for ever";
}

TEST_F(LLM4_init, tells_the_server_when_a_client_is_gone) {
  serve();
  auto client = connect();
  const auto server = accept();
  client.close();
  EXPECT_TRUE(support::eventually([&] { return !server.say("z"); }));
}

TEST_F(LLM4_init, tells_the_server_that_a_client_who_only_listens_is_gone) {
  serve();
  auto client = connect();
  const auto server = accept();
  ASSERT_TRUE(client.say("ask"));
  client.say_no_more();
  EXPECT_EQ(server.hear(), "ask");
  client.break_off();
  EXPECT_TRUE(server.is_left()) << "without a byte of the answer";
}

TEST_F(LLM4_init, bounds_what_waits_to_be_read) {
  serve();
  const auto client = connect();
  const auto server = accept();
  client.bound_own_buffers();
  server.bound_own_buffers();
  EXPECT_LT(server.say_until_full(), 1U << 20);
}

TEST_F(LLM4_init, takes_a_free_port_if_the_usual_one_is_taken) {
  const int taken = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(9596);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // What the last test's connections left on it is no hindrance, as it is none to who serves.
  const int on = 1;
  ASSERT_EQ(::setsockopt(taken, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
  // By this test, as soon as a test beside it has let go; or by somebody else for as long.
  support::eventually([&] {
    return ::bind(taken, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 &&
           ::listen(taken, 1) == 0;
  });
  serve();
  EXPECT_NE(port(), 9596);
  EXPECT_GT(port(), 0);
  const auto client = connect();
  ASSERT_TRUE(client.say("x"));
  EXPECT_EQ(accept().hear(1), "x");
  ::close(taken);
}

TEST_F(LLM4_init, bounds_the_connections) {
  serve();
  std::vector<relay_end> held, there;
  for (int i = 0; i < 64; ++i) {
    held.push_back(connect());
    there.push_back(accept());
  }
  {
    const auto further = connect();
    ASSERT_TRUE(further.is_open());
    EXPECT_TRUE(further.hears_the_end()) << "closed at once";
  }
  held.pop_back();
  there.pop_back();
  EXPECT_TRUE(support::eventually([this] {
    const auto client = connect();
    if (!client.say("x")) return false;
    pollfd asked{server_, POLLIN, 0};
    return ::poll(&asked, 1, 200) == 1 && accept().hear(1) == "x";
  }));
}

TEST_F(LLM4_init, starts_the_way_again_when_it_is_killed) {
  serve();
  const auto first = relay();
  ASSERT_GT(first, 0);
  ::kill(first, SIGTERM);
  EXPECT_EQ(relay(), first) << "what a command sends to everybody does not end it";
  ::kill(first, SIGKILL);
  EXPECT_TRUE(support::eventually([&] { return relay() > 0 && relay() != first; }));
  const auto client = connect();
  ASSERT_TRUE(client.say("again"));
  EXPECT_EQ(accept().hear(5), "again");
  EXPECT_TRUE(support::eventually([this] {
    if (const auto one = relay(); one > 0) ::kill(one, SIGKILL);
    return !connect().is_open();
  })) << "not for ever, and then nobody waits";
  EXPECT_EQ(relay(), 0);
  EXPECT_EQ(end(), 7) << "the command goes on";
}

TEST_F(LLM4_init, gives_up_if_it_cannot_wait) {
  listen();
  begin("llm=" + socket_path(), 64);
  EXPECT_TRUE(support::eventually([this] { return url().ends_with("/llm/v1\n"); })) << url();
  EXPECT_TRUE(support::eventually([this] { return relay() == 0 && !connect().is_open(); }));
  EXPECT_EQ(end(), 7) << "the command goes on";
}

TEST_F(LLM4_init, ends_the_way_with_the_command) {
  serve();
  const int at = port();
  const auto process = relay();
  EXPECT_EQ(end(), 7);
  EXPECT_TRUE(support::eventually([at] { return !connect_to_port(at).is_open(); }));
  EXPECT_TRUE(support::eventually([process] { return ::kill(process, 0) != 0; }));
}

TEST_F(LLM4_init, closes_what_no_server_takes) {
  begin("llm=" + socket_path());
  EXPECT_TRUE(support::eventually([this] { return url().ends_with("/llm/v1\n"); }));
  const auto client = connect();
  ASSERT_TRUE(client.is_open());
  EXPECT_TRUE(client.hears_the_end());
}

TEST_F(LLM4_init, refuses_a_socket_that_can_be_none) {
  for (const auto& bad : {std::string("llm="), std::string("llm=relative/s"), std::string("llm=/s"),
                          "llm=/a/" + std::string(120, 'x')}) {
    begin(bad);
    EXPECT_EQ(wait(), 125) << bad;
    ::close(std::exchange(input_, -1));
  }
}
