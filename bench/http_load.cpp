#include "bench/http_load.hpp"

#include "bench/support.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace reeve::bench {
namespace {

/// The answer's length in bytes, once its head is complete; nothing before.
std::optional<std::size_t> length_of(std::string_view in) {
  const auto end = in.find("\r\n\r\n");
  if (end == in.npos) return std::nullopt;
  constexpr std::string_view name = "Content-Length: ";
  const auto at = in.find(name);
  std::size_t body = 0;
  if (at != in.npos && at < end) {
    const auto* from = in.data() + at + name.size();
    std::from_chars(from, in.data() + end, body);
  }
  return end + 4 + body;
}

int status_of_head(std::string_view in) {
  int status = 0;
  if (in.size() > 12) std::from_chars(in.data() + 9, in.data() + 12, status);
  return status;
}

}  // namespace

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    give_up("the server does not accept connections");
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) give_up("the server closed the connection");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

http_client::~http_client() {
  if (fd_ >= 0) ::close(fd_);
}

http_client::http_client(http_client&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), in_(std::move(other.in_)) {}

std::optional<http_answer> http_client::receive() {
  std::array<char, 65536> bytes;
  const auto count = ::recv(fd_, bytes.data(), bytes.size(), 0);
  if (count <= 0) give_up("the server closed a connection");
  in_.append(bytes.data(), static_cast<std::size_t>(count));
  const auto length = length_of(in_);
  if (!length || in_.size() < *length) return std::nullopt;
  const auto end = in_.find("\r\n\r\n") + 4;
  http_answer answer{status_of_head(in_), in_.substr(0, end), in_.substr(end, *length - end)};
  in_.erase(0, *length);
  return answer;
}

http_answer ask(std::uint16_t port, const std::string& request) {
  http_client client(port);
  client.send(request);
  for (;;) {
    if (auto answer = client.receive()) return *std::move(answer);
  }
}

load_result load(std::uint16_t port, int connections, double seconds,
                 const std::function<const std::string&()>& next) {
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<http_client> clients;
  for (int i = 0; i < connections; ++i) {
    clients.emplace_back(port);
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.u64 = static_cast<std::uint64_t>(i);
    ::epoll_ctl(poll, EPOLL_CTL_ADD, clients.back().fd(), &wanted);
  }
  load_result result;
  const auto begin = mono_us();
  const auto end = begin + static_cast<std::int64_t>(seconds * 1e6);
  for (auto& c : clients) c.send(next());
  std::size_t open = clients.size();
  std::array<epoll_event, 64> events;
  while (open > 0) {
    const int ready = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), 10'000);
    if (ready <= 0 && errno != EINTR) give_up("the server does not answer");
    const auto now = mono_us();
    for (int i = 0; i < ready; ++i) {
      auto& c = clients[events[static_cast<std::size_t>(i)].data.u64];
      const auto answer = c.receive();
      if (!answer) continue;
      if (answer->status != 200) give_up("an answer was not 200: " + answer->head);
      ++result.answered;
      if (now < end) {
        c.send(next());
      } else {
        --open;
      }
    }
  }
  result.seconds = static_cast<double>(mono_us() - begin) / 1e6;
  ::close(poll);
  return result;
}

}  // namespace reeve::bench
