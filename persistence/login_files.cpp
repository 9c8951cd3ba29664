#include "persistence/login_files.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <libpq-fe.h>
#include <memory>
#include <string_view>

namespace reeve::persistence {
namespace {

constexpr std::array files{"passfile", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslcrldir"};

std::string value_of(const PQconninfoOption* all, std::string_view keyword) {
  for (const auto* one = all; one != nullptr && one->keyword != nullptr; ++one) {
    if (one->keyword != keyword) continue;
    if (one->val != nullptr) return one->val;
    const char* value = one->envvar != nullptr ? std::getenv(one->envvar) : nullptr;
    return value != nullptr ? value : "";
  }
  return {};
}

std::vector<std::string> listed(std::string_view text) {
  std::vector<std::string> all;
  for (;;) {
    const auto one = text.substr(0, text.find(','));
    all.emplace_back(one);
    if (one.size() == text.size()) return all;
    text.remove_prefix(one.size() + 1);
  }
}

}  // namespace

std::vector<std::string> files_of_login(const std::string& url) {
  std::vector<std::string> found;
  if (url.empty()) return found;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> all(
      PQconninfoParse(url.c_str(), nullptr), &PQconninfoFree);
  for (const char* keyword : files) found.push_back(value_of(all.get(), keyword));
  // One port stands for all hosts, and none is the usual one.
  const auto ports = listed(value_of(all.get(), "port"));
  const auto hosts = listed(value_of(all.get(), "host"));
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (!hosts[i].starts_with('/')) continue;
    const auto& port = ports[std::min(i, ports.size() - 1)];
    found.push_back(hosts[i] + "/.s.PGSQL." + (port.empty() ? "5432" : port));
  }
  std::erase(found, std::string());
  return found;
}

}  // namespace reeve::persistence
