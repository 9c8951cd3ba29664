#include "tests/support/http.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

namespace support {

namespace {

using steady = std::chrono::steady_clock;
constexpr std::size_t largest_body = 256U << 20U;

[[noreturn]] void fail(const char* doing) {
  throw http_error(std::string(doing) + ": " + std::generic_category().message(errno));
}

void wait_for(int fd, short what, steady::time_point end, const char* doing) {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - steady::now()).count();
    pollfd entry{fd, what, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::max<long>(left, 0)));
    if (ready > 0) return;
    if (ready == 0) throw http_timeout(std::string("no progress in time while ") + doing);
    if (errno != EINTR) fail(doing);
  }
}

int open_socket(const endpoint& to, steady::time_point end) {
  sockaddr_storage address{};
  socklen_t length = 0;
  if (to.path.empty()) {
    auto& in = reinterpret_cast<sockaddr_in&>(address);
    in.sin_family = AF_INET;
    in.sin_port = htons(static_cast<std::uint16_t>(to.port));
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    length = sizeof in;
  } else {
    auto& un = reinterpret_cast<sockaddr_un&>(address);
    un.sun_family = AF_UNIX;
    if (to.path.size() >= sizeof un.sun_path) throw http_error("path too long: " + to.path);
    std::memcpy(un.sun_path, to.path.c_str(), to.path.size() + 1);
    length = sizeof un;
  }
  const int fd = ::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("opening a socket");
  try {
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), length) != 0) {
      if (errno != EINPROGRESS && errno != EAGAIN) fail("connecting");
      wait_for(fd, POLLOUT, end, "connecting");
      int error = 0;
      socklen_t size = sizeof error;
      ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) {
        errno = error;
        fail("connecting");
      }
    }
  } catch (...) {
    ::close(fd);
    throw;
  }
  const int on = 1;
  if (to.path.empty()) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

std::string trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return std::string(text.substr(from, text.find_last_not_of(" \t") - from + 1));
}

std::size_t number_in(std::string_view text, int base, const char* what) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || value > largest_body) {
    throw http_error("bad " + std::string(what) + ": '" + std::string(text) + "'");
  }
  return value;
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

endpoint endpoint::from_url(std::string_view url) {
  const auto colon = url.rfind(':');
  if (!url.starts_with("http://") || colon == std::string_view::npos) {
    throw http_error("not a URL with a port: " + std::string(url));
  }
  auto port = url.substr(colon + 1);
  port = port.substr(0, port.find_first_of("/ \r\n"));
  return {static_cast<int>(number_in(port, 10, "port"))};
}

std::string http_response::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same_name(key, name)) return value;
  }
  return {};
}

std::size_t http_response::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(headers.begin(), headers.end(),
                    [&](const auto& field) { return same_name(field.first, name); }));
}

nlohmann::json http_response::json() const {
  auto parsed = nlohmann::json::parse(body, nullptr, false);
  if (parsed.is_discarded()) {
    throw http_error("status " + std::to_string(status) + " with a body that is no JSON: " + body);
  }
  return parsed;
}

http_connection::http_connection(const endpoint& to, std::chrono::milliseconds deadline)
    : fd_(open_socket(to, steady::now() + deadline)) {}

http_connection::~http_connection() {
  if (fd_ >= 0) ::close(fd_);
}

http_connection::http_connection(http_connection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}

http_connection& http_connection::operator=(http_connection&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(buffer_, other.buffer_);
  return *this;
}

void http_connection::send(std::string_view bytes, std::chrono::milliseconds deadline) {
  const auto end = steady::now() + deadline;
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      wait_for(fd_, POLLOUT, end, "sending");
    } else if (errno == EPIPE || errno == ECONNRESET) {
      throw http_closed("the peer closed while we sent");
    } else if (errno != EINTR) {
      fail("sending");
    }
  }
}

/// False when the peer has closed.
bool http_connection::fill(steady::time_point end) {
  char chunk[16384];
  for (;;) {
    const auto got = ::recv(fd_, chunk, sizeof chunk, 0);
    if (got > 0) {
      buffer_.append(chunk, static_cast<std::size_t>(got));
      return true;
    }
    if (got == 0 || errno == ECONNRESET) return false;
    if (errno == EAGAIN) {
      wait_for(fd_, POLLIN, end, "reading");
    } else if (errno != EINTR) {
      fail("reading");
    }
  }
}

