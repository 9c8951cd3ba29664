#include "api/http_address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdint>
#include <cstring>

namespace reeve::api {
namespace {

std::string text_of(int family, const void* bytes) {
  char text[INET6_ADDRSTRLEN] = {};
  return ::inet_ntop(family, bytes, text, sizeof text) == nullptr ? "unknown" : text;
}

}  // namespace

std::string share_key_of(std::string_view address) {
  const std::string text(address.substr(0, address.find('%')));
  unsigned char bytes[16] = {};
  if (::inet_pton(AF_INET, text.c_str(), bytes) == 1) return text_of(AF_INET, bytes);
  if (::inet_pton(AF_INET6, text.c_str(), bytes) != 1) return "unknown";
  // An IPv4 address as IPv6 writes it.
  constexpr unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::memcmp(bytes, mapped, sizeof mapped) == 0) return text_of(AF_INET, bytes + 12);
  std::fill(bytes + 8, bytes + 16, std::uint8_t{0});
  return text_of(AF_INET6, bytes) + "/64";
}

}  // namespace reeve::api
