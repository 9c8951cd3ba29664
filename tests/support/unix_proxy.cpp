#include "tests/support/unix_proxy.hpp"

#include "tests/support/eventually.hpp"

#include <cstring>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace support {
namespace {

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  return address;
}

bool send_all(int to, const char* bytes, ssize_t size) {
  while (size > 0) {
    const auto sent = ::send(to, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    size -= sent;
  }
  return true;
}

}  // namespace

unix_proxy::unix_proxy(std::filesystem::path at, std::filesystem::path target)
    : at_(std::move(at)), target_(std::move(target)) {
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = address_of(at_);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(at_.c_str(), 0777) != 0 || ::listen(listener_, 64) != 0) {
    throw std::runtime_error("the proxy cannot listen at " + at_.string());
  }
  acceptor_ = std::thread([this] { accept_all(); });
}

unix_proxy::~unix_proxy() {
  stopping_ = true;
  acceptor_.join();
  for (auto& one : relays_) one.join();
  ::close(listener_);
  ::unlink(at_.c_str());
}

void unix_proxy::delay_next(const std::string& first_line, std::chrono::milliseconds delay) {
  const std::lock_guard lock(mutex_);
  late_ = late_request{std::regex(first_line), delay};
  met_ = handed_on_ = false;
}

void unix_proxy::cut_off() {
  refuses_ = true;
  ++cuts_;
}

void unix_proxy::accept_all() {
  while (!stopping_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (::poll(&waiting, 1, 20) <= 0) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = address_of(target_);
    if (refuses_ ||
        ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::close(client);
      ::close(server);
      continue;
    }
    relays_.emplace_back([this, client, server] { relay(client, server); });
  }
}

void unix_proxy::hold_back(const std::string& first_bytes) {
  std::chrono::milliseconds delay{0};
  {
    const std::lock_guard lock(mutex_);
    const auto line = first_bytes.substr(0, first_bytes.find("\r\n"));
    if (!late_ || !std::regex_search(line, late_->first_line)) return;
    delay = std::exchange(late_, std::nullopt)->delay;
  }
  met_ = true;
  eventually(delay, [this] { return stopping_.load(); });
  handed_on_ = true;
}

void unix_proxy::relay(int client, int server) {
  const int cuts = cuts_;
  std::vector<char> buffer(65536);
  bool is_first = true, open = true;
  while (open && !stopping_ && cuts == cuts_) {
    pollfd ends[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    if (::poll(ends, 2, 20) <= 0) continue;
    for (int i = 0; i < 2 && open; ++i) {
      if (ends[i].revents == 0) continue;
      const auto size = ::read(ends[i].fd, buffer.data(), buffer.size());
      if (i == 0 && size > 0 && std::exchange(is_first, false)) {
        hold_back({buffer.data(), static_cast<std::size_t>(size)});
      }
      open = size > 0 && send_all(ends[1 - i].fd, buffer.data(), size);
    }
  }
  ::close(client);
  ::close(server);
}

}  // namespace support
