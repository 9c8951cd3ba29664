#pragma once
// Room in bytes that tenants share: bounded in all and for each of them. Pure.

#include "base/ids.hpp"
#include "base/turn_queue.hpp"

#include <cstddef>
#include <map>

namespace reeve {

class shared_room {
 public:
  struct limits {
    std::size_t one = 0;  // for one tenant
    std::size_t all = 0;
  };
  explicit shared_room(limits most) : most_(most) {}

  /// Whether so much may be held besides. What is larger than a limit has to be alone: the only one
  /// of its tenant, the only one of all. Beyond its share a tenant is passed over; where all of the
  /// room is held everybody waits, so that who needs much of it is not passed over for ever.
  turn_verdict fits(const uuid& tenant, std::size_t bytes) const {
    const auto own = held_by(tenant);
    if (own > 0 && own + bytes > most_.one) return turn_verdict::pass_over;
    if (all_ > 0 && all_ + bytes > most_.all) return turn_verdict::wait;
    return turn_verdict::take;
  }

  void hold(const uuid& tenant, std::size_t bytes) {
    held_[tenant] += bytes;
    all_ += bytes;
  }
  /// At most what it holds.
  void let_go(const uuid& tenant, std::size_t bytes) {
    const auto found = held_.find(tenant);
    found->second -= bytes;
    all_ -= bytes;
    if (found->second == 0) held_.erase(found);
  }

  std::size_t held() const { return all_; }
  std::size_t held_by(const uuid& tenant) const {
    const auto found = held_.find(tenant);
    return found == held_.end() ? 0 : found->second;
  }

 private:
  const limits most_;
  std::map<uuid, std::size_t> held_;  // more than nothing
  std::size_t all_ = 0;
};

}  // namespace reeve
