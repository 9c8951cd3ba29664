// The tests' own tools: that a killed cluster and a killed engine are really gone and come back,
// that what a test leaves in an engine is removed, that the HTTP client believes nothing, and that
// the shell's functions, which ./run uses as well, see what ends.

#include "tests/support/engine.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/pg.hpp"
#include "tests/support/private_cluster.hpp"
#include "tests/support/server.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;

/// Answers one connection with fixed bytes and closes it.
class canned_server {
 public:
  explicit canned_server(std::string bytes)
      : folder_(support::work_dir(), "can"), fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd_, 1), 0);
    thread_ = std::thread([this, bytes] {
      const int peer = ::accept(fd_, nullptr, nullptr);
      if (peer < 0) return;
      EXPECT_EQ(::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(bytes.size()));
      ::shutdown(peer, SHUT_WR);
      // Until the client has closed: a close with unread bytes would be a reset.
      char rest[512];
      while (::recv(peer, rest, sizeof rest, 0) > 0) {
      }
      ::close(peer);
    });
  }
  ~canned_server() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  support::endpoint address() const { return {0, path()}; }

 private:
  std::string path() const { return (folder_.path() / "s").string(); }

  support::scratch_dir folder_;
  int fd_;
  std::thread thread_;
};

}  // namespace

TEST(harness_http, reads_chunked_and_sized_bodies) {
  const canned_server server(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n"
      "0\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nX-A: 1\r\n\r\n{}");
  support::http_connection connection(server.address());
  EXPECT_EQ(connection.receive().body, "abc0123456789");
  const auto second = connection.receive();
  EXPECT_EQ(second.status, 404);
  EXPECT_EQ(second.header("x-a"), "1");
  EXPECT_TRUE(second.json().is_object());
  EXPECT_TRUE(connection.closed_by_peer(2s));
}

TEST(harness_http, never_takes_a_cut_answer_for_a_whole_one) {
  for (const char* cut : {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "HTTP/1.1 200",
                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
    const canned_server server(cut);
    support::http_connection connection(server.address());
    EXPECT_THROW(connection.receive(), support::http_closed) << cut;
  }
}

TEST(harness_http, reads_server_sent_events_over_any_cuts) {
  const canned_server server(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "8\r\nid: 1\nda\r\n12\r\nta: a\ndata: b\n\n:k\n\r\n12\r\n\nevent: "
      "e\ndata:c\n\n\r\n0\r\n\r\n");
  support::sse_reader reader(server.address(), {});
  EXPECT_EQ(reader.next(2s), (support::sse_event{"1", "message", "a\nb"}));
  EXPECT_EQ(reader.next(2s), (support::sse_event{"", "e", "c"}));
  EXPECT_EQ(reader.next(2s), std::nullopt);
  EXPECT_EQ(reader.comments(), 1);
  EXPECT_TRUE(reader.ended());
}

TEST(harness_cluster, survives_a_kill_with_what_was_committed) {
  support::private_cluster cluster;
  const std::string url = cluster.create_database("kept");
  support::pg before(url);
  before.exec("CREATE TABLE t AS SELECT 7 AS n");
  cluster.kill_hard();
  EXPECT_FALSE(cluster.running());
  EXPECT_THROW(before.query("SELECT 1"), support::pg_error);
  cluster.start({"synchronous_commit=off"});
  support::pg after(url);
  EXPECT_EQ(after.number("SELECT n FROM t"), 7);
  EXPECT_EQ(after.cell("SHOW synchronous_commit"), "off");
}

TEST(harness_engine, is_killed_and_comes_back_with_its_containers) {
  support::private_dockerd dockerd;
  const support::engine engine = dockerd.api();
  const std::string id = engine.create(
      "kept",
      {{"Image", "localhost:1/box:1"}, {"Cmd", {"sleep", "600"}}, {"Labels", {{"a", "b"}}}});
  engine.start(id);
  const pid_t inside = engine.inspect(id)["State"]["Pid"];
  dockerd.kill_hard();
  EXPECT_FALSE(engine.answers());
  EXPECT_TRUE(support::process_runs(inside));
  dockerd.start();
  EXPECT_EQ(engine.inspect(id)["State"]["Pid"], inside);
  engine.remove_labelled("a=other");
  EXPECT_TRUE(engine.exists(id));
  engine.remove_labelled("a=b");
  EXPECT_FALSE(engine.exists(id));
  EXPECT_FALSE(support::process_runs(inside));
}

/// Bash forgets a child that a signal ended while another command ran, and `wait -n` with it.
/// What killed clusters leave there would fill the machine's memory, run after run.
TEST(harness_cluster, leaves_its_memory_to_nobody) {
  std::ifstream mounts("/proc/self/mountinfo");
  std::string newest;
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(" /dev/shm ") != std::string::npos) newest = line;
  }
  EXPECT_THAT(newest, testing::HasSubstr(" - tmpfs reeve-test ")) << "./test makes one of its own";
}

