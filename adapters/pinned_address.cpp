#include "adapters/pinned_address.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>

namespace reeve::adapters {
namespace {

bool is_host_v4(std::uint32_t address) {
  const auto first = address >> 24;
  const bool is_link_local = address >> 16 == 0xa9fe;
  // 0/8 is this network; from 224 on there are groups, and what is reserved.
  return first != 0 && first < 224 && !is_link_local;
}

bool is_host_v6(const in6_addr& address) {
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    std::uint32_t v4 = 0;
    std::memcpy(&v4, &address.s6_addr[12], sizeof v4);
    return is_host_v4(ntohl(v4));
  }
  return !IN6_IS_ADDR_UNSPECIFIED(&address) && !IN6_IS_ADDR_MULTICAST(&address) &&
         !IN6_IS_ADDR_LINKLOCAL(&address) && !IN6_IS_ADDR_SITELOCAL(&address);
}

std::string text_of(const sockaddr& address, socklen_t size) {
  std::array<char, NI_MAXHOST> host{};
  if (::getnameinfo(&address, size, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) != 0) {
    return {};
  }
  return host.data();
}

using address_list = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

address_list addresses_of(const std::string& host, std::uint16_t port, int flags) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found) != 0) {
    found = nullptr;
  }
  return {found, ::freeaddrinfo};
}

outcome<pinned_address> pin(const addrinfo& first) {
  for (const auto* one = &first; one != nullptr; one = one->ai_next) {
    if (!is_host_address(*one->ai_addr)) {
      return reject(errc::invalid, "the host has an address that nothing is sent to");
    }
  }
  pinned_address pinned;
  std::memcpy(&pinned.where, first.ai_addr, first.ai_addrlen);
  pinned.size = first.ai_addrlen;
  pinned.text = text_of(*first.ai_addr, first.ai_addrlen);
  return pinned;
}

}  // namespace

bool is_host_address(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return is_host_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address.sa_family != AF_INET6) return false;
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof v6);
  return is_host_v6(v6.sin6_addr);
}

bool pinned_address::is_loopback() const {
  if (where.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &where, sizeof v4);
    return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &where, sizeof v6);
  return where.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

bool pinned_address::operator==(const pinned_address& other) const {
  return size == other.size && std::memcmp(&where, &other.where, size) == 0;
}

pinned_address pinned_address::at_port(std::uint16_t port) const {
  auto made = *this;
  // Both families have it in one place.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  const in_port_t bytes = htons(port);
  std::memcpy(reinterpret_cast<char*>(&made.where) + offsetof(sockaddr_in, sin_port), &bytes,
              sizeof bytes);
  return made;
}

outcome<pinned_address> pin_address(const std::string& host, std::uint16_t port) {
  const auto all = addresses_of(host, port, 0);
  if (!all) return reject(errc::unavailable, "the host has no address");
  return pin(*all);
}

std::optional<outcome<pinned_address>> pin_numeric(const std::string& host, std::uint16_t port) {
  const auto all = addresses_of(host, port, AI_NUMERICHOST);
  if (!all) return std::nullopt;
  return pin(*all);
}

}  // namespace reeve::adapters