std::string http_connection::read_line(steady::time_point end) {
  std::size_t at = 0;
  while ((at = buffer_.find('\n')) == std::string::npos) {
    if (buffer_.size() > largest_body) throw http_error("a line without an end");
    if (!fill(end)) throw http_closed("the peer closed within a line: '" + buffer_ + "'");
  }
  std::string line = buffer_.substr(0, at);
  buffer_.erase(0, at + 1);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

std::string http_connection::read_exactly(std::size_t count, steady::time_point end) {
  while (buffer_.size() < count) {
    if (!fill(end)) throw http_closed("the peer closed within a body");
  }
  std::string out = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return out;
}

std::string http_connection::read_chunked(steady::time_point end) {
  std::string body;
  for (;;) {
    const std::string line = read_line(end);
    const std::size_t size = number_in(trimmed(line.substr(0, line.find(';'))), 16, "chunk size");
    if (size == 0) break;
    body += read_exactly(size, end);
    if (!read_line(end).empty()) throw http_error("a chunk is longer than it says");
  }
  while (!read_line(end).empty()) {
  }
  return body;
}

http_response http_connection::receive_head(std::chrono::milliseconds deadline) {
  const auto end = steady::now() + deadline;
  http_response answer;
  const std::string first = read_line(end);
  const auto space = first.find(' ');
  if (!first.starts_with("HTTP/") || space == std::string::npos || first.size() < space + 4) {
    throw http_error("not a status line: '" + first + "'");
  }
  answer.version = first.substr(0, space);
  answer.status = static_cast<int>(number_in(first.substr(space + 1, 3), 10, "status"));
  answer.reason = trimmed(first.substr(space + 4));
  for (std::string line; !(line = read_line(end)).empty();) {
    const auto colon = line.find(':');
    if (colon == std::string::npos || colon == 0) throw http_error("bad field: '" + line + "'");
    answer.headers.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
  }
  return answer;
}

http_response http_connection::receive(bool to_head, std::chrono::milliseconds deadline) {
  const auto end = steady::now() + deadline;
  http_response answer = receive_head(deadline);
  const bool bodiless =
      to_head || answer.status / 100 == 1 || answer.status == 204 || answer.status == 304;
  if (bodiless) return answer;
  if (same_name(answer.header("Transfer-Encoding"), "chunked")) {
    answer.body = read_chunked(end);
  } else if (answer.count("Content-Length") != 0) {
    answer.body =
        read_exactly(number_in(answer.header("Content-Length"), 10, "Content-Length"), end);
  } else {
    while (fill(end)) {
    }
    answer.body = std::exchange(buffer_, {});
  }
  return answer;
}

http_response http_connection::call(const http_request& request) {
  send(render(request), request.deadline);
  return receive(request.method == "HEAD", request.deadline);
}

std::string http_connection::read_some(std::chrono::milliseconds deadline) {
  if (buffer_.empty()) fill(steady::now() + deadline);
  return std::exchange(buffer_, {});
}

std::string http_connection::read_to_end(std::chrono::milliseconds deadline) {
  const auto end = steady::now() + deadline;
  while (fill(end)) {
  }
  return std::exchange(buffer_, {});
}

bool http_connection::closed_by_peer(std::chrono::milliseconds deadline) {
  try {
    read_to_end(deadline);
    return true;
  } catch (const http_timeout&) {
    return false;
  }
}

void http_connection::close_sending() {
  ::shutdown(fd_, SHUT_WR);
}

void http_connection::reset_on_close() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

std::string render(const http_request& request) {
  const auto given = [&](std::string_view name) {
    return std::any_of(request.headers.begin(), request.headers.end(),
                       [&](const auto& field) { return same_name(field.first, name); });
  };
  std::string out = request.method + " " + request.target + " HTTP/1.1\r\n";
  if (!given("Host")) out += "Host: 127.0.0.1\r\n";
  for (const auto& [name, value] : request.headers) out += name + ": " + value + "\r\n";
  if (request.body && !given("Content-Length") && !given("Transfer-Encoding")) {
    out += "Content-Length: " + std::to_string(request.body->size()) + "\r\n";
  }
  return out + "\r\n" + request.body.value_or("");
}

http_response http_call(const endpoint& to, const http_request& request) {
  return http_connection(to, request.deadline).call(request);
}

}  // namespace support