TEST(OPS1_shell, sees_the_end_of_what_a_signal_ended_meanwhile) {
  const std::string script = R"(. "$0"
    (exec sleep 60) & killed=$!
    (exec sleep 60) & other=$!
    kill -KILL "$killed"
    wait_until 10 is_gone "$killed"
    await_end "$other" "$killed"
    wait "$ENDED_PID"
    echo "status $?"
    [ "$ENDED_PID" = "$killed" ] && echo "the killed one"
    kill "$other")";
  support::process_options options{{"bash", "-c", script, support::shell_library()}};
  options.drop_privileges = false;
  const auto told = support::run_to_end(options, 20s);
  EXPECT_NE(told.output.find("status 137\nthe killed one\n"), std::string::npos) << told.output;
}

/// Whose server it is that has the folder: ./run removes the address of none that works, and sends
/// the token to none that has left.
TEST(OPS1_shell, knows_a_server_that_works_with_a_folder) {
  const support::scratch_dir folder(support::work_dir(), "s");
  const std::string script = R"(. "$0"
    cd "$1" || exit
    leads() { if leads_at "" "$PWD" "$1"; then echo yes; else echo no; fi; }
    echo http://here >endpoint
    leads http://here
    : >server-id
    leads http://here
    forget_endpoint "" "$PWD" && [ ! -e endpoint ] && echo forgotten
    echo http://here >endpoint
    exec 7>server-id
    flock 7
    leads http://here
    leads http://there
    forget_endpoint "" "$PWD" || cat endpoint
    exec 7>&-
    leads http://here)";
  support::process_options options{
      {"bash", "-c", script, support::shell_library(), folder.path().string()}};
  options.drop_privileges = false;
  const auto told = support::run_to_end(options, 20s);
  EXPECT_EQ(told.output, "no\nno\nforgotten\nyes\nno\nhttp://here\nno\n");
}

/// A proxy would see the token.
TEST(OPS1_shell, asks_a_server_of_this_machine_through_no_proxy) {
  support::server reeve;
  const auto url = "http://127.0.0.1:" + std::to_string(reeve.address().port);
  support::process_options options{{"bash", "-c", R"(. "$0"; curl_here -o /dev/null "$1/livez")",
                                    support::shell_library(), url}};
  options.set = {{"http_proxy", "http://127.0.0.1:1"}, {"ALL_PROXY", "http://127.0.0.1:1"}};
  options.drop_privileges = false;
  const auto told = support::run_to_end(options, 20s);
  EXPECT_EQ(told.status, 0) << told.output;
}

/// A reader of the engine's log is not the engine.
TEST(OPS1_shell, stops_nobody_who_only_names_a_folder_that_others_know) {
  const support::scratch_dir folder(support::work_dir(), "s");
  const std::string script = R"sh(. "$0"
    folder=$1
    : >"$folder/log"
    tail -f "$folder/log" >/dev/null & reader=$!
    is_found() { [ "$(pids_below "$folder")" = "$reader" ];
}
    wait_until 10 is_found && echo named
    stop_all_below "$1" 'dockerd|containerd.*' && is_running "$reader" && echo left alone
    stop_all_below "$1" && is_gone "$reader" && echo stopped)sh";
  support::process_options options{
      {"bash", "-c", script, support::shell_library(), folder.path().string()}};
  options.drop_privileges = false;
  const auto told = support::run_to_end(options, 20s);
  EXPECT_THAT(told.output, ::testing::HasSubstr("named\nleft alone\n"));
  EXPECT_THAT(told.output, ::testing::EndsWith("stopped\n"));
}

/// Ctrl-C comes while ./run waits for the ends of its children, and then it stops what it
/// started.
TEST(OPS1_shell, is_heard_when_a_signal_ends_its_quiet_wait) {
  const std::string script = R"(. "$0"
    (exec sleep 60) & killed=$!
    (exec sleep 60) & other=$!
    kill -KILL "$killed"
    await_status "$other" "$killed"
    echo "status $?"
    finish() {
      trap - EXIT TERM
      speak_up
      note "what went wrong"
      kill "$other"
    }
    trap finish EXIT
    trap exit TERM
    is_gone() { kill -TERM $$; false; }
    await_status "$other")";
  support::process_options options{{"bash", "-c", script, support::shell_library()}};
  options.drop_privileges = false;
  const auto told = support::run_to_end(options, 20s);
  EXPECT_EQ(told.output, "status 137\nwhat went wrong\n");
}

TEST(OPS1_shell, tells_an_option_without_its_value_as_any_wrong_usage) {
  for (const auto& [words, wanted] :
       {std::pair{"run --data", "run: --data needs a folder\n"},
        std::pair{"run --no-build --listen ''", "run: --listen needs HOST:PORT\n"}}) {
    support::process_options options{
        {"bash", "-c", "cd \"${0%/*}/..\" && eval \"./$1\"", support::shell_library(), words}};
    options.drop_privileges = false;
    const auto told = support::run_to_end(options, 20s);
    EXPECT_EQ(told.status, 2) << words;
    EXPECT_EQ(told.output, wanted);
  }
}
