#include "api/shares.hpp"

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace reeve::api {
namespace {

template <class Key>
std::size_t held_by(const std::unordered_map<Key, std::size_t>& counts, const Key& who) {
  const auto found = counts.find(who);
  return found == counts.end() ? 0 : found->second;
}

template <class Key>
void give_back(std::unordered_map<Key, std::size_t>& counts, const Key& who, std::size_t amount) {
  const auto found = counts.find(who);
  if (found == counts.end()) return;
  found->second -= std::min(found->second, amount);
  if (found->second == 0) counts.erase(found);
}

}  // namespace

struct share::state {
  explicit state(share_limits given) : limits(given) {}

  share_verdict judge(const std::optional<uuid>& token, const std::string& address) const {
    if (token && held_by(tokens, *token) >= limits.of_token) return share_verdict::token_is_full;
    if (!address.empty() && held_by(addresses, address) >= limits.of_address) {
      return share_verdict::address_is_full;
    }
    return all >= limits.all ? share_verdict::all_is_full : share_verdict::granted;
  }

  const share_limits limits;
  mutable std::mutex mutex;
  std::size_t all = 0;
  std::unordered_map<uuid, std::size_t> tokens;
  std::unordered_map<std::string, std::size_t> addresses;
};

share_limits limits_of(std::size_t all, share_percents percents) {
  const auto part = [all](std::size_t percent) {
    const std::size_t made = all / 100 * percent + (all % 100 * percent + 99) / 100;
    return made < all ? made : share_limits::none;
  };
  return {all, part(percents.of_token), part(percents.of_address)};
}

std::string_view name_of(share_verdict why) {
  switch (why) {
    case share_verdict::granted:
      return "none";
    case share_verdict::token_is_full:
      return "token";
    case share_verdict::address_is_full:
      return "address";
    case share_verdict::all_is_full:
      return "all";
  }
  return "none";
}

rejection refusal_of(share_verdict why, std::string_view what) {
  if (why == share_verdict::all_is_full) {
    return reject(errc::overloaded, "there are too many " + std::string(what));
  }
  return reject(errc::rate_limited, "this " + std::string(name_of(why)) + " has too many " +
                                        std::string(what) + " at a time");
}

share::share(share&& other) noexcept
    : state_(std::move(other.state_)),
      token_(std::exchange(other.token_, std::nullopt)),
      address_(std::move(other.address_)),
      amount_(std::exchange(other.amount_, 0)) {
  other.address_.clear();
}

share& share::operator=(share&& other) noexcept {
  if (this == &other) return *this;
  release();
  state_ = std::move(other.state_);
  token_ = std::exchange(other.token_, std::nullopt);
  address_ = std::move(other.address_);
  amount_ = std::exchange(other.amount_, 0);
  other.address_.clear();
  return *this;
}

void share::release() {
  const auto from = std::move(state_);
  state_.reset();
  if (!from) return;
  const std::lock_guard lock(from->mutex);
  from->all -= std::min(from->all, amount_);
  if (token_) give_back(from->tokens, *token_, amount_);
  if (!address_.empty()) give_back(from->addresses, address_, amount_);
}

share_ledger::share_ledger(share_limits limits) : state_(std::make_shared<share::state>(limits)) {}

share_verdict share_ledger::take(const share_holder& who, std::size_t amount, share& into) {
  share made;
  {
    std::string address(who.address);
    const std::lock_guard lock(state_->mutex);
    const auto verdict = state_->judge(who.token, address);
    if (verdict != share_verdict::granted) return verdict;
    state_->all += amount;
    if (who.token) state_->tokens[*who.token] += amount;
    if (!address.empty()) state_->addresses[address] += amount;
    made.state_ = state_;
    made.token_ = who.token;
    made.address_ = std::move(address);
    made.amount_ = amount;
  }
  into = std::move(made);
  return share_verdict::granted;
}

std::size_t share_ledger::held() const {
  const std::lock_guard lock(state_->mutex);
  return state_->all;
}

std::size_t share_ledger::holders() const {
  const std::lock_guard lock(state_->mutex);
  return state_->tokens.size() + state_->addresses.size();
}

}  // namespace reeve::api
