#include "adapters/proc/proc_net.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <optional>

namespace reeve::adapters {
namespace {

constexpr std::size_t v4_digits = 8;
constexpr std::size_t v6_digits = 32;
constexpr std::int64_t state_established = 1;
constexpr std::int64_t state_listen = 10;

std::optional<std::uint32_t> hex_word(std::string_view digits) {
  std::uint32_t value = 0;
  const auto* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, value, 16);
  if (digits.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return value;
}

/// Words as they stand in memory, so their bytes are in the network's order.
std::string address_of(std::string_view digits) {
  std::array<unsigned char, 16> bytes{};
  for (std::size_t at = 0; at < digits.size(); at += 8) {
    const auto word = hex_word(digits.substr(at, 8));
    if (!word) return {};
    std::memcpy(bytes.data() + at / 2, &*word, sizeof *word);
  }
  const unsigned char* from = bytes.data();
  int family = digits.size() == v4_digits ? AF_INET : AF_INET6;
  constexpr std::array<unsigned char, 12> clothes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (family == AF_INET6 && std::equal(clothes.begin(), clothes.end(), bytes.begin())) {
    family = AF_INET;
    from += clothes.size();
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_ntop(family, from, text.data(), text.size()) == nullptr) return {};
  return text.data();
}

std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const auto word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

/// "0100007F:1538".
bool read_end(std::string_view word, std::string& address, std::int64_t& port) {
  const auto colon = word.find(':');
  if (colon != v4_digits && colon != v6_digits) return false;
  const auto number = hex_word(word.substr(colon + 1));
  address = address_of(word.substr(0, colon));
  if (!number || *number > 65'535 || address.empty()) return false;
  port = *number;
  return true;
}

std::optional<net_socket> socket_in(std::string_view line) {
  net_socket one;
  if (!next_word(line).ends_with(':')) return std::nullopt;
  if (!read_end(next_word(line), one.local, one.local_port)) return std::nullopt;
  if (!read_end(next_word(line), one.remote, one.remote_port)) return std::nullopt;
  const auto state = hex_word(next_word(line));
  if (!state) return std::nullopt;
  one.is_listening = *state == state_listen;
  one.is_established = *state == state_established;
  return one;
}

/// Containers in the path of a control group, the outermost first.
std::vector<std::string_view> ids_in(std::string_view line) {
  constexpr std::size_t id_digits = 64;
  std::vector<std::string_view> ids;
  for (std::size_t at = 0; at < line.size();) {
    const auto end = std::min(line.find_first_not_of("0123456789abcdef", at), line.size());
    if (end - at == id_digits) ids.push_back(line.substr(at, id_digits));
    at = end + 1;
  }
  return ids;
}

}  // namespace

void parse_sockets(std::string_view table, net_sockets& into) {
  while (!table.empty()) {
    const auto line = table.substr(0, table.find('\n'));
    table.remove_prefix(std::min(line.size() + 1, table.size()));
    auto one = socket_in(line);
    if (!one) continue;
    if (into.all.size() >= max_sockets) {
      into.truncated = true;
      return;
    }
    into.all.push_back(std::move(*one));
  }
}

std::string container_in_groups(std::string_view groups) {
  std::vector<std::string_view> deepest;
  while (!groups.empty()) {
    const auto line = groups.substr(0, groups.find('\n'));
    groups.remove_prefix(std::min(line.size() + 1, groups.size()));
    auto ids = ids_in(line);
    // A controller that the inner engine does not use shows the outer container only.
    const auto& shorter = ids.size() < deepest.size() ? ids : deepest;
    const auto& longer = ids.size() < deepest.size() ? deepest : ids;
    if (!std::equal(shorter.begin(), shorter.end(), longer.begin())) return {};
    if (ids.size() > deepest.size()) deepest = std::move(ids);
  }
  return deepest.empty() ? std::string() : std::string(deepest.back());
}

}  // namespace reeve::adapters
