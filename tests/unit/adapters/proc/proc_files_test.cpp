// What the kernel says of processes: sockets, control groups, names; as text, and of this process.

#include "adapters/proc/proc_files.hpp"

#include "adapters/proc/proc_net.hpp"

#include <arpa/inet.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace reeve;
using namespace reeve::adapters;

// Addresses as kernels of little-endian machines write them, which are all that Reeve is built for.
const std::string head =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout\n";
const std::string rest = " 00000000:00000000 00:00000000 00000000  1000        0 12345 1\n";

std::vector<net_socket> sockets_in(const std::string& lines) {
  net_sockets into;
  parse_sockets(head + lines, into);
  return into.all;
}

const std::string id_a(64, 'a');
const std::string id_b(64, 'b');

}  // namespace

TEST(RUN10_sockets, are_read_from_the_kernels_table) {
  const auto all = sockets_in("   0: 00000000:1F90 00000000:0000 0A" + rest +
                              "   1: 020011AC:1F90 030011AC:C350 01" + rest +
                              "   2: 020011AC:D431 0100000A:1538 06" + rest);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0], (net_socket{"0.0.0.0", 8080, "0.0.0.0", 0, true, false}));
  EXPECT_EQ(all[1], (net_socket{"172.17.0.2", 8080, "172.17.0.3", 50000, false, true}));
  EXPECT_EQ(all[2], (net_socket{"172.17.0.2", 54321, "10.0.0.1", 5432, false, false}));
}

TEST(RUN10_sockets, of_ipv6_are_read_and_ipv4_in_its_clothes_is_ipv4) {
  const auto all = sockets_in(
      "   0: 00000000000000000000000001000000:0050 "
      "00000000000000000000000000000000:0000 0A" +
      rest +
      "   1: 0000000000000000FFFF0000020011AC:1F90 "
      "0000000000000000FFFF0000030011AC:C350 01" +
      rest +
      "   2: B80D0120000000000000000002000000:0050 "
      "B80D0120000000000000000003000000:C350 01" +
      rest);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].local, "::1");
  EXPECT_EQ(all[1].local, "172.17.0.2");
  EXPECT_EQ(all[1].remote, "172.17.0.3");
  EXPECT_EQ(all[2].remote, "2001:db8::3");
}

TEST(RUN10_sockets, lines_that_are_none_are_left_out) {
  for (const char* line :
       {"", "\n", "   0:", "   0: 0100007F:1F90\n", "   0: 0100007F 00000000:0 1",
        "   0: 0100007G:1F90 00000000:0000 0A\n", "x 0100007F:1F90 00:00 0A\n",
        "   0: 0100007F:FFFFF 00000000:0000 0A\n"}) {
    EXPECT_TRUE(sockets_in(line).empty()) << line;
  }
  net_sockets many;
  const std::string line = "   0: 0100007F:1F90 00000000:0000 0A" + rest;
  std::string table;
  for (std::size_t i = 0; i < max_sockets + 5; ++i) table += line;
  parse_sockets(table, many);
  EXPECT_EQ(many.all.size(), max_sockets);
  EXPECT_TRUE(many.truncated);
}

TEST(RUN10_groups, name_the_innermost_container) {
  EXPECT_EQ(container_in_groups("0::/system.slice/docker-" + id_a + ".scope\n"), id_a);
  EXPECT_EQ(container_in_groups("12:pids:/docker/" + id_a + "\n1:name=systemd:/docker/" + id_a),
            id_a);
  EXPECT_EQ(container_in_groups("0::/docker/" + id_a + "/init.scope\n"), id_a);
  EXPECT_EQ(container_in_groups("0::/../" + id_a + "\n"), id_a);
  EXPECT_EQ(container_in_groups("0::/docker/" + id_a + "/docker/" + id_b + "\n"), id_b);
  EXPECT_EQ(container_in_groups("2:cpu:/docker/" + id_a + "\n1:pids:/docker/" + id_b + "\n"), "");
  EXPECT_EQ(container_in_groups("2:cpu:/docker/" + id_a + "\n1:pids:/docker/" + id_a + "/docker/" +
                                id_b + "\n0::/\n"),
            id_b)
      << "one that the inner engine does not use";
  EXPECT_EQ(container_in_groups("0::/user.slice/session-1.scope\n"), "");
  EXPECT_EQ(container_in_groups("0::/docker/" + id_a + "a\n"), "") << "65 digits are no id";
  EXPECT_EQ(container_in_groups(""), "");
}

TEST(RUN10_proc, tells_of_this_process_and_of_none_that_is_not_there) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  socklen_t size = sizeof at;
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size), 0);
  const proc_files proc;
  const auto sockets = proc.sockets_of(::getpid());
  ASSERT_TRUE(sockets) << sockets.error().detail;
  EXPECT_TRUE(std::any_of(sockets->all.begin(), sockets->all.end(), [&](const auto& one) {
    return one.is_listening && one.local == "127.0.0.1" && one.local_port == ::ntohs(at.sin_port);
  }));
  ::close(listener);
  EXPECT_TRUE(proc.groups_of(::getpid()));
  EXPECT_FALSE(proc.name_of(::getpid())->empty());
  for (const auto& code :
       {proc.groups_of(999'999'999).error().code, proc.sockets_of(999'999'999).error().code}) {
    EXPECT_EQ(code, errc::not_found);
  }
}

TEST(RUN10_proc, reads_a_kernel_without_ipv6) {
  const auto root = std::filesystem::temp_directory_path() / ("proc-" + std::to_string(::getpid()));
  std::filesystem::create_directories(root / "7" / "net");
  std::ofstream(root / "7" / "net" / "tcp")
      << head << "   0: 00000000:1F90 00000000:0000 0A" << rest;
  const auto sockets = proc_files(root).sockets_of(7);
  ASSERT_TRUE(sockets);
  EXPECT_EQ(sockets->all.size(), 1U);
  std::filesystem::remove_all(root);
}
