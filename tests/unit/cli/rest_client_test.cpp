// UI2: the HTTP client below the commands takes no more than it was told to, and waits no longer.

#include "adapters/rest_client.hpp"

#include "tests/unit/cli/client_peer.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace reeve;
using namespace client_peer;

TEST(UI2_rest_client, bounds_what_it_takes_and_sends) {
  peer p({http(200, std::string(4096, 'x')), http(500, std::string(4096, 'x'))});
  adapters::rest_request request;
  request.url = p.url();
  request.max_bytes = 4095;
  auto answer = adapters::call_rest(request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, errc::too_large);
  answer = adapters::stream_rest(request, [](std::string_view) { return true; });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, errc::too_large);
  request.token = "a\r\nX-Other: b";
  EXPECT_EQ(adapters::call_rest(request).error().code, errc::invalid);
}

TEST(UI2_rest_client, gives_up_on_a_silent_server) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&at), size), 0);
  ASSERT_EQ(::listen(fd, 1), 0);
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size), 0);
  adapters::rest_request request;
  request.url = "http://127.0.0.1:" + std::to_string(ntohs(at.sin_port));
  request.timeout_s = 1;
  const auto answer = adapters::call_rest(request);
  ::close(fd);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, errc::timed_out);
}
