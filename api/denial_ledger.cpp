#include "api/denial_ledger.hpp"

#include <algorithm>

namespace reeve::api {
namespace {

constexpr std::string_view mapped = "::ffff:";  // an IPv4 address as IPv6 writes it
constexpr const char* others = "others";        // the network or token of all who found no place

bool made_of(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == text.npos;
}

std::string network_of_v4(std::string_view address) {
  if (!made_of(address, "0123456789.")) return "unknown";
  if (std::count(address.begin(), address.end(), '.') != 3) return "unknown";
  return std::string(address.substr(0, address.rfind('.'))) + ".0/24";
}

/// The first three groups of sixteen bits; what "::" leaves out is zero.
std::string network_of_v6(std::string_view address) {
  if (!made_of(address, "0123456789abcdefABCDEF:.")) return "unknown";
  auto rest = address.substr(0, address.find("::"));
  std::string made;
  std::string zeros;  // groups that are written only if another one follows
  for (int group = 0; group < 3 && !rest.empty(); ++group) {
    const auto end = std::min(rest.find(':'), rest.size());
    zeros += made.empty() && zeros.empty() ? "" : ":";
    zeros += rest.substr(0, end);
    if (rest.substr(0, end) != "0") made += std::exchange(zeros, {});
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return made + "::/48";
}

}  // namespace

/// As Asio writes addresses.
std::string network_of(std::string_view address) {
  address = address.substr(0, address.find('%'));
  const bool v4 = address.find('.') != address.npos;
  if (v4 && address.starts_with(mapped)) address.remove_prefix(mapped.size());
  if (address.find(':') != address.npos) return network_of_v6(address);
  return network_of_v4(address);
}

std::pair<denial_ledger::place&, bool> denial_ledger::place_of(const denial& what) {
  const std::string rule(name_of(what.code));
  const auto key = [&rule](const std::string& principal) { return principal + " " + rule; };
  std::string principal =
      what.who ? what.who->principal : std::string("anonymous:") + network_of(what.peer);
  if (const auto known = places_.find(key(principal)); known != places_.end()) {
    return {known->second, false};
  }
  auto& count = what.who ? tokens_ : networks_;
  const bool full = count >= (what.who ? most_tokens : most_networks);
  if (full) principal = std::string(what.who ? "token:" : "anonymous:") + others;
  const auto [at, fresh] = places_.try_emplace(key(principal));
  if (!fresh) return {at->second, false};
  // Those who share a place are of several tenants, perhaps.
  at->second.tenant = what.who && !full ? what.who->tenant : system_tenant;
  at->second.anonymous = !what.who;
  at->second.event = {std::move(principal), rule, 0};
  at->second.since_us = clock_.mono_us();
  ++count;
  return {at->second, true};
}

void denial_ledger::note(const denial& what) {
  domain::access_denied first;
  uuid tenant;
  {
    const std::lock_guard lock(mutex_);
    const auto [at, fresh] = place_of(what);
    if (!fresh) {
      ++at.event.count;
      return;
    }
    tenant = at.tenant;
    first = at.event;
    first.count = 1;
  }
  to_(tenant, std::move(first));
}

void denial_ledger::settle(bool all) {
  std::vector<std::pair<uuid, domain::access_denied>> counted;
  {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.mono_us();
    for (auto it = places_.begin(); it != places_.end();) {
      place& at = it->second;
      if (!all && now - at.since_us < minute_us) {
        ++it;
      } else if (at.event.count == 0) {
        --(at.anonymous ? networks_ : tokens_);
        it = places_.erase(it);
      } else {
        counted.emplace_back(at.tenant, at.event);
        at.event.count = 0;
        at.since_us = now;
        ++it;
      }
    }
  }
  for (auto& [tenant, event] : counted) to_(tenant, std::move(event));
}

}  // namespace reeve::api
